"""The coefficients of the click model, and the features they belong to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Self

import numpy as np
import orjson
from pydantic import Field

from homefeed.model_files import Header, headers_of, require, require_finite, require_headers
from homefeed.protocols import PartConfig
from homefeed.rank.schema import OfSchema, Schema
from homefeed.types import Floats, Scores

_COEFFICIENTS: Final = "coefficients.npz"
_SCHEMA: Final = "schema.json"


class ClickModelConfig(PartConfig):
    """How the coefficients are found."""

    regularization: Annotated[float, Field(gt=0)] = 1.0
    """How strongly coefficients are drawn to 0."""


@dataclass(frozen=True, slots=True, eq=False)
class ClickModelModel(OfSchema):
    """ln(p / (1 - p)) = sum over features of coefficient x feature, p being the probability of a click."""

    Config = ClickModelConfig

    coefficients: Floats

    @property
    def own_weight(self) -> float:
        """The coefficient of the score by the feed's own ranker."""
        return 0.0 if self.schema.own is None else float(self.coefficients[self.schema.own])

    def scores(self, features: Floats) -> Scores:
        """(n,) the log-odds of a click."""
        return features @ self.coefficients

    def contributions(self, features: Floats) -> Floats:
        """(n, features) what each feature adds to them."""
        return features * self.coefficients

    def save(self, folder: Path) -> None:
        """Write to an empty folder."""
        np.savez(folder / _COEFFICIENTS, coefficients=self.coefficients)
        (folder / _SCHEMA).write_bytes(orjson.dumps(self.schema.to_json()))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote.

        Raises:
            ArtifactError: it is not that.
        """
        schema, others = Schema.read(folder / _SCHEMA)
        require(not others, f"nothing else in {_SCHEMA}")
        expected = {"coefficients": Header((len(schema.feature_names),), np.float32)}
        require_headers(headers_of(folder / _COEFFICIENTS), expected)
        with np.load(folder / _COEFFICIENTS, allow_pickle=False) as arrays:
            coefficients = arrays["coefficients"]
        require_finite(coefficients=coefficients)
        return cls(schema, coefficients)
