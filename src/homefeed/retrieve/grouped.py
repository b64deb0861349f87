"""The best items of every category, for retrievers that propose some of several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import Field, FiniteFloat

from homefeed.catalog import Resources
from homefeed.catalog.columns import CategoryColumn, NumberColumn, as_counts
from homefeed.protocols import PartConfig
from homefeed.types import Codes, Mask, Positions, Scores

Doubles = npt.NDArray[np.float64]


class GroupedConfig(PartConfig):
    """Base of the `Config` of retrievers that go by category.

    Within a category the most popular stand first, by events_weight x ln(1 + events) + strength_weight x
    ln(1 + strength) + count_weight x ln(1 + count). Equals stand newest first.
    """

    field: str
    """The category field of items that makes the categories."""
    count: str | None = None
    """A number field of items that holds how many people know them from elsewhere, such as a number of ratings;
    none: only events count."""
    events_weight: Annotated[FiniteFloat, Field(ge=0)] = 1.0
    """The weight of ln(1 + the item's events). Dislikes do not count."""
    strength_weight: Annotated[FiniteFloat, Field(ge=0)] = 1.0
    """The weight of ln(1 + their summed strength). Dislikes add nothing."""
    count_weight: Annotated[FiniteFloat, Field(ge=0)] = 0.01
    """The weight of ln(1 + count): with so little it decides only where there are few events, as in a new shop."""


@dataclass(frozen=True, slots=True)
class Groups:
    """The categories of a catalogue at one time.

    `order` (n,) holds the positions of all items with a category, each category's together and its best first;
    those of group g, 0 to the number of groups - 1, from `starts[g]` to `starts[g + 1]`. `codes` (groups,) are
    those of the categories, `available` (groups,) how many of their items are. `events`, `strength` and `count`
    (n,) are those of the items, in their order.
    """

    order: Positions
    starts: npt.NDArray[np.intp]
    codes: Codes
    available: Doubles
    events: Doubles
    strength: Doubles
    count: Doubles
    of_position: Codes

    def __len__(self) -> int:
        return len(self.codes)

    def of(self, positions: Positions) -> Codes:
        """(m,) the group of each item; -1 of those without a category, and of newer ones."""
        found = np.full(len(positions), -1, np.int32)
        known = positions < len(self.of_position)
        found[known] = self.of_position[positions[known]]
        return found

    def eligible(self, mask: Mask) -> Mask:
        """(n,) which are eligible, in their order, by the mask (items,) of a request."""
        if len(mask) < len(self.of_position):
            mask = np.append(mask, np.zeros(len(self.of_position) - len(mask), np.bool_))
        return mask[self.order]

    def sums(self, values: npt.NDArray[np.bool_] | Doubles) -> Doubles:
        """(groups,) sums of values (n,) that are in their order."""
        return np.add.reduceat(values, self.starts[:-1], dtype=np.float64)

    def first(self, group: int, eligible: Mask, most: int) -> Positions:
        """The best of a group that are eligible, by the mask (n,) in their order."""
        start, stop = self.starts[group], self.starts[group + 1]
        return self.order[start:stop][np.flatnonzero(eligible[start:stop])[:most]]


class Grouped:
    """Keeps the groups of a catalogue, sorted beside the requests."""

    def __init__(self, config: GroupedConfig, resources: Resources) -> None:
        """Raises RecipeError where `field` is no category field, or `count` no number field."""
        self._config = config
        self._catalog = resources.catalog
        self._counters = resources.counters
        self.column = resources.catalog.column(config.field, CategoryColumn)
        self._count = None if config.count is None else resources.catalog.column(config.count, NumberColumn)
        self._groups: Groups | None = None
        self._seen = (-1, -1)

    def refresh(self) -> None:
        """Sort anew where counters or catalogue changed."""
        seen = (self._counters.version, self._catalog.generation)
        if seen != self._seen:
            self._groups, self._seen = self._sorted(), seen

    def groups(self) -> Groups:
        """As of the last refresh."""
        if self._groups is None:
            self.refresh()
        assert self._groups is not None  # noqa: S101
        return self._groups

    def popularity(self, events: Doubles, strength: Doubles, count: Doubles) -> Doubles:
        """(n,) the formula, of items or of sums of them."""
        config = self._config
        popularity = config.events_weight * np.log1p(events) + config.strength_weight * np.log1p(strength)
        return popularity + config.count_weight * np.log1p(count)

    def count(self, positions: Positions) -> Doubles:
        """(n,) what the `count` field says; 0 where it says nothing."""
        if self._count is None:
            return np.zeros(len(positions))
        return as_counts(self._count.numbers(self._catalog.size)[positions])

    def category(self, position: int) -> str | None:
        """The category of an item in words."""
        words = self.column.terms(position)
        return words[0] if words else None

    def _sorted(self) -> Groups:
        size = self._catalog.size
        every = np.arange(size, dtype=np.int32)
        codes = self.column.codes(size).copy()
        events, strength = self._counters.events[:size].copy(), self._counters.strength[:size].copy()
        count = self.count(every)
        order = np.lexsort((-every, -self.popularity(events, strength, count), codes)).astype(np.int32)
        order = order[np.searchsorted(codes[order], 0) :]
        present, starts = np.unique(codes[order], return_index=True)
        of_position = np.where(codes >= 0, np.searchsorted(present, codes), -1).astype(np.int32)
        starts = np.append(starts, len(order))
        available = np.add.reduceat(self._catalog.available[order], starts[:-1], dtype=np.float64)
        return Groups(order, starts, present, available, events[order], strength[order], count[order], of_position)


def in_rounds(found: Sequence[Positions]) -> tuple[Positions, Scores]:
    """The first of each list, then the second of each, and so on; the n-th scores 1 / n."""
    if not found:
        return np.empty(0, np.int32), np.empty(0, np.float32)
    rounds = np.concatenate([np.arange(len(each)) for each in found])
    positions = np.concatenate(found)[np.argsort(rounds, kind="stable")]
    return positions, (1 / np.arange(1, len(positions) + 1)).astype(np.float32)
