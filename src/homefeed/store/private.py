"""Files and folders that only their owner may read: they hold what people did."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

_FOLDER: Final = 0o700
PRIVATE_FILE: Final = 0o600
_SEALED: Final = 0o400
_OTHERS: Final = 0o007


def make_private_folder(folder: Path) -> None:
    """Make a folder, with the parents that are missing, for its owner alone."""
    if not folder.is_dir():
        make_private_folder(folder.parent)
        folder.mkdir(_FOLDER, exist_ok=True)


def make_private_file(file: Path) -> None:
    """Make an empty file for its owner alone; one that is there is closed to the world."""
    # Never opened where it is there: closing it would take the locks that this process has on it.
    with suppress(FileExistsError):
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, PRIVATE_FILE))
    close_to_others(file)


def make_private(path: Path) -> None:
    """Leave to nobody but the owner what may be done to a file or folder."""
    path.chmod(_FOLDER if path.is_dir() else PRIVATE_FILE)


def seal(file: Path) -> None:
    """Leave to the owner to read a file, and to nobody to change it."""
    file.chmod(_SEALED)


def close_to_others(path: Path) -> None:
    """Take away what anybody but the owner may do to a file or folder, if the world may do anything.

    What its owner gave to a group alone, such as that of a backup, stays.
    """
    with suppress(FileNotFoundError, PermissionError):  # it is gone, or another's
        if path.stat().st_mode & _OTHERS:
            make_private(path)


def is_open_to_others(path: Path) -> bool:
    """Whether anybody may read or change it."""
    return os.name == "posix" and path.exists() and bool(path.stat().st_mode & _OTHERS)
