"""The item-item model on disk."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import orjson
import pytest
from pydantic import ValidationError

from homefeed.errors import ArtifactError
from homefeed.retrieve.item_item.model import ItemItemConfig, ItemItemModel
from homefeed.testing import ModelContract, World, toy_world


def model_of(world: World) -> ItemItemModel:
    model = world.resources.model("item_item", ItemItemModel)
    assert model is not None
    return model


class TestItemItemModel(ModelContract):
    def make(self, world: World) -> ItemItemModel:
        return model_of(world)


def test_how_to_weigh_a_history_is_kept(tmp_path: Path) -> None:
    model = replace(model_of(toy_world()), place_exponent=0.375, derived=np.arange(12) % 2 > 0)
    model.save(tmp_path)
    loaded = ItemItemModel.load(tmp_path)
    assert loaded.place_exponent == 0.375
    assert loaded.derived.tolist() == model.derived.tolist()
    assert loaded.derived.dtype == np.bool_


@pytest.mark.parametrize(
    "name", ["model.json", *(f"{n}.npy" for n in ("numbers", "indptr", "weights", "derived"))]
)
def test_a_folder_that_lacks_something_does_not_load(name: str, tmp_path: Path) -> None:
    model_of(toy_world()).save(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(FileNotFoundError, match=name):
        ItemItemModel.load(tmp_path)


def test_what_is_to_serve_must_be_written_in_full(tmp_path: Path) -> None:
    model_of(toy_world()).save(tmp_path)
    (tmp_path / "model.json").write_bytes(orjson.dumps({}))
    with pytest.raises(ArtifactError, match="place_exponent"):
        ItemItemModel.load(tmp_path)


@pytest.mark.parametrize(
    "config",
    [
        {"penalty": 0},
        {"cosine": -1},
        {"neighbours": 0},
        {"power": 0},
        {"cold_item_weight": 1.5},
        {"fields": {"title": 0}},
        {"place_exponent": -0.1},
        {"similarity": "cosine"},
    ],
)
def test_what_makes_no_sense_cannot_be_configured(config: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match=next(iter(config))):
        ItemItemConfig.model_validate(config)


def test_numbers_that_a_recipe_leaves_out_are_these() -> None:
    expected = {
        "neighbours": 300,
        "candidates": 500,
        "max_items_per_user": 500,
        "min_users": 1,
        "user_exponent": 0.6,
        "cosine": 0.5,
        "item_exponent": 0.4,
        "power": 0.7,
        "shrinkage": 1.0,
        "ridge": 1.0,
        "ridge_neighbours": 200,
        "penalty": 15.0,
        "spectral": 1.0,
        "dimensions": 512,
        "history_exponent": 0.2,
        "cold_item_weight": 0.5,
        "place_exponent": 0.3,
    }
    assert {name: ItemItemConfig.model_fields[name].default for name in expected} == expected
