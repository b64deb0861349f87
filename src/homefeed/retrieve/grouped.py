"""The best items of every category, for retrievers that propose some of several."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Final

import numpy as np
from pydantic import Field, FiniteFloat

from homefeed.catalog import Resources
from homefeed.catalog.columns import CategoryColumn, NumberColumn
from homefeed.catalog.counts import as_counts
from homefeed.catalog.refreshed import Refreshed
from homefeed.kernels import BOOL, F32, F64, I32, I64, compiled, kernel, reads, several, writes
from homefeed.protocols import PartConfig
from homefeed.retrieve.arrays import Doubles, Starts
from homefeed.types import Codes, Mask, Positions, Query, Scores


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
    """The categories of a catalogue at one time: of each partition, where the recipe keeps some apart.

    `order` (n,) holds the positions of all items with a category, each category's together and its best first;
    those of group g, 0 to the number of groups - 1, from `starts[g]` to `starts[g + 1]`. `codes` (groups,) are
    those of the categories, `partitions` (groups,), rising, those of their partitions, and `available` (groups,)
    how many of their items are. `events`, `strength` and `count` (n,) are those of the items, in their order;
    `of_position` (items,) is `first` more than each item's group.
    """

    order: Positions
    starts: Starts
    codes: Codes
    partitions: Codes
    available: Doubles
    events: Doubles
    strength: Doubles
    count: Doubles
    of_position: Codes
    first: int = 0

    def __len__(self) -> int:
        return len(self.codes)

    def of(self, positions: Positions) -> Codes:
        """(m,) the group of each item; -1 of those without a category, and of newer ones."""
        return _groups_at(positions, self.of_position, self.first, len(self))

    def within(self, partition: int) -> Groups:
        """Those of one partition alone."""
        first, stop = np.searchsorted(self.partitions, [partition, partition + 1]).tolist()
        if stop - first == len(self):
            return self
        own = slice(first, stop)
        return replace(
            self,
            starts=self.starts[first : stop + 1],
            codes=self.codes[own],
            partitions=self.partitions[own],
            available=self.available[own],
            first=first,
        )

    def sums(self, eligible: Mask) -> tuple[Doubles, Doubles, Doubles, Doubles]:
        """(groups,) how many items of each are eligible (items,), and their events, strength and count."""
        return _sums(self.order, self.starts, eligible, self.events, self.strength, self.count)

    def in_rounds(self, groups: Starts, eligible: Mask, each: int, k: int) -> tuple[Positions, Scores]:
        """The best eligible item of each of some groups, then the second of each, and so on up to `each`.

        Of those the first k; the n-th scores 1 / n.
        """
        return _in_rounds(groups, self.order, self.starts, eligible, each, k)


class Grouped:
    """Keeps the groups of a catalogue, sorted beside the requests."""

    def __init__(self, config: GroupedConfig, resources: Resources) -> None:
        """Raises RecipeError where `field` is no category field, or `count` no number field."""
        self._config = config
        self._catalog = resources.catalog
        self._counters = resources.counters
        self._partitions = resources.partitions
        self.column = resources.catalog.column(config.field, CategoryColumn)
        self._count = None if config.count is None else resources.catalog.column(config.count, NumberColumn)
        self._groups = Refreshed(self._sorted, lambda: (self._counters.version, self._catalog.generation))

    def refresh(self) -> None:
        """Sort anew where counters or catalogue changed."""
        self._groups.refresh()

    def groups(self) -> Groups:
        """As of the last refresh."""
        return self._groups.latest()

    def groups_of(self, query: Query) -> Groups:
        """Those that the user may know of."""
        return self.groups().within(self._partitions.code(query.user))

    def popularity(self, events: Doubles, strength: Doubles, count: Doubles) -> Doubles:
        """(n,) the formula, of items or of sums of them."""
        config = self._config
        popularity = config.events_weight * np.log1p(events) + config.strength_weight * np.log1p(strength)
        return popularity + config.count_weight * np.log1p(count)

    def count(self, positions: Positions) -> Doubles:
        """(n,) the values of the `count` field; 0 where there is none."""
        if self._count is None:
            return np.zeros(len(positions))
        return as_counts(self._count.numbers(self._catalog.size)[positions])

    def category(self, position: int) -> str | None:
        """The category of an item in words."""
        if self._partitions.are_apart:
            # Not as it was first written: that may have been in another group.
            return self.column.spelled(position) or None
        words = self.column.terms(position)
        return words[0] if words else None

    def _sorted(self) -> Groups:
        size = self._catalog.size
        every = np.arange(size, dtype=np.int32)
        codes, partitions = self.column.codes(size).copy(), self._partitions.codes(size).copy()
        events, strength = self._counters.events[:size].copy(), self._counters.strength[:size].copy()
        count = self.count(every)
        popularity = self.popularity(events, strength, count)
        order = np.lexsort((-every, -popularity, codes, partitions)).astype(np.int32)
        order = order[codes[order] >= 0]
        pairs = partitions.astype(np.int64) * max(self.column.distinct, 1) + codes
        present, starts = np.unique(pairs[order], return_index=True)
        of_position = np.where(codes >= 0, np.searchsorted(present, pairs), -1).astype(np.int32)
        starts, first = np.append(starts, len(order)), order[starts]
        available = np.add.reduceat(self._catalog.available[order], starts[:-1], dtype=np.float64)
        of_items = events[order], strength[order], count[order], of_position
        return Groups(order, starts, codes[first], partitions[first], available, *of_items)


_GROUPS: Final = (reads(I32), reads(I64), reads(BOOL))


@kernel(writes(I32), reads(I32), reads(I32), I64, I64)
def _groups_at(positions: Positions, of_position: Codes, first: int, count: int) -> Codes:
    """(n,) the groups of items; -1 of those without one, and of those newer than the latest refresh."""
    groups = np.full(len(positions), -1, np.int32)
    for place in range(len(positions)):
        if positions[place] < len(of_position) and 0 <= of_position[positions[place]] - first < count:
            groups[place] = of_position[positions[place]] - first
    return groups


@kernel(several(*[writes(F64)] * 4), *_GROUPS, reads(F64), reads(F64), reads(F64))
def _sums(
    order: Positions, starts: Starts, eligible: Mask, events: Doubles, strength: Doubles, count: Doubles
) -> tuple[Doubles, Doubles, Doubles, Doubles]:
    size = len(starts) - 1
    items, all_events, all_strength, counts = np.zeros(size), np.zeros(size), np.zeros(size), np.zeros(size)
    for group in range(size):
        for place in range(starts[group], starts[group + 1]):
            if eligible[order[place]]:
                items[group] += 1
                all_events[group] += events[place]
                all_strength[group] += strength[place]
                counts[group] += count[place]
    return items, all_events, all_strength, counts


@compiled
def find_first(
    group: int, order: Positions, starts: Starts, eligible: Mask, max_items: int, found: Positions
) -> int:
    """Write the first `max_items` eligible items of a group; how many there are."""
    count = 0
    for place in range(starts[group], starts[group + 1]):
        if count == max_items:
            break
        if eligible[order[place]]:
            found[count] = order[place]
            count += 1
    return count


@compiled
def alternate(found: Positions, counts: Starts, k: int) -> tuple[Positions, Scores]:
    """The first of each of some lists (groups, items), then the second of each, and so on, and their scores."""
    room = max(min(counts.sum(), k), 0)
    positions, scores = np.empty(room, np.int32), np.empty(room, np.float32)
    count = 0
    for turn in range(found.shape[1]):
        for group in range(len(counts)):
            if turn < counts[group] and count < room:
                positions[count], scores[count] = found[group, turn], 1 / (count + 1)
                count += 1
    return positions, scores


@kernel(several(writes(I32), writes(F32)), reads(I64), *_GROUPS, I64, I64)
def _in_rounds(
    groups: Starts, order: Positions, starts: Starts, eligible: Mask, each: int, k: int
) -> tuple[Positions, Scores]:
    found, counts = np.empty((len(groups), each), np.int32), np.zeros(len(groups), np.int64)
    for row in range(len(groups)):
        counts[row] = find_first(groups[row], order, starts, eligible, each, found[row])
    return alternate(found, counts, k)
