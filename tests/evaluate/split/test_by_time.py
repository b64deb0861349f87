"""The split by time: a case worked out by hand, and a slow reference in plain Python."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.evaluate.split.split_sample import (
    BY_HAND,
    Found,
    Row,
    found_by,
    interactions_of,
    many_events,
    many_rows,
    shares,
)

from homefeed.errors import InvalidError
from homefeed.evaluate.split import ONLY_REPEATS, TOO_FEW_TARGETS, WITHOUT_HISTORY, assert_no_leak, by_time


def test_a_split_worked_out_by_hand() -> None:
    split = by_time(interactions_of(BY_HAND), cutoff_share=0.5)
    assert split.kind == "time"
    assert split.cutoff == 100
    assert split.train.times.tolist() == list(range(1, 11))
    assert found_by(split) == {
        0: ([0, 1, 2, 10, 12], [22], 102),
        2: ([11], [31], 101),
    }
    assert split.left_out == {WITHOUT_HISTORY: 1, ONLY_REPEATS: 2, TOO_FEW_TARGETS: 0}


def test_nothing_revealed_is_the_strict_split() -> None:
    split = by_time(interactions_of(BY_HAND), cutoff_share=0.5, revealed_share=0)
    assert found_by(split) == {0: ([0, 1, 2], [20, 21, 22], 100)}
    assert split.left_out == {WITHOUT_HISTORY: 3, ONLY_REPEATS: 1, TOO_FEW_TARGETS: 0}


def test_users_with_too_few_targets_are_left_out_and_counted() -> None:
    split = by_time(interactions_of(BY_HAND), cutoff_share=0.5, revealed_share=0, min_targets=4)
    assert len(split.cases) == 0
    assert list(split.cases) == []
    assert split.left_out == {WITHOUT_HISTORY: 3, ONLY_REPEATS: 1, TOO_FEW_TARGETS: 1}


def test_one_event_of_a_user_with_a_past_is_the_target_and_the_request_is_at_the_cutoff() -> None:
    split = by_time(interactions_of([(0, 1, 1), (1, 1, 2), (0, 2, 50), (1, 3, 60)]), cutoff_share=0.5)
    assert found_by(split) == {0: ([0], [2], 50), 1: ([1], [3], 50)}


def test_a_user_without_a_past_reveals_at_least_one_event() -> None:
    rows = [(9, 1, 1), (0, 1, 5), (0, 2, 6), (0, 3, 7)]
    assert found_by(by_time(interactions_of(rows), cutoff_share=0.25, revealed_share=0.1)) == {0: ([1], [2, 3], 5)}


def test_events_of_the_same_time_keep_the_order_of_their_rows() -> None:
    split = by_time(interactions_of([(1, 9, 1), (0, 5, 7), (0, 3, 7), (0, 8, 7), (0, 1, 7)]), cutoff_share=0.2)
    assert found_by(split) == {0: ([1, 2], [8, 1], 7)}
    assert split.left_out[WITHOUT_HISTORY] == 0


def test_events_at_the_cutoff_are_not_trained_on() -> None:
    split = by_time(interactions_of([(0, 1, 1), (0, 2, 5), (0, 3, 5), (0, 4, 5)]), cutoff_share=0.5)
    assert split.cutoff == 5
    assert split.train.times.tolist() == [1]


def test_a_target_met_twice_counts_once() -> None:
    split = by_time(interactions_of([(0, 1, 1), (0, 2, 5), (0, 3, 6), (0, 2, 7)]), 0.25, revealed_share=0)
    assert split.cases[0].targets.tolist() == [2, 3]
    assert split.cases[0].target_rows.tolist() == [1, 2]


def test_whole_shares_do_not_suffer_from_rounding() -> None:
    rows = [(0, item, item) for item in range(100)]
    assert by_time(interactions_of(rows), cutoff_share=0.29).cutoff == 29


def test_a_case_gives_the_history_the_service_has_seen() -> None:
    interactions = interactions_of(BY_HAND)
    history = by_time(interactions, cutoff_share=0.5).cases[0].seen(interactions)
    assert history.items.tolist() == [10, 11, 12, 20, 21]
    assert history.times.tolist() == [1, 2, 3, 100, 102]
    assert history.values.tolist() == [0, 1, 2, 10, 12]


def test_a_case_that_is_not_there_is_an_index_error() -> None:
    cases = by_time(interactions_of(BY_HAND), cutoff_share=0.5).cases
    with pytest.raises(IndexError, match="case 2 of 2"):
        cases[2]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"cutoff_share": 0.0}, "cutoff_share"),
        ({"cutoff_share": 1.0}, "cutoff_share"),
        ({"revealed_share": 1.0}, "revealed_share"),
        ({"revealed_share": -0.1}, "revealed_share"),
        ({"min_targets": 0}, "min_targets"),
    ],
)
def test_what_cannot_be_meant_is_refused(arguments: dict[str, float], named: str) -> None:
    with pytest.raises(InvalidError, match=named):
        by_time(interactions_of(BY_HAND), **arguments)  # type: ignore[arg-type]


def test_no_events_are_refused() -> None:
    with pytest.raises(InvalidError, match="no events"):
        by_time(interactions_of(BY_HAND).take(slice(0, 0)))


@given(many_rows, st.sampled_from([0.1, 0.5, 0.8]), shares)
def test_no_split_leaks(rows: list[Row], cutoff_share: float, revealed_share: float) -> None:
    interactions = interactions_of(rows)
    split = by_time(interactions, cutoff_share, revealed_share)
    assert_no_leak(split, interactions)
    assert (split.train.times < split.cutoff).all()
    for case in split.cases:
        seen = case.seen(interactions)
        assert not set(case.targets.tolist()) & set(seen.items.tolist())
        assert len(seen) > 0
        assert case.time >= seen.times.max()
        moments = interactions.times
        past = [(int(moments[row]), int(row)) for row in case.history]
        assert past == sorted(past)
        assert max(past) < min((int(moments[row]), int(row)) for row in case.target_rows)


@given(many_rows, st.sampled_from([0.1, 0.5, 0.8]), shares, st.integers(1, 3))
def test_it_is_what_plain_python_finds(
    rows: list[Row], cutoff_share: float, revealed_share: float, min_targets: int
) -> None:
    split = by_time(interactions_of(rows), cutoff_share, revealed_share, min_targets)
    cases, left_out = _in_plain_python(rows, split.cutoff, revealed_share, min_targets)
    assert found_by(split) == cases
    assert split.left_out == left_out
    assert len(split.train) == sum(time < split.cutoff for _, _, time in rows)
    assert len(split.train) <= cutoff_share * len(rows) + 1e-9


def _in_plain_python(
    rows: list[Row], cutoff: int, revealed_share: float, min_targets: int
) -> tuple[Found, dict[str, int]]:
    cases = {}
    left_out = {WITHOUT_HISTORY: 0, ONLY_REPEATS: 0, TOO_FEW_TARGETS: 0}
    for user in sorted({user for user, _, time in rows if time >= cutoff}):
        mine = [row for row in range(len(rows)) if rows[row][0] == user]
        since = [row for row in mine if rows[row][2] >= cutoff]
        before = [row for row in mine if rows[row][2] < cutoff]
        reveal = int(revealed_share * len(since))
        if reveal == 0 and not before and len(since) >= 2 and revealed_share > 0:
            reveal = 1
        history = before + since[:reveal]
        seen = {rows[row][1] for row in history}
        targets = [item for item in dict.fromkeys(rows[row][1] for row in since[reveal:]) if item not in seen]
        if not history:
            left_out[WITHOUT_HISTORY] += 1
        elif not targets:
            left_out[ONLY_REPEATS] += 1
        elif len(targets) < min_targets:
            left_out[TOO_FEW_TARGETS] += 1
        else:
            cases[user] = (history, targets, rows[history[-1]][2] if reveal else cutoff)
    return cases, left_out


def test_with_repeats_what_is_in_the_history_is_to_be_found() -> None:
    without, split = (by_time(interactions_of(BY_HAND), 0.5, repeats=repeats) for repeats in (False, True))
    assert (without.repeats, split.repeats) == (False, True)
    assert found_by(without)[0][1] == [22]
    assert {user: targets for user, (_, targets, _) in found_by(split).items()} == {
        0: [11, 22],
        1: [13],
        2: [31],
        4: [40],
    }
    assert_no_leak(split, interactions_of(BY_HAND))


@given(many_rows, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_matters_only_among_equal_times(rows: list[Row], random: Random) -> None:
    distinct = [(user, item, time) for time, (user, item, _) in enumerate(rows)]
    shuffled = list(distinct)
    random.shuffle(shuffled)

    def by_time_of_event(given: list[Row]) -> Found:
        found = found_by(by_time(interactions_of(given), 0.5))
        return {user: ([given[row][2] for row in past], *rest) for user, (past, *rest) in found.items()}  # type: ignore[misc]

    assert by_time_of_event(shuffled) == by_time_of_event(distinct)


def test_four_fifths_are_the_past_half_is_revealed_and_one_target_is_enough_unless_told() -> None:
    split, told = (by_time(many_events(), *shares) for shares in ((), (0.8, 0.5, 1)))
    assert (split.cutoff, found_by(split), split.left_out) == (told.cutoff, found_by(told), told.left_out)
    assert (split.basket_span, split.repeats) == (0, False)
    one = interactions_of([(0, 1, 1), (0, 2, 2), (1, 3, 3), (2, 4, 4), (0, 5, 5)])
    assert found_by(by_time(one)) == {0: ([0, 1], [5], 5)}
