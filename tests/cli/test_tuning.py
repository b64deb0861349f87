"""What tuning found, told in sentences."""

from __future__ import annotations

from typing import Any

import pytest

from homefeed.cli.tuning import format_blend, format_model

FOUND: dict[str, Any] = {
    "metric": "ndcg@10",
    "validation_users": 90,
    "trials": 12,
    "start_mean": 0.2,
    "best_mean": 0.25,
    "changed": {"half_life_days": 7.5},
}
FIGURES = "(12 trials, 90 users: ndcg@10 0.2000 with the recipe's values, 0.2500 at best"
WEIGHED: dict[str, Any] = {"metric": "ndcg@10", "requests": 100, "recipe_mean": 0.3, "tuned_mean": 0.35}
WEIGHTS = "(100 requests, each half by weights of the other: ndcg@10 0.3000 with the recipe's, 0.3500 tuned"


def test_values_of_a_model() -> None:
    assert format_model("als", FOUND, kept=False) == f"als: tuned to half_life_days = 7.5 {FIGURES})"
    assert format_model("als", FOUND, kept=True) == f"als: as tuned before to half_life_days = 7.5 {FIGURES})"
    nothing = {**FOUND, "changed": {}}
    assert (
        format_model("als", nothing, kept=False)
        == f"als: the recipe's values stay {FIGURES}, no more than chance)"
    )


@pytest.mark.parametrize(
    ("changed", "served", "told"),
    [
        ({"half_life_days": 7.5}, {"half_life_days": 7.5}, f"tuned to half_life_days = 7.5 {FIGURES})"),
        ({}, {"half_life_days": 3}, f"as tuned before to half_life_days = 3 {FIGURES})"),
        ({}, {}, f"the recipe's values stay {FIGURES}, no more than chance)"),
    ],
)
def test_numbers_of_a_retriever(changed: dict[str, float], served: dict[str, float], told: str) -> None:
    facts = {"home": {"settings": {"content": {**FOUND, "changed": changed, "served": served}}}}
    assert list(format_blend(facts)) == [f"home.content: {told}"]


@pytest.mark.parametrize(
    ("taken", "weights", "told"),
    [
        (True, {"fresh": 0.25}, f"weights tuned to fresh = 0.25 {WEIGHTS})"),
        (False, {"fresh": 0.25}, f"weights as tuned before, fresh = 0.25 {WEIGHTS}, no more than chance)"),
        (False, {}, f"the recipe's weights stay {WEIGHTS}, no more than chance)"),
    ],
)
def test_weights_of_a_feed(taken: bool, weights: dict[str, float], told: str) -> None:
    assert list(format_blend({"home": {**WEIGHED, "taken": taken, "weights": weights}})) == [f"home: {told}"]


def test_of_nothing_nothing_is_told() -> None:
    assert list(format_blend({})) == []
