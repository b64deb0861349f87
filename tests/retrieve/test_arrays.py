"""Models made of arrays on disk, and their rows in a catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import orjson
import pytest

from homefeed.errors import ArtifactError
from homefeed.retrieve.arrays import ArrayModel, RowIndex
from homefeed.types import Floats


@dataclass(frozen=True, slots=True)
class Sample(ArrayModel):
    """Of everything that a model may hold."""

    table: Floats
    none: Floats
    words: Mapping[str, int]
    share: float


SAMPLE = Sample(np.arange(6, dtype=np.float32).reshape(3, 2), np.empty(0, np.float32), {"a": 1, "\u00e9": 2}, 0.1)


def test_what_is_written_is_mapped_and_the_same(tmp_path: Path) -> None:
    SAMPLE.save(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"model.json", "table.npy", "none.npy"}
    loaded = Sample.load(tmp_path)
    assert loaded.table.tolist() == SAMPLE.table.tolist()
    assert loaded.none.shape == (0,)
    assert (loaded.words, loaded.share) == (SAMPLE.words, 0.1)
    assert isinstance(loaded.table.base, np.memmap)
    assert not loaded.table.flags.writeable


def test_what_a_model_lacks_or_does_not_have_is_refused(tmp_path: Path) -> None:
    @dataclass(frozen=True, slots=True)
    class Larger(Sample):
        more: Floats

    SAMPLE.save(tmp_path)
    with pytest.raises(FileNotFoundError, match="more"):
        Larger.load(tmp_path)
    (tmp_path / "table.npy").unlink()
    with pytest.raises(FileNotFoundError, match="table"):
        Sample.load(tmp_path)


@dataclass(frozen=True, slots=True)
class Checked(Sample):
    def check(self) -> None:
        assert isinstance(self.table.base, np.memmap)
        raise ArtifactError("checked")


def test_what_a_model_refuses_is_not_loaded(tmp_path: Path) -> None:
    SAMPLE.save(tmp_path)
    with pytest.raises(ArtifactError, match="checked"):
        Checked.load(tmp_path)


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"words": {"a": 1}}, "words, share in model.json, got words"),
        ({"words": {"a": 1.5}, "share": 0.1}, "json is damaged"),
        ({"words": {"a": "1"}, "share": 0.1}, "json is damaged"),
        ({"words": {"a": 1}, "share": "much"}, "json is damaged"),
        ({"words": {"a": 1}, "share": None}, "json is damaged"),
        ({"words": {"a": 1}, "share": 0.1, "more": 1}, "words, share in model.json, got words, share, more"),
        ([], "model.json is damaged: expected an object"),
    ],
)
def test_values_of_another_type_are_refused(tmp_path: Path, values: object, why: str) -> None:
    SAMPLE.save(tmp_path)
    (tmp_path / "model.json").write_bytes(orjson.dumps(values))
    with pytest.raises(ArtifactError, match=why):
        Sample.load(tmp_path)


def test_positions_lead_to_rows_and_nowhere_where_there_is_none() -> None:
    index = RowIndex(np.array([4, -1, 0, 2, -1], np.int32), 5)
    asked = np.array([0, 1, 2, 3, 4, 5, 900, -1], np.int32)
    assert index.at(asked).tolist() == [2, -1, 3, -1, 0, -1, -1, -1]
    assert index.rows.tolist() == [2, -1, 3, -1, 0, -1]
    assert RowIndex(np.empty(0, np.int32), 0).at(np.array([0, -1], np.int32)).tolist() == [-1, -1]
