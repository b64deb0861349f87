"""A model that learns from click samples, as a recipe declares it."""

from __future__ import annotations

from typing import Any

import pytest

from homefeed.errors import NotFoundError, RecipeError
from homefeed.recipe import Recipe, parse_recipe
from homefeed.testing.world import RECIPE

YEAR = {"features": {"year": {"item": "year"}}}


def recipe(models: dict[str, Any], **declared: Any) -> Recipe:
    return parse_recipe({**RECIPE, "models": models, **declared}, "r")


def test_it_is_none_of_the_models_that_learn_from_the_store() -> None:
    plain = {**RECIPE["models"], "clicks": YEAR | {"part": "click_probability"}}
    found = recipe(plain)
    assert [spec.name for spec in found.models] == ["item_item", "content"]
    assert [(spec.name, spec.part) for spec in found.pair_models] == [("clicks", "click_probability")]
    assert found.pair_model("clicks") == found.pair_models[0]
    assert "clicks" not in found.job("daily").models
    with pytest.raises(
        NotFoundError, match='no model "content" of toy learns from click samples; those that do: cl'
    ):
        found.pair_model("content")


def test_no_job_can_train_it() -> None:
    jobs = {"nightly": {"every": "1d", "models": ["content", "click_probability"]}}
    models = {**RECIPE["models"], "click_probability": YEAR}
    with pytest.raises(RecipeError, match=r"^r: jobs\.nightly\.models: click_probability learns from a file"):
        recipe(models, jobs=jobs)


@pytest.mark.parametrize(
    ("features", "why"),
    [
        ({}, r"features: dictionary should have at least 1 item"),
        ({"a": {"item": "gone"}}, r'features\.a: items\.fields\.gone is not declared; expected "number"'),
        ({"a": {"user": "age"}}, r"features\.a: users\.fields\.age is not declared"),
        ({"a": {"within_km": 3}}, r'features\.a: items have no field of the kind "location"'),
        ({"a": {"item": "year", "lo": True}}, r"features\.a\.lo: no such key here"),
    ],
)
def test_features_are_of_what_is_declared(features: dict[str, Any], why: str) -> None:
    models = {**RECIPE["models"], "click_probability": {"features": features}}
    with pytest.raises(RecipeError, match=rf"^r: models\.click_probability\.{why}"):
        recipe(models)
