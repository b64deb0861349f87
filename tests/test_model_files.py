"""The files of models: what is not as it says is refused before it is read, and what cannot serve after."""

from __future__ import annotations

import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from homefeed.errors import ArtifactError
from homefeed.model_files import (
    Header,
    headers_of,
    mapped,
    read_json,
    require_columns,
    require_finite,
    require_headers,
    require_numbers,
    require_range,
    require_starts,
)

NUMBERS = np.arange(6, dtype=np.int32)


@pytest.fixture
def npy(tmp_path: Path) -> Path:
    np.save(tmp_path / "a.npy", NUMBERS)
    return tmp_path / "a.npy"


class TestMapped:
    def test_an_array_is_mapped(self, npy: Path) -> None:
        array = mapped(npy, np.int32)
        assert isinstance(array.base, np.memmap)
        assert array.tolist() == NUMBERS.tolist()

    @pytest.mark.parametrize("length", [0, 5, 60, 128, 151])
    def test_a_file_that_was_cut_is_refused(self, npy: Path, length: int) -> None:
        npy.write_bytes(npy.read_bytes()[:length])
        with pytest.raises(ArtifactError, match=r"a\.npy is damaged"):
            mapped(npy, np.int32)

    def test_a_file_that_is_longer_is_refused(self, npy: Path) -> None:
        npy.write_bytes(npy.read_bytes() + b"\0")
        with pytest.raises(ArtifactError, match=r"a\.npy of 152 bytes"):
            mapped(npy, np.int32)

    @pytest.mark.parametrize(
        "array", [NUMBERS.astype(np.int64), NUMBERS.astype(">i4"), NUMBERS.astype(np.float32)]
    )
    def test_another_type_is_refused(self, npy: Path, array: Any) -> None:
        np.save(npy, array)
        with pytest.raises(ArtifactError, match=r"a\.npy of type int32, got"):
            mapped(npy, np.int32)

    def test_another_order_is_refused(self, npy: Path) -> None:
        np.save(npy, np.asfortranarray(NUMBERS.reshape(2, 3)))
        with pytest.raises(ArtifactError, match=r"a\.npy row by row"):
            mapped(npy, np.int32)

    def test_objects_and_archives_are_refused(self, npy: Path) -> None:
        np.save(npy, np.array([{}], dtype=object), allow_pickle=True)
        with pytest.raises(ArtifactError, match=r"a\.npy is damaged"):
            mapped(npy, np.int32)
        with npy.open("wb") as file:
            np.savez(file, a=NUMBERS)
        with pytest.raises(ArtifactError, match=r"a\.npy is damaged: it is no array"):
            mapped(npy, np.int32)


class TestArchives:
    def test_headers_are_read_without_the_arrays(self, tmp_path: Path) -> None:
        path = tmp_path / "a.npz"
        np.savez(path, big=np.zeros(4_000_000), small=NUMBERS, none=np.empty((0, 2), np.int32))
        tracemalloc.start()
        found = headers_of(path)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
        tracemalloc.stop()
        expected = {
            "big": Header((4_000_000,), np.float64),
            "small": Header((6,), np.int32),
            "none": Header((0, 2), np.int32),
        }
        require_headers(found, expected)
        for harmed, why in (
            ({"big": Header((6,), np.float64)}, r"big of shape \(6,\), got \(4000000,\)"),
            ({"small": Header((6,), np.int64)}, "small of type"),
            ({"more": Header((6,), np.int64)}, "the arrays big, small, none, more, got big, small, none"),
        ):
            with pytest.raises(ArtifactError, match=why):
                require_headers(found, expected | harmed)

    def test_what_grows_when_it_is_read_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "a.npz"
        np.savez_compressed(path, big=np.zeros(30_000_000))
        assert path.stat().st_size < 1_000_000
        with pytest.raises(ArtifactError, match=r"a\.npz uncompressed"):
            headers_of(path)

    @pytest.mark.parametrize(
        "harm",
        [
            lambda whole: whole[:-40],
            lambda whole: b"",
            lambda whole: b"nonsense",
            lambda whole: whole.replace(b"(6,)", b"(9,)"),
            lambda whole: whole.replace(b"\x93NUMPY", b"\x93NUMPI"),
        ],
    )
    def test_a_damaged_one_is_refused(self, tmp_path: Path, harm: Callable[[bytes], bytes]) -> None:
        path = tmp_path / "a.npz"
        np.savez(path, a=NUMBERS)
        path.write_bytes(harm(path.read_bytes()))
        with pytest.raises(ArtifactError, match=r"a\.np[yz]"):
            headers_of(path)

    def test_a_name_that_comes_twice_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "a.npz"
        np.savez(path, a=NUMBERS)
        with zipfile.ZipFile(path) as file:
            content = file.read("a.npy")
        with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(path, "a") as file:
            file.writestr("a.npy", content)
        with pytest.raises(ArtifactError, match=r"each name once in a\.npz"):
            headers_of(path)


def test_json_that_is_none_or_too_long_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    for text in (b"", b"{", b"NaN", b'{"a": NaN}', b"[1]", b"3"):
        path.write_bytes(text)
        with pytest.raises(ArtifactError, match=r"a\.json is damaged"):
            read_json(path)
    with path.open("wb") as file:
        file.truncate(1 << 30)  # a hole: it takes no room
    with pytest.raises(ArtifactError, match=r"a\.json of up to 268,435,456 bytes"):
        read_json(path)


def refused(check: Callable[..., None], *given: Any, **named: Any) -> bool:
    try:
        check(*given, **named)
    except ArtifactError:
        return True
    return False


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", [0, 1_048_575, 1_048_576, 2_000_000])
def test_a_number_that_is_none_is_found_wherever_it_is(value: float, place: int) -> None:
    array = np.zeros(2_000_001, np.float32)
    assert not refused(require_finite, weights=array)
    array[place] = value
    assert refused(require_finite, weights=array)
    assert refused(require_finite, weights=array.reshape(3, -1))


def test_indices_and_starts_and_numbers() -> None:
    none = np.empty(0, np.int32)
    assert not refused(require_range, "rows", np.array([0, 2], np.int32), 3)
    assert not refused(require_range, "rows", none, 0)
    for rows in ([0, 3], [-1, 0]):
        assert refused(require_range, "rows", np.array(rows, np.int32), 3)
    assert not refused(require_starts, "starts", np.array([0, 2, 2, 5]), 3, 5)
    for starts in ([0, 2, 2, 4], [1, 2, 2, 5], [0, 3, 2, 5], [0, 2, 5], []):
        assert refused(require_starts, "starts", np.array(starts), 3, 5)
    assert not refused(require_numbers, np.array([7, 0, 3], np.int32))
    assert not refused(require_numbers, none)
    for numbers in ([7, 7], [-1, 3]):
        assert refused(require_numbers, np.array(numbers, np.int32))
    assert refused(require_numbers, np.array([[1, 2]], np.int32))
    assert not refused(require_columns, {"b": 1, "a": 0}, 2)
    for words in ({"a": 0, "b": 0}, {"a": 0, "b": 2}, {"a": -1, "b": 0}):
        assert refused(require_columns, words, 2)
