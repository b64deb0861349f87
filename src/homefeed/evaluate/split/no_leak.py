"""Checks on the events themselves that nothing of the future is in the past, however the split was made."""

from __future__ import annotations

import numpy as np

from homefeed.evaluate.split.cases import Rows, Split
from homefeed.types import Interactions, Mask


def assert_no_leak(split: Split, interactions: Interactions) -> None:
    """Check the guarantees of a split's kind against the interactions it was made from.

    For every kind: training ends before the cutoff, no target was trained on, and a case's history and targets are
    its user's, on their sides of the request. Split by time or basket, requests come at or after the cutoff; by
    user, no user with a request was trained on; with the last left out, none was trained on beyond their history.
    A basket is the first to begin since the cutoff; the targets are in it, and in the history only with repeats;
    the history is all earlier events of its user, as it is split rolling, where requests are in the order of time.

    Raises:
        AssertionError: naming the leak, how many events it concerns, and the first of them.
    """
    cases = split.cases
    _refuse("training events at or after the cutoff", split.train.times >= split.cutoff)
    if split.kind in ("rolling", "time", "basket"):
        _refuse("requests before the cutoff", cases.times < split.cutoff)
    elif split.kind == "user":
        _refuse("training events of a held-out user", np.isin(split.train.users, cases.users))
    past_case = np.repeat(np.arange(len(cases)), np.diff(cases.history_starts))
    future_case = np.repeat(np.arange(len(cases)), np.diff(cases.target_starts))
    _check_owners(split, interactions, past_case, future_case)
    _check_order(split, interactions, past_case, future_case)
    _check_targets(split, interactions, past_case, future_case)
    if split.kind == "last":
        _check_training(split)
    elif split.kind == "basket":
        _check_baskets(split, interactions, future_case)
    elif split.kind == "rolling":
        _check_rolling(split, interactions)


def _check_owners(split: Split, interactions: Interactions, past_case: Rows, future_case: Rows) -> None:
    cases, users = split.cases, interactions.users
    _refuse("history of another user", users[cases.history] != cases.users[past_case])
    _refuse("targets of another user", users[cases.target_rows] != cases.users[future_case])
    not_theirs = interactions.items[cases.target_rows] != cases.targets
    _refuse("targets that are not the item of their event", not_theirs)


def _check_order(split: Split, interactions: Interactions, past_case: Rows, future_case: Rows) -> None:
    cases, times = split.cases, interactions.times
    future_times = times[cases.target_rows]
    # The request for a basket, and one of the rolling clock, comes before the events of the same moment.
    latest = cases.times - 1 if split.kind in ("basket", "rolling") else cases.times
    _refuse("history later than its request", times[cases.history] > latest[past_case])
    _refuse("targets earlier than their request", future_times < cases.times[future_case])
    if split.kind == "rolling":
        return  # the history ends before the request, and may be empty
    last = cases.history[cases.history_starts[1:] - 1]
    last_time, last_row = times[last][future_case], last[future_case]
    not_after = (future_times < last_time) | ((future_times == last_time) & (cases.target_rows <= last_row))
    _refuse("targets that do not come after the history", not_after)


def _check_targets(split: Split, interactions: Interactions, past_case: Rows, future_case: Rows) -> None:
    if split.repeats:
        # Training ends before the requests, and targets are not earlier: training has other events.
        return
    cases, train = split.cases, split.train
    width = int(interactions.items.max(initial=0)) + 1
    seen = past_case * width + interactions.items[cases.history]
    _refuse("targets already in the history", np.isin(future_case * width + cases.targets, seen))
    learned = train.users.astype(np.int64) * width + train.items
    wanted = cases.users.astype(np.int64)[future_case] * width + cases.targets
    _refuse("targets trained on", np.isin(wanted, learned))


def _check_baskets(split: Split, interactions: Interactions, future_case: Rows) -> None:
    cases, times, span = split.cases, interactions.times, split.basket_span
    past_times = times[cases.history]
    last_times = past_times[cases.history_starts[1:] - 1]
    _refuse("baskets that had begun before their request", last_times + span >= cases.times)
    late = times[cases.target_rows] > cases.times[future_case] + span
    _refuse("targets later than their basket", late)
    begun = np.diff(past_times, prepend=past_times[:1]) > span
    begun[cases.history_starts[:-1]] = True
    _refuse("baskets passed over since the cutoff", begun & (past_times >= split.cutoff))

    request_times = np.full(int(interactions.users.max(initial=0)) + 1, np.iinfo(np.int64).min)
    request_times[cases.users] = cases.times
    before = np.bincount(
        interactions.users[times < request_times[interactions.users]], minlength=len(request_times)
    )
    _refuse("history that lacks an earlier event", before[cases.users] != np.diff(cases.history_starts))


def _check_rolling(split: Split, interactions: Interactions) -> None:
    _refuse("requests later than the next", np.diff(split.cases.times) < 0)
    cases, order = split.cases, np.lexsort((interactions.times, interactions.users))
    users, times = interactions.users[order], interactions.times[order]
    starts, stops = (np.searchsorted(users, cases.users, side=side) for side in ("left", "right"))
    spans = zip(starts.tolist(), stops.tolist(), cases.times.tolist(), strict=True)
    before = np.array([np.searchsorted(times[start:stop], time) for start, stop, time in spans], np.int64)
    _refuse("history that lacks an earlier event", before != np.diff(cases.history_starts))


def _check_training(split: Split) -> None:
    """The checks of users who were also trained on, up to their request."""
    cases, train = split.cases, split.train
    count = int(max(train.users.max(initial=0), cases.users.max(initial=0))) + 1
    request_times = np.full(count, np.iinfo(np.int64).max)
    request_times[cases.users] = cases.times
    _refuse("training events of a user after their request", train.times > request_times[train.users])
    trained = np.bincount(train.users, minlength=count)[cases.users]
    _refuse("training events of a user beyond their history", trained > np.diff(cases.history_starts))


def _refuse(leak: str, where: Mask) -> None:
    if where.any():
        raise AssertionError(f"leak: {leak}: {int(where.sum())} of {len(where)}, first at {int(where.argmax())}")
