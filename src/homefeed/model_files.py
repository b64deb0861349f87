"""The files of models, read as if anybody could have written them: sizes first, then what the numbers may be."""

from __future__ import annotations

import zipfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import orjson
from numpy.lib import format as npy
from pydantic import TypeAdapter, ValidationError

from homefeed.errors import ArtifactError

Array: TypeAlias = npt.NDArray[Any]

_LARGEST_JSON: Final = 1 << 28
_AT_ONCE: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Header:
    """What an array is to be, before it is read."""

    shape: tuple[int, ...]
    dtype: npt.DTypeLike


def require(holds: bool, what: str) -> None:
    """Refuse a model of which something does not hold.

    Raises:
        ArtifactError: `what` is expected, and not so.
    """
    if not holds:
        raise ArtifactError(f"the model is damaged: expected {what}")


def read_json(path: Path) -> dict[str, Any]:
    """The object of a .json file.

    Raises:
        ArtifactError: it is none, or too long to be a model's.
    """
    require(path.stat().st_size <= _LARGEST_JSON, f"{path.name} of up to {_LARGEST_JSON:,} bytes")
    try:
        found = orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError as error:
        raise ArtifactError(f"{path.name} is damaged: {error}") from None
    if not isinstance(found, dict):
        raise ArtifactError(f"{path.name} is damaged: expected an object")
    return found


def read_values(path: Path, types: Mapping[str, Any], optional: Collection[str] = ()) -> dict[str, Any]:
    """The values of a .json file, each of the type that the annotation of its name says.

    Those that are `optional` may be missing.

    Raises:
        ArtifactError: one is missing, not expected, or of another type.
    """
    found = read_json(path)
    complete = types.keys() - set(optional) <= found.keys() <= types.keys()
    require(complete, f"{', '.join(types)} in {path.name}, got {', '.join(found)}")
    try:
        return {name: TypeAdapter(types[name]).validate_python(found[name], strict=True) for name in found}
    except ValidationError as error:
        raise ArtifactError(f"{path.name} is damaged: {error}") from None


def mapped(path: Path, dtype: npt.DTypeLike) -> Array:
    """The array of a .npy file, mapped: nothing of it is read yet but its header.

    Raises:
        ArtifactError: it is not one of that type, row by row and as long as its header says.
    """
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise ArtifactError(f"{path.name} is damaged: {error}") from None
    if not isinstance(array, np.memmap):
        raise ArtifactError(f"{path.name} is damaged: it is no array")
    require(array.dtype == dtype, f"{path.name} of type {np.dtype(dtype)}, got {array.dtype}")
    require(bool(array.flags.c_contiguous), f"{path.name} row by row")
    length = array.offset + array.nbytes
    require(path.stat().st_size == length, f"{path.name} of {length:,} bytes, as its header says")
    return np.asarray(array)


def headers_of(path: Path) -> dict[str, Header]:
    """The headers of the arrays of a .npz file, by name; after this it takes no more memory than it is long.

    Raises:
        ArtifactError: it is none, or an array is compressed, or not as long as its header says.
    """
    try:
        with zipfile.ZipFile(path) as file:
            parts = file.infolist()
            require(all(part.compress_type == zipfile.ZIP_STORED for part in parts), f"{path.name} uncompressed")
            require(sum(part.file_size for part in parts) <= path.stat().st_size, f"no overlaps in {path.name}")
            require(len({part.filename for part in parts}) == len(parts), f"each name once in {path.name}")
            return {part.filename.removesuffix(".npy"): _header(file, part) for part in parts}
    except (zipfile.BadZipFile, ValueError, EOFError, NotImplementedError, RuntimeError) as error:
        raise ArtifactError(f"{path.name} is damaged: {error}") from None


def _header(file: zipfile.ZipFile, part: zipfile.ZipInfo) -> Header:
    with file.open(part) as content:
        version = npy.read_magic(content)
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, _, dtype = read(content)
        length = content.tell() + int(np.prod(shape, dtype=object)) * dtype.itemsize
    require(part.file_size == length, f"{part.filename} of {length:,} bytes, as its header says")
    return Header(shape, dtype)


def require_headers(found: Mapping[str, Header], expected: Mapping[str, Header]) -> None:
    """Refuse arrays that are not there, not expected, or of another shape or type.

    Raises:
        ArtifactError: naming it.
    """
    require(found.keys() == expected.keys(), f"the arrays {', '.join(expected)}, got {', '.join(found)}")
    for name, header in expected.items():
        require_shape(name, found[name].shape, header.shape)
        require(found[name].dtype == header.dtype, f"{name} of type {header.dtype}, got {found[name].dtype}")


def require_shape(name: str, found: tuple[int, ...], expected: tuple[int, ...]) -> None:
    """Refuse an array of another shape.

    Raises:
        ArtifactError: naming it.
    """
    require(found == expected, f"{name} of shape {expected}, got {found}")


def require_finite(**arrays: Array) -> None:
    """Refuse arrays of which a number is infinite or none.

    Raises:
        ArtifactError: naming one.
    """
    for name, array in arrays.items():
        flat = array.reshape(-1)
        # A part at a time: of a hundred million numbers the answers would be as many bytes.
        parts = (flat[start : start + _AT_ONCE] for start in range(0, len(flat), _AT_ONCE))
        require(all(bool(np.isfinite(part).all()) for part in parts), f"finite numbers in {name}")


def require_range(name: str, array: Array, count: int) -> None:
    """Refuse indices that are not from 0 to before `count`.

    Raises:
        ArtifactError: naming them.
    """
    inside = not array.size or (int(array.min()) >= 0 and int(array.max()) < count)
    require(inside, f"{name} from 0 to before {count:,}")


def require_starts(name: str, starts: Array, rows: int, size: int) -> None:
    """Refuse what does not divide `size` entries into rows: (rows + 1,), rising from 0 to `size`.

    Raises:
        ArtifactError: naming it.
    """
    require_shape(name, starts.shape, (rows + 1,))
    rising = bool((starts[1:] >= starts[:-1]).all())
    require(rising and starts[0] == 0 and starts[-1] == size, f"{name} rising from 0 to {size:,}")


def require_numbers(numbers: Array) -> None:
    """Refuse permanent numbers that are no distinct ones.

    Raises:
        ArtifactError: they are not.
    """
    require(numbers.ndim == 1, "numbers in one row")
    ordered = np.sort(numbers)
    require(not len(ordered) or int(ordered[0]) >= 0, "numbers from 0")
    require(bool((ordered[1:] > ordered[:-1]).all()), "each number once")


def require_columns(words: Mapping[str, int], count: int) -> None:
    """Refuse words whose columns are not those from 0 to before `count`, each once.

    Raises:
        ArtifactError: they are not.
    """
    require(sorted(words.values()) == list(range(count)), f"words with the columns from 0 to before {count:,}")
