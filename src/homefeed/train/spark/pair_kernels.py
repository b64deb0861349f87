"""Compiled loops over pairs of what users share: within a block of users, and summed over blocks."""

from __future__ import annotations

from functools import partial

import numpy as np

from homefeed.kernels import compiled
from homefeed.retrieve.arrays import Doubles, Rows, Starts


@partial(compiled, nogil=True)
def products(
    item_starts: Starts,
    item_users: Rows,
    item_values: Doubles,
    user_starts: Starts,
    user_items: Rows,
    user_values: Doubles,
    room: int,
) -> tuple[Starts, Rows, Doubles, Rows]:
    """Of each item of a matrix the sum over users of the products of its values with those of every other item.

    The matrix is given by its columns and by its rows. Returns where the others of each item begin, the others,
    the sums and the number of users in each; `room` is the most there can be of them.
    """
    count = len(item_starts) - 1
    starts = np.zeros(count + 1, np.int64)
    others, found, counts = np.empty(room, np.int32), np.empty(room, np.float64), np.empty(room, np.int32)
    sums, users = np.zeros(count, np.float64), np.zeros(count, np.int32)
    touched = np.empty(count, np.int32)
    end = 0
    for item in range(count):
        reached = 0
        for entry in range(item_starts[item], item_starts[item + 1]):
            user = item_users[entry]
            for place in range(user_starts[user], user_starts[user + 1]):
                other = user_items[place]
                if other == item:
                    continue
                if users[other] == 0:
                    touched[reached] = other
                    reached += 1
                users[other] += 1
                sums[other] += item_values[entry] * user_values[place]
        for place in range(reached):
            other = touched[place]
            others[end], found[end], counts[end] = other, sums[other], users[other]
            sums[other], users[other] = 0, 0
            end += 1
        starts[item + 1] = end
    return starts, others[:end].copy(), found[:end].copy(), counts[:end].copy()


@partial(compiled, nogil=True)
def sum_rows(
    rows: Rows,
    starts: Starts,
    columns: Rows,
    values: Doubles,
    counts: Rows,
    state: Starts,
    sums: Doubles,
    users: Rows,
    touched: Rows,
) -> tuple[Rows, Starts, Rows, Doubles, Rows]:
    """Add up sparse rows that come in the order of `rows`; returns those that are complete, by rising column.

    `state` holds the row that is not yet complete and how many columns it has reached; `sums`, `users` and
    `touched` (columns,) are what it has so far. Where there are no `counts`, each entry counts one.
    """
    room = state[1] + len(columns)
    found_rows, found_starts = np.empty(len(rows) + 1, np.int32), np.zeros(len(rows) + 2, np.int64)
    found, found_sums, found_users = np.empty(room, np.int32), np.empty(room), np.empty(room, np.int32)
    done = end = 0
    for place in range(len(rows)):
        if rows[place] != state[0]:
            if state[0] >= 0:
                for column in np.sort(touched[: state[1]]):
                    found[end], found_sums[end], found_users[end] = column, sums[column], users[column]
                    sums[column], users[column] = 0, 0
                    end += 1
                found_rows[done] = state[0]
                done += 1
                found_starts[done] = end
            state[0], state[1] = rows[place], 0
        for entry in range(starts[place], starts[place + 1]):
            column = columns[entry]
            if users[column] == 0:
                touched[state[1]] = column
                state[1] += 1
            users[column] += counts[entry] if len(counts) else 1
            sums[column] += values[entry]
    return (
        found_rows[:done].copy(),
        found_starts[: done + 1].copy(),
        found[:end].copy(),
        found_sums[:end].copy(),
        found_users[:end].copy(),
    )
