"""Draws by hash: the same everywhere, and as likely as their weights."""

from __future__ import annotations

from collections import Counter

import numpy as np
from scipy import stats

from homefeed.retrieve.sampling import draw_key, hash_uniform, hashed, mixed, weighted_sample
from homefeed.testing import toy_world


def test_a_draw_is_of_its_key_and_number_alone() -> None:
    numbers = np.array([3, 1, 4, 159], np.int32)
    drawn = hash_uniform(7, numbers)
    assert hash_uniform(7, numbers[::-1]).tolist() == drawn[::-1].tolist()
    assert hash_uniform(7, numbers.astype(np.uint64)).tolist() == drawn.tolist()
    assert len({*drawn.tolist(), *hash_uniform(8, numbers).tolist()}) == 8
    # SplitMix64's first output of a state of 0, as its authors' code gives it.
    assert hash_uniform(0, np.array([1])).tolist() == [0xE220A8397B1DCDAF]


def test_one_number_is_mixed_as_many_are() -> None:
    numbers = np.array([0, 1, 2**31 - 1], np.int32)
    for key in (0, 7, 2**64 - 1):
        assert [mixed(np.uint64(key), number) for number in numbers] == hash_uniform(key, numbers).tolist()


def test_keys_differ_by_user_period_and_seed() -> None:
    world = toy_world()
    hour = 3_600_000_000
    queries = [world.query(user, now=now) for user in ("u", "v") for now in (0, hour)]
    assert len({draw_key(query, 1.0, seed) for query in queries for seed in (0, 1)}) == 8
    assert draw_key(world.query("u", now=0), 1.0, 0) == draw_key(world.query("u", now=hour - 1), 1.0, 0)
    assert 0 <= hashed("words") < 2**64


def test_the_first_is_drawn_in_proportion_to_the_weights() -> None:
    weights = np.array([1.0, 2.0, 5.0])
    won = Counter(int(weighted_sample(np.uint64(key), np.arange(3), np.log(weights))[0]) for key in range(4_000))
    assert stats.chisquare([won[row] for row in range(3)], 4_000 * weights / weights.sum()).pvalue > 0.001


def test_weights_may_be_as_far_apart_as_they_like() -> None:
    order = weighted_sample(np.uint64(1), np.arange(3), np.array([-1e9, 0.0, 1e9]))
    assert order.tolist() == [2, 1, 0]
    assert weighted_sample(np.uint64(1), np.arange(0), np.empty(0)).tolist() == []
