"""The item-item model: for each item, its most similar items."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, TypeAlias

from pydantic import Field

from homefeed.model_files import require_shape
from homefeed.protocols import PartConfig
from homefeed.retrieve.neighbours import NeighbourLists
from homefeed.types import Mask

Share: TypeAlias = Annotated[float, Field(ge=0, le=100)]


class ItemItemConfig(PartConfig):
    """How neighbours are found and weighed; see `ItemItemTrainer` for the formula."""

    neighbours: Annotated[int, Field(ge=1, le=2_000)] = 300
    """How many neighbours are kept for each item: the weightiest."""
    candidates: Annotated[int, Field(ge=1, le=5_000)] = 500
    """How many nearest items by cosine they are chosen from."""
    max_items_per_user: Annotated[int, Field(ge=2)] = 500
    """Of a user with more items only the latest count."""
    min_users: Annotated[int, Field(ge=1)] = 1
    """How many users have to share two items that are neighbours. With 2, none rests on one user alone."""
    user_exponent: Annotated[float, Field(ge=0, le=1)] = 0.6
    """How much users with many items are damped; with 0 they are not."""
    cosine: Share = 0.5
    """How much the damped cosine counts; with 0 it is not computed."""
    item_exponent: Annotated[float, Field(ge=0, le=1)] = 0.4
    """How much the cosine damps popular items; with 0 it does not."""
    power: Annotated[float, Field(gt=0, le=2)] = 0.7
    """The exponent of the cosine: below 1 it lifts weak neighbours."""
    shrinkage: Annotated[float, Field(ge=0)] = 1.0
    """How much the cosine of items that few users share is damped; with 0 it is not."""
    ridge: Share = 1.0
    """How much the local ridge regression counts; with 0 it is not computed."""
    ridge_neighbours: Annotated[int, Field(ge=1, le=1_000)] = 200
    """How many nearest items the regression predicts each item from."""
    penalty: Annotated[float, Field(gt=0)] = 15.0
    """How strongly the regression's weights are drawn to zero."""
    spectral: Share = 1.0
    """How much the strongest patterns of all users and items count; with 0 they are not computed."""
    dimensions: Annotated[int, Field(ge=1, le=2_048)] = 512
    """How many patterns. Their cost grows with their number."""
    history_exponent: Annotated[float, Field(ge=0, le=1)] = 0.2
    """How much more the less popular items of a user's history count; with 0 all count the same."""
    fields: dict[str, Annotated[float, Field(gt=0)]] = Field(default_factory=dict)
    """By field of kind text, category or tags, its weight where items without events find their neighbours.
    Without any, all such fields count the same."""
    cold_item_weight: Annotated[float, Field(ge=0, le=1)] = 0.5
    """The weight of the best neighbour of an item without events, as a share of a usual best neighbour's. With 0
    such items have no neighbours."""
    place_exponent: Annotated[float, Field(ge=0, le=2)] = 0.3
    """The n-th moment from the user's latest counts n^-place_exponent; with 0 all places count the same."""


@dataclass(frozen=True, slots=True)
class ItemItemModel(NeighbourLists):
    """Neighbour lists: of each item, the items that the same users choose, from three views of who chose what.

    `derived` (items,) marks items without events: what they share with others is content. `place_exponent` is for
    those who weigh a history.
    """

    Config: ClassVar[type[PartConfig]] = ItemItemConfig
    OF_ROWS: ClassVar[tuple[str, ...]] = ("derived",)

    derived: Mask
    place_exponent: float

    def check(self) -> None:
        """Refuse marks of other items.

        Raises:
            ArtifactError: naming what is wrong.
        """
        NeighbourLists.check(self)
        require_shape("derived", self.derived.shape, self.numbers.shape)
