"""Compiled loops of training; each takes a range of rows so that threads share the work."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from homefeed.blas import one_thread
from homefeed.kernels import compiled
from homefeed.types import Floats, Mask

Indices: TypeAlias = npt.NDArray[np.int32]
Starts: TypeAlias = npt.NDArray[np.int64]
Rows: TypeAlias = npt.NDArray[np.int64]
R = TypeVar("R")

_ROWS_AT_ONCE: Final = 256
_PARTS: Final = 512
# Sums may be reordered; infinities and NaN keep their meaning.
SUMS: Final = {"reassoc", "contract", "nsz"}


def in_parallel(
    kernel: Callable[..., R], rows: tuple[int, int], *arguments: object, parts: int = _PARTS
) -> list[R]:
    """Call `kernel(start, stop, *arguments)` for parts of the rows until all are done, on all cores.

    Returns what it returned for each part, in the order of the rows. Rows must not share output: then the answer
    is the same however the work is spread. There are no more than `parts`: each takes scratch space of its own.
    """
    step = max(_ROWS_AT_ONCE, -(-(rows[1] - rows[0]) // parts))
    threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    # Threads of LAPACK's own would fight with these.
    with one_thread(), ThreadPoolExecutor(threads) as pool:
        done = [pool.submit(kernel, start, min(start + step, rows[1]), *arguments) for start in range(*rows, step)]
        return [one.result() for one in done]


def joined_rows(parts: list[tuple[Starts, Indices, Floats]]) -> tuple[Starts, Indices, Floats]:
    """Starts, indices and values of a CSR matrix given in parts: how many entries each row has, and those.

    The parts are taken out of their list: beside all of them there is never more than half of the whole in memory.
    """
    counts = [np.zeros(1, np.int64), *(part for part, _, _ in parts)]
    indices = [np.empty(0, np.int32), *(part for _, part, _ in parts)]
    values = [np.empty(0, np.float32), *(part for _, _, part in parts)]
    parts.clear()
    starts, joined = np.cumsum(np.concatenate(counts)), np.concatenate(indices)
    indices.clear()
    return starts, joined, np.concatenate(values)


@partial(compiled, nogil=True)
def largest(sizes: Floats, max_entries: int) -> Rows:
    """The places of the `max_entries` largest numbers above 0, in rising order; of equals the first."""
    positive = sizes[sizes > 0]
    limit, equals = np.float32(0), 0
    if len(positive) > max_entries:
        limit = np.partition(positive, len(positive) - max_entries)[len(positive) - max_entries]
        equals = max_entries - (positive > limit).sum()
    places = np.empty(min(len(positive), max_entries), np.int64)
    count = 0
    for place in range(len(sizes)):
        if sizes[place] > limit or (sizes[place] == limit and equals > 0):
            equals -= sizes[place] == limit
            places[count] = place
            count += 1
    return places


@partial(compiled, nogil=True)
def place_of(values: Indices, value: int, first: int, last: int) -> int:
    """The first place from `first` to `last` of rising values that is not below a value; `last` where all are."""
    while first < last:
        middle = (first + last) // 2
        if values[middle] < value:
            first = middle + 1
        else:
            last = middle
    return first


@partial(compiled, nogil=True, fastmath=SUMS)
def sort_rows(start: int, stop: int, starts: Starts, others: Indices, weights: Floats) -> None:
    """Put the entries of each row of a CSR matrix into the order of their weights, largest first, in place."""
    for row in range(start, stop):
        entries = slice(starts[row], starts[row + 1])
        order = np.argsort(-weights[entries], kind="mergesort")
        others[entries] = others[entries][order]
        weights[entries] = weights[entries][order]


@partial(compiled, nogil=True)
def mark_strongest(start: int, stop: int, starts: Starts, weights: Floats, max_entries: int, kept: Mask) -> None:
    """Mark the entries of each row of a CSR matrix that are the largest without their sign; none of 0."""
    for row in range(start, stop):
        for place in largest(np.abs(weights[starts[row] : starts[row + 1]]), max_entries):
            kept[starts[row] + place] = True


@partial(compiled, nogil=True)
def row_maxima(start: int, stop: int, starts: Starts, weights: Floats) -> Floats:
    """The largest entry other than 0 of each row of a CSR matrix that has any."""
    found = np.empty(stop - start, np.float32)
    count = 0
    for row in range(start, stop):
        here = weights[starts[row] : starts[row + 1]]
        here = here[here != 0]
        if len(here):
            found[count] = here.max()
            count += 1
    return found[:count]


@partial(compiled, nogil=True)
def strongest_of_two(
    start: int,
    stop: int,
    starts: Starts,
    others: Indices,
    weights: Floats,
    more_starts: Starts,
    more_others: Indices,
    more_weights: Floats,
    max_neighbours: int,
    backwards: bool,
) -> tuple[Starts, Indices, Floats]:
    """Of each row of two CSR matrices without common entries the largest without their sign, none of 0.

    Returns how many there are of each row, and then the columns and weights of all, in each row the largest first.
    Of equal ones the first count: those of the second matrix from its end, then those of the first; `backwards`,
    the last of the first, and the second is left out.
    """
    counts = np.zeros(stop - start, np.int64)
    found = np.empty((stop - start) * max_neighbours, np.int32)
    found_weights = np.empty((stop - start) * max_neighbours, np.float32)
    end = 0
    for row in range(start, stop):
        here = slice(starts[row], starts[row + 1])
        more = slice(more_starts[row], more_starts[row + 1])
        if backwards:
            columns = others[here][::-1].copy()
            values = weights[here][::-1].copy()
        else:
            columns = np.concatenate((more_others[more][::-1], others[here]))
            values = np.concatenate((more_weights[more][::-1], weights[here]))
        kept = largest(np.abs(values), max_neighbours)
        order = kept[np.argsort(-values[kept], kind="mergesort")]
        found[end : end + len(order)] = columns[order]
        found_weights[end : end + len(order)] = values[order]
        counts[row - start] = len(order)
        end += len(order)
    return counts, found[:end].copy(), found_weights[:end].copy()
