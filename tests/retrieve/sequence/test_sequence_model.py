"""The sequence model on disk, and what it is made with unless a recipe says otherwise."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from homefeed.retrieve.sequence.model import SequenceConfig, SequenceModel
from homefeed.retrieve.sequence.trainer import SequenceTrainer
from homefeed.testing import ModelContract, World


class TestSequenceModel(ModelContract):
    def make(self, world: World) -> SequenceModel:
        return SequenceTrainer(SequenceConfig()).fit(world.data)


@pytest.mark.parametrize(
    "config", [{"penalty": 0}, {"window": 0}, {"place_exponent": -0.1}, {"days_per_place": 0}, {"decay": 1}]
)
def test_what_makes_no_sense_cannot_be_configured(config: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match=next(iter(config))):
        SequenceConfig.model_validate(config)


def test_numbers_that_a_recipe_leaves_out_are_these() -> None:
    expected = {
        "neighbours": 500,
        "candidates": 1_000,
        "max_items_per_user": 500,
        "min_users": 1,
        "repeats": False,
        "days_per_place": None,
        "window": 25,
        "place_exponent": 0.7,
        "target_exponent": 1.0,
        "user_exponent": 0.5,
        "penalty": 20.0,
        "exact_items": 10_000,
        "regression_neighbours": 200,
        "together": 0.7,
        "together_penalty": 200.0,
        "content": 1.5,
        "content_neighbours": 50,
    }
    assert {name: SequenceConfig.model_fields[name].default for name in expected} == expected
