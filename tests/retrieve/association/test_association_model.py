"""The association model on disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError
from tests.retrieve.association.association_sample import rules_world

from homefeed.retrieve.association.model import AssociationConfig, AssociationModel
from homefeed.testing import ModelContract, World


def model_of(world: World) -> AssociationModel:
    model = world.resources.model("association", AssociationModel)
    assert model is not None
    return model


class TestAssociationModel(ModelContract):
    @pytest.fixture
    def world(self) -> World:
        return rules_world()

    def make(self, world: World) -> AssociationModel:
        return model_of(world)


class TestAssociationModelWithFpGrowth(TestAssociationModel):
    @pytest.fixture
    def world(self) -> World:
        return rules_world(method="fp_growth")


def test_files_are_mapped_and_columns_small(tmp_path: Path) -> None:
    model_of(rules_world()).save(tmp_path)
    loaded = AssociationModel.load(tmp_path)
    for name in ("weights", "support", "confidence", "lift"):
        column = getattr(loaded, name)
        assert column.dtype == np.float32
        assert isinstance(column.base, np.memmap)
        assert len(column) == len(loaded.indices) > 0


@pytest.mark.parametrize(
    "config",
    [
        {"method": "apriori"},
        {"gap_minutes": 0},
        {"max_items_per_basket": 1},
        {"min_baskets": 0},
        {"min_support": 1.1},
        {"min_confidence": -0.1},
        {"min_lift": 0.5},
        {"shrinkage": -1},
        {"sharpness": 0},
        {"neighbours": 0},
    ],
)
def test_what_makes_no_sense_cannot_be_configured(config: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match=next(iter(config))):
        AssociationConfig.model_validate(config)


def test_numbers_that_a_recipe_leaves_out_are_these() -> None:
    expected = {
        "gap_minutes": 30.0,
        "max_items_per_basket": 100,
        "min_baskets": 2,
        "min_confidence": 0.0,
        "min_lift": 1.0,
        "shrinkage": 100.0,
        "sharpness": 3.0,
        "neighbours": 100,
    }
    assert {name: AssociationConfig.model_fields[name].default for name in expected} == expected
