"""Rolling split: requests at the moments at which users came, each with what had happened by then.

The clock runs over the test part as it does over a service. Protocols with one frozen moment make whatever lives
by freshness look worthless, and change which system is best (Ji et al., "A Critical Study on Data Leakage in
Recommender System Offline Evaluation", ACM TOIS 41(3), 2023; Hidasi & Czapp, "Widespread Flaws in Offline
Evaluation of Recommender Systems", RecSys 2023).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from homefeed.errors import InvalidError
from homefeed.evaluate.split.cases import Cases, Rows, Split
from homefeed.evaluate.split.timelines import check_events, check_shares, cutoff_of
from homefeed.types import DAY, Codes, Interactions, Mask, Times


@dataclass(frozen=True, slots=True, eq=False)
class _Choices:
    """What users chose, a row for each choice, by user and time.

    `met` is when the user first did anything with the item, `times` when they chose it, `rows` the row of that
    event.
    """

    users: Codes
    items: Codes
    met: Times
    times: Times
    rows: Rows


def rolling(
    interactions: Interactions,
    counted: Mask | None = None,
    cutoff_share: float = 0.8,
    horizon: int = DAY,
    max_requests: int = 2_000,
    repeats: bool = False,
    seed: int = 0,
    latest: bool = False,
) -> Split:
    """Requests from the moment before which `cutoff_share` of all events happened until the last event.

    A user makes a request each time they come to an item that is new to them, just before: their history is all
    their events before that moment, and may be none. The targets are the items that are new then and that they
    choose within the `horizon` in microseconds; with `repeats` any that they choose within it. Of all requests in
    order of time at most `max_requests` are drawn, evenly from first to last, from a start that the `seed` draws;
    with `latest` as many users' last ones as there may be, then those before them, the latest first.
    An item is chosen by an event that is `counted` (events,), by default by any.

    Raises:
        InvalidError: there are no events, or a number is out of range.
    """
    check_events(interactions)
    check_shares(cutoff_share=cutoff_share)
    if horizon < 1 or max_requests < 1:
        raise InvalidError(f"horizon, max_requests: expected 1 or more, got {horizon} and {max_requests}")
    cutoff = cutoff_of(interactions.times, cutoff_share)
    counted = np.ones(len(interactions), np.bool_) if counted is None else counted
    choices = _choices(interactions, counted, repeats)
    starting = (choices.met >= cutoff) & (choices.times - choices.met <= horizon)
    moments = np.unique(np.column_stack([choices.met[starting], choices.users[starting]]), axis=0)
    drawn = moments[_latest(moments, max_requests) if latest else _evenly(len(moments), max_requests, seed)]
    cases = _cases(interactions, choices, drawn[:, 1].astype(np.int32), drawn[:, 0], horizon)
    train = interactions.take(interactions.times < cutoff)
    return Split(train, cutoff, cases, {}, "rolling", repeats=repeats)


def _choices(interactions: Interactions, counted: Mask, repeats: bool) -> _Choices:
    users, items, times = interactions.users, interactions.items, interactions.times
    if repeats:
        rows = np.flatnonzero(counted)
        met = times[rows]
    else:
        order = np.lexsort((times, items, users))  # stable: of one moment, the earlier row is first
        starts = np.concatenate(
            ([True], (np.diff(users[order]) != 0) | (np.diff(items[order]) != 0)) if len(order) else ([],)
        ).astype(np.bool_)
        pair = np.cumsum(starts) - 1
        chosen = np.flatnonzero(counted[order])
        _, first = np.unique(pair[chosen], return_index=True)
        rows = order[chosen[first]]
        met = times[order[starts]][pair[chosen[first]]]
    by_user = np.lexsort((rows, times[rows], users[rows]))
    rows, met = rows[by_user], met[by_user]
    return _Choices(users[rows], items[rows], met, times[rows], rows)


def _evenly(count: int, max_count: int, seed: int) -> Rows:
    """At most `max_count` of the numbers below `count`, at equal distances."""
    if count <= max_count:
        return np.arange(count)
    start = np.random.default_rng(seed).random()
    return np.floor((np.arange(max_count) + start) * count / max_count).astype(np.int64)


def _latest(moments: npt.NDArray[np.int64], max_count: int) -> Rows:
    """At most `max_count` rows (time, user), in order of time: every user's last ones, then those before them."""
    times, users = moments.T
    by_user = np.lexsort((-times, users))
    starts = np.searchsorted(users[by_user], users[by_user])
    from_last = np.empty(len(moments), np.int64)
    from_last[by_user] = np.arange(len(moments)) - starts
    return np.sort(np.lexsort((-times, from_last))[:max_count])


def _cases(interactions: Interactions, choices: _Choices, users: Codes, times: Times, horizon: int) -> Cases:
    """Each request's history and targets; `users` and `times` are (requests,), in order of time."""
    order = np.lexsort((interactions.times, interactions.users))
    starts, stops = _spans(interactions.users[order], users)
    ends = [
        start + int(np.searchsorted(interactions.times[order[start:stop]], time))
        for start, stop, time in zip(starts.tolist(), stops.tolist(), times.tolist(), strict=True)
    ]
    histories = [order[start:end] for start, end in zip(starts.tolist(), ends, strict=True)]
    starts, stops = _spans(choices.users, users)
    targets = []
    for start, stop, time in zip(starts.tolist(), stops.tolist(), times.tolist(), strict=True):
        span = slice(start, stop)
        wanted = (choices.met[span] >= time) & (choices.times[span] <= time + horizon)
        rows = choices.rows[span][wanted]
        _, first = np.unique(interactions.items[rows], return_index=True)
        targets.append(rows[np.sort(first)])
    target_rows = _joined(targets)
    return Cases(
        users=users,
        times=times,
        history=_joined(histories),
        history_starts=_starts(histories),
        targets=interactions.items[target_rows],
        target_rows=target_rows,
        target_starts=_starts(targets),
    )


def _spans(sorted_users: Codes, users: Codes) -> tuple[Rows, Rows]:
    return np.searchsorted(sorted_users, users), np.searchsorted(sorted_users, users, side="right")


def _joined(rows: list[Rows]) -> Rows:
    return np.concatenate([np.empty(0, np.int64), *rows])


def _starts(rows: list[Rows]) -> Rows:
    return np.concatenate(([0], np.cumsum([len(some) for some in rows], dtype=np.int64))).astype(np.int64)
