"""Events user by user in order of time, and the requests after a given number of known events."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from homefeed.errors import InvalidError
from homefeed.evaluate.split.cases import ONLY_REPEATS, TOO_FEW_TARGETS, WITHOUT_HISTORY, Cases, Rows
from homefeed.types import Codes, Interactions, Mask, Times


@dataclass(frozen=True, slots=True, eq=False)
class Timelines:
    """All events of the test users, user by user, each user's in order of time and then of row.

    `rows` and `owner` are (events,), the owner being an index into the columns of test users: `users`, `starts`
    and `lengths`.
    """

    rows: Rows
    owner: Rows
    users: Codes
    starts: Rows
    lengths: Rows

    def count(self, which: Mask) -> Rows:
        """The number of events marked by `which` (events,) of each test user."""
        return np.asarray(np.add.reduceat(which, self.starts, dtype=np.int64))

    def first(self, known: Rows) -> Mask:
        """Whether each event (events,) is among the first `known` (test users,) of its user."""
        return np.asarray(np.arange(len(self.rows)) - self.starts[self.owner] < known[self.owner])

    def before_first(self, which: Mask) -> Rows:
        """The number of events of each test user before the first marked by `which` (events,); all if none is."""
        place = np.arange(len(self.rows)) - self.starts[self.owner]
        marked = np.where(which, place, self.lengths[self.owner])
        return np.asarray(np.minimum.reduceat(marked, self.starts))

    def time_of_last(self, known: Rows, times: Times) -> Times:
        """The time of the last of the first `known` events; of the first event for users with none known."""
        return times[self.rows[self.starts + np.maximum(known - 1, 0)]]


def timelines(interactions: Interactions, users: Codes) -> Timelines:
    """The timelines of `users` (test users,), who have an event each, in the order of their rows."""
    tested = np.zeros(int(interactions.users.max()) + 1, dtype=np.bool_)
    tested[users] = True
    chosen = np.flatnonzero(tested[interactions.users])
    # lexsort is stable: events of the same time keep the order of their rows.
    rows = chosen[np.lexsort((interactions.times[chosen], interactions.users[chosen]))]

    owners = interactions.users[rows]
    is_first = np.concatenate(([True], owners[1:] != owners[:-1]))
    starts = np.flatnonzero(is_first)
    lengths = np.diff(np.append(starts, len(rows)))
    return Timelines(rows, np.cumsum(is_first) - 1, owners[starts], starts, lengths)


def first_meetings(lines: Timelines, interactions: Interactions, among: Mask | None = None) -> Mask:
    """Whether each event (events,) is its user's first with its item, or the first `among` these."""
    met = interactions.items[lines.rows].astype(np.int64)
    pairs = lines.owner * (int(met.max()) + 1) + met
    looked_at = np.arange(len(pairs)) if among is None else np.flatnonzero(among)
    first = np.zeros(len(pairs), dtype=np.bool_)
    first[looked_at[np.unique(pairs[looked_at], return_index=True)[1]]] = True
    return first


def cases_after(
    interactions: Interactions,
    lines: Timelines,
    known: Rows,
    request_times: Times,
    min_targets: int,
    future: Mask | None = None,
    repeats: bool = False,
) -> tuple[Cases, dict[str, int]]:
    """The requests with the first `known` events of each test user as history, and the users left out.

    The targets are the items of the `future` (events,), by default of all events after those, that are new
    there, or with `repeats` all of them. `known` and `request_times` are (test users,).
    """
    past = lines.first(known)
    future = ~past if future is None else future
    future = first_meetings(lines, interactions, future if repeats else None) & future
    target_counts = lines.count(future)

    kept = (known > 0) & (target_counts >= min_targets)
    of_kept = kept[lines.owner]
    target_rows = lines.rows[future & of_kept]
    cases = Cases(
        users=lines.users[kept],
        times=request_times[kept],
        history=lines.rows[past & of_kept],
        history_starts=_starts(known[kept]),
        targets=interactions.items[target_rows],
        target_rows=target_rows,
        target_starts=_starts(target_counts[kept]),
    )
    return cases, _left_out(known, target_counts, min_targets)


def share_of(share: float, counts: npt.ArrayLike) -> Rows:
    """A share of each count, rounded down."""
    # 0.29 * 100 is 28.999999999999996: without the addition, rounding down would lose one.
    return np.floor(np.asarray(counts) * share + 1e-9).astype(np.int64)


def cutoff_of(times: Times, share: float) -> int:
    """The moment before which a share of all events happened."""
    rank = min(int(share_of(share, len(times))), len(times) - 1)
    return int(np.partition(times, rank)[rank])


def check_events(interactions: Interactions) -> None:
    """Refuse to split nothing."""
    if len(interactions) == 0:
        raise InvalidError("interactions: there are no events to split; import some first")


def check_shares(revealed_share: float = 0, **shares: float) -> None:
    """Refuse shares out of range: nothing may be revealed, but a cut at 0 or 1 divides nothing."""
    for name, share in shares.items():
        if not 0 < share < 1:
            raise InvalidError(f"{name}: expected a share above 0 and below 1, got {share}")
    if not 0 <= revealed_share < 1:
        raise InvalidError(f"revealed_share: expected a share from 0 to below 1, got {revealed_share}")


def check_min_targets(min_targets: int) -> None:
    """Refuse cases without a target."""
    if min_targets < 1:
        raise InvalidError(f"min_targets: expected 1 or more, got {min_targets}")


def _left_out(known: Rows, target_counts: Rows, min_targets: int) -> dict[str, int]:
    answerable = known > 0
    return {
        WITHOUT_HISTORY: int(np.sum(~answerable)),
        ONLY_REPEATS: int(np.sum(answerable & (target_counts == 0))),
        TOO_FEW_TARGETS: int(np.sum(answerable & (target_counts > 0) & (target_counts < min_targets))),
    }


def _starts(counts: Rows) -> Rows:
    return np.concatenate((np.zeros(1, np.int64), np.cumsum(counts, dtype=np.int64)))
