"""Requests to learn from: divided, taken, sampled."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from homefeed.ranking import RankingData, coverage, divided, ndcg, sampled, taken
from homefeed.testing import planted_requests


def by_hand() -> RankingData:
    """Four requests of 2, 0, 3 and 1 candidates, whose only feature numbers them; 1 and 4 are chosen."""
    rows = np.arange(6)
    chosen = np.isin(rows, [1, 4])
    return RankingData(
        feature_names=("bias",),
        features=rows[:, None].astype(np.float32),
        starts=np.array([0, 2, 2, 5, 6]),
        event_types=("click",),
        outcomes=chosen[:, None],
        chosen=chosen,
        weights=(rows / 10).astype(np.float32),
        items=rows.astype(np.int32),
    )


def rows_of(data: RankingData) -> list[float]:
    found: list[float] = data.features[:, 0].tolist()
    return found


def test_requests_are_counted_with_those_that_have_no_candidates() -> None:
    assert len(by_hand()) == 4


@pytest.mark.parametrize(
    ("requests", "rows", "starts"),
    [([0, 2], [0, 1, 2, 3, 4], [0, 2, 5]), ([1, 3], [5], [0, 1]), ([3, 0], [0, 1, 5], [0, 2, 3]), ([], [], [0])],
)
def test_some_of_the_requests_keep_their_order(requests: list[int], rows: list[float], starts: list[int]) -> None:
    some = taken(by_hand(), np.array(requests, np.intp))
    assert (rows_of(some), some.starts.tolist()) == (rows, starts)
    assert some.weights.tolist() == pytest.approx([row / 10 for row in rows])
    assert some.chosen.tolist() == some.outcomes[:, 0].tolist() == [row in (1, 4) for row in rows]


def test_the_earlier_four_fifths_are_learned_from() -> None:
    learning, judging = divided(planted_requests(11, 3))
    assert (len(learning), len(judging)) == (9, 2)
    whole = planted_requests(11, 3).features
    np.testing.assert_array_equal(np.concatenate([learning.features, judging.features]), whole)
    assert [len(each) for each in divided(planted_requests(10, 3), 0.5)] == [5, 5]
    assert [len(each) for each in divided(planted_requests(0))] == [0, 0]


def test_what_is_chosen_stays_with_so_many_others() -> None:
    some = sampled(by_hand(), 1)
    found = rows_of(some)
    assert (found[:2], found[-1], len(found)) == ([0, 1], 4, 4), "of the request without a choice nothing is left"
    assert found[2] in (2, 3)
    assert some.starts.tolist() == [0, 2, 4]
    assert rows_of(sampled(by_hand(), 100)) == [0, 1, 2, 3, 4]


def test_the_others_are_drawn_by_the_seed_each_as_often() -> None:
    data = planted_requests(1, 11)
    data = replace(data, chosen=np.arange(11) == 5)
    drawn = np.zeros(11)
    for seed in range(500):
        one = sampled(replace(data, seed=seed, features=np.arange(11, dtype=np.float32)[:, None]), 3)
        assert len(one.chosen) == 4
        drawn[one.features[:, 0].astype(int)] += 1
    assert drawn[5] == 500
    assert drawn[np.arange(11) != 5] == pytest.approx([150] * 10, abs=45)
    np.testing.assert_array_equal(sampled(data, 3).features, sampled(data, 3).features)


def test_ndcg_is_of_requests_in_which_something_was_chosen() -> None:
    data = by_hand()
    # The second of two, and the third of three, one chosen of each.
    falling = -np.arange(6, dtype=np.float32)
    assert ndcg(data, falling, 10) == pytest.approx((1 / np.log2(3) + 1 / 2) / 2)
    assert ndcg(data, falling, 1) == 0
    assert ndcg(data, data.chosen.astype(np.float32), 10) == 1
    assert ndcg(replace(data, chosen=np.zeros(6, np.bool_)), falling, 10) == 0


def test_coverage_counts_the_different_items_in_the_first_places() -> None:
    data = replace(by_hand(), items=np.array([7, 8, 7, 9, 8, 7], np.int32))
    scores = np.array([2, 1, 1, 3, 2, 1], np.float32)
    assert [coverage(data, scores, depth) for depth in (1, 2, 3)] == [2, 3, 3]


def test_requests_that_lie_together_are_not_copied() -> None:
    data = planted_requests(10, 3)
    earlier, later = divided(data, 0.5)
    for part in (earlier, later):
        assert np.shares_memory(part.features, data.features)
    np.testing.assert_array_equal(np.concatenate([earlier.features, later.features]), data.features)
    apart = taken(data, np.array([0, 2]))
    assert not np.shares_memory(apart.features, data.features)
    np.testing.assert_array_equal(apart.features, np.concatenate([data.features[:3], data.features[6:9]]))
    assert len(taken(data, np.array([], np.intp)).features) == 0
