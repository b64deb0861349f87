"""Typical full values, trends, and the model that keeps them."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from homefeed.catalog import SignalsModel
from homefeed.catalog.signals import quantiles_of, typical_full
from homefeed.engine import fit_signals, prepare
from homefeed.protocols import Model
from homefeed.testing import ModelContract, World, make_world, toy_world
from homefeed.testing.world import ITEMS, PLAYS, RECIPE
from homefeed.types import Floats


class TestSignalsModel(ModelContract):
    def make(self, world: World) -> SignalsModel:
        return fit_signals(world.recipe, prepare(world.recipe, world.data), watermark=25)

    def answers(self, model: Model, world: World) -> dict[str, object]:
        assert isinstance(model, SignalsModel)
        return asdict(model)


def test_pairs_are_kept_with_the_model(tmp_path: Path) -> None:
    world = make_world(ITEMS, PLAYS, declared={**RECIPE, "signals": {"distinct": ["play"]}})
    signals = fit_signals(world.recipe, prepare(world.recipe, world.data), watermark=25)
    assert len(signals.distinct["play"]) == len({(play.user_id, play.item_id) for play in PLAYS})
    signals.save(tmp_path)
    loaded = SignalsModel.load(tmp_path)
    assert list(loaded.distinct) == ["play"]
    np.testing.assert_array_equal(loaded.distinct["play"], signals.distinct["play"])
    assert loaded.distinct["play"].dtype == np.int32
    for name in ("keys", "strengths", "levels"):
        np.testing.assert_array_equal(getattr(loaded.pairs, name), getattr(signals.pairs, name))
    assert len(loaded.pairs) == len(signals.distinct["play"])
    np.testing.assert_array_equal(loaded.numbers, signals.numbers)


def test_a_model_of_an_earlier_version_has_no_pairs(tmp_path: Path) -> None:
    world = toy_world()
    fit_signals(world.recipe, prepare(world.recipe, world.data), watermark=25).save(tmp_path)
    assert SignalsModel.load(tmp_path).distinct == {}


def full_of(
    values: dict[int, list[float]], groups: list[str], shrinkage: float = 0.0, quantile: float = 0.8
) -> tuple[Floats, dict[str, float]]:
    items = [item for item, own in values.items() for _ in own]
    every = [value for own in values.values() for value in own]
    of_items = np.array(items, np.int32), np.array(every, np.float32)
    found = quantiles_of(*of_items, len(groups), quantile)
    return typical_full(found, groups, shrinkage=shrinkage, default=2700.0)


def test_an_item_by_its_quantile_and_the_rest_by_their_group() -> None:
    # 0.8 of the way through ranks 0 to 4 is rank 3; of two values it is the lower one.
    full, groups = full_of({0: [10, 50, 20, 40, 30], 1: [100, 60]}, ["a", "a", "a", "b", ""])
    assert full.tolist() == [40, 60, 50, 50, 50]
    assert groups == {"a": 50.0, "": 50.0}


def test_few_events_are_drawn_to_the_group() -> None:
    # Own 100 and 20, the group's median 60; five imaginary events of 60 beside one of 100: 66.67.
    full, _ = full_of({0: [100], 1: [20]}, ["a", "a"], shrinkage=5)
    assert full.tolist() == pytest.approx([(100 + 5 * 60) / 6, (20 + 5 * 60) / 6])


def test_nothing_known_gives_the_default() -> None:
    full, groups = full_of({0: [0, -5, np.nan]}, ["a", ""])
    assert full.tolist() == [2700, 2700]
    assert groups == {"": 2700.0}


def test_an_empty_catalogue_has_no_full_values() -> None:
    full, groups = full_of({}, [])
    assert full.shape == (0,)
    assert groups == {"": 2700.0}


@given(
    values=st.dictionaries(st.integers(0, 4), st.lists(st.floats(-10, 1e5, width=32), max_size=6), max_size=5),
    shrinkage=st.sampled_from([0.0, 0.5, 5.0]),
    quantile=st.sampled_from([0.1, 0.5, 0.8, 1.0]),
)
def test_full_values_by_brute_force(values: dict[int, list[float]], shrinkage: float, quantile: float) -> None:
    group = ["a", "b", "a", "", "b"]
    full, of_group = full_of(values, group, shrinkage, quantile)
    own = {}
    for item, every in values.items():
        ordered = sorted(value for value in every if value > 0)
        if ordered:
            own[item] = (ordered[int(quantile * (len(ordered) - 1))], len(ordered))
    overall = float(np.median([value for value, _ in own.values()])) if own else 2700.0
    for item in range(5):
        members = [own[other][0] for other in own if group[other] == group[item] != ""]
        prior = float(np.median(members)) if members else overall
        value, seen = own.get(item, (0.0, 0))
        expected = (seen * value + shrinkage * prior) / (seen + shrinkage) if seen else prior
        assert full[item] == pytest.approx(expected, rel=1e-5)
    assert of_group[""] == pytest.approx(overall)
    assert (full > 0).all()
