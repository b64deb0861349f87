"""Compiled loops of training; each takes a range of rows so that threads share the work."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from homefeed.kernels import compiled
from homefeed.types import Floats, Mask

Indices: TypeAlias = npt.NDArray[np.int32]
Starts: TypeAlias = npt.NDArray[np.int64]

_ROWS_AT_ONCE: Final = 256
# Sums may be reordered; infinities and NaN keep their meaning.
_SUMS: Final = {"reassoc", "contract", "nsz"}


def in_parallel(kernel: Callable[..., None], rows: tuple[int, int], *arguments: object) -> None:
    """Call `kernel(start, stop, *arguments)` for parts of the rows until all are done, on all cores.

    Rows must not share output: then the answer is the same however the work is spread.
    """
    starts = range(*rows, _ROWS_AT_ONCE)
    threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    # Threads of LAPACK's own would fight with these.
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(threads) as pool:
        done = [pool.submit(kernel, start, min(start + _ROWS_AT_ONCE, rows[1]), *arguments) for start in starts]
        for one in done:
            one.result()


@partial(compiled, nogil=True, fastmath=_SUMS)
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
    first: int,
    found: Indices,
    shared: Floats,
) -> None:
    """Of each item the `max_neighbours` others by cosine, and what it shares with each: sum over users of w r r'.

    `lengths` (items,) are the square roots of what items share with themselves; `found` and `shared`
    (rows from `first` on, max_neighbours) take the answers by rising position, -1 behind the last.
    """
    count = len(lengths)
    sums = np.zeros(count, np.float32)
    users = np.zeros(count, np.int32)
    touched = np.empty(count, np.int32)
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
        kept = (
            np.argsort(-cosines, kind="mergesort")[:max_neighbours]
            if reached > max_neighbours
            else np.arange(reached)
        )
        neighbours = np.sort(touched[kept[cosines[kept] > 0]])
        for place in range(len(neighbours)):
            found[item - first, place] = neighbours[place]
            shared[item - first, place] = sums[neighbours[place]]
        for place in range(reached):
            sums[touched[place]] = 0
            users[touched[place]] = 0


@partial(compiled, nogil=True, fastmath=_SUMS)
def _solve(gram: Floats, target: Floats) -> None:
    """Turn `target` into the w of `gram` w = `target`; what has none gets a larger penalty until it has.

    A Gram matrix without all of its entries may be indefinite, so that no penalty makes it regular for sure.
    """
    penalty = np.float32(1e-4) * gram.max()
    for _ in range(30):  # by then it outweighs all else
        try:
            target[:] = np.linalg.solve(gram, target)
            return
        except Exception:  # LinAlgError, which compiled code cannot name
            for place in range(len(gram)):
                gram[place, place] += penalty
            penalty *= np.float32(2)
    target[:] = np.nan


@partial(compiled, nogil=True, fastmath=_SUMS)
def local_ridge(
    start: int,
    stop: int,
    starts: Starts,
    others: Indices,
    shared: Floats,
    own: Floats,
    nearest: Indices,
    penalty: float,
    weights: Floats,
) -> None:
    """Of each item the ridge regression on its nearest ones: solves (G + penalty I) w = g on their Gram matrix.

    `starts`, `others` and `shared` are the symmetric Gram matrix in CSR without its diagonal `own`; `nearest`
    (items, k), -1 behind the last, and `weights` (items, k) which takes the answers.
    """
    place_of = np.full(len(own), -1, np.int32)
    for item in range(start, stop):
        count = 0
        while count < nearest.shape[1] and nearest[item, count] >= 0:
            place_of[nearest[item, count]] = count
            count += 1
        if count == 0:
            continue
        gram = np.zeros((count, count), np.float32)
        target = np.zeros((count, 1), np.float32)
        for place in range(count):
            neighbour = nearest[item, place]
            gram[place, place] = own[neighbour] + penalty
            for entry in range(starts[neighbour], starts[neighbour + 1]):
                other = others[entry]
                if other == item:
                    target[place, 0] = shared[entry]
                elif place_of[other] >= 0:
                    gram[place, place_of[other]] = shared[entry]
        _solve(gram, target)
        for place in range(count):
            weights[item, place] = target[place, 0]
            place_of[nearest[item, place]] = -1


@partial(compiled, nogil=True, fastmath=_SUMS)
def dot_products(
    start: int, stop: int, starts: Starts, others: Indices, left: Floats, right: Floats, products: Floats
) -> None:
    """Of each entry (row, other) of a CSR pattern, left[row] times right[other]."""
    for row in range(start, stop):
        for entry in range(starts[row], starts[row + 1]):
            total = np.float32(0)
            for dimension in range(left.shape[1]):
                total += left[row, dimension] * right[others[entry], dimension]
            products[entry] = total


@partial(compiled, nogil=True, fastmath=_SUMS)
def sparse_times_dense(
    start: int, stop: int, starts: Starts, columns: Indices, values: Floats, dense: Floats, product: Floats
) -> None:
    """Rows of the product of a CSR matrix and a dense one."""
    for row in range(start, stop):
        for entry in range(starts[row], starts[row + 1]):
            for column in range(dense.shape[1]):
                product[row, column] += values[entry] * dense[columns[entry], column]


@partial(compiled, nogil=True, fastmath=_SUMS)
def sort_rows(start: int, stop: int, starts: Starts, others: Indices, weights: Floats) -> None:
    """Put the entries of each row of a CSR matrix into the order of their weights, largest first, in place."""
    for row in range(start, stop):
        entries = slice(starts[row], starts[row + 1])
        order = np.argsort(-weights[entries], kind="mergesort")
        others[entries] = others[entries][order]
        weights[entries] = weights[entries][order]


@partial(compiled, nogil=True, fastmath=_SUMS)
def mark_strongest(start: int, stop: int, starts: Starts, weights: Floats, max_entries: int, kept: Mask) -> None:
    """Mark the entries of each row of a CSR matrix that are the largest without their sign; none of 0."""
    for row in range(start, stop):
        sizes = np.abs(weights[starts[row] : starts[row + 1]])
        order = np.argsort(-sizes, kind="mergesort")[:max_entries]
        for place in order:
            kept[starts[row] + place] = sizes[place] > 0
