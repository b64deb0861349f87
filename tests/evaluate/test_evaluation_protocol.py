"""How an evaluation is made: which split, who is drawn, and what cannot be meant."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.evaluate.split.split_sample import interactions_of, many_events

from homefeed.errors import InvalidError
from homefeed.evaluate.protocol import Protocol, format_protocol, sample_indices
from homefeed.evaluate.split import assert_no_leak, by_time, by_user, leave_last_out, next_basket, rolling
from homefeed.recipe import parse_recipe
from homefeed.testing.world import RECIPE
from homefeed.types import DAY, Interactions


def events(users: int = 12, each: int = 10) -> Interactions:
    count = users * each
    rows = np.arange(count)
    return Interactions(
        (rows % users).astype(np.int32),
        (rows * 7 % 50).astype(np.int32),
        np.zeros(count, np.int32),
        np.ones(count, np.float32),
        np.zeros(count, np.float32),
        rows.astype(np.int64),
    )


@pytest.mark.parametrize(
    ("protocol", "expected"),
    [
        (Protocol(), rolling(events())),
        (
            Protocol(cutoff_share=0.5, horizon=30, max_requests=9, seed=3),
            rolling(events(), None, 0.5, 30, 9, seed=3),
        ),
        (Protocol("rolling", repeats=True), rolling(events(), repeats=True)),
        (Protocol("time"), by_time(events())),
        (Protocol("time", cutoff_share=0.5, revealed_share=0), by_time(events(), 0.5, 0)),
        (Protocol("user", users_share=0.4, revealed_share=0.3, seed=4), by_user(events(), 0.4, 0.3, 4)),
        (Protocol("last", last=2), leave_last_out(events(), 2)),
        (Protocol("time", repeats=True), by_time(events(), repeats=True)),
        (Protocol("user", repeats=True), by_user(events(), repeats=True)),
        (Protocol("last", repeats=True), leave_last_out(events(), repeats=True)),
        (Protocol("basket"), next_basket(events())),
        (
            Protocol("basket", cutoff_share=0.5, basket_minutes=3, repeats=True),
            next_basket(events(), 0.5, 3, repeats=True),
        ),
    ],
)
def test_each_way_of_splitting_takes_what_is_its_own(protocol: Protocol, expected: Any) -> None:
    split = protocol.divide(events())
    assert (split.kind, split.cutoff, len(split.train)) == (protocol.split, expected.cutoff, len(expected.train))
    assert split.cases.users.tolist() == expected.cases.users.tolist()
    assert split.cases.targets.tolist() == expected.cases.targets.tolist()


def test_validation_judges_on_what_was_before_the_test() -> None:
    judged = Protocol("time", validation=True).judged_by(events())
    assert judged.times.max() < by_time(events()).cutoff
    assert len(judged) == len(by_time(events()).train)
    assert Protocol("time").judged_by(events()).times.max() == events().times.max()
    of_clock = Protocol(validation=True).judged_by(events())
    assert of_clock.times.tolist() == rolling(events()).train.times.tolist()
    of_baskets = Protocol("basket", validation=True).judged_by(events())
    assert of_baskets.times.tolist() == next_basket(events()).train.times.tolist()


@pytest.mark.parametrize("split", ["user", "last"])
def test_only_splits_at_a_cutoff_have_a_validation_part(split: Any) -> None:
    with pytest.raises(
        InvalidError, match=f'only a split at a cutoff .* "rolling", "time" or "basket" instead of by "{split}"'
    ):
        Protocol(split, validation=True)


@pytest.mark.parametrize(
    ("protocol", "expected"),
    [
        (
            Protocol(),
            "The clock ran from the moment before which 80% of all events happened. Requests are drawn evenly",
        ),
        (
            Protocol(),
            "trained at the start and as the recipe's jobs do, at most 10 times. The targets are what a user",
        ),
        (Protocol(), "within 1d of the request. Figures are means over requests; intervals resample users."),
        (Protocol(retrain=7 * DAY, max_trainings=4, horizon=DAY // 24), "start and every 7d, at most 4 times."),
        (Protocol(horizon=DAY // 24), "within 1h of the request."),
        (Protocol(retrain="never"), "trained at the start and never again."),
        (Protocol(max_trainings=1), "trained at the start and never again."),
        (
            Protocol(repeats=True),
            "1d of the request. Items of the history count when they are repeated; feeds",
        ),
        (
            Protocol("time", repeats=True),
            "the rest are the targets. Items of the history count when they are repeated",
        ),
        (
            Protocol("user", repeats=True),
            "with a split by time. Items of the history count when they are repeated",
        ),
        (Protocol("last", repeats=True), "holds out the last event of each user"),
        (Protocol(validation=True), "80% of all events before the test, which was not used, happened."),
        (Protocol("time"), "the moment before which 80% of all events happened"),
        (Protocol("time"), "Each user with events after it makes a request after 50% of them"),
        (Protocol("time", validation=True), "80% of all events before the test, which was not used, happened"),
        (Protocol("user", users_share=0.1), "10% of the users, drawn at random, were held out"),
        (Protocol("last"), "holds out the last new item of each user"),
        (Protocol("last", last=3), "holds out the last 3 new items of each user"),
        (Protocol("basket", cutoff_share=0.7), "the moment before which 70% of all events happened"),
        (
            Protocol("basket"),
            "only that basket, the events at one time, is the target. Only new items count",
        ),
        (Protocol("basket", basket_minutes=1), "the events within 1 minute of its first"),
        (Protocol("basket", basket_minutes=90), "the events within 90 minutes of its first"),
        (Protocol("basket", repeats=True), "Items of the history count when they are repeated"),
        (Protocol("basket", validation=True), "before the test, which was not used, happened"),
    ],
)
def test_the_protocol_is_described(protocol: Protocol, expected: str) -> None:
    assert expected in format_protocol(protocol)


@pytest.mark.parametrize("options", [{"max_trainings": 0}, {"retrain": 0}, {"retrain": -DAY}])
def test_trainings_that_cannot_be_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(InvalidError, match="max_trainings, retrain: expected 1 training or more and time between"):
        Protocol(**options)


def test_models_are_trained_by_the_recipe_or_as_told_or_never() -> None:
    week = [(user, user, hour) for user in range(4) for hour in range(7 * 24)]
    items = [(user, 1000 * user + hour, hour * DAY // 24) for user, _, hour in week]
    split = rolling(interactions_of(sorted(items, key=lambda row: row[2])), cutoff_share=0.5)
    recipe, start = parse_recipe(RECIPE, "a test"), split.cutoff
    assert Protocol().trainings(recipe, split).tolist() == [start + n * DAY for n in range(4)], "daily"
    often = Protocol(retrain=DAY // 2, max_trainings=7).trainings(recipe, split)
    assert often.tolist() == [start + n * DAY // 2 for n in range(7)]
    assert Protocol(retrain="never").trainings(recipe, split).tolist() == [start]


@pytest.mark.parametrize("split", ["rolling", "time", "user", "last", "basket"])
def test_only_what_the_goal_counts_is_to_be_foreseen(split: Any) -> None:
    found = many_events()
    types = np.random.default_rng(1).integers(0, 2, len(found)).astype(np.int32)
    found, protocol = replace(found, types=types), Protocol(split, last=3)
    every, some = protocol.divide(found), protocol.divide(found, np.array([1], np.int32))
    assert (types[every.cases.target_rows] == 0).any()
    assert len(some.cases) > 0
    assert (types[some.cases.target_rows] == 1).all()
    assert_no_leak(some, found)
    if split != "rolling":
        wanted = {
            (case.user, case.time): (
                case.history.tolist(),
                [row for row in case.target_rows.tolist() if types[row]],
            )
            for case in every.cases
        }
        assert {
            (case.user, case.time): (case.history.tolist(), case.target_rows.tolist()) for case in some.cases
        } == {request: of_it for request, of_it in wanted.items() if of_it[1]}


def test_all_cases_are_drawn_where_they_are_few() -> None:
    split = Protocol("time").divide(events())
    assert [case.user for case in Protocol("time").drawn(split)] == split.cases.users.tolist()
    few = [case.user for case in Protocol("time", max_requests=5, seed=1).drawn(split)]
    assert few == sorted(few) == [case.user for case in Protocol("time", max_requests=5, seed=1).drawn(split)]
    assert few != [case.user for case in Protocol("time", max_requests=5, seed=2).drawn(split)]


@given(st.integers(0, 200), st.integers(1, 100), st.integers(0, 9))
def test_so_many_are_drawn_each_once_and_in_order(count: int, most: int, seed: int) -> None:
    drawn = sample_indices(count, most, seed)
    assert len(drawn) == min(count, most)
    assert drawn == sorted(set(drawn))
    assert all(0 <= number < count for number in drawn)


def test_what_a_protocol_is_unless_told() -> None:
    assert asdict(Protocol()) == {
        "split": "rolling",
        "cutoff_share": 0.8,
        "users_share": 0.2,
        "revealed_share": 0.5,
        "last": 1,
        "last_share": None,
        "basket_minutes": 0,
        "repeats": False,
        "horizon": DAY,
        "retrain": "scheduled",
        "max_trainings": 10,
        "max_requests": 2_000,
        "latest": False,
        "seed": 0,
        "validation": False,
        "replay": True,
    }
