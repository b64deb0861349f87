"""The association model: for each item, what is in its baskets more often than chance would have it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field

from homefeed.protocols import PartConfig
from homefeed.retrieve.neighbours import NeighbourLists
from homefeed.types import Floats, Numbers


class AssociationConfig(PartConfig):
    """How baskets are cut, which rules hold, and what they weigh; see `AssociationTrainer` for the formula."""

    method: Literal["pairs", "fp_growth"] = "pairs"
    """How rules are counted: `"pairs"` by a sparse product, `"fp_growth"` by FP-Growth of the library mlxtend,
    which comes to the same rules and takes `pip install 'homefeed[rules]'`."""
    gap_minutes: Annotated[float, Field(gt=0, le=10_000_000)] = 30.0
    """A user's basket ends where more time than this lies between two of their events."""
    max_items_per_basket: Annotated[int, Field(ge=2)] = 100
    """Of a larger basket only the latest items count."""
    once_per_user: bool = True
    """Whether of a user's baskets one counts for each rule, however often they repeat it: then baskets are counted
    below by their users. Without it each of them counts."""
    min_baskets: Annotated[int, Field(ge=1)] = 2
    """How many baskets have to hold both items of a rule."""
    min_support: Annotated[float | None, Field(ge=0, le=1)] = None
    """The share of all baskets that has to hold both items of a rule; none: `"pairs"` sets no such bound, and
    `"fp_growth"`, with memory that grows with all that is frequent, takes 0.001."""
    min_confidence: Annotated[float, Field(ge=0, le=1)] = 0.0
    """The share of an item's baskets that has to hold the other item of a rule, too."""
    min_lift: Annotated[float, Field(ge=1)] = 1.0
    """How many times as often as by chance two items have to be together. A lift of 1 is never enough."""
    shrinkage: Annotated[float, Field(ge=0)] = 100.0
    """How many imaginary baskets without the pair are added, so that rules of few baskets weigh less."""
    sharpness: Annotated[float, Field(gt=0, le=4)] = 3.0
    """How much a strong rule outweighs several weak ones. At 1 they add up."""
    neighbours: Annotated[int, Field(ge=1, le=10_000)] = 100
    """How many rules are kept for each item: the weightiest."""


@dataclass(frozen=True, slots=True)
class AssociationModel(NeighbourLists):
    """Pair rules of baskets, such as purchases and visits: "who has this also has that", by support, confidence
    and lift.

    They are neighbour lists, from this to that. Of each neighbour `support`, the share of all `baskets` that hold
    both; `confidence`, the share of this item's baskets that hold the other, too; and `lift`, by how much that
    exceeds the other's share of all baskets (Agrawal, Imielinski & Swami, SIGMOD 1993; Brin, Motwani, Ullman &
    Tsur, SIGMOD 1997). Weights are of the power `sharpness`. Where users are kept apart, all baskets
    are those of the item's partition.
    """

    Config = AssociationConfig
    OF_ENTRIES: ClassVar[tuple[str, ...]] = ("weights", "support", "confidence", "lift")

    support: Floats
    confidence: Floats
    lift: Floats
    baskets: int
    sharpness: float

    @classmethod
    def joined(cls, parts: Mapping[str, Self], numbers: Numbers) -> Self:
        """The rules of each partition, by its own baskets; and how many baskets there are in all."""
        lists = super(AssociationModel, cls).joined(parts, numbers)
        return replace(lists, baskets=sum(part.baskets for part in parts.values()))

    def check(self) -> None:
        """Refuse rules that are no numbers.

        Raises:
            ArtifactError: naming what is wrong.
        """
        NeighbourLists.check(self)
        self.check_entries(support=self.support, confidence=self.confidence, lift=self.lift)
