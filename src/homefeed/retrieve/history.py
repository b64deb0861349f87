"""What retrievers that start from a user's history have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, TypeAlias

from pydantic import Field

from homefeed.protocols import PartConfig, Range
from homefeed.taste import weighted_seeds
from homefeed.types import Floats, Positions, Query

Seeds: TypeAlias = tuple[Positions, Floats]
"""Items, each once and rising, and their weights."""


class HistoryConfig(PartConfig):
    """Base of the `Config` of retrievers that start from the user's latest events; see `weighted_seeds`."""

    SPACE: ClassVar[Mapping[str, Range]] = {
        "half_life_days": Range(1, 1_000, log=True),
        "place_exponent": Range(0, 1.5),
    }

    max_events: Annotated[int, Field(ge=1, le=1_000)] = 50
    """How many of the user's latest events count."""
    half_life_days: Annotated[float, Field(gt=0)] = 90.0
    """An event's weight halves for every so many days between it and the user's latest event."""
    place_exponent: Annotated[float, Field(ge=0, le=2)] | None = None
    """The n-th moment from the user's latest counts n^-place_exponent; by default as its model says, or all the
    same."""


def seeds_of(query: Query, config: HistoryConfig, place_exponent: float = 0.0) -> Seeds:
    """What a request starts from, by the settings of a retriever; its model may have a `place_exponent`, too."""
    exponent = place_exponent if config.place_exponent is None else config.place_exponent
    return weighted_seeds(query, config.max_events, config.half_life_days, exponent)
