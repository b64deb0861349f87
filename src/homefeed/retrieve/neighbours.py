"""Neighbour lists, as several models have them, and how they serve a catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Final, Protocol, Self

import numpy as np

from homefeed.catalog import CatalogView
from homefeed.kernels import BOOL, F32, F64, I32, I64, U64, compiled, kernel, reads, several, writes
from homefeed.model_files import require_finite, require_numbers, require_range, require_shape, require_starts
from homefeed.retrieve.arrays import SLOTS, ArrayModel, Bits, Doubles, RowIndex, Rows, Starts, is_marked, marked
from homefeed.retrieve.history import Seeds
from homefeed.retrieve.joining import in_rows, joined_lists, rows_among
from homefeed.retrieve.selection import Keys, best_of, key_of
from homefeed.types import NO_POSITIONS, Floats, Mask, Numbers, Positions, Scores


@dataclass(frozen=True, slots=True)
class NeighbourLists(ArrayModel):
    """Of each item some others, as a sparse matrix in CSR form.

    Row r is the item of permanent number `numbers[r]`; its neighbours are the rows
    `indices[indptr[r]:indptr[r + 1]]`, largest weight first, of `weights` other than 0: a negative one speaks
    against the neighbour.
    """

    OF_ENTRIES: ClassVar[tuple[str, ...]] = ("weights",)
    """The fields (entries,)."""
    OF_ROWS: ClassVar[tuple[str, ...]] = ()
    """The fields (rows,), beside the numbers and `indptr`."""

    numbers: Numbers
    indptr: Starts
    indices: Rows
    weights: Floats

    @classmethod
    def joined(cls, parts: Mapping[str, Self], numbers: Numbers) -> Self:
        """The lists of each partition's items, which name no item of another: those of all as one."""
        own = list(parts.values())
        rows = list(rows_among(numbers, (part.numbers for part in own)))
        indices = [of_part[part.indices] for of_part, part in zip(rows, own, strict=True)]
        entries = [[getattr(part, name) for part in own] for name in cls.OF_ENTRIES]
        starts, (others, *columns) = joined_lists(
            rows, [part.indptr for part in own], [indices, *entries], len(numbers)
        )
        values = dict(zip(cls.OF_ENTRIES, columns, strict=True))
        for name in cls.OF_ROWS:
            values[name] = in_rows(rows, [getattr(part, name) for part in own], len(numbers))
        return replace(own[0], numbers=numbers.copy(), indptr=starts, indices=others, **values)

    def check(self) -> None:
        """Refuse lists whose neighbours are no rows, or whose weights are no numbers.

        Raises:
            ArtifactError: naming what is wrong.
        """
        require_numbers(self.numbers)
        require_starts("indptr", self.indptr, len(self.numbers), len(self.indices))
        require_range("indices", self.indices, len(self.numbers))
        self.check_entries(weights=self.weights)

    def check_entries(self, **columns: Floats) -> None:
        """Refuse numbers of neighbours that are not as many as these, or no numbers.

        Raises:
            ArtifactError: naming what is wrong.
        """
        for name, column in columns.items():
            require_shape(name, column.shape, self.indices.shape)
        require_finite(**columns)


class Lists(Protocol):
    """Neighbours of rows in CSR form."""

    @property
    def indptr(self) -> Starts: ...  # noqa: D102

    @property
    def indices(self) -> Rows: ...  # noqa: D102

    @property
    def weights(self) -> Floats: ...  # noqa: D102


_NO_LISTS: Final = NeighbourLists(
    np.empty(0, np.int32), np.zeros(1, np.int64), np.empty(0, np.int32), np.empty(0, np.float32)
)


class ServedLists:
    """Neighbour lists over a catalogue. Items that came after them have no neighbours, and are none.

    A request costs what the lists of its seeds hold, whatever the size of the catalogue.
    """

    def __init__(self, positions: Positions, size: int, lists: Lists, more: Lists = _NO_LISTS) -> None:
        """`positions` (rows,) are where the rows' items are in a catalogue of `size`, -1 where they are not.

        An item's neighbours are those of both lists; each may know the first rows only.
        """
        self._row_count = len(positions)
        # Nothing to look up where rows are positions, as they are where nothing was deleted since.
        same = np.array_equal(positions, np.arange(len(positions)))
        self._position_of_row = NO_POSITIONS if same else positions
        self.index = RowIndex(positions, size)
        self._lists, self._more = lists, more

    @classmethod
    def over(cls, catalog: CatalogView, lists: NeighbourLists) -> Self:
        """The lists of a model over a catalogue as it is now."""
        now = catalog.snapshot
        return cls(now.positions(lists.numbers), now.size, lists)

    def best(self, seeds: Seeds, eligible: Mask, k: int) -> tuple[Positions, Scores]:
        """The k eligible items that gain most, best first, and how much; none that gains nothing.

        From each seed its neighbours gain their weight times that of the seed.
        """
        lists, more = self._lists, self._more
        slots = SLOTS.take(self._row_count)
        keys, positions = _gains(
            *seeds,
            self.index.rows,
            self._position_of_row,
            lists.indptr,
            lists.indices,
            lists.weights,
            more.indptr,
            more.indices,
            more.weights,
            eligible,
            slots,
        )
        SLOTS.give(slots)
        return best_of(keys, positions, k)

    def contributions(self, seeds: Seeds, positions: Positions) -> Doubles:
        """(m, n) what the item at each position (n,) gains from each seed (m,).

        No list has its own item. What a seed says of itself is what it says of its nearest neighbour: nothing is
        more like an item than it is itself.
        """
        lists, more = self._lists, self._more
        return _contributions(
            *seeds,
            self.index.at(positions),
            self.index.rows,
            lists.indptr,
            lists.indices,
            lists.weights,
            more.indptr,
            more.indices,
            more.weights,
        )


