"""Private copies of a model's files: what is mapped of them stays as it is, whatever becomes of the originals."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from io import BufferedReader, BufferedWriter
from pathlib import Path
from typing import Final, TypeAlias

from filelock import FileLock, Timeout

from homefeed.errors import ArtifactError

_PREFIX: Final = ".copy-"
_UNFINISHED: Final = ".new-"
_LOCK: Final = ".lock"
_AT_ONCE: Final = 1 << 30

Take: TypeAlias = Callable[[Path, str, str, Path], None]
"""Puts a file of a folder, by its name and SHA-256, into another folder."""


def copy_checked(folder: Path, name: str, sha256: str, target: Path) -> None:
    """Copy a plain file of a folder into another, where none of its name is.

    Raises:
        ArtifactError: it is missing, no plain file of the folder, or has another SHA-256.
        OSError: there is no room for it.
    """
    copy_plain(folder, name, target)
    # Of the copy: the original may change meanwhile.
    require_sha256(target, name, sha256)


@contextmanager
def private_copy(root: Path, folder: Path, files: Mapping[str, str], take: Take = copy_checked) -> Iterator[Path]:
    """A folder with copies of files (name: SHA-256), to which no path leads in the end.

    Raises:
        ArtifactError: a file is missing, no plain file of the folder, or has another SHA-256.
        OSError: there is no room for them.
    """
    with _private_folder(root) as private:
        copies = private / folder.name
        copies.mkdir()
        for name, expected in files.items():
            take(folder, name, expected, copies)
        yield copies


def require_sha256(folder: Path, name: str, expected: str) -> None:
    """Refuse a file of another content.

    Raises:
        ArtifactError: it is missing, no plain file of the folder, or has another SHA-256.
    """
    with open_plain(folder, name) as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != expected:
            raise ArtifactError(f"{name} is damaged: its SHA-256 is not the manifest's")


def open_plain(folder: Path, name: str) -> BufferedReader:
    """A plain file of a folder, open to be read: nothing that leads elsewhere, or that waits for a writer.

    Raises:
        ArtifactError: it is none.
    """
    if not name or name != Path(name).name or name.startswith("."):
        raise ArtifactError(f"{name!r} is no name of a file of the model")
    try:
        descriptor = os.open(folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        raise ArtifactError(f"{name} is missing") from None
    except OSError as error:
        why = "is a symbolic link" if error.errno == errno.ELOOP else f"cannot be read: {error.strerror}"
        raise ArtifactError(f"{name} {why}") from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise ArtifactError(f"{name} is no plain file")
    return os.fdopen(descriptor, "rb")


def copy_plain(folder: Path, name: str, target: Path) -> None:
    """Copy a plain file of a folder into another, where none of its name is.

    Raises:
        ArtifactError: it is none.
        OSError: there is no room for it.
    """
    with open_plain(folder, name) as original, (target / name).open("xb") as copy:
        _copy(original, copy)


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sync(path: Path) -> None:
    """Force a file, or the entries of a folder, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _copy(original: BufferedReader, copy: BufferedWriter) -> None:
    try:
        # In the kernel it takes a tenth of the time, and on some file systems neither that nor any room.
        while os.copy_file_range(original.fileno(), copy.fileno(), _AT_ONCE):
            pass
    except OSError:
        original.seek(0)
        copy.seek(0)
        shutil.copyfileobj(original, copy)


@contextmanager
def _private_folder(root: Path) -> Iterator[Path]:
    _remove_left(root)
    try:
        made = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=root))
    except OSError:  # it may be mounted to be read only
        root = Path(tempfile.gettempdir())
        made = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=root))
    folder = root / f"{_PREFIX}{made.name.removeprefix(_UNFINISHED)}"
    with FileLock(made / _LOCK):
        try:
            # Only now: before it is locked, others would take it for one that was left.
            made.rename(folder)
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _remove_left(root: Path) -> None:
    """Remove the copies of processes that were killed while they loaded."""
    for left in root.glob(f"{_PREFIX}*"):
        with suppress(Timeout, OSError), FileLock(left / _LOCK, timeout=0):
            shutil.rmtree(left, ignore_errors=True)
