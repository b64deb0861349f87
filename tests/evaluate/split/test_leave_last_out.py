"""The split that leaves each user's last items out: worked out by hand, and against plain Python."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.evaluate.split.split_sample import (
    BY_HAND,
    Found,
    Row,
    found_by,
    interactions_of,
    many_rows,
    trained_rows,
)

from homefeed.errors import InvalidError
from homefeed.evaluate.split import (
    ONLY_REPEATS,
    TOO_FEW_TARGETS,
    WITHOUT_HISTORY,
    assert_no_leak,
    leave_last_out,
)

ROWS: list[Row] = [
    (0, 1, 1),
    (1, 5, 2),  # user 1 meets two items
    (0, 2, 3),
    (0, 1, 4),  # a repeat before the last new item: known and trained on
    (2, 7, 5),  # user 2 meets one item only
    (0, 3, 6),  # the last item user 0 came to
    (0, 2, 7),  # a repeat after it: neither
    (1, 6, 8),
    (2, 7, 9),
]


def test_the_last_item_by_hand() -> None:
    split = leave_last_out(interactions_of(ROWS))
    assert split.kind == "last"
    assert found_by(split) == {0: ([0, 2, 3], [3], 4), 1: ([1], [6], 2)}
    assert trained_rows(split) == [0, 1, 2, 3, 4, 8]
    assert split.cutoff == 10
    assert split.left_out == {WITHOUT_HISTORY: 0, ONLY_REPEATS: 1, TOO_FEW_TARGETS: 0}


def test_the_last_two_by_hand() -> None:
    split = leave_last_out(interactions_of(ROWS), last=2)
    # User 1 met two items only: the first stays known.
    assert found_by(split) == {0: ([0], [2, 3], 1), 1: ([1], [6], 2)}
    assert trained_rows(split) == [0, 1, 4, 8]


def test_a_share_of_each_users_items_by_hand() -> None:
    rows: list[Row] = [(0, item, item) for item in range(1, 11)] + [(1, 5, 20), (1, 6, 21), (2, 7, 22)]
    split = leave_last_out(interactions_of(rows), share=0.29)
    # Two of ten; one of two, for it is at least one; user 2 has nothing to spare.
    assert found_by(split) == {0: ([*range(8)], [9, 10], 8), 1: ([10], [6], 20)}
    assert trained_rows(split) == [*range(8), 10, 12]
    with pytest.raises(InvalidError, match="share: expected a share above 0 and below 1"):
        leave_last_out(interactions_of(rows), share=1.0)


def test_a_share_counts_repeats_where_they_are_to_be_found() -> None:
    rows: list[Row] = [(0, 1 + time % 2, time) for time in range(10)]
    split = leave_last_out(interactions_of(rows), share=0.2, repeats=True)
    assert found_by(split) == {0: ([*range(8)], [1, 2], 7)}


def test_with_repeats_the_last_events_are_to_be_found() -> None:
    split = leave_last_out(interactions_of(ROWS), repeats=True)
    assert found_by(split) == {0: ([0, 2, 3, 5], [2], 6), 1: ([1], [6], 2), 2: ([4], [7], 5)}
    assert (split.repeats, trained_rows(split)) == (True, [0, 1, 2, 3, 4, 5])
    assert_no_leak(split, interactions_of(ROWS))
    assert found_by(leave_last_out(interactions_of(ROWS), last=2, repeats=True))[0] == ([0, 2, 3], [3, 2], 4)


def test_users_with_too_few_targets_are_trained_on_whole() -> None:
    split = leave_last_out(interactions_of(ROWS), last=2, min_targets=2)
    assert found_by(split) == {0: ([0], [2, 3], 1)}
    assert trained_rows(split) == [0, 1, 4, 7, 8]
    assert split.left_out == {WITHOUT_HISTORY: 0, ONLY_REPEATS: 1, TOO_FEW_TARGETS: 1}


def test_rows_tell_which_of_one_moment_is_last() -> None:
    split = leave_last_out(interactions_of([(0, 4, 7), (0, 2, 7), (0, 9, 7), (0, 2, 7)]))
    assert found_by(split) == {0: ([0, 1], [9], 7)}
    assert trained_rows(split) == [0, 1]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"last": 0}, "last: expected at least min_targets, which is 1, got 0"),
        ({"last": 2, "min_targets": 3}, "last: expected at least min_targets, which is 3, got 2"),
        ({"min_targets": 0}, "min_targets"),
    ],
)
def test_what_cannot_be_left_out_is_refused(arguments: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidError, match=named):
        leave_last_out(interactions_of(BY_HAND), **arguments)


def test_nothing_to_leave_out_is_refused() -> None:
    with pytest.raises(InvalidError, match="no events"):
        leave_last_out(interactions_of(BY_HAND).take(slice(0, 0)))


@given(many_rows, st.integers(1, 4), st.data())
def test_it_leaves_out_what_plain_python_does(rows: list[Row], last: int, data: st.DataObject) -> None:
    min_targets = data.draw(st.integers(1, last))
    interactions = interactions_of(rows)
    split = leave_last_out(interactions, last, min_targets)
    assert_no_leak(split, interactions)
    cases, trained = _in_plain_python(rows, last, min_targets)
    assert found_by(split) == cases
    assert trained_rows(split) == trained
    assert split.cutoff == max(rows[row][2] for row in trained) + 1
    assert len(split.cases) + sum(split.left_out.values()) == len({user for user, _, _ in rows})


def _in_plain_python(rows: list[Row], last: int, min_targets: int) -> tuple[Found, list[int]]:
    cases: Found = {}
    trained: list[int] = []
    for user in {user for user, _, _ in rows}:
        mine = [row for row in range(len(rows)) if rows[row][0] == user]
        met = list(dict.fromkeys(rows[row][1] for row in mine))
        targets = met[max(1, len(met) - last) :]
        if len(targets) < min_targets:
            trained += mine
            continue
        first = next(place for place, row in enumerate(mine) if rows[row][1] == targets[0])
        cases[user] = (mine[:first], targets, rows[mine[first - 1]][2])
        trained += mine[:first]
    return cases, sorted(trained)
