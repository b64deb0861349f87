"""The planted truth: the same of the same seed, with items that come while the weeks go by."""

from __future__ import annotations

import numpy as np
import pytest

from homefeed.testing.simulation import SimulatedWorld, make_truth
from homefeed.types import DAY

WORLD = SimulatedWorld(users=40, items=50, new_items=10, requests=2, page=4, eta=0.5)


def test_places_are_looked_at_as_planted() -> None:
    assert WORLD.examination == pytest.approx([1, 1 / 2**0.5, 1 / 3**0.5, 0.5])


def test_the_same_seed_makes_the_same_truth() -> None:
    one, same, other = (make_truth(WORLD, 2, seed) for seed in (0, 0, 1))
    for name in ("wanted", "created", "moments", "askers"):
        np.testing.assert_array_equal(getattr(one, name), getattr(same, name))
        assert not np.array_equal(getattr(one, name), getattr(other, name))
    assert one.items == same.items


def test_items_come_and_users_ask_while_the_weeks_go_by() -> None:
    truth = make_truth(WORLD, 3, 0)
    assert (truth.created[:50] < WORLD.start).all()
    assert (truth.created[50:] >= WORLD.start).all()
    assert len(truth.items) == len(truth.created) == truth.wanted.shape[1] == 80
    assert (np.diff(truth.moments, axis=1) >= 0).all()
    for week in range(3):
        times = truth.moments[week] - WORLD.start - week * 7 * DAY
        assert 0 <= times.min() <= times.max() < 7 * DAY
        assert np.bincount(truth.askers[week]).tolist() == [2] * 40


def test_tastes_are_of_categories() -> None:
    truth = make_truth(SimulatedWorld(users=100, items=400), 0, 0)
    categories = np.array([str(item.attributes["category"]) for item in truth.items])
    by_category = np.stack([truth.wanted[:, categories == name].mean(axis=1) for name in np.unique(categories)])
    assert (by_category.max(axis=0) > 2 * by_category.mean(axis=0)).mean() > 0.5
    assert 0.05 < truth.wanted.mean() < 0.3


def test_ratings_tell_of_quality() -> None:
    truth = make_truth(SimulatedWorld(users=100, items=400), 0, 0)
    ratings = np.array([float(item.attributes["rating"]) for item in truth.items])
    assert 1 <= ratings.min() < ratings.max() <= 5
    log_odds = np.log(truth.wanted / (1 - truth.wanted)).mean(axis=0)
    assert np.corrcoef(ratings, log_odds)[0, 1] > 0.3


def test_the_best_are_those_most_wanted() -> None:
    truth = make_truth(WORLD, 0, 0)
    some = np.arange(10, dtype=np.int32)
    assert truth.best(3, some).tolist() == sorted(truth.wanted[3, :10].tolist(), reverse=True)[:4]
    assert len(truth.best(3, some[:2])) == 2
