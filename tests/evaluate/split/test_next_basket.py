"""The split by basket: cases worked out by hand, and a slow reference in plain Python."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.evaluate.split.split_sample import (
    Found,
    Row,
    found_by,
    interactions_of,
    many_events,
    many_rows,
    trained_rows,
)

from homefeed.errors import InvalidError
from homefeed.evaluate.split import (
    NO_BASKET,
    ONLY_REPEATS,
    TOO_FEW_TARGETS,
    WITHOUT_HISTORY,
    Case,
    assert_no_leak,
    by_time,
    next_basket,
)
from homefeed.types import SECOND, Interactions

MINUTE = 60 * SECOND

# Eight events before T = 100, eight from then on: cutoff_share 0.5. A basket is what bears one time.
INVOICES: list[Row] = [
    (0, 10, 1), (0, 11, 1), (0, 12, 2),
    (1, 10, 3), (1, 13, 3),
    (2, 14, 4), (0, 10, 5), (4, 10, 6),
    (0, 20, 100),  # user 0's next basket: two new things, one of them twice, and one bought before
    (0, 11, 100),
    (0, 21, 100),
    (0, 20, 100),
    (1, 13, 101),  # user 1 buys again what was bought before, no more
    (0, 22, 102),  # a later basket of user 0
    (3, 10, 103),  # user 3 was never there before
    (1, 15, 104),  # a later basket of user 1
]  # fmt: skip


def test_a_split_worked_out_by_hand() -> None:
    split = next_basket(interactions_of(INVOICES), cutoff_share=0.5)
    assert (split.kind, split.cutoff, split.basket_span, split.repeats) == ("basket", 100, 0, False)
    assert trained_rows(split) == list(range(8))
    assert found_by(split) == {0: ([0, 1, 2, 6], [20, 21], 100)}
    assert split.cases[0].target_rows.tolist() == [8, 10]
    assert split.left_out == {WITHOUT_HISTORY: 1, ONLY_REPEATS: 1, TOO_FEW_TARGETS: 0, NO_BASKET: 0}


def test_with_repeats_all_of_the_basket_is_to_be_foreseen() -> None:
    split = next_basket(interactions_of(INVOICES), cutoff_share=0.5, repeats=True)
    assert split.repeats
    assert trained_rows(split) == list(range(8))
    assert found_by(split) == {0: ([0, 1, 2, 6], [20, 11, 21], 100), 1: ([3, 4], [13], 101)}
    assert split.cases[0].target_rows.tolist() == [8, 9, 10]
    assert split.left_out == {WITHOUT_HISTORY: 1, ONLY_REPEATS: 0, TOO_FEW_TARGETS: 0, NO_BASKET: 0}


def test_baskets_with_too_few_targets_are_left_out_and_counted() -> None:
    split = next_basket(interactions_of(INVOICES), 0.5, repeats=True, min_targets=3)
    assert list(found_by(split)) == [0]
    assert split.left_out[TOO_FEW_TARGETS] == 1


def in_minutes(rows: list[Row]) -> Interactions:
    return interactions_of([(user, item, time * MINUTE) for user, item, time in rows])


def test_a_basket_lasts_from_its_first_event() -> None:
    rows = [(0, 1, 0), (1, 1, 0), (0, 2, 100), (0, 3, 130), (0, 4, 131), (1, 5, 200)]
    events = in_minutes(rows)
    half_an_hour = next_basket(events, cutoff_share=0.4, minutes=30)
    assert half_an_hour.cutoff == 100 * MINUTE
    assert found_by(half_an_hour) == {0: ([0], [2, 3], 100 * MINUTE), 1: ([1], [5], 200 * MINUTE)}
    assert found_by(next_basket(events, cutoff_share=0.4, minutes=29))[0] == ([0], [2], 100 * MINUTE)


def test_a_basket_that_had_begun_before_the_cutoff_is_history_and_the_next_one_is_requested() -> None:
    # The cutoff falls into user 0's basket; what is left of it is seen, but not trained on.
    rows = [(1, 9, 0), (0, 1, 10), (0, 2, 20), (0, 3, 30), (0, 4, 100), (0, 5, 105)]
    split = next_basket(in_minutes(rows), cutoff_share=0.4, minutes=15)
    assert split.cutoff == 20 * MINUTE
    assert trained_rows(split) == [0, 1]
    assert found_by(split) == {0: ([1, 2, 3], [4, 5], 100 * MINUTE)}


def test_who_never_paused_since_the_cutoff_began_no_basket() -> None:
    rows = [(1, 9, 0), (0, 1, 10), (0, 2, 20), (0, 3, 30), (0, 4, 40)]
    split = next_basket(in_minutes(rows), cutoff_share=0.5, minutes=15)
    assert found_by(split) == {}
    assert split.left_out == {WITHOUT_HISTORY: 0, ONLY_REPEATS: 0, TOO_FEW_TARGETS: 0, NO_BASKET: 1}
    assert next_basket(in_minutes(rows), cutoff_share=0.5, minutes=9).left_out[NO_BASKET] == 0


def test_the_past_is_that_of_the_split_by_time() -> None:
    events = interactions_of(INVOICES)
    strict, baskets = by_time(events, 0.5, revealed_share=0), next_basket(events, 0.5)
    assert strict.cutoff == baskets.cutoff
    assert trained_rows(strict) == trained_rows(baskets)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"cutoff_share": 0.0}, "cutoff_share: expected a share above 0 and below 1, got 0"),
        ({"cutoff_share": 1.0}, "cutoff_share"),
        ({"minutes": -1}, "minutes: expected 0 to 525,600, which is a year, got -1"),
        ({"minutes": 525_601}, "minutes"),
        ({"min_targets": 0}, "min_targets"),
    ],
)
def test_what_cannot_be_meant_is_refused(arguments: dict[str, float], named: str) -> None:
    with pytest.raises(InvalidError, match=named):
        next_basket(interactions_of(INVOICES), **arguments)  # type: ignore[arg-type]


def test_no_events_are_refused() -> None:
    with pytest.raises(InvalidError, match="no events"):
        next_basket(interactions_of(INVOICES).take(slice(0, 0)))


def scaled(rows: list[Row]) -> Interactions:
    """With times in units of 20 seconds, so that a minute holds three."""
    return interactions_of([(user, item, time * MINUTE // 3) for user, item, time in rows])


cutoff_shares = st.sampled_from([0.1, 0.5, 0.8])
lengths = st.integers(0, 4)


@given(many_rows, cutoff_shares, lengths, st.booleans())
def test_targets_are_in_the_basket_and_history_is_strictly_earlier(
    rows: list[Row], cutoff_share: float, minutes: int, repeats: bool
) -> None:
    events = scaled(rows)
    split = next_basket(events, cutoff_share, minutes, repeats)
    assert_no_leak(split, events)
    assert (split.train.times < split.cutoff).all()
    for case in split.cases:
        in_basket = (
            (events.users == case.user)
            & (events.times >= case.time)
            & (events.times <= case.time + minutes * MINUTE)
        )
        had = set(events.items[case.history].tolist())
        wanted = set(events.items[in_basket].tolist())
        assert case.time >= split.cutoff
        assert (events.times[case.history] < case.time - minutes * MINUTE).all()
        assert in_basket[case.target_rows].all()
        assert len(set(case.targets.tolist())) == len(case.targets)
        assert set(case.targets.tolist()) == (wanted if repeats else wanted - had)
        assert _all_before(events, case)


def _all_before(events: Interactions, case: Case) -> bool:
    earlier = np.flatnonzero((events.users == case.user) & (events.times < case.time))
    return sorted(case.history.tolist()) == earlier.tolist()


@given(many_rows, cutoff_shares, lengths, st.integers(1, 3))
def test_repeats_change_what_is_to_be_foreseen_and_nothing_else(
    rows: list[Row], cutoff_share: float, minutes: int, min_targets: int
) -> None:
    events = scaled(rows)
    new, all_of_it = (
        next_basket(events, cutoff_share, minutes, repeats, min_targets) for repeats in (False, True)
    )
    assert new.cutoff == all_of_it.cutoff
    assert trained_rows(new) == trained_rows(all_of_it)
    with_repeats = found_by(all_of_it)
    for user, (history, targets, time) in found_by(new).items():
        assert with_repeats[user][::2] == (history, time)
        had = set(events.items[history].tolist())
        assert targets == [item for item in with_repeats[user][1] if item not in had]
    assert sum(new.left_out.values()) + len(new.cases) == sum(all_of_it.left_out.values()) + len(all_of_it.cases)


@given(many_rows, cutoff_shares, lengths, st.booleans(), st.integers(1, 3))
def test_it_is_what_plain_python_finds(
    rows: list[Row], cutoff_share: float, minutes: int, repeats: bool, min_targets: int
) -> None:
    split = next_basket(scaled(rows), cutoff_share, minutes, repeats, min_targets)
    at = [(user, item, time * MINUTE // 3) for user, item, time in rows]
    cases, left_out = _in_plain_python(at, split.cutoff, minutes * MINUTE, repeats, min_targets)
    assert found_by(split) == cases
    assert split.left_out == left_out
    assert len(split.train) == sum(time < split.cutoff for _, _, time in at) <= cutoff_share * len(rows) + 1e-9


def _in_plain_python(
    rows: list[Row], cutoff: int, span: int, repeats: bool, min_targets: int
) -> tuple[Found, dict[str, int]]:
    cases: Found = {}
    left_out = {WITHOUT_HISTORY: 0, ONLY_REPEATS: 0, TOO_FEW_TARGETS: 0, NO_BASKET: 0}
    for user in sorted({user for user, _, time in rows if time >= cutoff}):
        mine = [row for row in range(len(rows)) if rows[row][0] == user]
        begun = [
            time
            for place, time in enumerate(rows[row][2] for row in mine)
            if time >= cutoff and (place == 0 or rows[mine[place - 1]][2] < time - span)
        ]
        if not begun:
            left_out[NO_BASKET] += 1
            continue
        history = [row for row in mine if rows[row][2] < begun[0]]
        basket = [row for row in mine if begun[0] <= rows[row][2] <= begun[0] + span]
        seen = set() if repeats else {rows[row][1] for row in history}
        targets = [item for item in dict.fromkeys(rows[row][1] for row in basket) if item not in seen]
        if not history:
            left_out[WITHOUT_HISTORY] += 1
        elif not targets:
            left_out[ONLY_REPEATS] += 1
        elif len(targets) < min_targets:
            left_out[TOO_FEW_TARGETS] += 1
        else:
            cases[user] = (history, targets, begun[0])
    return cases, left_out


@given(many_rows, st.randoms(use_true_random=False), st.booleans())
def test_the_order_of_the_rows_of_a_basket_does_not_matter(rows: list[Row], random: Random, repeats: bool) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)

    def found(given: list[Row]) -> dict[int, tuple[list[Row], set[int], int]]:
        split = next_basket(interactions_of(given), 0.5, repeats=repeats)
        return {
            user: (sorted(given[row] for row in history), set(targets), time)
            for user, (history, targets, time) in found_by(split).items()
        }

    assert found(shuffled) == found(rows)


def test_four_fifths_are_the_past_and_a_basket_is_of_one_moment_unless_told() -> None:
    split, told = next_basket(many_events()), next_basket(many_events(), 0.8, 0, False, 1)
    assert (split.cutoff, found_by(split), split.left_out) == (told.cutoff, found_by(told), told.left_out)
