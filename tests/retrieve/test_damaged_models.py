"""Models whose arrays do not fit one another are refused, whichever array it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from homefeed.catalog import SignalsModel
from homefeed.errors import ArtifactError
from homefeed.protocols import Model
from homefeed.retrieve.als.model import AlsModel
from homefeed.retrieve.association.model import AssociationModel
from homefeed.retrieve.content.model import ContentModel
from homefeed.retrieve.item_item.model import ItemItemModel
from homefeed.retrieve.lightgcn.model import LightgcnModel
from homefeed.retrieve.sequence.model import SequenceModel
from homefeed.retrieve.similar.model import SimilarModel
from homefeed.retrieve.user_user.model import UserUserModel
from homefeed.testing.model import arrays_of, is_refused, write_arrays

I32, F32 = np.int32, np.float32
NUMBERS, STARTS = np.array([7, 3, 5], I32), np.array([0, 2, 3, 3], np.int64)
ROWS, WEIGHTS, MARKS = np.array([1, 2, 0], I32), np.array([3, 2, 1], F32), np.array([1, 2, 3], np.int64)
LISTS = (NUMBERS, STARTS, ROWS, WEIGHTS)
COUNTS = np.array([4.0, 2.0, 1.0])
WORDS = {"title=a": 0, "title=b": 1}

MODELS: dict[str, Model] = {
    "als": AlsModel(NUMBERS, np.ones((3, 2), F32), np.eye(2), 5.0),
    "als_in_cells": AlsModel(
        NUMBERS,
        np.ones((3, 2), F32),
        np.eye(2),
        5.0,
        centers=np.ones((2, 2), F32),
        starts=np.array([0, 1, 3], np.int64),
        probes=1,
    ),
    "association": AssociationModel(*LISTS, WEIGHTS, WEIGHTS, WEIGHTS, 9, 3.0),
    "content": ContentModel(NUMBERS, np.ones((3, 4), F32), WORDS, np.ones(2, F32), np.ones((4, 2), F32)),
    "item_item": ItemItemModel(*LISTS, np.zeros(3, bool), 0.3),
    "lightgcn": LightgcnModel(NUMBERS, np.ones((3, 2), F32), np.ones((3, 2), F32), WEIGHTS),
    "sequence": SequenceModel(*LISTS, np.zeros(3, bool), 0.3),
    "signals": SignalsModel(
        NUMBERS, COUNTS, COUNTS, COUNTS, WEIGHTS, {"a": 1.0}, 1.0, 5, 6, recent=np.ones((3, 3)), latest=MARKS
    ),
    "similar": SimilarModel(
        *LISTS,
        np.array([0, 1, 3], I32),
        ROWS,
        WEIGHTS,
        np.ones(2, F32),
        MARKS,
        MARKS,
        WORDS,
        {"title": 1.0},
        [],
        9,
        0.1,
    ),
    "user_user": UserUserModel(
        NUMBERS, WEIGHTS, STARTS, np.array([0, 1, 1], I32), WEIGHTS, STARTS[[0, 1, 3]], ROWS, WEIGHTS
    ),
}
every_model = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)


@pytest.fixture
def folder(tmp_path: Path, model: Model) -> Path:
    model.save(tmp_path)
    assert type(model).load(tmp_path) is not None
    return tmp_path


def harmed(folder: Path, harm: str) -> Iterator[str]:
    """Each array in turn, harmed in its file; the files are whole again in the end."""
    for path in sorted(folder.glob("*.np[yz]")):
        whole, arrays = path.read_bytes(), arrays_of(path)
        for name, array in arrays.items():
            if not array.size:
                continue
            more = np.concatenate([array, array[-1:]])
            write_arrays(path, arrays | {name: {"short": array[:-1], "long": more, "deep": array[None]}[harm]})
            yield f"{path.name} {name}"
        path.write_bytes(whole)


@every_model
@pytest.mark.parametrize("harm", ["short", "long", "deep"])
def test_an_array_of_another_shape_is_refused(model: Model, folder: Path, harm: str) -> None:
    loaded = [which for which in harmed(folder, harm) if not is_refused(type(model), folder)]
    # One more user, without items, does no harm.
    assert loaded == (["user_starts.npy "] if harm == "long" and isinstance(model, UserUserModel) else [])


INDICES = {
    "association": ["indices.npy"],
    "item_item": ["indices.npy"],
    "sequence": ["indices.npy"],
    "similar": ["indices.npy", "word_items.npy"],
    "user_user": ["item_users.npy", "user_items.npy"],
}


@pytest.mark.parametrize(("name", "file"), [(name, file) for name, files in INDICES.items() for file in files])
@pytest.mark.parametrize("index", [-1, 3, 2**31 - 1])
def test_an_index_out_of_range_is_refused(tmp_path: Path, name: str, file: str, index: int) -> None:
    MODELS[name].save(tmp_path)
    rows = np.load(tmp_path / file)
    rows[1] = index
    np.save(tmp_path / file, rows)
    with pytest.raises(ArtifactError, match=rf"{file[:-4]} from 0 to before \d"):
        type(MODELS[name]).load(tmp_path)


@every_model
def test_a_number_that_comes_twice_is_refused(model: Model, folder: Path) -> None:
    for path in (folder / "numbers.npy", folder / "signals.npz"):
        if path.exists():
            arrays = arrays_of(path)
            arrays["" if path.suffix == ".npy" else "numbers"][0] = 3
            write_arrays(path, arrays)
    with pytest.raises(ArtifactError, match="each number once"):
        type(model).load(folder)
