"""Files without a path that processes of one host share: what one has copied, the others map, too."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from homefeed.errors import ArtifactError
from homefeed.store.copies import copy_checked, open_plain, require_sha256
from homefeed.store.private import PRIVATE_FILE

_PREFIX: Final = ".held-"
_LOCK: Final = ".lock"
_TURN: Final = ".sharing.lock"
_TURN_SECONDS: Final = 60.0
_OWN: Final = Path("/proc/self/fd")
_SMALLEST: Final = 1 << 20
"""Bytes: what is smaller is not worth a descriptor."""


class SharedFiles:
    """What this process holds open of files that it copied and unlinked, for others to take by their SHA-256.

    `<root>/.held-NAMESPACE-.../SHA256` are links to `/proc/PID/fd/N`: they lead nowhere once the process has
    ended, nor for anybody whom the kernel does not let look into it. Whoever takes a file checks its SHA-256.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._folder: Path | None = None
        self._lock: FileLock | None = None

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Of processes that start at once one copies a file, and the others find it; none waits for ever."""
        lock = FileLock(self._root / _TURN, mode=PRIVATE_FILE)
        with suppress(Timeout, OSError):
            lock.acquire(timeout=_TURN_SECONDS)
        try:
            yield
        finally:
            lock.release()

    def find(self, sha256: str) -> int | None:
        """A descriptor of a file that a process holds, yet to be checked; None where nobody does."""
        for link in self._root.glob(f"{_PREFIX}{_namespace()}-*/{sha256}"):
            with suppress(OSError):
                descriptor = _opened(link)
                if descriptor is not None:
                    return descriptor
        return None

    def hold(self, sha256: str, descriptor: int) -> None:
        """Let others find a file by its SHA-256, until it is released."""
        with suppress(OSError):  # then each has its own copy
            if self._folder is None:
                self._folder = self._made()
            link = self._folder / sha256
            link.unlink(missing_ok=True)
            link.symlink_to(f"/proc/{os.getpid()}/fd/{descriptor}")

    def release(self, held: dict[str, int]) -> None:
        """Close files (SHA-256: descriptor): what is mapped of them stays."""
        for sha256, descriptor in held.items():
            with suppress(OSError):
                if self._folder is not None and (link := self._folder / sha256).readlink().name == str(descriptor):
                    link.unlink()
            os.close(descriptor)

    def _made(self) -> Path:
        for left in self._root.glob(f"{_PREFIX}*"):
            with suppress(Timeout, OSError), FileLock(left / _LOCK, timeout=0):
                shutil.rmtree(left, ignore_errors=True)
        folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{_namespace()}-", dir=self._root))
        self._lock = FileLock(folder / _LOCK)  # held until the process ends
        self._lock.acquire()
        return folder


class Taken:
    """The files that one model is loaded from: large arrays are taken from whoever has them, others are copied."""

    def __init__(self, shared: SharedFiles | None) -> None:
        self._shared = shared if can_share() else None
        self._held: dict[str, int] = {}

    def take(self, folder: Path, name: str, sha256: str, target: Path) -> None:
        """Put a file of a folder into another: a copy, or a link to what this process has open.

        Raises:
            ArtifactError: it is missing, no plain file of the folder, or has another SHA-256.
            OSError: there is no room for it.
        """
        if (
            self._shared is None
            or not name.endswith(".npy")
            or sha256 in self._held
            or _size(folder, name) < _SMALLEST
        ):
            copy_checked(folder, name, sha256, target)
            return
        with self._shared.turn():
            found = self._shared.find(sha256)
            if found is None:
                copy_checked(folder, name, sha256, target)
                found = os.open(target / name, os.O_RDONLY)
                (target / name).unlink()
                self._hold(self._shared, sha256, found)
        if sha256 not in self._held:
            try:
                require_sha256(folder, name, sha256)
            except ArtifactError:
                os.close(found)
                raise
            if sha256_in(found) != sha256:  # whoever held it let something else have its place
                os.close(found)
                copy_checked(folder, name, sha256, target)
                return
            self._hold(self._shared, sha256, found)
        (target / name).symlink_to(path_of(found))

    def keep_for(self, owner: object) -> None:
        """Let others find these files as long as an object is there."""
        if self._shared is not None and self._held:
            weakref.finalize(owner, self._shared.release, self._held)
            self._held = {}

    def let_go(self) -> None:
        """Close what is kept for nothing."""
        if self._shared is not None:
            self._shared.release(self._held)
        self._held = {}

    def _hold(self, shared: SharedFiles, sha256: str, descriptor: int) -> None:
        self._held[sha256] = descriptor
        shared.hold(sha256, descriptor)


def path_of(descriptor: int) -> Path:
    """The path by which this process, and no other, finds a file that it has open."""
    return _OWN / str(descriptor)


def can_share() -> bool:
    """Whether the system lets processes find each other's files."""
    return _OWN.is_dir()


def sha256_in(descriptor: int) -> str:
    """The SHA-256 of an open file, in hexadecimal."""
    with path_of(descriptor).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _size(folder: Path, name: str) -> int:
    with open_plain(folder, name) as file:
        return os.fstat(file.fileno()).st_size


def _namespace() -> int:
    """Of which containers' numbers of processes those are that this one sees."""
    return Path("/proc/self/ns/pid").stat().st_ino


def _opened(link: Path) -> int | None:
    # Looked at first: to open what is no file, such as a pipe, may do something.
    if not _is_unlinked(link.stat()):
        return None
    descriptor = os.open(link, os.O_RDONLY | os.O_NONBLOCK)
    if _is_unlinked(os.fstat(descriptor)):
        return descriptor
    os.close(descriptor)
    return None


def _is_unlinked(found: os.stat_result) -> bool:
    return stat.S_ISREG(found.st_mode) and found.st_nlink == 0
