"""Rankings of all items, held against sorting and looking at every one of them."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from homefeed.catalog.refreshed import Refreshed
from homefeed.retrieve.ranking import PrecomputedRanking, best_first, first_eligible
from homefeed.retrieve.within import EVERYTHING, Group

sizes = st.sampled_from([0, 1, 5, 63, 64, 600, 5_000])
counts = st.sampled_from([0, 1, 2, 7, 50, 10_000])
seeds = st.integers(0, 2**32 - 1)
shares = st.sampled_from([0.0, 0.001, 0.1, 1.0])


@given(size=sizes, more=sizes, k=counts, seed=seeds, share=shares, groups=st.sampled_from([0, 1, 40]))
def test_the_first_are_the_head_of_the_order_filtered(
    size: int, more: int, k: int, seed: int, share: float, groups: int
) -> None:
    rng = np.random.default_rng(seed)
    order = rng.permutation(size).astype(np.int32)[: rng.integers(0, size + 1)]
    scores = rng.random(size).astype(np.float32)
    eligible = rng.random(size + more) < share
    codes = rng.integers(-1, groups, size + more).astype(np.int32)
    group = Group(codes, 0) if groups and len(codes) else EVERYTHING
    expected = [p for p in order.tolist() if eligible[p] and (group is EVERYTHING or codes[p] == 0)][:k]
    # It knows the groups of its own items, not of those that came since.
    known = codes[:size]
    ranking = PrecomputedRanking(order, scores, known if groups else EVERYTHING.codes)
    positions, found = ranking.first(eligible, k, group)
    assert positions.tolist() == expected
    assert positions.dtype == np.int32
    assert found.tolist() == scores[expected].tolist()
    if group is EVERYTHING:
        assert first_eligible(order, eligible, k).tolist() == expected


def test_what_has_left_a_group_since_is_not_of_it_and_what_has_come_not_yet() -> None:
    ranking = PrecomputedRanking(
        np.array([3, 0, 2, 1], np.int32), np.ones(4, np.float32), np.array([5, 5, 7, 5], np.int32)
    )
    eligible, now = np.ones(4, np.bool_), np.array([5, 7, 5, 5], np.int32)
    assert ranking.first(eligible, 9, Group(now, 5))[0].tolist() == [3, 0]
    assert ranking.first(eligible, 9, Group(now, 7))[0].tolist() == []
    assert ranking.first(eligible, 9, Group(now, 6))[0].tolist() == []


@given(size=st.integers(0, 50), seed=seeds)
def test_of_equals_the_newest_is_first(size: int, seed: int) -> None:
    scores = np.random.default_rng(seed).integers(0, 4, size).astype(np.float64)
    assert best_first(scores).tolist() == np.lexsort((-np.arange(size), -scores)).tolist()


def test_what_is_refreshed_is_computed_once_for_each_version() -> None:
    made: list[int] = []
    version = 1

    def compute() -> int:
        made.append(version)
        return version

    part = Refreshed(compute, lambda: version)
    assert made == []
    assert part.latest() == part.latest() == 1
    version = 2
    assert part.latest() == 1
    assert part.refresh() == part.refresh() == part.latest() == 2
    assert made == [1, 2]
