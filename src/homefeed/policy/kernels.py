"""The loops of rerankers, compiled: the order under a cap, by marginal relevance, and the first of each group."""

from __future__ import annotations

import heapq

import numpy as np
import numpy.typing as npt

from homefeed.kernels import F32, F64, I32, I64, kernel, reads, writes
from homefeed.types import Codes, Floats

Rows = npt.NDArray[np.int64]


@kernel(writes(I64), reads(I32), reads(I32), I64, I64)
def capped_rows(codes: Codes, before: Codes, max_items: int, window: int) -> Rows:
    """The rows of `codes` (n,), best first, in the order of their places; those that never fit are not among them.

    `before` holds the codes of the places before the first. Codes below 0 are not capped. O(n log n).
    """
    count = len(codes)
    every = np.concatenate((codes, before))
    known = np.unique(every)
    compact = np.searchsorted(known, every)
    far = -(window + len(before) + 1)
    # Of each code the latest places, in a ring, and the rows that were passed over, in a list.
    latest = np.full((len(known), max_items), far, np.int64)
    turn = np.zeros(len(known), np.int64)
    first = np.full(len(known), -1, np.int64)
    last = np.full(len(known), -1, np.int64)
    following = np.full(count, -1, np.int64)
    waiting = [(np.int64(0), np.int64(0)) for _ in range(0)]
    ready = [(np.int64(0), np.int64(0)) for _ in range(0)]
    for index in range(len(before)):
        if before[index] >= 0:
            code = compact[count + index]
            latest[code, turn[code]] = index - len(before)
            turn[code] = (turn[code] + 1) % max_items
    order = np.empty(count, np.int64)
    place, row = 0, 0
    while True:
        while waiting and waiting[0][0] <= place:
            freed = heapq.heappop(waiting)[1]
            heapq.heappush(ready, (first[freed], freed))
        chosen = np.int64(-1)
        if ready:
            chosen, taken = heapq.heappop(ready)
            first[taken] = following[chosen]
        while chosen < 0 and row < count:
            code = compact[row]
            # With `max_items` rows placed, the earliest of them must have left the window.
            free_from = latest[code, turn[code]] + window
            if codes[row] < 0 or free_from <= place:
                chosen = np.int64(row)
            elif first[code] < 0:
                first[code] = last[code] = row
                heapq.heappush(waiting, (free_from, np.int64(code)))
            else:
                following[last[code]] = row
                last[code] = row
            row += 1
        if chosen < 0:
            return order[:place]
        order[place] = chosen
        if codes[chosen] >= 0:
            code = compact[chosen]
            latest[code, turn[code]] = place
            turn[code] = (turn[code] + 1) % max_items
            if first[code] >= 0:
                heapq.heappush(waiting, (latest[code, turn[code]] + window, np.int64(code)))
        place += 1


@kernel(writes(I64), reads(F32), reads(I32, 2), F64)
def marginal_rows(relevances: Floats, values: Codes, balance: float) -> Rows:
    """(n,) rows by maximal marginal relevance, row 0 first; ties by row.

    The similarity of two rows is the cosine of their `values` (n, width), each row's distinct, those below 0 none.
    """
    count, width = values.shape
    norms = np.empty(count, np.float32)
    for row in range(count):
        held = 0
        for column in range(width):
            held += values[row, column] >= 0
        norms[row] = np.float32(1) / np.sqrt(np.float32(max(held, 1)))
    gains = balance * relevances.astype(np.float64)
    loss = np.zeros(count, np.float64)
    placed = np.zeros(count, np.bool_)
    order = np.empty(count, np.int64)
    latest = 0
    for place in range(count):
        order[place] = latest
        placed[latest] = True
        best, chosen = -np.inf, -1
        for row in range(count):
            if placed[row]:
                continue
            product, similarity = norms[row] * norms[latest], np.float32(0)
            for column in range(width):
                value = values[row, column]
                if value < 0:
                    continue
                for other in range(width):
                    if values[latest, other] == value:
                        similarity += product
            lost = (1 - balance) * np.float64(similarity)
            if place == 0 or lost > loss[row]:
                loss[row] = lost
            if gains[row] - loss[row] > best:
                best, chosen = gains[row] - loss[row], row
        latest = chosen
    return order


@kernel(writes(I64), reads(I32))
def first_of_groups(groups: Codes) -> Rows:
    """(n,) for each row the first row of its group."""
    rows = np.argsort(groups, kind="mergesort")
    found = np.empty(len(groups), np.int64)
    first = 0
    for place in range(len(rows)):
        if place == 0 or groups[rows[place]] != groups[rows[place - 1]]:
            first = rows[place]
        found[rows[place]] = first
    return found
