"""What every model keeps to."""
# ruff: noqa: S101 - a suite asserts

from __future__ import annotations

import dataclasses
import pickletools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from homefeed.errors import ArtifactError
from homefeed.protocols import Model
from homefeed.testing.world import World, toy_world


class ModelContract:
    """Subclass it, name the subclass `Test...` and give it a model by `make`; pytest does the rest."""

    def make(self, world: World) -> Model:
        """The model under test, fitted to `world.data`."""
        raise NotImplementedError

    def answers(self, model: Model, world: World) -> Mapping[str, Any]:  # noqa: ARG002 - for overrides
        """What must survive saving and loading, by name: every field, unless overridden."""
        return {name: getattr(model, name) for name in field_names(model)}

    @pytest.fixture
    def world(self) -> World:
        """A toy world of the test's own."""
        return toy_world()

    @pytest.fixture
    def model(self, world: World) -> Model:
        """The model under test."""
        return self.make(world)

    def test_it_is_a_model(self, model: Model) -> None:
        """It has the methods of the seam and is frozen."""
        assert isinstance(model, Model)
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(model, field_names(model)[0], None)

    def test_it_answers_the_same_after_saving_and_loading(
        self, world: World, model: Model, tmp_path: Path
    ) -> None:
        """Once, and again from what the loaded one saves."""
        expected = self.answers(model, world)
        for round_trip in ("first", "second"):
            folder = tmp_path / round_trip
            folder.mkdir()
            model.save(folder)
            model = type(model).load(folder)
            found = self.answers(model, world)
            assert found.keys() == expected.keys()
            for name, answer in expected.items():
                np.testing.assert_equal(found[name], answer, err_msg=name)

    def test_it_writes_into_its_folder_only(self, model: Model, tmp_path: Path) -> None:
        """Into the empty folder it is given, and nowhere beside it; loading writes nothing."""
        folder = tmp_path / "model"
        folder.mkdir()
        model.save(folder)
        written = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        assert written
        type(model).load(folder)
        assert list(tmp_path.iterdir()) == [folder]
        assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == written

    def test_it_refuses_arrays_that_would_fail_a_request(self, model: Model, tmp_path: Path) -> None:
        """A number that is none, an index below 0, another type, of each array, one at a time; files cut short."""
        model.save(tmp_path)
        for path in sorted(tmp_path.glob("*.np[yz]")):
            whole = path.read_bytes()
            arrays = arrays_of(path)
            for name, array in arrays.items():
                for harm, damaged in harms_of(array).items():
                    write_arrays(path, arrays | {name: damaged})
                    assert is_refused(type(model), tmp_path), f"{path.name}: {name} with {harm} was loaded"
            for length in (len(whole) - 1, len(whole) // 2, 0):
                path.write_bytes(whole[:length])
                assert is_refused(type(model), tmp_path), f"{path.name} was loaded, cut to {length} bytes"
            path.write_bytes(whole)
        type(model).load(tmp_path)

    def test_it_is_written_without_pickle(self, model: Model, tmp_path: Path) -> None:
        """Arrays load with pickle forbidden, JSON parses, and nothing else is a pickle."""
        model.save(tmp_path)
        for path in tmp_path.rglob("*"):
            if path.is_file():
                check_no_pickle(path)


def field_names(model: Any) -> list[str]:
    """The fields of a dataclass."""
    return [field.name for field in dataclasses.fields(model)]


def arrays_of(path: Path) -> dict[str, Any]:
    """The arrays of a .npy file, under "", or of a .npz file."""
    if path.suffix == ".npy":
        return {"": np.load(path, allow_pickle=False)}
    with np.load(path, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def write_arrays(path: Path, arrays: Mapping[str, Any]) -> None:
    """Write what `arrays_of` reads."""
    path.unlink()
    if path.suffix == ".npy":
        np.save(path, arrays[""], allow_pickle=False)
    else:
        np.savez(path, **arrays)


def harms_of(array: Any) -> dict[str, Any]:
    """What is to be refused in place of an array, by what is wrong with it."""
    if not array.size:
        return {}
    harmed = {"another type": np.zeros(array.shape, np.float16)}
    is_index = array.dtype.kind == "i" and array.min() >= 0  # else it may be any
    if is_index or array.dtype.kind == "f":
        wrong = array.copy()
        wrong.reshape(-1)[-1] = -1 if is_index else np.nan
        harmed["an index below 0" if is_index else "a number that is none"] = wrong
    return harmed


def is_refused(kind: type[Model], folder: Path) -> bool:
    """Whether a model of a folder is not loaded, for a reason."""
    try:
        kind.load(folder)
    except ArtifactError:
        return True
    return False


def check_no_pickle(path: Path) -> None:
    """Assert that reading a model's file runs no code that the file brings."""
    if path.suffix == ".npy":
        np.load(path, allow_pickle=False)
    elif path.suffix == ".npz":
        with np.load(path, allow_pickle=False) as arrays:
            for name in arrays.files:
                arrays[name]
    elif path.suffix == ".json":
        orjson.loads(path.read_bytes())
    else:
        assert not _is_pickle(path.read_bytes()), f"{path.name} is a pickle"


def _is_pickle(content: bytes) -> bool:
    try:
        return bool(list(pickletools.genops(content)))
    except (ValueError, UnicodeDecodeError):
        return False
