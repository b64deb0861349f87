"""What every trainer keeps to."""
# ruff: noqa: S101 - a suite asserts

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from homefeed.protocols import Model, Trainer
from homefeed.testing.world import ITEMS, PLAYS, World, make_world, toy_world
from homefeed.types import TrainingData


class TrainerContract:
    """Subclass it, name the subclass `Test...` and give it a trainer by `make`; pytest does the rest."""

    def make(self) -> Trainer[Any]:
        """The trainer under test, with the configuration of the toy world's recipe."""
        raise NotImplementedError

    @pytest.fixture
    def world(self) -> World:
        """A toy world of the test's own."""
        return toy_world()

    def test_it_is_a_trainer(self) -> None:
        """It has the methods of the seam, and its models those of theirs."""
        trainer = self.make()
        assert isinstance(trainer, Trainer)
        assert isinstance(trainer.fit(toy_world().data), Model)

    def test_the_same_data_and_seed_give_equal_files(self, world: World, tmp_path: Path) -> None:
        """To the byte, whether by one trainer twice or by two."""
        one, other = self.make(), self.make()
        expected = saved(one.fit(world.data), tmp_path / "0")
        for count, trainer in enumerate((one, other), start=1):
            assert saved(trainer.fit(toy_world().data), tmp_path / str(count)) == expected

    def test_it_leaves_its_data_alone(self, world: World) -> None:
        """Others are trained on the same."""
        before = columns(world.data)
        copies = {name: column.copy() for name, column in before.items()}
        for column in before.values():
            column.flags.writeable = False
        self.make().fit(world.data)
        for name, column in columns(world.data).items():
            np.testing.assert_array_equal(column, copies[name], err_msg=name)

    @pytest.mark.parametrize("name", ["empty", "no plays", "one item", "one play", "like items"])
    def test_it_takes_data_of_hardly_anything(self, name: str, tmp_path: Path) -> None:
        """An app's first hour: the model may know nothing, but saves and loads."""
        alike = [replace(item, attributes=ITEMS[0].attributes) for item in ITEMS[:3]]
        items, plays = {
            "empty": ((), ()),
            "no plays": (ITEMS, ()),
            "one item": (ITEMS[:1], ()),
            "one play": (ITEMS[:2], PLAYS[:1]),
            "like items": (alike, ()),
        }[name]
        world = make_world(items, plays)
        model = self.make().fit(world.data)
        saved(model, tmp_path / "model")
        type(model).load(tmp_path / "model")


def saved(model: Model, folder: Path) -> dict[str, bytes]:
    """A model's files by name, written to a new folder."""
    folder.mkdir()
    model.save(folder)
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def columns(data: TrainingData) -> dict[str, np.ndarray[Any, Any]]:
    """The arrays of training data by name."""
    events = data.interactions
    names = ("users", "items", "types", "values", "strengths", "times")
    return {name: getattr(events, name) for name in names} | {"numbers": data.numbers}
