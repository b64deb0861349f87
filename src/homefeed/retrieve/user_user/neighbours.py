"""Who is most like a user, what they chose, and what they have in common: loops over the rows of a model."""

from __future__ import annotations

import numpy as np

from homefeed.kernels import BOOL, F32, F64, I32, I64, U64, compiled, kernel, reads, several, writes
from homefeed.retrieve.arrays import Doubles, Rows, Starts, is_marked, marked
from homefeed.retrieve.selection import Keys, key_of
from homefeed.types import Floats, Mask, Positions

_SPANS = (reads(I64), reads(I32), reads(F32))


@kernel(several(writes(U64), writes(I32)), *(reads(I32), reads(F32), *_SPANS, reads(I64), F64, F32, writes(I32)))
def similar_users(
    rows: Rows,
    vector: Floats,
    item_starts: Starts,
    item_users: Rows,
    item_weights: Floats,
    user_starts: Starts,
    shrinkage: float,
    above: float,
    slots: Rows,
) -> tuple[Keys, Rows]:
    """Keys of the similarities `above` a bound, of users who chose one of the rows (n,) and something else.

    `vector` (n,) is the user's own. The places of keys are rows of the users that come with them; equals are in
    the order in which the last item in common was found. `slots` (users,) are zeros, and are so again.
    """
    room = 0
    for row in rows:
        room += item_starts[row + 1] - item_starts[row]
    users, reached, last = np.empty(room, np.int32), np.empty(room + 1, np.int32), np.empty(room + 1, np.int32)
    sums, shared = np.zeros(room + 1, np.float32), np.zeros(room + 1, np.int32)
    entries = count = 0
    for place in range(len(rows)):
        for entry in range(item_starts[rows[place]], item_starts[rows[place] + 1]):
            user = item_users[entry]
            if slots[user] == 0:
                count += 1
                slots[user], reached[count] = count, user
            slot = slots[user]
            sums[slot] += vector[place] * item_weights[entry]
            shared[slot] += 1
            users[entries] = user
            last[slot] = entries
            entries += 1
    similar = np.zeros(count + 1, np.float32)
    bits, keys, found = similar.view(np.int32), np.empty(count, np.uint64), 0
    for slot in range(1, count + 1):
        user = reached[slot]
        slots[user] = 0
        if shared[slot] < user_starts[user + 1] - user_starts[user]:
            similar[slot] = sums[slot] * (shared[slot] / (shared[slot] + shrinkage))
        if similar[slot] > above:
            keys[found] = key_of(bits[slot], last[slot])
            found += 1
    return keys[:found], users


@kernel(writes(BOOL), *(reads(I32), reads(I64), reads(I32), reads(I32), reads(I32), reads(BOOL)))
def have_news(
    users: Rows, user_starts: Starts, user_items: Rows, known: Rows, position_of_row: Positions, available: Mask
) -> Mask:
    """(users,) who chose an item that is available and none of the known rows."""
    news, is_known = np.zeros(len(users), np.bool_), marked(known)
    for place in range(len(users)):
        for row in user_items[user_starts[users[place]] : user_starts[users[place] + 1]]:
            position = position_of_row[row]
            if position >= 0 and available[position] and not is_marked(row, is_known):
                news[place] = True
                break
    return news


@kernel(
    several(writes(U64), writes(I32)),
    *(reads(I32), reads(F32), *_SPANS, reads(I32), reads(BOOL), I64, I64, writes(I32)),
)
def chosen_items(
    users: Rows,
    similar: Floats,
    user_starts: Starts,
    user_items: Rows,
    user_strengths: Floats,
    position_of_row: Positions,
    eligible: Mask,
    without: int,
    min_users: int,
    slots: Rows,
) -> tuple[Keys, Positions]:
    """Keys of the sums over users of similarity times strength, of eligible items that `min_users` chose.

    The places of keys are rows of the positions that come with them; equals are in the order in which the last
    choice of each was found. `slots` (items,) are zeros, and are so again; `without` is a position left out.
    """
    room = 0
    for user in users:
        room += user_starts[user + 1] - user_starts[user]
    positions, reached, last = np.empty(room, np.int32), np.empty(room + 1, np.int32), np.empty(room + 1, np.int32)
    sums, counts = np.zeros(room + 1, np.float32), np.zeros(room + 1, np.int32)
    entries = count = 0
    for place in range(len(users)):
        for entry in range(user_starts[users[place]], user_starts[users[place] + 1]):
            row = user_items[entry]
            position = position_of_row[row]
            if position < 0 or position == without or not eligible[position]:
                continue
            if slots[row] == 0:
                count += 1
                slots[row], reached[count] = count, row
            slot = slots[row]
            sums[slot] += similar[place] * user_strengths[entry]
            counts[slot] += 1
            positions[entries] = position
            last[slot] = entries
            entries += 1
    bits, keys, found = sums.view(np.int32), np.empty(count, np.uint64), 0
    for slot in range(1, count + 1):
        slots[reached[slot]] = 0
        if counts[slot] >= min_users and sums[slot] > 0:
            keys[found] = key_of(bits[slot], last[slot])
            found += 1
    return keys[:found], positions


@compiled
def _find(row: int, rows: Rows, places: Starts) -> int:
    """Write where a row is among some; how often it is."""
    count = 0
    for place in range(len(rows)):
        if rows[place] == row:
            places[count] = place
            count += 1
    return count


@kernel(writes(F64, 2), *(reads(I32), reads(I64), reads(I32), reads(I32), reads(I32)))
def people_sharing(users: Rows, user_starts: Starts, user_items: Rows, liked: Rows, wanted: Rows) -> Doubles:
    """(m, n) how many of the users who chose each wanted row (n,) chose each liked one (m,), too; -1 is no row."""
    is_liked, is_wanted = marked(liked), marked(wanted)
    shared = np.zeros((len(liked), len(wanted)))
    of_liked, of_wanted = np.empty(len(liked), np.int64), np.empty(len(wanted), np.int64)
    for user in users:
        likes = wants = 0
        for row in user_items[user_starts[user] : user_starts[user + 1]]:
            if is_marked(row, is_liked):
                likes += _find(row, liked, of_liked[likes:])
            if is_marked(row, is_wanted):
                wants += _find(row, wanted, of_wanted[wants:])
        for want in of_wanted[:wants]:
            for like in of_liked[:likes]:
                shared[like, want] += 1
    return shared
