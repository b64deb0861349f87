"""The item-item model: for each item, its most similar items."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, TypeAlias

from pydantic import Field

from homefeed.protocols import PartConfig
from homefeed.retrieve.neighbours import NeighbourLists
from homefeed.types import Mask

Share: TypeAlias = Annotated[float, Field(ge=0, le=100)]


class ItemItemConfig(PartConfig):
    """How neighbours are found and weighed; see `ItemItemTrainer` for the formula.

    `cosine`, `ridge` and `spectral` say how much each view counts; one of 0 is not computed. Items that fewer than
    `min_users` users share are no neighbours: with 2, it never rests on one user alone. Items without events
    take their neighbours from the recipe's `fields` and their weights, all fields alike where none are named, at
    `cold_item_weight` of a usual best neighbour's weight; with 0 they have none. `place_exponent` is how much less
    an event of a history counts for every later one, see `weighted_seeds`.
    """

    neighbours: Annotated[int, Field(ge=1, le=2_000)] = 300
    candidates: Annotated[int, Field(ge=1, le=5_000)] = 500
    items_per_user: Annotated[int, Field(ge=2)] = 500
    min_users: Annotated[int, Field(ge=1)] = 1
    user_exponent: Annotated[float, Field(ge=0, le=1)] = 0.6
    cosine: Share = 0.5
    item_exponent: Annotated[float, Field(ge=0, le=1)] = 0.4
    power: Annotated[float, Field(gt=0, le=2)] = 0.7
    shrinkage: Annotated[float, Field(ge=0)] = 1.0
    ridge: Share = 1.0
    ridge_neighbours: Annotated[int, Field(ge=1, le=1_000)] = 200
    penalty: Annotated[float, Field(gt=0)] = 15.0
    spectral: Share = 1.0
    dimensions: Annotated[int, Field(ge=1, le=2_048)] = 512
    history_exponent: Annotated[float, Field(ge=0, le=1)] = 0.2
    fields: dict[str, Annotated[float, Field(gt=0)]] = Field(default_factory=dict)
    cold_item_weight: Annotated[float, Field(ge=0, le=1)] = 0.5
    place_exponent: Annotated[float, Field(ge=0, le=2)] = 0.0


@dataclass(frozen=True, slots=True)
class ItemItemModel(NeighbourLists):
    """Neighbour lists: of an item those that people chose beside it.

    `derived` (items,) marks items without events: what they share with others is content. `place_exponent` is for
    those who weigh a history.
    """

    Config = ItemItemConfig
    ARRAYS: ClassVar[tuple[str, ...]] = (*NeighbourLists.ARRAYS, "derived")

    derived: Mask
    place_exponent: float
