"""Splitting events by time: what a model may learn from, what the service has seen, what it should foresee.

One cutoff for everyone, so that nothing learned from one user's future can help another's past (Meng et al.,
"Exploring Data Splitting Strategies for the Evaluation of Recommendation Models", RecSys 2020; Ji et al., "A
Critical Study on Data Leakage in Recommender System Offline Evaluation", ACM TOIS 41(3), 2023).

What the split cannot see is left to the caller: numbers computed over all events before they came here, such
as strengths relative to an item's typical value, and attributes of items or users that changed after the cutoff.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from homefeed.errors import InvalidError
from homefeed.types import Codes, History, Interactions, Mask, Positions, Times

Rows: TypeAlias = npt.NDArray[np.int64]

WITHOUT_HISTORY: Final = "no history when asking"
ONLY_REPEATS: Final = "no target that is not in the history"
TOO_FEW_TARGETS: Final = "fewer targets than asked for"


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """One test user's request.

    `history` are rows of the interactions the split was made of, oldest first; `targets` the positions the
    user came to afterwards, each once, in that order, and `target_rows` the rows where that first happened.
    `time` is when the user asks, in microseconds since 1970.
    """

    user: int
    history: Rows
    targets: Positions
    target_rows: Rows
    time: int

    def seen(self, interactions: Interactions) -> History:
        """What the service knows of the user when the request arrives, oldest first."""
        rows = self.history
        return History(
            interactions.items[rows],
            interactions.types[rows],
            interactions.values[rows],
            interactions.strengths[rows],
            interactions.times[rows],
        )


@dataclass(frozen=True, slots=True, eq=False)
class Cases:
    """All requests of a split as columns; iterating or indexing gives each as a `Case` without copying.

    `users` and `times` are (cases,). Case i's history is `history[history_starts[i]:history_starts[i + 1]]`,
    its targets likewise; the starts are (cases + 1,). In the order of the users' rows.
    """

    users: Codes
    times: Times
    history: Rows
    history_starts: Rows
    targets: Positions
    target_rows: Rows
    target_starts: Rows

    def __len__(self) -> int:
        return len(self.users)

    def __iter__(self) -> Iterator[Case]:
        return (self[case] for case in range(len(self)))

    def __getitem__(self, case: int) -> Case:
        if not 0 <= case < len(self):
            raise IndexError(f"case {case} of {len(self)}")
        past = slice(self.history_starts[case], self.history_starts[case + 1])
        future = slice(self.target_starts[case], self.target_starts[case + 1])
        return Case(
            int(self.users[case]),
            self.history[past],
            self.targets[future],
            self.target_rows[future],
            int(self.times[case]),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Events to train on, all strictly before `cutoff`, and requests to answer at or after it.

    `left_out` counts the test users who make no case, by reason; every reason is there, be it with 0.
    """

    train: Interactions
    cutoff: int
    cases: Cases
    left_out: Mapping[str, int]


@dataclass(frozen=True, slots=True, eq=False)
class _Timelines:
    """All events of the test users, user by user, each user's in order of time and then of row.

    `rows` and `owner` are (events,), the owner being an index into the columns of test users: `users`, `starts`,
    `before` (how many events came before the cutoff) and `since` (how many at or after it).
    """

    rows: Rows
    owner: Rows
    users: Codes
    starts: Rows
    before: Rows
    since: Rows


def by_time(
    interactions: Interactions, cutoff_share: float = 0.8, revealed_share: float = 0.5, min_targets: int = 1
) -> Split:
    """Split at the moment before which `cutoff_share` of all events happened.

    A model trains on the events strictly before that cutoff T. Whoever has events at or after T is a test user.
    In order of time, the first `revealed_share` of those events (rounded down, but at least one where the user
    has none before T and two or more since) are what the service has seen when the user asks: state is read at
    request time, so they are history, though never training. What comes later are the targets, less the items
    in the history, for consuming something again is no discovery. The user asks at the time of the last revealed
    event, or at T where none is revealed. With `revealed_share` 0 the history ends before T for everyone.

    Events of one user at the same time keep the order of their rows, also across the line between history and
    targets: a target may bear the very time of the request. Rows of one moment that were sorted by what they
    say (best rated first, say) should be shuffled before. Events at T itself belong to the test side.

    Raises:
        InvalidError: there are no events, or a share or `min_targets` is out of range.
    """
    _check(interactions, cutoff_share, revealed_share, min_targets)
    cutoff = _cutoff(interactions.times, cutoff_share)
    lines = _timelines(interactions, cutoff)
    revealed = _revealed(lines, revealed_share)
    known = lines.before + revealed

    past = np.arange(len(lines.rows)) - lines.starts[lines.owner] < known[lines.owner]
    future = _first_meetings(lines, interactions.items) & ~past
    target_counts = np.bincount(lines.owner[future], minlength=len(lines.users))

    kept = (known > 0) & (target_counts >= min_targets)
    last_known = lines.rows[lines.starts + np.maximum(known - 1, 0)]
    asked = np.where(revealed > 0, interactions.times[last_known], cutoff)
    of_kept = kept[lines.owner]
    target_rows = lines.rows[future & of_kept]
    return Split(
        train=interactions.take(interactions.times < cutoff),
        cutoff=cutoff,
        cases=Cases(
            users=lines.users[kept],
            times=asked[kept],
            history=lines.rows[past & of_kept],
            history_starts=_starts(known[kept]),
            targets=interactions.items[target_rows],
            target_rows=target_rows,
            target_starts=_starts(target_counts[kept]),
        ),
        left_out=_left_out(known, target_counts, min_targets),
    )


