"""What retrievers that start from a user's history have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, TypeAlias

from pydantic import Field

from homefeed.protocols import PartConfig, Range
from homefeed.taste import weighted_seeds
from homefeed.types import Floats, Positions, Query

Seeds: TypeAlias = tuple[Positions, Floats]
"""Items, each once and rising, and their weights."""


class HistoryConfig(PartConfig):
    """Base of the `Config` of retrievers that start from the user's latest events; see `weighted_seeds`."""

    SPACE: ClassVar[Mapping[str, Range]] = {
        "half_life_days": Range(1, 1_000, log=True),
        "place_exponent": Range(0, 1.5),
    }

    max_events: Annotated[int, Field(ge=1, le=1_000)] = 50
    """How many of the user's latest events count."""
    half_life_days: Annotated[float, Field(gt=0)] = 90.0
    """An event's weight halves for every so many days between it and the user's latest event."""
    place_exponent: Annotated[float, Field(ge=0, le=2)] | None = None
    """The n-th moment from the user's latest counts n^-place_exponent; by default as its model says, or all the
    same."""
    category: str | None = None
    """A category field of items. A reason tells of the item's category where what the user did to others of it
    added more than all else, but the item that added most is of another; none: reasons name items only."""
    reason_own: str = "You {verb} this {times} times"
    """The reason where nothing added more than what the user did to the item itself; {verb} is what they did to
    it, {times} how often."""
    reason_own_once: str = "You {verb} this before"
    """The same where they did it once."""
    reason_category: str = "Because of what you {verb} in {category}"
    """The reason that tells of the item's {category}; {verb} is what the user did to the item of it that added
    most."""


def seeds_of(query: Query, config: HistoryConfig, place_exponent: float = 0.0) -> Seeds:
    """What a request starts from, by the settings of a retriever; its model may have a `place_exponent`, too."""
    exponent = place_exponent if config.place_exponent is None else config.place_exponent
    return weighted_seeds(query, config.max_events, config.half_life_days, exponent)


def nameable(query: Query, seeds: Seeds) -> Seeds:
    """Those of the seeds that a reason may name: what speaks for others, and can be seen by its reader."""
    items, weights = seeds
    usable = query.explainable[items] & (weights > 0)
    return items[usable], weights[usable]
