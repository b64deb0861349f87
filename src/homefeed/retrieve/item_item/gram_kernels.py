"""Compiled loops of the Gram matrix: what items share through their users, and pairs of a sparse matrix."""

from __future__ import annotations

from functools import partial

import numpy as np

from homefeed.kernels import compiled
from homefeed.retrieve.item_item.kernels import SUMS, Indices, Starts, largest, place_of
from homefeed.types import Floats


@partial(compiled, nogil=True, fastmath=SUMS)
def nearest_by_users(
    start: int,
    stop: int,
    item_starts: Starts,
    item_users: Indices,
    item_strengths: Floats,
    user_starts: Starts,
    user_items: Indices,
    user_strengths: Floats,
    user_weights: Floats,
    lengths: Floats,
    min_users: int,
    max_neighbours: int,
) -> tuple[Starts, Indices, Floats]:
    """Of each item the `max_neighbours` others by cosine, and what it shares with each: sum over users of w r r'.

    `lengths` (items,) are the square roots of what items share with themselves. Returns how many others each item
    has, then the others of all, by rising position for each, and what they share.
    """
    counts = np.zeros(stop - start, np.int64)
    found = np.empty((stop - start) * max_neighbours, np.int32)
    shared = np.empty((stop - start) * max_neighbours, np.float32)
    end = 0
    sums = np.zeros(len(lengths), np.float32)
    users = np.zeros(len(lengths), np.int32)
    touched = np.empty(len(lengths), np.int32)
    for item in range(start, stop):
        reached = 0
        for entry in range(item_starts[item], item_starts[item + 1]):
            user = item_users[entry]
            gain = item_strengths[entry] * user_weights[user]
            for other_entry in range(user_starts[user], user_starts[user + 1]):
                other = user_items[other_entry]
                if users[other] == 0:
                    touched[reached] = other
                    reached += 1
                users[other] += 1
                sums[other] += gain * user_strengths[other_entry]
        cosines = np.zeros(reached, np.float32)
        for place in range(reached):
            other = touched[place]
            if other != item and users[other] >= min_users:
                cosines[place] = sums[other] / lengths[other]
        neighbours = np.sort(touched[largest(cosines, max_neighbours)])
        for place in range(len(neighbours)):
            found[end + place] = neighbours[place]
            shared[end + place] = sums[neighbours[place]]
        counts[item - start] = len(neighbours)
        end += len(neighbours)
        for place in range(reached):
            sums[touched[place]] = 0
            users[touched[place]] = 0
    return counts, found[:end].copy(), shared[:end].copy()


@partial(compiled, nogil=True)
def count_both_ways(start: int, stop: int, starts: Starts, others: Indices) -> Starts:
    """Of the rows from `start` to `stop` of a square CSR pattern, how many entries they or their columns have."""
    counts = starts[start + 1 : stop + 1] - starts[start:stop]
    reached = starts[start:stop].copy()
    for row in range(len(starts) - 1):
        for entry in range(place_of(others, start, starts[row], starts[row + 1]), starts[row + 1]):
            other = others[entry]
            if other >= stop:
                break
            place = reached[other - start]
            while place < starts[other + 1] and others[place] < row:
                place += 1
            counts[other - start] += place == starts[other + 1] or others[place] != row
            reached[other - start] = place
    return counts


@partial(compiled, nogil=True)
def write_both_ways(
    start: int,
    stop: int,
    starts: Starts,
    others: Indices,
    values: Floats,
    both_starts: Starts,
    both_others: Indices,
    both_values: Floats,
) -> None:
    """Rows of a square CSR matrix joined with their columns, the larger where both have a value, in rising order.

    `both_starts` are those of the counts of `count_both_ways`; the other two take the entries.
    """
    reached = starts[start:stop].copy()
    ends = both_starts[start:stop].copy()
    for row in range(len(starts) - 1):
        for entry in range(place_of(others, start, starts[row], starts[row + 1]), starts[row + 1]):
            other = others[entry]
            if other >= stop:
                break
            place, end = reached[other - start], ends[other - start]
            while place < starts[other + 1] and others[place] < row:
                both_others[end], both_values[end] = others[place], values[place]
                place, end = place + 1, end + 1
            both_others[end], both_values[end] = row, values[entry]
            if place < starts[other + 1] and others[place] == row:
                both_values[end] = max(values[entry], values[place])
                place += 1
            reached[other - start], ends[other - start] = place, end + 1
    for row in range(start, stop):
        for place in range(reached[row - start], starts[row + 1]):
            end = ends[row - start] + place - reached[row - start]
            both_others[end], both_values[end] = others[place], values[place]


@partial(compiled, nogil=True)
def half_of_pairs(
    start: int, stop: int, starts: Starts, others: Indices, values: Floats
) -> tuple[Starts, Indices, Floats]:
    """The entries of a symmetric CSR matrix, each pair in one of its two rows: the one of fewer entries.

    Popular items have entries without number; so none has many. Returns how many each row has, and those of all.
    """
    counts = np.zeros(stop - start, np.int64)
    found = np.empty(starts[stop] - starts[start], np.int32)
    found_values = np.empty(len(found), np.float32)
    end = 0
    for row in range(start, stop):
        size = starts[row + 1] - starts[row]
        for entry in range(starts[row], starts[row + 1]):
            other = others[entry]
            of_other = starts[other + 1] - starts[other]
            if size < of_other or (size == of_other and row < other):
                found[end], found_values[end] = other, values[entry]
                counts[row - start] += 1
                end += 1
    return counts, found[:end].copy(), found_values[:end].copy()
