"""A file as a table of text: read in batches of bounded size, every row counted."""

from __future__ import annotations

import codecs
import gzip
import zipfile
import zlib
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from homefeed.errors import DataError
from homefeed.ingest.archives import open_member
from homefeed.ingest.tallies import Tallies, total

BLOCK: Final = 12 << 20
"""Bytes read from a file at once: about two hundred thousand events."""

UTF_8: Final = "utf-8"

_LONGEST_LINE: Final = 64 << 20
_GZIP: Final = b"\x1f\x8b"
_ZIP: Final = b"PK"
_BOM: Final = b"\xef\xbb\xbf"
_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")

RowNumbers: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows of a file. Every cell of `frame` is text; `rows` number them within the file, from 1.

    `bad` has the rows between them that could not be parsed; `done` is the position in the file.
    """

    frame: pl.DataFrame
    rows: RowNumbers
    bad: Tallies
    done: int

    @property
    def count(self) -> int:
        """The number of rows of the file in this batch, good and bad."""
        return len(self.rows) + total(self.bad)


@dataclass(frozen=True, slots=True)
class Table:
    """A file that can be read. `columns` is None where no row determined them; `total` is the last `done`."""

    path: Path
    columns: tuple[str, ...] | None
    total: int
    batches: Callable[[], Generator[Batch]]


@dataclass(frozen=True, slots=True)
class Parsed:
    """The outcome of a block: `count` rows, good and bad, in its first `used` bytes."""

    frame: pl.DataFrame
    rows: RowNumbers
    bad: Tallies
    count: int
    used: int


Parse: TypeAlias = Callable[[bytes, int, bool], Parsed]
"""Called with a block, the number of its first row, and whether it is the last of the file."""


def parsed_blocks(path: Path, skip: int, parse: Parse, encoding: str = UTF_8) -> Generator[Batch]:
    """Read a file block by block, after its first `skip` bytes; what `parse` leaves over begins the next block.

    It is parsed as UTF-8, whatever its `encoding`.

    Raises:
        DataError: the file cannot be read to its end.
    """
    with open_bytes(path, encoding) as (read, position):
        rest = b""
        row = 1
        while True:
            chunk = read(BLOCK)
            data = rest + chunk[skip:]
            skip = max(0, skip - len(chunk))
            if not data and chunk:
                continue
            if not data:
                return
            parsed = parse(data, row, not chunk)
            rest = data[parsed.used :]
            row += parsed.count
            if len(rest) > _LONGEST_LINE:
                raise DataError(f"{path}: row {row} is longer than 64 MiB; is this a text file?")
            if parsed.count:
                yield Batch(parsed.frame, parsed.rows, parsed.bad, position())
            if not chunk:
                return


def head(path: Path, size: int, encoding: str = UTF_8) -> bytes:
    """The start of a file in UTF-8, with its byte order mark.

    Raises:
        DataError: it is empty, or not in UTF-8.
    """
    with open_bytes(path, encoding) as (read, _):
        found = read(size)
    if not found.removeprefix(_BOM).strip():
        raise DataError(f"{path}: the file is empty; expected a table")
    if found.startswith(_UTF_16):
        raise DataError(
            f'{path}: the file is in UTF-16; save it as UTF-8, or set encoding = "utf-16" for its source'
        )
    return found


def mark_length(beginning: bytes) -> int:
    """The length of the byte order mark in bytes."""
    return len(_BOM) if beginning.startswith(_BOM) else 0


def whole_lines(block: bytes, last: bool) -> bytes:
    """The block without its last, incomplete line, each line ended by a newline."""
    if not last:
        return block[: block.rfind(b"\n") + 1]
    return block if block.endswith(b"\n") else block + b"\n"


def text_frame(columns: dict[str, list[str | None]]) -> pl.DataFrame:
    """A frame of text columns."""
    return pl.DataFrame({name: pl.Series(cells, dtype=pl.String) for name, cells in columns.items()})


@contextmanager
def open_bytes(path: Path, encoding: str = UTF_8) -> Iterator[tuple[Callable[[int], bytes], Callable[[], int]]]:
    """Open a file, unpacked if it is gzipped or alone in a zip file.

    It gives a function to read it in UTF-8, and one that returns its position.

    Raises:
        DataError: it does not exist or cannot be read.
    """
    try:
        raw = path.open("rb")
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from None
    with raw:
        beginning = raw.read(2)
        raw.seek(0)
        if beginning == _GZIP:
            with gzip.GzipFile(fileobj=raw) as stream:
                yield _in_utf_8(path, _careful(path, stream), encoding), raw.tell
        elif beginning == _ZIP and zipfile.is_zipfile(raw):
            raw.seek(0)
            with open_member(path, raw) as member:
                yield _in_utf_8(path, _careful(path, member), encoding), raw.tell
        else:
            raw.seek(0)
            yield _in_utf_8(path, raw.read, encoding), raw.tell


def _careful(path: Path, stream: IO[bytes] | gzip.GzipFile) -> Callable[[int], bytes]:
    def read(size: int) -> bytes:
        try:
            return stream.read(size)
        except (EOFError, gzip.BadGzipFile, zipfile.BadZipFile, zlib.error) as error:
            kind = "gzip" if isinstance(stream, gzip.GzipFile) else "zip"
            raise DataError(f"{path}: the {kind} file is damaged: {error}") from None

    return read


def _in_utf_8(path: Path, read: Callable[[int], bytes], encoding: str) -> Callable[[int], bytes]:
    """What is read, in UTF-8; bytes that mean nothing in the encoding stay, to be found in their rows."""
    if codecs.lookup(encoding).name == UTF_8:
        return read
    decoder = codecs.getincrementaldecoder(encoding)(errors="surrogateescape")

    def recoded(size: int) -> bytes:
        text, chunk = "", b" "
        while chunk and not text:
            chunk = read(size)
            try:
                text = decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                raise DataError(f"{path}: cannot be read in the encoding {encoding}: {error.reason}") from None
        return text.encode(UTF_8, "surrogateescape")

    return recoded
