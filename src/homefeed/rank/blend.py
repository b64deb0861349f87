"""How the parts of feeds add up, as measured on an app's own events: a model beside those it blends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Self, TypeAlias

import orjson

from homefeed.errors import ArtifactError
from homefeed.model_files import read_json
from homefeed.rank.calibration import Calibration

_FILE: Final = "blend.json"
_TOO_LARGE: Final = 1e6

RetrieverNumbers: TypeAlias = Mapping[str, Mapping[str, float]]
"""Numbers of retrievers that were tuned, by the retriever's name and the setting's."""


@dataclass(frozen=True, slots=True)
class FeedBlend:
    """What the retrievers of a feed say, by name, and the weights of its ranker that were tuned, if any were.

    It holds while the feed is made of the same: `retrievers` and `ranker` are what the recipe had it made of. The
    retrievers were measured with their `settings` that were tuned, and are to be served with them.
    """

    calibrations: Mapping[str, Calibration]
    retrievers: str
    ranker: str = ""
    weights: Mapping[str, float] = field(default_factory=dict)
    settings: RetrieverNumbers = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Blend:
    """The blend of each feed that has one, by its name."""

    feeds: Mapping[str, FeedBlend]

    def save(self, folder: Path) -> None:
        """Write to an empty folder."""
        (folder / _FILE).write_bytes(orjson.dumps(asdict(self), option=orjson.OPT_INDENT_2))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote.

        Raises:
            ArtifactError: it is not that.
        """
        try:
            feeds: dict[str, Any] = read_json(folder / _FILE)["feeds"]
            blend = cls({name: _feed_blend(**table) for name, table in feeds.items()})
        except (KeyError, TypeError, AttributeError) as error:
            raise ArtifactError(f"{_FILE} is damaged: {error}") from None
        return blend


def _feed_blend(
    calibrations: Mapping[str, Mapping[str, float]],
    retrievers: str,
    ranker: str,
    weights: Mapping[str, float],
    settings: RetrieverNumbers | None = None,  # earlier blends have none
) -> FeedBlend:
    made = {name: Calibration(**numbers) for name, numbers in calibrations.items()}
    numbers = [number for each in made.values() for number in asdict(each).values()] + list(weights.values())
    numbers += [number for own in (settings or {}).values() for number in own.values()]
    if not all(isinstance(number, float | int) and abs(number) < _TOO_LARGE for number in numbers):
        raise ArtifactError(f"{_FILE} is damaged: expected numbers between -1e6 and 1e6")
    return FeedBlend(made, retrievers, ranker, weights, settings or {})
