"""Every leak, planted into a clean split, must be named."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.evaluate.split.split_sample import BY_HAND, interactions_of, many_events

from homefeed.evaluate.split import Cases, Split, assert_no_leak, by_time, by_user, leave_last_out, next_basket
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
        case "targets that are not the item of their event":
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


WAYS = {"time": by_time, "user": by_user, "last": leave_last_out, "basket": next_basket}


def _made(kind: str, interactions: Interactions) -> Split:
    return WAYS[kind](interactions)  # type: ignore[operator,no-any-return]


@pytest.mark.parametrize(
    "leak",
    [
        "training events at or after the cutoff",
        "requests before the cutoff",
        "history of another user",
        "targets of another user",
        "targets that are not the item of their event",
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


@pytest.mark.parametrize("kind", ["user", "last", "basket"])
@pytest.mark.parametrize(
    "leak",
    [
        "history of another user",
        "targets of another user",
        "targets that are not the item of their event",
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


@pytest.mark.parametrize("number", [1, 4])
def test_a_target_that_its_own_history_holds_is_named_whichever_case_it_is_of(number: int) -> None:
    interactions = many_events()
    split = by_time(interactions)
    cases = split.cases
    first_target, first_seen = cases.target_starts[number], cases.history_starts[number]
    targets = cases.targets.copy()
    known = interactions.items[cases.history[first_seen]]
    interactions.items[cases.target_rows[first_target]] = targets[first_target] = known
    with pytest.raises(AssertionError, match="leak: targets already in the history: 1 of "):
        assert_no_leak(replace(split, cases=replace(cases, targets=targets)), interactions)


def test_a_target_may_be_what_another_user_had_before() -> None:
    # User 0 had items 1 to 3 when user 1, the second case, is asked for; width 4 keeps (0, 5) and (1, 1) apart.
    rows = [(user, item, 10 * time + user) for time, item in enumerate((1, 2, 3)) for user in (0,)]
    rows += [(1, 0, 5), (1, 4, 6), (0, 4, 40), (1, 1, 41), (1, 2, 42), (1, 3, 43)]
    interactions = interactions_of(sorted(rows, key=lambda row: row[2]))
    split = leave_last_out(interactions)
    assert len(split.cases) == 2
    assert_no_leak(split, interactions)


@pytest.mark.parametrize("kind", ["time", "user", "last", "basket"])
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


@pytest.mark.parametrize("kind", ["time", "last", "basket"])
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


# User 0 buys in five baskets, the last three since the cutoff at 10; user 1 fills up the past.
BASKETS = [
    *((1, 50 + time, time) for time in range(7)),
    *((0, 1, 2), (0, 2, 4), (0, 3, 4)),
    *((0, 4, 10), (0, 1, 10), (0, 5, 12), (0, 6, 14)),
]


def of_user_0(history: list[int], target_rows: list[int], time: int) -> Cases:
    """The one request of user 0, whose events are rows 7 to 13."""
    items = interactions_of(BASKETS).items
    return Cases(
        users=np.array([0], np.int32),
        times=np.array([time], np.int64),
        history=np.array(history),
        history_starts=np.array([0, len(history)]),
        targets=items[target_rows],
        target_rows=np.array(target_rows),
        target_starts=np.array([0, len(target_rows)]),
    )


def test_the_basket_split_that_leaks_are_planted_into_is_clean() -> None:
    for repeats, targets in ((False, [10]), (True, [10, 11])):
        split = next_basket(interactions_of(BASKETS), cutoff_share=0.72, repeats=repeats)
        assert split.cutoff == 10
        assert_no_leak(split, interactions_of(BASKETS))
        clean = of_user_0([7, 8, 9], targets, 10)
        assert [(case.user, case.time) for case in split.cases] == [(0, 10)]
        assert (split.cases.history == clean.history).all()
        assert split.cases.target_rows.tolist() == clean.target_rows.tolist()


@pytest.mark.parametrize("repeats", [False, True])
@pytest.mark.parametrize(
    ("leak", "planted"),
    [
        ("requests before the cutoff", of_user_0([7, 8], [10], 4)),
        ("history later than its request", of_user_0([7, 8, 9, 11], [10], 10)),
        ("targets later than their basket", of_user_0([7, 8, 9], [10, 12], 10)),
        ("baskets passed over since the cutoff", of_user_0([7, 8, 9, 10, 11], [12], 12)),
        ("history that lacks an earlier event", of_user_0([7, 8], [10], 10)),
        ("history later than its request", of_user_0([7, 8, 9, 12], [13], 10)),
        ("targets earlier than their request", of_user_0([7, 8, 9], [10], 12)),
    ],
)
def test_each_leak_of_a_basket_is_named(leak: str, planted: Cases, repeats: bool) -> None:
    interactions = interactions_of(BASKETS)
    split = next_basket(interactions, cutoff_share=0.72, repeats=repeats)
    with pytest.raises(AssertionError, match=f"leak: {leak}: 1 of "):
        assert_no_leak(replace(split, cases=planted), interactions)


def test_what_was_bought_before_is_a_target_only_with_repeats() -> None:
    interactions = interactions_of(BASKETS)
    split = next_basket(interactions, cutoff_share=0.72, repeats=True)
    with pytest.raises(AssertionError, match="leak: targets already in the history: 1 of 2"):
        assert_no_leak(replace(split, repeats=False), interactions)


def test_with_minutes_the_rest_of_a_basket_is_no_basket_of_its_own() -> None:
    minute = 60_000_000
    interactions = interactions_of([(user, item, time * minute) for user, item, time in BASKETS])
    split = next_basket(interactions, cutoff_share=0.72, minutes=2)
    assert_no_leak(split, interactions)
    assert split.cases[0].targets.tolist() == [4, 5], "the first basket lasts until 12"
    late = replace(split, cases=of_user_0([7, 8, 9, 10, 11, 12], [13], 14 * minute))
    with pytest.raises(AssertionError, match="leak: baskets that had begun before their request: 1 of 1"):
        assert_no_leak(late, interactions)
    # Every two minutes something, since before the cutoff: nothing passed over, for nothing had begun.
    steady = interactions_of([(0, time, time * minute) for time in range(0, 20, 2)] + [(0, 99, 30 * minute)])
    found = next_basket(steady, cutoff_share=0.5, minutes=2)
    assert_no_leak(found, steady)
    assert found.cases[0].targets.tolist() == [99]
    assert (steady.times[found.cases.history] >= found.cutoff).any()


@pytest.mark.parametrize("repeats", [False, True])
def test_training_on_a_basket_is_named(repeats: bool) -> None:
    interactions = interactions_of(BASKETS)
    split = next_basket(interactions, cutoff_share=0.72, repeats=repeats)
    learned = _trained_on(split, 0, 4, 10)
    with pytest.raises(AssertionError, match="leak: requests before the cutoff: 1 of 1"):
        assert_no_leak(learned, interactions)
    with pytest.raises(AssertionError, match="leak: training events at or after the cutoff: 1 of 11"):
        assert_no_leak(replace(learned, cutoff=split.cutoff), interactions)
