"""Results by length of history, worked out by hand."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from homefeed.evaluate.histories import by_history


def _rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_four_groups_by_hand() -> None:
    lengths = np.array([9, 1, 2, 30, 2, 1, 12, 40])
    values = {
        "popular": {"ndcg@10": np.arange(8) / 8, "recall@20": np.zeros(8)},
        "home": {"ndcg@10": np.ones(8), "recall@20": np.ones(8)},
    }
    groups = by_history(lengths, values, ["ndcg@10"], _rng(), np.arange(8, dtype=np.int32))
    assert [(group.min_events, group.max_events, group.users, group.requests) for group in groups] == [
        (1, 1, 2, 2),
        (2, 2, 2, 2),
        (9, 12, 2, 2),
        (30, 40, 2, 2),
    ]
    assert [group.systems["popular"]["ndcg@10"].mean for group in groups] == [3 / 8, 3 / 8, 3 / 8, 5 / 8]
    for group in groups:
        assert list(group.systems) == ["popular", "home"]
        assert list(group.systems["home"]) == ["ndcg@10"]
        assert tuple(group.systems["home"]["ndcg@10"]) == (1, 1, 1)


def test_users_of_one_length_are_one_group() -> None:
    values = {"home": {"m": np.array([0.0, 1.0, 0.5])}}
    [group] = by_history(np.array([4, 4, 4]), values, ["m"], _rng(), np.arange(3, dtype=np.int32))
    assert (group.min_events, group.max_events, group.users) == (4, 4, 3)
    assert group.systems["home"]["m"].mean == pytest.approx(0.5)


def test_several_requests_of_a_user_are_of_one_user_in_each_group() -> None:
    values = {"home": {"m": np.array([0.0, 1.0, 1.0, 0.0, 1.0])}}
    users = np.array([7, 7, 7, 8, 8], np.int32)
    first, second = by_history(np.array([0, 0, 5, 0, 5]), values, ["m"], _rng(), users)
    assert (first.max_events, first.users, first.requests) == (0, 2, 3)
    assert (second.max_events, second.users, second.requests) == (5, 2, 2)
    assert first.systems["home"]["m"].mean == pytest.approx(1 / 3)
    assert second.systems["home"]["m"] == (1, 1, 1)


@given(st.lists(st.integers(1, 50), min_size=1, max_size=60))
def test_everybody_is_in_one_group_and_lengths_are_never_parted(lengths: list[int]) -> None:
    values = {"home": {"m": np.array(lengths, np.float64)}}
    groups = by_history(np.array(lengths), values, ["m"], _rng(), np.arange(len(lengths), dtype=np.int32))
    assert sum(group.users for group in groups) == len(lengths)
    assert 1 <= len(groups) <= 4
    for group in groups:
        assert group.min_events <= group.systems["home"]["m"].mean <= group.max_events
        assert group.users == sum(group.min_events <= length <= group.max_events for length in lengths)
    assert all(one.max_events < other.min_events for one, other in pairwise(groups))
