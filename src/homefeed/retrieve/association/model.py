"""The association model: for each item, what is in its baskets more often than chance would have it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from homefeed.protocols import PartConfig
from homefeed.retrieve.neighbours import NeighbourLists
from homefeed.types import Floats


class AssociationConfig(PartConfig):
    """How baskets are cut, which rules hold, and what they weigh; see `AssociationTrainer` for the formula.

    A user's events are of one basket while no more than `gap_minutes` lie between one and the next; of a basket of
    more than `items_per_basket` items the latest count. A rule needs `min_baskets` that hold both items and a
    share of `min_support` of all baskets, `min_confidence`, and a lift above 1 of at least `min_lift`; the
    `neighbours` weightiest of an item are kept.

    `method` says who counts: "pairs" a sparse product, "fp_growth" FP-Growth of the library mlxtend, which comes
    to the same rules. Its memory grows with all that is frequent: without a `min_support` it takes 0.001.
    """

    method: Literal["pairs", "fp_growth"] = "pairs"
    gap_minutes: Annotated[float, Field(gt=0, le=10_000_000)] = 30.0
    items_per_basket: Annotated[int, Field(ge=2)] = 100
    min_baskets: Annotated[int, Field(ge=1)] = 2
    min_support: Annotated[float | None, Field(ge=0, le=1)] = None
    min_confidence: Annotated[float, Field(ge=0, le=1)] = 0.0
    min_lift: Annotated[float, Field(ge=1)] = 1.0
    shrinkage: Annotated[float, Field(ge=0)] = 100.0
    sharpness: Annotated[float, Field(gt=0, le=4)] = 3.0
    neighbours: Annotated[int, Field(ge=1, le=10_000)] = 100


@dataclass(frozen=True, slots=True)
class AssociationModel(NeighbourLists):
    """Rules "who has this also has that" as neighbour lists, from this to that.

    Of each neighbour `support`, the share of all `baskets` that hold both; `confidence`, the share of this item's
    baskets that hold the other, too; and `lift`, by how much that exceeds the other's share of all baskets
    (Agrawal, Imielinski & Swami, SIGMOD 1993; Brin, Motwani, Ullman & Tsur, SIGMOD 1997). Weights are of the power
    `sharpness`.
    """

    Config = AssociationConfig
    ARRAYS: ClassVar[tuple[str, ...]] = (*NeighbourLists.ARRAYS, "support", "confidence", "lift")

    support: Floats
    confidence: Floats
    lift: Floats
    baskets: int
    sharpness: float
