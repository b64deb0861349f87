"""The trees of LambdaMART, and the features they were grown on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Self

import numpy as np
import orjson
from pydantic import Field

from homefeed.model_files import require
from homefeed.rank.schema import OfSchema, Schema
from homefeed.rank.trees import Trees, TreesConfig
from homefeed.types import Floats, Scores

_TREES: Final = "trees.ubj"
_SCHEMA: Final = "schema.json"
_LARGEST_WEIGHT: Final = 1e9


class LambdamartConfig(TreesConfig):
    """How the trees are grown, and from what."""

    min_weight: Annotated[float, Field(ge=0)] = 5.0
    """What the candidates in a leaf weigh at least, by the second derivatives of the loss."""
    requests: Annotated[int, Field(ge=1)] = 50_000
    """Of all requests so many are learned from at most, the latest: more of them take longer and teach little."""
    negatives: Annotated[int, Field(ge=1)] = 100
    """Of the candidates of a request that were not chosen, so many are learned from at most, drawn at random."""


@dataclass(frozen=True, slots=True, eq=False)
class LambdamartModel(OfSchema):
    """Trees that correct the score by the feed's own ranker, so that what users choose stands before the rest.

    score = own x that score + the sum of the trees. They are grown on what the own ranker leaves to be done, so
    that few of them do no harm; without that score among the features, or any worth in it, the trees do all.

    Burges, "From RankNet to LambdaRank to LambdaMART: An Overview" (MSR-TR-2010-82), by XGBoost's `rank:ndcg`.
    """

    Config = LambdamartConfig

    trees: Trees
    own: float = 0.0

    @property
    def own_weight(self) -> float:
        """How many times the score by the feed's own ranker is added."""
        return self.own

    def scores(self, features: Floats) -> Scores:
        """(n,) the score by the feed's own ranker, weighted, and the sums of the trees."""
        scores = self.trees.margins(features)
        if self.own and self.schema.own is not None:
            scores += np.float32(self.own) * features[:, self.schema.own]
        return scores

    def contributions(self, features: Floats) -> Floats:
        """(n, features) SHAP values, and to `own` what that score adds; rows sum to the score."""
        added = self.trees.contributions(features, self.schema.bias)
        if self.own and self.schema.own is not None:
            added[:, self.schema.own] += np.float32(self.own) * features[:, self.schema.own]
        return added

    def save(self, folder: Path) -> None:
        """Write to an empty folder."""
        (folder / _TREES).write_bytes(self.trees.ubj)
        (folder / _SCHEMA).write_bytes(orjson.dumps(self.schema.to_json() | {"own": self.own}))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote.

        Raises:
            ArtifactError: it is not that, or XGBoost is not installed.
        """
        schema, others = Schema.read(folder / _SCHEMA)
        own = others.pop("own", 0.0)
        require(not others, f"nothing else in {_SCHEMA}")
        weighs = isinstance(own, float) and 0 <= own <= _LARGEST_WEIGHT
        require(weighs, f"what the score by the feed's own ranker counts in {_SCHEMA}")
        return cls(schema, Trees.load(folder / _TREES, len(schema.feature_names)), own)