def assert_no_leak(split: Split, interactions: Interactions) -> None:
    """Check against the events' own times that nothing of the future reached the past.

    Raises:
        AssertionError: naming the leak, how many events it concerns, and the first of them.
    """
    cases, times = split.cases, interactions.times
    number = np.arange(len(cases))
    past_case = np.repeat(number, np.diff(cases.history_starts))
    future_case = np.repeat(number, np.diff(cases.target_starts))
    past_times, future_times = times[cases.history], times[cases.target_rows]

    _refuse("training events at or after the cutoff", split.train.times >= split.cutoff)
    _refuse("requests before the cutoff", cases.times < split.cutoff)
    _refuse("history of another user", interactions.users[cases.history] != cases.users[past_case])
    _refuse("targets of another user", interactions.users[cases.target_rows] != cases.users[future_case])
    _refuse(
        "targets that are not what their event is about", interactions.items[cases.target_rows] != cases.targets
    )
    _refuse("history later than its request", past_times > cases.times[past_case])
    _refuse("targets earlier than their request", future_times < cases.times[future_case])
    last = cases.history[cases.history_starts[1:] - 1]
    last_time, last_row = times[last][future_case], last[future_case]
    not_after = (future_times < last_time) | ((future_times == last_time) & (cases.target_rows <= last_row))
    _refuse("targets that do not come after the history", not_after)

    width = int(interactions.items.max(initial=0)) + 1
    seen = past_case * width + interactions.items[cases.history]
    wanted = future_case * width + cases.targets
    _refuse("targets already in the history", np.isin(wanted, seen))


def _check(interactions: Interactions, cutoff_share: float, revealed_share: float, min_targets: int) -> None:
    if len(interactions) == 0:
        raise InvalidError("interactions: there are no events to split; import some first")
    if not 0 < cutoff_share < 1:
        raise InvalidError(f"cutoff_share: expected a share above 0 and below 1, got {cutoff_share}")
    if not 0 <= revealed_share < 1:
        raise InvalidError(f"revealed_share: expected a share from 0 to below 1, got {revealed_share}")
    if min_targets < 1:
        raise InvalidError(f"min_targets: expected 1 or more, got {min_targets}")


def _share(share: float, counts: npt.ArrayLike) -> Rows:
    # 0.29 * 100 is 28.999999999999996: without the addition, a share that is whole on paper loses one.
    return np.floor(np.asarray(counts) * share + 1e-9).astype(np.int64)


def _cutoff(times: Times, share: float) -> int:
    rank = min(int(_share(share, len(times))), len(times) - 1)
    return int(np.partition(times, rank)[rank])


def _timelines(interactions: Interactions, cutoff: int) -> _Timelines:
    tested = np.zeros(int(interactions.users.max()) + 1, dtype=np.bool_)
    tested[interactions.users[interactions.times >= cutoff]] = True
    chosen = np.flatnonzero(tested[interactions.users])
    # lexsort is stable, which keeps events of the same time in the order of their rows.
    rows = chosen[np.lexsort((interactions.times[chosen], interactions.users[chosen]))]

    users = interactions.users[rows]
    is_first = np.concatenate(([True], users[1:] != users[:-1]))
    starts = np.flatnonzero(is_first)
    before = np.add.reduceat(interactions.times[rows] < cutoff, starts, dtype=np.int64)
    events = np.diff(np.append(starts, len(rows)))
    return _Timelines(rows, np.cumsum(is_first) - 1, users[starts], starts, before, events - before)


def _revealed(lines: _Timelines, share: float) -> Rows:
    if share == 0:
        return np.zeros_like(lines.since)
    revealed = np.minimum(_share(share, lines.since), lines.since - 1)
    needs_one = (revealed == 0) & (lines.before == 0) & (lines.since >= 2)
    return np.where(needs_one, 1, revealed)


def _first_meetings(lines: _Timelines, items: Positions) -> Mask:
    """Of each event (events,), whether its user meets its item for the first time."""
    met = items[lines.rows].astype(np.int64)
    pairs = lines.owner * (int(met.max()) + 1) + met
    first = np.zeros(len(pairs), dtype=np.bool_)
    first[np.unique(pairs, return_index=True)[1]] = True
    return first


def _left_out(known: Rows, target_counts: Rows, min_targets: int) -> dict[str, int]:
    answerable = known > 0
    return {
        WITHOUT_HISTORY: int(np.sum(~answerable)),
        ONLY_REPEATS: int(np.sum(answerable & (target_counts == 0))),
        TOO_FEW_TARGETS: int(np.sum(answerable & (target_counts > 0) & (target_counts < min_targets))),
    }


def _starts(counts: Rows) -> Rows:
    return np.concatenate((np.zeros(1, np.int64), np.cumsum(counts, dtype=np.int64)))


def _refuse(leak: str, where: Mask) -> None:
    if where.any():
        raise AssertionError(f"leak: {leak}: {int(where.sum())} of {len(where)}, first at {int(where.argmax())}")
