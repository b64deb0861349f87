"""The top items of many users from a matrix of neighbours, compiled."""

from __future__ import annotations

import numba
import numpy as np

from benchmarks.cf.lightgcn import Top


@numba.njit(cache=True)
def top_neighbours(
    starts: np.ndarray,
    seen: np.ndarray,
    amounts: np.ndarray,
    neighbour_starts: np.ndarray,
    neighbours: np.ndarray,
    weights: np.ndarray,
    users: np.ndarray,
    k: int,
) -> Top:
    """(users, k) items by the weighted sum of the rows of the user's items; -1 where none is above 0.

    Of equals the first. `starts`, `seen` and `amounts` are the users' items and their weights in CSR form, the
    next three the neighbours of each item.
    """
    top = np.full((len(users), k), -1, np.int32)
    scores = np.zeros(len(neighbour_starts) - 1, np.float64)
    reached = np.empty(len(scores), np.int32)
    is_reached = np.zeros(len(scores), np.bool_)
    best = np.empty(k, np.float64)
    for row in range(len(users)):
        first, last = starts[users[row]], starts[users[row] + 1]
        mine = seen[first:last]
        count = 0
        for item, amount in zip(mine, amounts[first:last]):  # noqa: B905 - unknown to numba
            for at in range(neighbour_starts[item], neighbour_starts[item + 1]):
                other = neighbours[at]
                if not is_reached[other]:
                    is_reached[other] = True
                    reached[count] = other
                    count += 1
                scores[other] += amount * weights[at]
        for item in mine:
            scores[item] = 0
        length = 0
        for other in reached[:count]:
            score, place = scores[other], length
            scores[other], is_reached[other] = 0, False
            while place > 0 and (
                best[place - 1] < score or (best[place - 1] == score and top[row, place - 1] > other)
            ):
                place -= 1
            if score <= 0 or place >= k:
                continue
            length = min(length + 1, k)
            for later in range(length - 1, place, -1):
                best[later], top[row, later] = best[later - 1], top[row, later - 1]
            best[place], top[row, place] = score, other
    return top
