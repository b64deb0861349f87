"""The sequence model: for each item, what comes after it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import Field

from homefeed.protocols import PartConfig
from homefeed.retrieve.item_item.model import ItemItemModel, Share


class SequenceConfig(PartConfig):
    """How it is learned what follows what; see `SequenceTrainer` for the formula."""

    neighbours: Annotated[int, Field(ge=1, le=2_000)] = 500
    """How many neighbours are kept for each item: the weightiest."""
    candidates: Annotated[int, Field(ge=1, le=5_000)] = 1_000
    """How many nearest items by cosine they are chosen from."""
    max_items_per_user: Annotated[int, Field(ge=2)] = 500
    """Of a user with more items only the latest count."""
    min_users: Annotated[int, Field(ge=1)] = 1
    """How many users have to share two items that are neighbours. With 2, none rests on one user alone."""
    repeats: bool = False
    """Whether each event of a user counts, not the first of each item only: what is chosen again is to come again.
    No item is its own neighbour."""
    days_per_place: Annotated[float, Field(gt=0)] | None = None
    """So many days without an event count as one place more between two events. Without it only their order
    counts."""
    window: Annotated[int, Field(ge=1, le=500)] = 25
    """How many places back something still counts, and how many ahead something is still a target."""
    place_exponent: Annotated[float, Field(ge=0, le=2)] = 0.7
    """The n-th place back counts n^-place_exponent, in training and at a request."""
    target_exponent: Annotated[float, Field(ge=0, le=3)] = 1.0
    """What comes n places later is a target by n^-target_exponent: with a high one only what comes next counts."""
    user_exponent: Annotated[float, Field(ge=0, le=1)] = 0.5
    """How much users with many items are damped; with 0 they are not."""
    penalty: Annotated[float, Field(gt=0)] = 20.0
    """How strongly the regression's weights are drawn to zero."""
    exact_items: Annotated[int, Field(ge=0, le=30_000)] = 10_000
    """Up to so many items with events the regression is solved exactly, in memory of 8 bytes times their square.
    Beyond, for each item on those that it follows most."""
    regression_neighbours: Annotated[int, Field(ge=1, le=1_000)] = 200
    """On how many of them."""
    together: Share = 0.7
    """How much it counts which items the same users choose in whatever order; with 0 that is not computed."""
    together_penalty: Annotated[float, Field(gt=0)] = 200.0
    """How strongly the weights of that are drawn to zero."""
    content: Share = 1.5
    """How much it counts that items have words in common; with 0 that is not computed."""
    content_neighbours: Annotated[int, Field(ge=0, le=1_000)] = 50
    """How many items without users in common are neighbours by their words."""
    fields: dict[str, Annotated[float, Field(gt=0)]] = Field(default_factory=dict)
    """By field of kind text, category or tags, its weight where words are compared. Without any, all such fields
    count the same."""


@dataclass(frozen=True, slots=True)
class SequenceModel(ItemItemModel):
    """Neighbour lists: of each item, what users come to after it.

    `derived` (items,) marks items without events: what they share with others is content.
    """

    Config: ClassVar[type[PartConfig]] = SequenceConfig
