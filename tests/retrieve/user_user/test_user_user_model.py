"""The user-user model on disk, and what it does not hold."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from homefeed.retrieve.user_user.model import UserUserConfig, UserUserModel
from homefeed.retrieve.user_user.trainer import UserUserTrainer
from homefeed.testing import ModelContract, World, toy_world


class TestUserUserModel(ModelContract):
    def make(self, world: World) -> UserUserModel:
        return UserUserTrainer(UserUserConfig()).fit(world.data)


def test_arrays_are_mapped_not_read(tmp_path: Path) -> None:
    model = UserUserTrainer(UserUserConfig()).fit(toy_world().data)
    model.save(tmp_path)
    loaded = UserUserModel.load(tmp_path)
    assert isinstance(loaded.item_weights.base, np.memmap)
    assert loaded.user_count == model.user_count


def test_who_a_row_belongs_to_is_not_in_the_model() -> None:
    """Users of other numbers, in another order, with the same histories, give the same files."""
    data = toy_world().data
    numbered = dataclasses.replace(data, user_numbers=np.arange(data.user_count, dtype=np.int32) + 500)
    turned = dataclasses.replace(
        data,
        interactions=dataclasses.replace(data.interactions, users=data.user_count - 1 - data.interactions.users),
        user_numbers=np.arange(data.user_count, dtype=np.int32),
    )
    one, other = (UserUserTrainer(UserUserConfig()).fit(data) for data in (numbered, turned))
    for field in dataclasses.fields(UserUserModel):
        np.testing.assert_array_equal(getattr(one, field.name), getattr(other, field.name), err_msg=field.name)


@pytest.mark.parametrize(
    "config", [{"max_users_per_item": 1}, {"max_items_per_user": 1}, {"half_life_days": 0}, {"item_exponent": 2}]
)
def test_settings_that_make_no_sense_are_refused(config: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(config))):
        UserUserConfig.model_validate(config)


def test_numbers_that_a_recipe_leaves_out_are_these() -> None:
    expected = {
        "max_users_per_item": 500,
        "max_items_per_user": 300,
        "half_life_days": 365.0,
        "item_exponent": 0.25,
    }
    assert {name: UserUserConfig.model_fields[name].default for name in expected} == expected
