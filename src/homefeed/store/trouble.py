"""The trouble a database can be in, told apart from mistakes, and whether the store is in it now."""

from __future__ import annotations

import math
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from homefeed.errors import UnavailableError

_log = structlog.get_logger(__name__)

_FULL: Final = "the disk of the store is full"
_LOCKED: Final = "the store is locked by another process"
_DAMAGED: Final = "the store is damaged"
_UNUSABLE: Final = "the store cannot be used"
_SILENT: Final = "the store does not answer"
_BUSY: Final = "the store has more to do than it can"

_OF_SQLITE: Final = {
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_BUSY: _LOCKED,
    sqlite3.SQLITE_LOCKED: _LOCKED,
    sqlite3.SQLITE_PROTOCOL: _LOCKED,
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_NOTADB: _DAMAGED,
    sqlite3.SQLITE_IOERR: _UNUSABLE,
    sqlite3.SQLITE_CANTOPEN: _UNUSABLE,
    sqlite3.SQLITE_READONLY: _UNUSABLE,
    sqlite3.SQLITE_PERM: _UNUSABLE,
    sqlite3.SQLITE_NOMEM: _UNUSABLE,
}
_OF_POSTGRESQL: Final = {
    "53100": _FULL,
    "55P03": _LOCKED,
    "40001": _LOCKED,
    "40P01": _LOCKED,
    "XX001": _DAMAGED,
    "XX002": _DAMAGED,
    "25006": _UNUSABLE,
    "3D000": _UNUSABLE,
}
_CLASSES_OF_POSTGRESQL: Final = {
    "08": _SILENT,
    "53": _UNUSABLE,
    "55": _UNUSABLE,
    "57": _SILENT,
    "58": _UNUSABLE,
    "28": _UNUSABLE,
}


class StoreHealth:
    """Whether the store takes writes, as far as is known: by the last of them, and by probes.

    A change is one line in the log, however many requests fail by it.
    """

    def __init__(self) -> None:
        self._trouble: str | None = None
        self._written_at = -math.inf

    @property
    def ok(self) -> bool:
        """Whether nothing went wrong since the last write."""
        return self._trouble is None

    def written_within(self, seconds: float) -> bool:
        """Whether a write that short ago says that the store is well."""
        return self.ok and time.monotonic() - self._written_at < seconds

    def written(self) -> None:
        """Note a write that is durable."""
        self._written_at = time.monotonic()
        if self._trouble is not None:
            _log.info("the store takes writes again", after=self._trouble)
        self._trouble = None

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Raise trouble as UnavailableError, and note it; any other error as it is."""
        try:
            yield
        except Exception as error:
            trouble = trouble_of(error)
            if trouble is None:
                raise
            if self._trouble is None:
                _log.error("the store is in trouble", trouble=trouble, cause=_cause(error))
            self._trouble = trouble
            raise UnavailableError(f"{trouble}; try again in a second") from error


def trouble_of(error: BaseException) -> str | None:
    """What is wrong with the store, where that is why a statement failed; None where the statement is."""
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return _SILENT
    original: Any = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(original, sqlite3.Error):
        return _OF_SQLITE.get(getattr(original, "sqlite_errorcode", 0) & 0xFF)
    if isinstance(original, PoolTimeoutError):
        return _BUSY
    state = getattr(original, "sqlstate", None)
    if isinstance(state, str):
        return _OF_POSTGRESQL.get(state) or _CLASSES_OF_POSTGRESQL.get(state[:2])
    return _SILENT if isinstance(original, OSError) else None


def _cause(error: BaseException) -> str:
    """The database's own words, without the statement and its parameters."""
    if isinstance(error, PoolTimeoutError):
        return "no connection was free in time"
    original = getattr(error, "orig", None) or error
    return str(original) or repr(original)
