"""The best of the categories that most people are drawn to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from pydantic import Field

from homefeed.catalog import Resources
from homefeed.retrieve.grouped import Grouped, GroupedConfig
from homefeed.retrieve.sentences import MIN_PEOPLE
from homefeed.types import Positions, Query, Scores


class TopCategories:
    """The best items of the most popular categories, in rounds: the best of each, the second of each, and so on.

    A category is as popular as an item would be that had the events, the strength and the count of all its
    eligible items: a filter brings other categories to the top. Of equals the one with more eligible items goes
    first. Items without a category belong to none.

    The best of every category come first, the most popular category's ahead, then the second best of every one:
    however short the page, as many categories as can be are on it, and within each of them the order is its own.
    The n-th of all scores 1 / n.
    """

    class Config(GroupedConfig):
        categories: Annotated[int, Field(ge=1)] = 6
        """How many categories."""
        each: Annotated[int, Field(ge=1)] = 60
        """How many items of each category."""
        reason: str = "Popular in {category}"
        """The reason; {category} is the item's."""
        reason_unseen: str = "From {category}"
        """The reason for an item with less than two events and no count."""

    def __init__(self, config: Config, resources: Resources) -> None:
        """Raises RecipeError where `field` is no category field, or `count` no number field."""
        self._config = config
        self._counters = resources.counters
        self._grouped = Grouped(config, resources)

    def refresh(self) -> None:
        """Sort anew where counters or catalogue changed."""
        self._grouped.refresh()

    def retrieve(self, query: Query, k: int) -> tuple[Positions, Scores]:
        """The first k in rounds."""
        groups = self._grouped.groups_of(query)
        items, events, strength, count = groups.sums(query.eligible)
        popularity = self._grouped.popularity(events, strength, count)
        # Those with nothing eligible have nothing that is popular either: they come last, with empty lists.
        top = np.lexsort((-items, -popularity))[: self._config.categories]
        return groups.in_rounds(top, query.eligible, self._config.each, k)

    def reasons(self, query: Query, positions: Positions) -> Sequence[str | None]:  # noqa: ARG002
        """The category of each; None for items without one."""
        seen = (self._counters.events[positions] >= MIN_PEOPLE) | (self._grouped.count(positions) > 0)
        reasons: list[str | None] = []
        for position, is_seen in zip(positions.tolist(), seen.tolist(), strict=True):
            category = self._grouped.category(position)
            words = self._config.reason if is_seen else self._config.reason_unseen
            reasons.append(None if category is None else words.format(category=category))
        return reasons
