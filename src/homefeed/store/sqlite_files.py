"""SQLite files as files: copied while they are in use, and replaced while they are not."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from homefeed.errors import HomefeedError, UnavailableError
from homefeed.store.copies import sync
from homefeed.store.private import make_private_file


def save_database(file: Path, target: Path) -> None:
    """Copy a database as it is at one moment to a new file, durably, without what was deleted.

    Others go on writing. It takes the room of what is in it; until it is done SQLite's write-ahead log only grows.

    Raises:
        HomefeedError: there is no database, it is damaged, or the disk is full.
    """
    if not file.is_file():
        raise HomefeedError(f"there is no database at {file}; run it where the server runs, with its settings")
    make_private_file(target)
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=rw", uri=True, timeout=60)) as connection:
            connection.execute("VACUUM INTO ?", (str(target),))
    except sqlite3.Error as error:
        raise HomefeedError(f"{file} cannot be copied: {error}") from error
    check_database(target, file)
    sync(target)


def check_database(file: Path, original: Path) -> None:
    """See that a copy of a database is whole, and so the original.

    Raises:
        HomefeedError: it is not.
    """
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        found = str(error)
    if found != "ok":
        raise HomefeedError(f"{original} is damaged: {found}; restore a backup that is whole")


def replace_database(staged: Path, file: Path) -> None:
    """Put a database, that no log lies beside, in the place of another; durable on return.

    Raises:
        UnavailableError: another process has the other open.
    """
    require_unused(file)
    # A log that was left would be applied to the new one.
    for beside in ("-wal", "-shm"):
        file.with_name(f"{file.name}{beside}").unlink(missing_ok=True)
    sync(staged)
    staged.replace(file)
    sync(file.parent)


def require_unused(file: Path) -> None:
    """See that no process has a database open; one that is missing, or damaged, nobody has.

    Raises:
        UnavailableError: one has.
    """
    if not file.exists():
        return
    try:
        with closing(sqlite3.connect(file, timeout=0)) as connection:
            # This needs the file for itself, and in it all that is in the log.
            connection.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return
        raise UnavailableError(
            f"another process has {file} open: stop the servers, `homefeed schedule` and every other command first"
        ) from None
    except sqlite3.DatabaseError:
        return
