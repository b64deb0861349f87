"""The loops of rerankers, compiled: the order under a cap, by marginal relevance, and the first of each group."""

from __future__ import annotations

import heapq
from typing import Final

import numpy as np
import numpy.typing as npt

from homefeed.kernels import F32, F64, I32, I64, compiled, kernel, reads, writes
from homefeed.types import Codes, Floats

Rows = npt.NDArray[np.int64]

_SPREADING: Final = np.uint64(0x9E3779B97F4A7C15)
"""2^64 over the golden ratio: the upper bits of its multiples differ for neighbours (Knuth, TAOCP 3, 6.4)."""


@compiled
def _first_rows(values: Codes) -> Rows:
    """(n,) for each row the first row of the same value, by a hash table that is at most half full."""
    bits = 4
    while 1 << bits < 2 * len(values):
        bits += 1
    table = np.full(1 << bits, -1, np.int64)
    found = np.empty(len(values), np.int64)
    for row in range(len(values)):
        slot = np.int64((np.uint64(np.uint32(values[row])) * _SPREADING) >> np.uint64(64 - bits))
        while table[slot] >= 0 and values[table[slot]] != values[row]:
            slot = (slot + 1) & (len(table) - 1)
        if table[slot] < 0:
            table[slot] = row
        found[row] = table[slot]
    return found


@compiled
def _latest_places(known: Rows, before: Codes, max_items: int, window: int) -> tuple[Rows, Rows]:
    """(codes, max_items) the latest places of each code before the first, and (codes,) where the earliest stands.

    A code that had fewer places had them too long ago to matter.
    """
    count = len(known) - len(before)
    latest = np.full((len(known), max_items), -(window + len(before) + 1), np.int64)
    turn = np.zeros(len(known), np.int64)
    for index in range(len(before)):
        if before[index] >= 0:
            code = known[count + index]
            latest[code, turn[code]] = index - len(before)
            turn[code] = (turn[code] + 1) % max_items
    return latest, turn


@kernel(writes(I64), reads(I32), reads(I32), I64, I64)
def capped_rows(codes: Codes, before: Codes, max_items: int, window: int) -> Rows:
    """The rows of `codes` (n,), best first, in the order of their places; those that never fit are not among them.

    `before` holds the codes of the places before the first. Codes below 0 are not capped. O(n log n).
    """
    count = len(codes)
    # A code goes by the first row that has it.
    known = _first_rows(np.concatenate((codes, before)))
    # Of each code the latest places, in a ring, and the rows that were passed over, in a list.
    latest, turn = _latest_places(known, before, max_items, window)
    first = np.full(len(known), -1, np.int64)
    last = np.full(len(known), -1, np.int64)
    following = np.full(count, -1, np.int64)
    # A place holds one item, so it keeps one code from the places after it: which one is free again from where.
    freed = np.full(count + window + 1, -1, np.int64)
    ready = [np.int64(0) for _ in range(0)]
    order = np.empty(count, np.int64)
    place, row = 0, 0
    while True:
        if freed[place] >= 0:
            heapq.heappush(ready, first[freed[place]])
        chosen = np.int64(-1)
        if ready:
            chosen = heapq.heappop(ready)
            first[known[chosen]] = following[chosen]
        while chosen < 0 and row < count:
            code = known[row]
            # With `max_items` rows placed, the earliest of them must have left the window.
            free_from = latest[code, turn[code]] + window
            if codes[row] < 0 or free_from <= place:
                chosen = np.int64(row)
            elif first[code] < 0:
                first[code] = last[code] = row
                freed[free_from] = code
            else:
                following[last[code]] = row
                last[code] = row
            row += 1
        if chosen < 0:
            return order[:place]
        order[place] = chosen
        if codes[chosen] >= 0:
            code = known[chosen]
            latest[code, turn[code]] = place
            turn[code] = (turn[code] + 1) % max_items
            if first[code] >= 0:
                free_from = latest[code, turn[code]] + window
                if free_from > place + 1:
                    freed[free_from] = code
                else:
                    heapq.heappush(ready, first[code])
        place += 1


@kernel(writes(I64), reads(F32), reads(I32), reads(I64), F64)
def marginal_rows(relevances: Floats, values: Codes, ends: Rows, balance: float) -> Rows:
    """(n,) rows by maximal marginal relevance, row 0 first; ties by row.

    The similarity of two rows is the cosine of their distinct values. Those of row r end before `ends[r]` in
    `values`, where those of the next begin.
    """
    count = len(ends)
    norms = np.empty(count, np.float32)
    starts = np.zeros(count + 1, np.int64)
    for row in range(count):
        starts[row + 1] = ends[row]
        norms[row] = np.float32(1) / np.sqrt(np.float32(max(ends[row] - starts[row], 1)))
    # A value goes by the first place that has it; those of the row placed last are held.
    known, held = _first_rows(values), np.zeros(len(values), np.bool_)
    gains = balance * relevances.astype(np.float64)
    loss = np.zeros(count, np.float64)
    placed = np.zeros(count, np.bool_)
    order = np.empty(count, np.int64)
    latest = 0
    for place in range(count):
        order[place] = latest
        placed[latest] = True
        held[known[starts[latest] : ends[latest]]] = True
        best, chosen = -np.inf, -1
        for row in range(count):
            if placed[row]:
                continue
            product, similarity = norms[row] * norms[latest], np.float32(0)
            for value in known[starts[row] : ends[row]]:
                if held[value]:
                    similarity += product
            lost = (1 - balance) * np.float64(similarity)
            if place == 0 or lost > loss[row]:
                loss[row] = lost
            if gains[row] - loss[row] > best:
                best, chosen = gains[row] - loss[row], row
        held[known[starts[latest] : ends[latest]]] = False
        latest = chosen
    return order


@kernel(writes(I64), reads(I32))
def first_of_groups(groups: Codes) -> Rows:
    """(n,) for each row the first row of its group."""
    return _first_rows(groups)
