"""Every leak, planted into a clean split, must be named."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.evaluate.split.split_sample import BY_HAND, interactions_of, many_events

from homefeed.evaluate.split import Split, assert_no_leak, by_time, by_user, leave_last_out
from homefeed.types import Interactions


@given(st.permutations(range(len(BY_HAND))))
def test_shuffled_times_are_a_leak_that_is_named(order: list[int]) -> None:
    interactions = interactions_of(BY_HAND)
    split = by_time(interactions, cutoff_share=0.5)
    shuffled = replace(interactions, times=interactions.times[order])
    # User 2 was shown row 11 when asking at 101; the request is a leak once that event happened later.
    assume(shuffled.times[11] > 101)
    with pytest.raises(AssertionError, match="leak: "):
        assert_no_leak(split, shuffled)


def test_shuffled_times_of_many_events_are_a_leak_that_is_named() -> None:
    interactions = many_events()
    shuffled = replace(interactions, times=np.random.default_rng(8).permutation(interactions.times))
    with pytest.raises(AssertionError, match="leak: history later than its request"):
        assert_no_leak(by_time(interactions), shuffled)


def _broken(split: Split, interactions: Interactions, leak: str) -> Split:
    cases = split.cases
    history, targets, target_rows = cases.history.copy(), cases.targets.copy(), cases.target_rows.copy()
    case = cases[0]
    match leak:
        case "training events at or after the cutoff":
            return replace(split, train=interactions)
        case "requests before the cutoff":
            return replace(split, cases=replace(cases, times=cases.times - 10_000))
        case "history of another user":
            history[0] = np.flatnonzero(interactions.users != case.user)[0]
        case "targets of another user":
            target_rows[0] = np.flatnonzero(interactions.users != case.user)[-1]
        case "targets that are not what their event is about":
            targets[0] += 1
        case "history later than its request":
            history[0] = target_rows[cases.target_starts[1] - 1]
        case "targets earlier than their request":
            target_rows[0] = case.history[0]
            targets[0] = interactions.items[case.history[0]]
        case "targets that do not come after the history":
            target_rows[0] = case.history[-1]
            targets[0] = interactions.items[case.history[-1]]
        case "targets already in the history":
            interactions.items[target_rows[0]] = targets[0] = interactions.items[case.history[0]]
    return replace(split, cases=replace(cases, history=history, targets=targets, target_rows=target_rows))


WAYS = {"time": by_time, "user": by_user, "last": leave_last_out}


def _made(kind: str, interactions: Interactions) -> Split:
    return WAYS[kind](interactions)  # type: ignore[operator,no-any-return]


@pytest.mark.parametrize(
    "leak",
    [
        "training events at or after the cutoff",
        "requests before the cutoff",
        "history of another user",
        "targets of another user",
        "targets that are not what their event is about",
        "history later than its request",
        "targets earlier than their request",
        "targets that do not come after the history",
        "targets already in the history",
    ],
)
def test_each_leak_is_named(leak: str) -> None:
    interactions = many_events()
    split = by_time(interactions)
    assert_no_leak(split, interactions)
    broken = _broken(split, interactions, leak)
    with pytest.raises(AssertionError, match=f"leak: {leak}"):
        assert_no_leak(broken, interactions)


@pytest.mark.parametrize("kind", ["user", "last"])
@pytest.mark.parametrize(
    "leak",
    [
        "history of another user",
        "targets of another user",
        "targets that are not what their event is about",
        "history later than its request",
        "targets earlier than their request",
        "targets already in the history",
    ],
)
def test_what_holds_of_every_kind_is_checked_of_every_kind(kind: str, leak: str) -> None:
    interactions = many_events()
    split = _made(kind, interactions)
    assert split.kind == kind
    assert_no_leak(split, interactions)
    broken = _broken(split, interactions, leak)
    with pytest.raises(AssertionError, match=f"leak: {leak}"):
        assert_no_leak(broken, interactions)


@pytest.mark.parametrize("kind", ["time", "user", "last"])
def test_a_cutoff_that_training_has_passed_is_named(kind: str) -> None:
    interactions = many_events()
    split = _made(kind, interactions)
    early = replace(split, cutoff=int(split.train.times.max()))
    with pytest.raises(AssertionError, match="leak: training events at or after the cutoff"):
        assert_no_leak(early, interactions)


def _trained_on(split: Split, user: int, item: int, time: int) -> Split:
    """Trained on one event more, and fitted late enough for it."""
    train = split.train.take(np.append(np.arange(len(split.train)), 0))
    train.users[-1], train.items[-1], train.times[-1] = user, item, time
    return replace(split, train=train, cutoff=max(split.cutoff, time + 1))


@pytest.mark.parametrize("kind", ["time", "last"])
def test_a_target_that_was_trained_on_is_named(kind: str) -> None:
    interactions = many_events()
    split = _made(kind, interactions)
    case = split.cases[3]
    with pytest.raises(AssertionError, match="leak: targets trained on: 1 of "):
        assert_no_leak(_trained_on(split, case.user, int(case.targets[0]), 0), interactions)


def test_a_held_out_user_who_was_trained_on_is_named() -> None:
    interactions = many_events()
    split = by_user(interactions)
    case = split.cases[3]
    with pytest.raises(AssertionError, match="leak: training events of a held-out user: 1 of "):
        assert_no_leak(_trained_on(split, case.user, 0, 0), interactions)


def test_training_on_a_user_after_the_request_is_named() -> None:
    interactions = many_events()
    split = leave_last_out(interactions)
    case = split.cases[3]
    repeat = int(interactions.items[case.history[0]])
    with pytest.raises(AssertionError, match="leak: training events of a user after their request: 1 of "):
        assert_no_leak(_trained_on(split, case.user, repeat, case.time + 1), interactions)


def test_training_on_a_repeat_of_the_very_time_of_the_request_is_named() -> None:
    interactions = interactions_of([(0, 1, 1), (0, 2, 5), (0, 3, 5), (0, 2, 5), (1, 1, 1)])
    split = leave_last_out(interactions)
    assert_no_leak(split, interactions)
    with pytest.raises(AssertionError, match="leak: training events of a user beyond their history: 1 of "):
        assert_no_leak(_trained_on(split, 0, 2, 5), interactions)


def test_the_leak_between_users_is_one_that_leaving_the_last_out_does_not_promise_away() -> None:
    interactions = interactions_of([(0, 1, 1), (0, 2, 2), (1, 1, 50), (1, 2, 51)])
    split = leave_last_out(interactions)
    assert_no_leak(split, interactions)
    assert split.train.times.max() > split.cases[0].time
