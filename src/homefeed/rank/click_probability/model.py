"""A logistic regression on features of pairs of a user and an item."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Self

import numpy as np
import numpy.typing as npt
import orjson
from pydantic import Field, TypeAdapter, ValidationError
from scipy.special import expit

from homefeed.errors import ArtifactError
from homefeed.labelled import FieldName, PairFeature, Validation, Values, problems_of
from homefeed.model_files import Header, headers_of, read_values, require, require_finite, require_headers
from homefeed.protocols import PartConfig

_NUMBERS: Final = "numbers.npz"
_MODEL: Final = "model.json"
_MOST_FEATURES: Final = 1_000
_MOST_SPREADS: Final = 1e6
"""A feature is as far from its mean at most, so that no number is too large to compute with."""

_Features = Annotated[dict[FieldName, PairFeature], Field(min_length=1, max_length=_MOST_FEATURES)]


class ClickProbabilityConfig(PartConfig):
    """What is told of each pair, and how the weights are found."""

    features: _Features
    """By the name of a column of the samples, what it tells of the user and the item: at serving it is computed
    likewise."""
    samples: Annotated[str, Field(min_length=1)] = "click_samples"
    """The name of the file of samples in a folder, without its ending: .parquet, .csv, .jsonl."""
    label: Annotated[str, Field(min_length=1)] = "clicked"
    """The column that says whether the user chose the item, 1 or 0."""
    held_out: Annotated[float, Field(gt=0, lt=1)] = 0.2
    """The share of the samples that is not learned from: it tells how good the model is. Of those that were chosen
    and of the others it is the same share."""
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 42
    """Which samples those are: the same seed chooses the same."""
    regularization: Annotated[float, Field(gt=0)] = 1.0
    """How strongly weights are drawn to 0."""

    def misdeclared(self, items: Mapping[str, str], users: Mapping[str, str]) -> str | None:
        """Why features cannot be told of items and users with fields of these kinds, by key; None if they can."""
        told = [f"features.{name}: {problem}" for name, problem in problems_of(self.features, items, users)]
        return "; ".join(told) or None


@dataclass(frozen=True, slots=True, eq=False)
class ClickProbabilityModel:
    """How likely a user is to choose an item, by features of the two: a logistic regression that learns from a
    file of click samples, for the feature `click_probability`.

    ln(p / (1 - p)) = intercept + sum of weight x (feature - mean) / spread, p being the probability. `means`,
    `spreads` and `weights` (features,) are in the order of `features`, and of what is learned from them:
    ln(1 + feature) where it is declared `log`. A weight is what one standard deviation adds to the log-odds. A
    feature that is not known is as the mean.
    """

    Config = ClickProbabilityConfig

    features: Mapping[str, PairFeature]
    means: Values
    spreads: Values
    weights: Values
    intercept: float
    validation: Validation

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The features, in the order of the columns."""
        return tuple(self.features)

    @property
    def importances(self) -> dict[str, float]:
        """By feature its weight, the largest first, whatever the sign."""
        weighed = zip(self.features, self.weights.tolist(), strict=True)
        return dict(sorted(weighed, key=lambda one: -abs(one[1])))

    def probabilities(self, values: Values) -> npt.NDArray[np.float64]:
        """(n,) how likely a click is, by features (n, features) as they are, NaN where one is not known."""
        apart = learned_from(self.features, values)
        apart -= self.means
        apart /= self.spreads
        apart[np.isnan(apart)] = 0
        np.clip(apart, -_MOST_SPREADS, _MOST_SPREADS, out=apart)
        likely: npt.NDArray[np.float64] = expit(apart @ self.weights + self.intercept)
        return likely

    def save(self, folder: Path) -> None:
        """Write to an empty folder."""
        np.savez(folder / _NUMBERS, means=self.means, spreads=self.spreads, weights=self.weights)
        declared = {name: one.model_dump(exclude_defaults=True) for name, one in self.features.items()}
        told = {"features": declared, "intercept": self.intercept, "validation": asdict(self.validation)}
        (folder / _MODEL).write_bytes(orjson.dumps(told))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote.

        Raises:
            ArtifactError: it is not that.
        """
        told = read_values(folder / _MODEL, {"features": dict, "intercept": float, "validation": dict})
        features, validation = _read(_Features, told["features"]), _read(Validation, told["validation"])
        header = Header((len(features),), np.float64)
        require_headers(headers_of(folder / _NUMBERS), dict.fromkeys(("means", "spreads", "weights"), header))
        with np.load(folder / _NUMBERS, allow_pickle=False) as arrays:
            means, spreads, weights = arrays["means"], arrays["spreads"], arrays["weights"]
        require_finite(means=means, spreads=spreads, weights=weights, intercept=np.array([told["intercept"]]))
        require(bool((spreads > 0).all()), "spreads above 0")
        return cls(features, means, spreads, weights, told["intercept"], validation)


def learned_from(features: Mapping[str, PairFeature], values: Values) -> Values:
    """What a model learns from (n, features): a copy of the values, the logarithm of those declared so."""
    found = values.copy("K")
    for column, feature in enumerate(features.values()):
        if feature.log:
            found[:, column] = np.log1p(np.maximum(values[:, column], 0))
    return found


def _read(kind: Any, value: Any) -> Any:
    try:
        return TypeAdapter(kind).validate_python(value)
    except ValidationError as error:
        raise ArtifactError(f"{_MODEL} is damaged: {error}") from None
