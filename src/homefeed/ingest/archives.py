"""Zip files: the one text file in it read while it is unpacked, or all its files unpacked into a folder."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from homefeed.errors import DataError

MAX_BYTES: Final = 64 << 30
"""How much a zip file may hold, unpacked."""

MAX_FILES: Final = 1_000
_ENCRYPTED: Final = 0x1


@contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """A folder as it is, or the files of a zip file in a folder that is there as long as it is needed.

    Folders within the zip file do not count: its files lie side by side.

    Raises:
        DataError: it is damaged, encrypted, holds more than `MAX_BYTES` or `MAX_FILES`, or two files of one name.
    """
    # A workbook of Excel is a zip file, too.
    if path.is_dir() or not path.exists() or path.suffix.lower() == ".xlsx" or not zipfile.is_zipfile(path):
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="homefeed-") as made:
        folder = Path(made) / path.stem
        folder.mkdir()
        with path.open("rb") as raw, _opened(path, raw) as archive:
            for member in _members(path, archive):
                target = folder / Path(member.filename).name
                if target.exists():
                    raise DataError(f"{path}: holds two files named {target.name}; unpack it and name the folder")
                with archive.open(member) as packed, target.open("wb") as plain:
                    _copied(path, packed, plain)
        yield folder


def only_member(path: Path) -> str:
    """The name of the one file in a zip file.

    Raises:
        DataError: it cannot be read, or holds none or several.
    """
    try:
        raw = path.open("rb")
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    with raw, open_member(path, raw) as member:
        return member.name


@contextmanager
def open_member(path: Path, raw: IO[bytes]) -> Iterator[IO[bytes]]:
    """The one file in an open zip file, unpacked while it is read.

    Raises:
        DataError: as `only_member`.
    """
    with _opened(path, raw) as archive:
        members = _members(path, archive)
        if len(members) != 1:
            raise DataError(
                f"{path}: holds {len(members)} files, not one; name it as a folder is named, or unpack it"
            )
        with archive.open(members[0]) as stream:
            yield stream


@contextmanager
def _opened(path: Path, raw: IO[bytes]) -> Iterator[zipfile.ZipFile]:
    try:
        archive = zipfile.ZipFile(raw)
    except zipfile.BadZipFile as error:
        raise DataError(f"{path}: the zip file is damaged: {error}") from None
    with archive:
        yield archive


def _members(path: Path, archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """The files that count: not the folders, nor what an operating system puts beside them."""
    found = [
        member
        for member in archive.infolist()
        if not member.is_dir()
        and not Path(member.filename).name.startswith(".")
        and not member.filename.startswith("__MACOSX/")
    ]
    if any(member.flag_bits & _ENCRYPTED for member in found):
        raise DataError(f"{path}: the zip file is encrypted; unpack it first")
    # A member never gives more bytes than it says here.
    size = sum(member.file_size for member in found)
    if size > MAX_BYTES or len(found) > MAX_FILES:
        raise DataError(
            f"{path}: holds {len(found):,} files of {size / 2**30:,.1f} GiB in all; at most {MAX_FILES:,} files "
            f"of {MAX_BYTES >> 30} GiB are unpacked: unpack it yourself"
        )
    return found


def _copied(path: Path, packed: IO[bytes], plain: IO[bytes]) -> None:
    try:
        shutil.copyfileobj(packed, plain, 1 << 20)
    except (zipfile.BadZipFile, EOFError) as error:
        raise DataError(f"{path}: the zip file is damaged: {error}") from None
