"""The split by user: worked out by hand, and what holds for any events."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
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
    trained_rows,
)

from homefeed.errors import InvalidError
from homefeed.evaluate.split import ONLY_REPEATS, TOO_FEW_TARGETS, WITHOUT_HISTORY, assert_no_leak, by_user

# The same five events of each of two users, so that it does not matter whom the seed draws.
ALIKE: list[Row] = [
    (user, item, time) for time, item in ((3, 1), (4, 2), (5, 1), (6, 3), (9, 4)) for user in (0, 1)
]


def test_a_held_out_user_worked_out_by_hand() -> None:
    split = by_user(interactions_of(ALIKE), share=0.5)
    assert split.kind == "user"
    (case,) = split.cases
    other = 1 - case.user
    # Half of five, rounded down, is known: items 1 and 2 at 3 and 4; the repeat of 1 is no target.
    assert case.history.tolist() == [case.user, 2 + case.user]
    assert case.targets.tolist() == [3, 4]
    assert case.target_rows.tolist() == [6 + case.user, 8 + case.user]
    assert case.time == 4
    assert trained_rows(split) == [row for row in range(10) if row % 2 == other]
    # Models are fitted after the last event of the others, though it is later than the request.
    assert split.cutoff == 10
    assert split.left_out == {WITHOUT_HISTORY: 0, ONLY_REPEATS: 0, TOO_FEW_TARGETS: 0}


def test_with_repeats_what_is_in_the_history_is_to_be_found() -> None:
    split = by_user(interactions_of(ALIKE), share=0.5, repeats=True)
    (case,) = split.cases
    assert (split.repeats, case.targets.tolist()) == (True, [1, 3, 4])
    assert_no_leak(split, interactions_of(ALIKE))


def test_at_least_one_event_is_known() -> None:
    (case,) = by_user(interactions_of(ALIKE), share=0.5, revealed_share=0).cases
    assert case.history.tolist() == [case.user]
    assert case.targets.tolist() == [2, 3, 4]


def test_users_without_targets_are_left_out_and_counted_and_still_not_trained_on() -> None:
    one_event_each = interactions_of([(0, 1, 1), (1, 1, 2), (2, 1, 3)])
    split = by_user(one_event_each, share=0.7)
    assert split.left_out == {WITHOUT_HISTORY: 0, ONLY_REPEATS: 2, TOO_FEW_TARGETS: 0}
    assert len(split.cases) == 0
    assert len(split.train) == 1

    split = by_user(interactions_of(ALIKE), share=0.5, min_targets=3)
    assert split.left_out == {WITHOUT_HISTORY: 0, ONLY_REPEATS: 0, TOO_FEW_TARGETS: 1}


def test_the_seed_draws_the_users() -> None:
    interactions = many_events()

    def held_out(seed: int) -> list[int]:
        return [case.user for case in by_user(interactions, seed=seed).cases]

    assert held_out(1) == held_out(1)
    assert len({tuple(held_out(seed)) for seed in range(5)}) == 5
    assert set().union(*map(held_out, range(60))) == set(range(60))


def test_the_share_is_of_the_users() -> None:
    split = by_user(many_events(), share=0.3)
    assert len(split.cases) + sum(split.left_out.values()) == 18
    assert len(np.unique(split.train.users)) == 42


def test_one_user_is_held_out_where_the_share_is_less() -> None:
    assert len(np.unique(by_user(interactions_of(BY_HAND), share=0.01).train.users)) == 5


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"share": 0.0}, "share: expected a share above 0 and below 1, got 0.0"),
        ({"share": 1.0}, "share: expected a share above 0 and below 1, got 1.0"),
        ({"revealed_share": 1.0}, "revealed_share"),
        ({"revealed_share": -0.1}, "revealed_share"),
        ({"min_targets": 0}, "min_targets"),
    ],
)
def test_what_cannot_be_meant_by_user_is_refused(arguments: dict[str, float], named: str) -> None:
    with pytest.raises(InvalidError, match=named):
        by_user(interactions_of(BY_HAND), **arguments)  # type: ignore[arg-type]


def test_too_few_to_learn_from_are_refused() -> None:
    with pytest.raises(InvalidError, match="no events"):
        by_user(interactions_of(BY_HAND).take(slice(0, 0)))
    with pytest.raises(InvalidError, match="at least two users"):
        by_user(interactions_of([(4, 1, 1), (4, 2, 2)]))


@given(many_rows, st.sampled_from([0.2, 0.5, 0.9]), shares, st.integers(0, 9), st.integers(1, 3))
def test_it_holds_out_what_plain_python_does(
    rows: list[Row], share: float, revealed_share: float, seed: int, min_targets: int
) -> None:
    users = {user for user, _, _ in rows}
    assume(len(users) > 1)
    interactions = interactions_of(rows)
    split = by_user(interactions, share, revealed_share, seed, min_targets)
    assert_no_leak(split, interactions)
    held_out = users - set(split.train.users.tolist())
    assert len(held_out) == max(1, int(share * len(users) + 1e-9))
    assert trained_rows(split) == [row for row, (user, _, _) in enumerate(rows) if user not in held_out]
    assert found_by(split) == _in_plain_python(rows, held_out, revealed_share, min_targets)
    assert len(split.cases) + sum(split.left_out.values()) == len(held_out)


def _in_plain_python(rows: list[Row], held_out: set[int], revealed_share: float, min_targets: int) -> Found:
    cases = {}
    for user in held_out:
        mine = [row for row in range(len(rows)) if rows[row][0] == user]
        known = mine[: max(1, int(revealed_share * len(mine) + 1e-9))]
        seen = {rows[row][1] for row in known}
        targets = [item for item in dict.fromkeys(rows[row][1] for row in mine) if item not in seen]
        if len(targets) >= min_targets:
            cases[user] = (known, targets, rows[known[-1]][2])
    return cases


def test_a_fifth_is_held_out_half_is_revealed_and_one_target_is_enough_unless_told() -> None:
    split, told = by_user(many_events()), by_user(many_events(), 0.2, 0.5, 0, 1)
    assert found_by(split) == found_by(told)
    assert len(split.cases) == 12, "a fifth of sixty users"
    pair = interactions_of([(user, item, item) for user in (0, 1) for item in (1, 2)])
    assert [case.targets.tolist() for case in by_user(pair).cases] == [[2]]
