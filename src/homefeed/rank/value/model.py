"""A classifier for each event type, and what each event is worth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Final, Self

import numpy as np
import numpy.typing as npt
import orjson
from pydantic import Field, FiniteFloat

from homefeed.model_files import require
from homefeed.protocols import PartConfig
from homefeed.rank.schema import OfSchema, Schema
from homefeed.rank.trees import Trees, TreesConfig
from homefeed.types import Floats, Scores

Doubles = npt.NDArray[np.float64]

_FILE: Final = "value.json"
_STEEPEST: Final = 100.0
_FLAT: Final = 1e-9


class ValueConfig(TreesConfig):
    """What events are worth, and how the classifiers are grown."""

    values: Annotated[dict[str, Annotated[FiniteFloat, Field(ge=-1e6, le=1e6)]], Field(min_length=1)]
    """By event type, what one is worth: `{ click = 1, save = 5, hide = -10 }`. Another value needs no training;
    another event type does."""


@dataclass(frozen=True, slots=True, eq=False)
class Classifier:
    """p = 1 / (1 + exp(-(slope x margin + intercept))), the margin being that of trees, 0 without any.

    Platt, "Probabilistic Outputs for Support Vector Machines" (1999).
    """

    trees: Trees | None
    slope: float
    intercept: float

    def log_odds(self, features: Floats) -> Doubles:
        """(n,) of the event."""
        margins = np.zeros(len(features)) if self.trees is None else self.trees.margins(features)
        return self.slope * margins.astype(np.float64) + self.intercept

    def contributions(self, features: Floats, bias: int) -> Doubles:
        """(n, features) the log-odds divided among the features; what is of none goes to `bias`."""
        added = np.zeros(features.shape)
        if self.trees is not None:
            added += self.slope * self.trees.contributions(features, bias).astype(np.float64)
        added[:, bias] += self.intercept
        return added


@dataclass(frozen=True, slots=True, eq=False)
class ValueModel(OfSchema):
    """score = sum over event types of value x probability: the weighted sum of predicted probabilities by which X
    ranks ("Twitter's Recommendation Algorithm", 2023).
    """

    Config = ValueConfig

    classifiers: Mapping[str, Classifier]
    values: Mapping[str, float] = field(default_factory=dict)

    def misconfigured(self, config: PartConfig) -> str | None:
        """Why it cannot rank by these settings; None where it can."""
        values = config.values if isinstance(config, ValueConfig) else {}
        unknown = [name for name in values if name not in self.classifiers]
        return f"it has not learned how likely these are: {', '.join(unknown)}" if unknown else None

    def configured(self, config: PartConfig) -> Self:
        """The same with the values of the settings."""
        return replace(self, values=dict(config.values)) if isinstance(config, ValueConfig) else self

    def probabilities(self, features: Floats) -> dict[str, Doubles]:
        """By event type, (n,) how likely it is."""
        return {name: _sigmoid(self.classifiers[name].log_odds(features)) for name in self.values}

    def scores(self, features: Floats) -> Scores:
        """(n,) what showing each is worth."""
        total = np.zeros(len(features))
        for name, likely in self.probabilities(features).items():
            total += self.values[name] * likely
        return total.astype(np.float32)

    def contributions(self, features: Floats) -> Floats:
        """(n, features) the score divided among the features: rows sum to it.

        Of each event, what its probability is above that of the bias alone is divided as its log-odds are.
        """
        bias = self.schema.bias
        total = np.zeros(features.shape)
        for name, value in self.values.items():
            added = self.classifiers[name].contributions(features, bias)
            base, above = added[:, bias].copy(), added.sum(axis=1)
            added[:, bias] = 0
            rise = above - base
            at_base, at_once = _sigmoid(base), _sigmoid(above)
            slope = np.where(
                np.abs(rise) > _FLAT, (at_once - at_base) / np.where(rise == 0, 1, rise), at_base * (1 - at_base)
            )
            total += value * added * slope[:, None]
            # What rounding leaves of the division goes to the bias, too.
            total[:, bias] += value * (at_once - (added * slope[:, None]).sum(axis=1))
        return total.astype(np.float32)

    def save(self, folder: Path) -> None:
        """Write to an empty folder."""
        told = []
        for number, (name, each) in enumerate(self.classifiers.items()):
            if each.trees is not None:
                (folder / _trees(number)).write_bytes(each.trees.ubj)
            told.append([name, each.trees is not None, each.slope, each.intercept])
        found = self.schema.to_json() | {"classifiers": told, "values": dict(self.values)}
        (folder / _FILE).write_bytes(orjson.dumps(found))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote.

        Raises:
            ArtifactError: it is not that, or XGBoost is not installed.
        """
        schema, others = Schema.read(folder / _FILE)
        told, values = others.pop("classifiers", None), others.pop("values", None)
        require(not others and isinstance(told, list) and isinstance(values, dict), f"classifiers in {_FILE}")
        classifiers = dict(_classifier(folder, number, row, schema) for number, row in enumerate(told))
        known = all(name in classifiers and type(value) in {float, int} for name, value in values.items())
        require(known, "values of its events")
        return cls(schema, classifiers, values)


def _classifier(folder: Path, number: int, told: Any, schema: Schema) -> tuple[str, Classifier]:
    require(isinstance(told, list) and len(told) == 4 and isinstance(told[0], str), f"a classifier in {_FILE}")
    name, has_trees, slope, intercept = told
    calibration = all(isinstance(each, float) and abs(each) <= _STEEPEST for each in (slope, intercept))
    require(isinstance(has_trees, bool) and calibration, f"a calibration in {_FILE}")
    trees = Trees.load(folder / _trees(number), len(schema.feature_names)) if has_trees else None
    return name, Classifier(trees, slope, intercept)


def _trees(number: int) -> str:
    return f"trees-{number}.ubj"


def _sigmoid(log_odds: Doubles) -> Doubles:
    likely: Doubles = 1 / (1 + np.exp(-np.clip(log_odds, -500, 500)))
    return likely