_LISTS: Final = (reads(I64), reads(I32), reads(F32))


@compiled
def _row_at(rows: Rows, position: int) -> int:
    """The row of an item; -1 of one that is newer than the lists."""
    return rows[position] if 0 <= position < len(rows) else -1


@compiled
def _room(items: Positions, rows: Rows, indptr: Starts) -> int:
    """How many neighbours the items have in some lists."""
    room = 0
    for item in items:
        row = _row_at(rows, item)
        if 0 <= row < len(indptr) - 1:
            room += indptr[row + 1] - indptr[row]
    return room


@compiled
def _add(
    items: Positions,
    weights: Floats,
    rows: Rows,
    position_of_row: Positions,
    lists: tuple[Starts, Rows, Floats],
    eligible: Mask,
    slots: Rows,
    sums: Floats,
    last: Rows,
    reached: Rows,
    positions: Positions,
    counts: tuple[int, int],
) -> tuple[int, int]:
    """Add the gains by some lists; how many entries there are then, and how many rows they reach.

    Each row that is reached gets a number, from 1 on, its slot: `slots` holds it, 0 of others, and `reached` the
    row of a slot. `sums` and `last` of slots hold what a row gains and 1 + its last entry, `positions` the
    position of each entry.
    """
    indptr, indices, values = lists
    entries, count = counts
    for seed in range(len(items)):
        row = _row_at(rows, items[seed])
        if row < 0 or row >= len(indptr) - 1:
            continue
        for entry in range(indptr[row], indptr[row + 1]):
            other = indices[entry]
            position = position_of_row[other] if len(position_of_row) else other
            if position < 0 or not eligible[position]:
                continue
            is_new = slots[other] == 0
            slot = count + 1 if is_new else slots[other]
            count += is_new
            slots[other], reached[slot] = slot, other
            sums[slot] += values[entry] * weights[seed]
            positions[entries] = position
            entries += 1
            last[slot] = entries
    return entries, count


@kernel(
    several(writes(U64), writes(I32)),
    *(reads(I32), reads(F32), reads(I32), reads(I32), *_LISTS, *_LISTS, reads(BOOL), writes(I32)),
)
def _gains(
    items: Positions,
    weights: Floats,
    rows: Rows,
    position_of_row: Positions,
    indptr: Starts,
    indices: Rows,
    values: Floats,
    indptr2: Starts,
    indices2: Rows,
    values2: Floats,
    eligible: Mask,
    slots: Rows,
) -> tuple[Keys, Positions]:
    """Keys of the sums above 0 of what eligible items gain, and the positions that their places stand for.

    Equals are in the order in which the last gain of each was added.
    """
    room = _room(items, rows, indptr) + _room(items, rows, indptr2)
    positions, reached = np.empty(room, np.int32), np.empty(room + 1, np.int32)
    sums, last = np.zeros(room + 1, np.float32), np.empty(room + 1, np.int32)
    counts = (0, 0)
    for lists in ((indptr, indices, values), (indptr2, indices2, values2)):
        counts = _add(
            items,
            weights,
            rows,
            position_of_row,
            lists,
            eligible,
            slots,
            sums,
            last,
            reached,
            positions,
            counts,
        )
    keys, found = np.empty(counts[1], np.uint64), 0
    bits = sums.view(np.int32)
    for slot in range(1, counts[1] + 1):
        slots[reached[slot]] = 0
        if sums[slot] > 0:
            keys[found] = key_of(bits[slot], last[slot] - 1)
            found += 1
    return keys[:found], positions


@compiled
def _add_to_wanted(
    row: int,
    weight: float,
    lists: tuple[Starts, Rows, Floats],
    wanted: Rows,
    is_wanted: Bits,
    added: Doubles,
) -> None:
    """Add what the wanted rows gain from a row."""
    indptr, indices, values = lists
    if 0 <= row < len(indptr) - 1:
        for entry in range(indptr[row], indptr[row + 1]):
            other = indices[entry]
            if is_marked(other, is_wanted):
                for place in range(len(wanted)):
                    if wanted[place] == other:
                        added[place] += values[entry] * weight


@compiled
def _nearest(row: int, lists: tuple[Starts, Rows, Floats]) -> float:
    """The weight of a row's first neighbour, the largest; 0 of none."""
    indptr, _, values = lists
    if 0 <= row < len(indptr) - 1 and indptr[row] < indptr[row + 1]:
        return float(values[indptr[row]])
    return 0.0


@kernel(writes(F64, 2), *(reads(I32), reads(F32), reads(I32), reads(I32), *_LISTS, *_LISTS))
def _contributions(
    items: Positions,
    weights: Floats,
    wanted: Rows,
    rows: Rows,
    indptr: Starts,
    indices: Rows,
    values: Floats,
    indptr2: Starts,
    indices2: Rows,
    values2: Floats,
) -> Doubles:
    """(items, wanted) what each item adds to each wanted row, and what it says of itself."""
    is_wanted, added = marked(wanted), np.zeros((len(items), len(wanted)))
    for seed in range(len(items)):
        row, nearest = _row_at(rows, items[seed]), 0.0
        for lists in ((indptr, indices, values), (indptr2, indices2, values2)):
            _add_to_wanted(row, weights[seed], lists, wanted, is_wanted, added[seed])
            nearest = max(nearest, _nearest(row, lists))
        for place in range(len(wanted)):
            if wanted[place] == row >= 0:
                added[seed, place] = nearest * weights[seed]
    return added
