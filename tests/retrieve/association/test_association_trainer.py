"""Rules by hand, by brute force, and by two methods that must agree."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping
from itertools import permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.retrieve.association.association_sample import LIFELONG, basket_data, fitted, owned_data, told

from homefeed.errors import HomefeedError
from homefeed.protocols import Tunable
from homefeed.retrieve.association import rules as counting
from homefeed.retrieve.association.baskets import baskets_of
from homefeed.retrieve.association.model import AssociationConfig
from homefeed.retrieve.association.trainer import AssociationTrainer
from homefeed.testing import TrainerContract

METHODS = pytest.mark.parametrize("method", ["pairs", "fp_growth"])
BY_HAND = ([0, 1], [0, 1, 2], [0, 2], [2, 3], [0, 1], [3])
"""Five baskets of two items and more: 0 is in four, 1 and 2 in three, 3 in one."""


class TestAssociationTrainer(TrainerContract):
    def make(self) -> AssociationTrainer:
        return AssociationTrainer(AssociationConfig.model_validate(LIFELONG))


class TestAssociationTrainerWithFpGrowth(TrainerContract):
    def make(self) -> AssociationTrainer:
        return AssociationTrainer(AssociationConfig.model_validate({**LIFELONG, "method": "fp_growth"}))


@METHODS
def test_support_confidence_and_lift_by_hand(method: str) -> None:
    model = fitted(basket_data(BY_HAND, 5), method=method, min_baskets=1)
    assert model.baskets == 5
    assert model.numbers.tolist() == [100, 101, 102, 103, 104]
    # 0 and 2 share two baskets, less than chance would have it: 2 * 5 / (4 * 3) = 0.83.
    assert told(model) == {
        (0, 1): pytest.approx((3 / 5, 3 / 4, 5 / 4)),
        (1, 0): pytest.approx((3 / 5, 3 / 3, 5 / 4)),
        (2, 3): pytest.approx((1 / 5, 1 / 3, 5 / 3)),
        (3, 2): pytest.approx((1 / 5, 1 / 1, 5 / 3)),
    }


@METHODS
def test_weights_by_hand(method: str) -> None:
    config = {"method": method, "min_baskets": 1, "shrinkage": 3, "sharpness": 2}
    model = fitted(basket_data(BY_HAND, 5), **config)
    expected = [
        (3 / 6 * 3 / 4 * np.log(5 / 4)) ** 2,
        (3 / 6 * 3 / 3 * np.log(5 / 4)) ** 2,
        (1 / 4 * 1 / 3 * np.log(5 / 3)) ** 2,
        (1 / 4 * 1 / 1 * np.log(5 / 3)) ** 2,
    ]
    assert model.weights.tolist() == pytest.approx(expected)
    assert model.sharpness == 2


@METHODS
@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, {(0, 1), (1, 0)}),
        ({"min_baskets": 4}, set()),
        ({"min_baskets": 1, "min_support": 0.2}, {(0, 1), (1, 0), (2, 3), (3, 2)}),
        ({"min_baskets": 1, "min_support": 0.21}, {(0, 1), (1, 0)}),
        ({"min_support": 0.6}, {(0, 1), (1, 0)}),
        ({"min_support": 0.601}, set()),
        ({"min_baskets": 1, "min_confidence": 0.75}, {(0, 1), (1, 0), (3, 2)}),
        ({"min_baskets": 1, "min_confidence": 0.76}, {(1, 0), (3, 2)}),
        ({"min_baskets": 1, "min_lift": 1.25}, {(0, 1), (1, 0), (2, 3), (3, 2)}),
        ({"min_baskets": 1, "min_lift": 1.26}, {(2, 3), (3, 2)}),
    ],
)
def test_thresholds_hold(method: str, config: Mapping[str, Any], expected: set[tuple[int, int]]) -> None:
    assert set(told(fitted(basket_data(BY_HAND, 5), method=method, **config))) == expected


@METHODS
def test_only_the_weightiest_are_kept_weightiest_first(method: str) -> None:
    baskets = [[0, 1]] * 4 + [[0, 2]] * 2 + [[0, 3]] * 3 + [[4, 5]] * 20
    for most in (1, 2, 3):
        model = fitted(basket_data(baskets, 6), method=method, neighbours=most)
        assert model.indices[: model.indptr[1]].tolist() == [1, 3, 2][:most]
        assert (np.diff(model.weights[: model.indptr[1]]) < 0).all()


@METHODS
def test_what_always_goes_together_with_everything_tells_nothing(method: str) -> None:
    assert told(fitted(basket_data([[0, 1], [0, 1], [0, 1, 2], [0, 1, 2]], 3), method=method)) == {}


baskets_drawn = st.lists(st.sets(st.integers(0, 6), min_size=1, max_size=6).map(sorted), max_size=14)
configs = st.fixed_dictionaries(
    {
        "min_baskets": st.integers(1, 3),
        "min_support": st.sampled_from([0.0, 0.1, 0.25]),
        "min_confidence": st.sampled_from([0.0, 1 / 3, 0.5]),
        "min_lift": st.sampled_from([1.0, 1.5]),
        "neighbours": st.integers(1, 6),
    }
)


@given(baskets=baskets_drawn, config=configs)
def test_rules_by_brute_force(baskets: list[list[int]], config: dict[str, Any]) -> None:
    several = [set(basket) for basket in baskets if len(basket) > 1]
    expected = {}
    for item, other in permutations(range(7), 2):
        both = sum({item, other} <= basket for basket in several)
        if both < max(config["min_baskets"], 1) or both < config["min_support"] * len(several) - 1e-9:
            continue
        confidence = both / sum(item in basket for basket in several)
        lift = confidence / (sum(other in basket for basket in several) / len(several))
        if confidence >= config["min_confidence"] - 1e-9 and lift >= max(config["min_lift"], 1 + 1e-9) - 1e-12:
            expected[item, other] = both / len(several), confidence, lift
    model = fitted(basket_data(baskets, 7), **{**config, "neighbours": 6})
    found = told(model)
    assert found.keys() == expected.keys()
    for pair, figures in expected.items():
        assert found[pair] == pytest.approx(figures)
    kept = np.diff(fitted(basket_data(baskets, 7), **config).indptr)
    assert kept.tolist() == np.minimum(np.diff(model.indptr), config["neighbours"]).tolist()


@METHODS
def test_what_one_user_repeats_is_no_rule(method: str) -> None:
    """Three hundred visits of one user, beside two users who bought two things together."""
    baskets = [*[(0, [0, 1])] * 300, (1, [2, 3]), (2, [2, 3]), (3, [4, 5])]
    model = fitted(owned_data(baskets, 6), method=method, min_support=0.0)
    assert told(model) == {pair: pytest.approx((2 / 4, 1, 2)) for pair in ((2, 3), (3, 2))}
    assert model.baskets == 4
    every = fitted(owned_data(baskets, 6), method=method, min_support=0.0, once_per_user=False)
    assert told(every)[0, 1] == pytest.approx((300 / 303, 1, 303 / 300))


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.sets(st.integers(0, 5), min_size=2).map(sorted)), max_size=14))
def test_of_a_users_baskets_one_counts_for_each_rule(baskets: list[tuple[int, list[int]]]) -> None:
    users = {user for user, _ in baskets}

    def having(*items: int) -> int:
        return len({user for user, basket in baskets if {*items} <= {*basket}})

    expected = {}
    for item, other in permutations(range(6), 2):
        if both := having(item, other):
            lift = both / having(item) * len(users) / having(other)
            if lift > 1 + 1e-9:
                expected[item, other] = both / len(users), both / having(item), lift
    for method in ("pairs", "fp_growth"):
        found = told(fitted(owned_data(baskets, 6), method=method, min_baskets=1, min_support=0.0))
        assert found.keys() == expected.keys()
        for pair, figures in expected.items():
            assert found[pair] == pytest.approx(figures)


@settings(max_examples=40, deadline=None)
@given(baskets=baskets_drawn, config=configs)
def test_both_methods_find_the_same_rules(baskets: list[list[int]], config: dict[str, Any]) -> None:
    data = basket_data(baskets, 7)
    # FP-Growth has a support of its own where none is told.
    pairs, mined = (fitted(data, method=method, **config) for method in ("pairs", "fp_growth"))
    for name in ("numbers", "indptr", "indices", "weights", "baskets"):
        np.testing.assert_array_equal(getattr(pairs, name), getattr(mined, name), err_msg=name)
    for name in ("support", "confidence", "lift"):
        np.testing.assert_allclose(getattr(pairs, name), getattr(mined, name), rtol=1e-6, err_msg=name)


def test_both_methods_find_the_same_rules_of_many_baskets() -> None:
    rng = np.random.default_rng(2)
    groups = rng.integers(8, size=600)
    baskets = [(group * 10 + rng.zipf(1.6, 6) % 25).tolist() for group in groups]
    pairs, mined = (fitted(basket_data(baskets, 110), method=m, min_support=0.0) for m in ("pairs", "fp_growth"))
    assert len(pairs.indices) > 500
    for name in ("indptr", "indices", "weights"):
        np.testing.assert_array_equal(getattr(pairs, name), getattr(mined, name), err_msg=name)
    np.testing.assert_allclose(pairs.lift, mined.lift, rtol=1e-6)


def test_pairs_counted_some_items_at_a_time_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    data = basket_data([rng.integers(20, size=5).tolist() for _ in range(60)], 20)
    whole = list(counting.paired_rules(baskets_of(data, 30, 100), 1))
    assert len(whole) == 1
    for most in (1, 70, 300):
        monkeypatch.setattr(counting, "_PAIRS_AT_ONCE", most)
        parts = list(counting.paired_rules(baskets_of(data, 30, 100), 1))
        assert len(parts) > 1
        for name in counting.Rules._fields:
            column = np.concatenate([getattr(part, name) for part in parts])
            np.testing.assert_array_equal(column, getattr(whole[0], name))


def test_without_a_support_told_fp_growth_has_its_own() -> None:
    baskets = [[0, 1]] * 2 + [[2, 3]] * 2_998
    assert set(told(fitted(basket_data(baskets, 4)))) == {(0, 1), (1, 0), (2, 3), (3, 2)}
    assert set(told(fitted(basket_data(baskets, 4), method="fp_growth"))) == {(2, 3), (3, 2)}


@pytest.mark.parametrize("lacking", ["mlxtend.frequent_patterns", "pandas"])
def test_without_the_library_the_error_tells_what_to_do(lacking: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, lacking, None)
    with pytest.raises(HomefeedError, match=r"fp_growth.*pip install 'homefeed\[rules\]'"):
        fitted(basket_data(BY_HAND, 5), method="fp_growth")
    assert told(fitted(basket_data(BY_HAND, 5)))


def test_the_library_leaves_the_filters_of_warnings_as_they_are() -> None:
    for module in [name for name in sys.modules if name.startswith("mlxtend")]:
        del sys.modules[module]
    before = list(warnings.filters)
    fitted(basket_data(BY_HAND, 5), method="fp_growth")
    assert list(warnings.filters) == before


def test_what_can_be_tuned_are_fields_of_the_configuration() -> None:
    assert isinstance(AssociationTrainer(AssociationConfig()), Tunable)
    for name, values in AssociationTrainer.SPACE.items():
        for value in (values.low, values.high):
            AssociationConfig.model_validate({name: int(value) if values.whole else value})
    # A gap is a time, a shrinkage a number of baskets: what is twice as much matters as much anywhere.
    assert {name: (values.low, values.high, values.log) for name, values in AssociationTrainer.SPACE.items()} == {
        "gap_minutes": (5, 1_440, True),
        "shrinkage": (1, 300, True),
        "sharpness": (0.5, 4, False),
        "neighbours": (10, 300, True),
    }
