"""What features a ranking model learned from: with others it must not rank."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from homefeed.model_files import read_json, require
from homefeed.protocols import RankingModel
from homefeed.types import OWN

BIAS: Final = "bias"
_MOST_FEATURES: Final = 1_000


@dataclass(frozen=True, slots=True)
class Schema:
    """The features in the order of their columns, `bias` among them; whether those of retrievers are evidence."""

    feature_names: tuple[str, ...]
    calibrated: bool

    def to_json(self) -> dict[str, Any]:
        """The same for a file."""
        return {"feature_names": list(self.feature_names), "calibrated": self.calibrated}

    @classmethod
    def read(cls, path: Path) -> tuple[Self, dict[str, Any]]:
        """The schema of a model's .json file, and all else that it holds.

        Raises:
            ArtifactError: it is none.
        """
        found = read_json(path)
        names, calibrated = found.pop("feature_names", None), found.pop("calibrated", None)
        sound = isinstance(names, list) and all(isinstance(name, str) for name in names)
        require(sound and 0 < len(names) <= _MOST_FEATURES, "names of features")
        require(len(set(names)) == len(names) and BIAS in names, f"different features, {BIAS} among them")
        require(isinstance(calibrated, bool), "whether retrievers were calibrated")
        return cls(tuple(names), calibrated), found

    @property
    def bias(self) -> int:
        """The column of what is the same for every candidate."""
        return self.feature_names.index(BIAS)

    @property
    def own(self) -> int | None:
        """The column of the score by the feed's own ranker, if it is among them."""
        return self.feature_names.index(OWN) if OWN in self.feature_names else None


@dataclass(frozen=True, slots=True, eq=False)
class OfSchema:
    """Base of models that rank: what each tells of its features."""

    schema: Schema

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The features, in the order of their columns."""
        return self.schema.feature_names

    @property
    def calibrated(self) -> bool:
        """Whether it learned of retrievers' evidence."""
        return self.schema.calibrated

    @property
    def own_weight(self) -> float:
        """How many times the score by the feed's own ranker is added as it is."""
        return 0.0


def misfit(model: RankingModel, feature_names: Sequence[str], calibrated: bool) -> str | None:
    """Why a feed with these features cannot be ranked by the model; None where it can."""
    missing = [name for name in model.feature_names if name not in feature_names]
    if missing:
        return f"it learned from features that the feed no longer has: {', '.join(missing)}"
    new = [name for name in feature_names if name not in model.feature_names]
    if new:
        return f"the feed has features that it has not learned from: {', '.join(new)}"
    if model.calibrated != calibrated:
        return f"it learned from retrievers that were {'' if model.calibrated else 'not '}calibrated"
    return None
