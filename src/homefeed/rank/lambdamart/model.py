"""The trees of LambdaMART, and the features they were grown on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Self

import orjson
from pydantic import Field

from homefeed.model_files import require
from homefeed.rank.schema import OfSchema, Schema
from homefeed.rank.trees import Trees, TreesConfig
from homefeed.types import Floats, Scores

_TREES: Final = "trees.ubj"
_SCHEMA: Final = "schema.json"


class LambdamartConfig(TreesConfig):
    """How the trees are grown, and from what."""

    min_weight: Annotated[float, Field(ge=0)] = 5.0
    """What the candidates in a leaf weigh at least, by the second derivatives of the loss."""
    negatives: Annotated[int, Field(ge=1)] = 100
    """Of the candidates of a request that were not chosen, so many are learned from at most, drawn at random."""


@dataclass(frozen=True, slots=True, eq=False)
class LambdamartModel(OfSchema):
    """Trees that score candidates, so that those whom users choose stand before the others.

    Burges, "From RankNet to LambdaRank to LambdaMART: An Overview" (MSR-TR-2010-82), by XGBoost's `rank:ndcg`.
    """

    Config = LambdamartConfig

    trees: Trees

    def scores(self, features: Floats) -> Scores:
        """(n,) the sums of the trees."""
        return self.trees.margins(features)

    def contributions(self, features: Floats) -> Floats:
        """(n, features) SHAP values; rows sum to the score."""
        return self.trees.contributions(features, self.schema.bias)

    def save(self, folder: Path) -> None:
        """Write to an empty folder."""
        (folder / _TREES).write_bytes(self.trees.ubj)
        (folder / _SCHEMA).write_bytes(orjson.dumps(self.schema.to_json()))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote.

        Raises:
            ArtifactError: it is not that, or XGBoost is not installed.
        """
        schema, others = Schema.read(folder / _SCHEMA)
        require(not others, f"nothing else in {_SCHEMA}")
        return cls(schema, Trees.load(folder / _TREES, len(schema.feature_names)))
