"""Files of delimited cells: Polars reads the blocks in which every record is valid, a lenient reader the others.

Every record is parsed on its own: a broken one is counted and affects no other.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from homefeed.errors import DataError
from homefeed.ingest.printing import printable
from homefeed.ingest.table import UTF_8, Parsed, Table, head, mark_length, parsed_blocks, text_frame, whole_lines
from homefeed.ingest.tallies import NO_TALLIES, Tally, line_example, merged

RAGGED: Final = "wrong number of cells"
BROKEN_QUOTES: Final = "broken quotes"
NOT_UTF_8: Final = "not valid UTF-8"
OTHER_ENCODING: Final = f'{NOT_UTF_8}: if the file is in another encoding, such as "cp1252", set `encoding`'

_LONGEST_RECORD: Final = 1 << 20
_NEWLINE, _RETURN, _QUOTE = b'\n\r"'
_DELIMITERS: Final = ";\t|,"
_UNIT_SEPARATOR: Final = "\x1f"
"""Stands for a delimiter of several characters, which Polars cannot read."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a file's cells are delimited: by `delimiter`, and whether one can stand in double quotes.

    `header` names the columns where no record does.
    """

    delimiter: str = ","
    quotes: bool = True
    encoding: str = UTF_8
    header: tuple[str, ...] = ()

    @property
    def separator(self) -> str:
        """What stands between cells once those of several characters are replaced."""
        return self.delimiter if len(self.delimiter.encode()) == 1 else _UNIT_SEPARATOR

    @property
    def is_replaced(self) -> bool:
        """Whether the delimiter has several bytes, so that it is replaced before a block is read."""
        return self.separator != self.delimiter

    @property
    def has_quotes(self) -> bool:
        """Whether a quote can open a cell."""
        return self.quotes and not self.is_replaced


COMMAS: Final = Dialect()


def open_delimited(path: Path, dialect: Dialect = COMMAS) -> Table:
    """A file of delimited cells; its first record names the columns, or the dialect does.

    Raises:
        DataError: it cannot be read, is empty, or its header cannot be used.
    """
    names, skip = _header(path, dialect)

    def parse(block: bytes, first_row: int, last: bool) -> Parsed:
        return parse_block(block, names, first_row, last, dialect)

    return Table(
        path=path,
        columns=tuple(name for name in names if name),
        total=path.stat().st_size,
        batches=lambda: parsed_blocks(path, skip, parse, dialect.encoding),
    )


def parse_block(block: bytes, names: list[str], first_row: int, last: bool, dialect: Dialect = COMMAS) -> Parsed:
    """Parse a block of records; columns without a name are left out."""
    region = whole_lines(block, last)
    if dialect.is_replaced:
        plain = region.replace(dialect.delimiter.encode(), _UNIT_SEPARATOR.encode())
        parsed = _parse_region(plain, names, first_row, last, dialect)
        # Without quotes no record goes on beyond its line.
        return replace(parsed, used=min(len(region), len(block)))
    parsed = _parse_region(region, names, first_row, last, dialect)
    return replace(parsed, used=min(parsed.used, len(block)))


def sound_records(region: bytes, width: int, dialect: Dialect = COMMAS) -> tuple[int, int]:
    """Length and number of the whole records of a region; 0 records where any of them is not valid."""
    if width < 2 or not region or not _is_utf_8(region):
        return 0, 0
    # Polars drops a byte order mark and a carriage return within a line, though they may be data.
    if mark_length(region) or region.count(b"\r") != region.count(b"\r\n"):
        return 0, 0
    octets = np.frombuffer(region, dtype=np.uint8)
    separator = ord(dialect.separator)
    ends = np.flatnonzero(octets == _NEWLINE)
    separators = np.flatnonzero(octets == separator)
    if dialect.has_quotes and b'"' in region:
        quotes = np.flatnonzero(octets == _QUOTE)
        if not _quotes_are_sound(octets, quotes, separator):
            return 0, 0
        ends = ends[np.searchsorted(quotes, ends) % 2 == 0]
        separators = separators[np.searchsorted(quotes, separators) % 2 == 0]
        if not len(ends):
            return 0, 0
    cells = np.diff(np.searchsorted(separators, ends), prepend=0) + 1
    return (int(ends[-1]) + 1, len(ends)) if (cells == width).all() else (0, 0)


def split_record(text: str, dialect: Dialect = COMMAS) -> tuple[list[str] | None, bool]:
    """The cells of a record, None where its quotes are broken; and whether its last cell is still open."""
    if not dialect.has_quotes or '"' not in text:
        return text.split(dialect.separator), False
    cell, open_cell = _patterns(dialect.separator)
    cells = []
    at = 0
    while True:
        found = cell.match(text, at)
        if found is None:
            return None, open_cell.match(text, at) is not None
        quoted, plain = found.groups()
        cells.append(plain if quoted is None else quoted.replace('""', '"'))
        at = found.end()
        if at == len(text):
            return cells, False
        at += 1


@dataclass(frozen=True, slots=True)
class _Record:
    """`lines` of the file that make a record: 0 where its end is not within the block."""

    cells: list[str] | None
    lines: int


@cache
def _patterns(separator: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Of a cell, and of one whose quotes are still open."""
    mark = re.escape(separator)
    cell = rf'"([^"]*+(?:""[^"]*+)*+)"(?={mark}|\Z)|([^"{mark}][^{mark}]*+|)(?={mark}|\Z)'
    return re.compile(cell), re.compile(r'"[^"]*+(?:""[^"]*+)*+\Z')


def _header(path: Path, dialect: Dialect) -> tuple[list[str], int]:
    """The names of the columns, and the length of what comes before the first row."""
    beginning = head(path, _LONGEST_RECORD, dialect.encoding)
    mark = mark_length(beginning)
    if dialect.is_replaced:
        beginning = beginning.replace(dialect.delimiter.encode(), _UNIT_SEPARATOR.encode())
    lines = _lines(beginning[mark:])
    # The rest may be white space that bytes.strip does not remove.
    start = next((i for i, line in enumerate(lines) if line.strip()), None)
    if start is None:
        raise DataError(f"{path}: the file is empty; expected a table")
    record = _next_record(lines, start, True, dialect)
    if dialect.header:
        if record.cells is not None and len(record.cells) != len(dialect.header):
            raise DataError(
                f"{path}: the recipe's header names {len(dialect.header)} columns, but the first row has "
                f"{len(record.cells)} cells; is the delimiter right?"
            )
        return list(dialect.header), mark
    end = start + record.lines
    text = "\n".join(lines[:end])
    if dialect.is_replaced:
        text = text.replace(_UNIT_SEPARATOR, dialect.delimiter)
    skip = mark + len(text.encode("utf-8", "surrogateescape")) + 1
    try:
        "".join(lines[start:end]).encode()
    except UnicodeEncodeError:
        raise DataError(
            f'{path}: the header is not valid UTF-8; if the file is in another encoding, such as "cp1252", '
            "set `encoding` in the recipe's source"
        ) from None
    if record.cells is None:
        raise DataError(f"{path}: the header has a quote that does not pair")
    names = [cell.strip() for cell in record.cells]
    _check_delimiter(path, names)
    for name in names:
        if name and names.count(name) > 1:
            raise DataError(f'{path}: column "{printable(name)}" is there twice')
    return names, skip


def _check_delimiter(path: Path, names: list[str]) -> None:
    """Refuse a header of one cell in which another delimiter stands."""
    found = next((each for each in _DELIMITERS if each in names[0]), None) if len(names) == 1 else None
    if found is not None:
        shown = "\\t" if found == "\t" else found
        raise DataError(
            f'{path}: the header is one cell, "{printable(names[0])}"; its columns look separated by "{shown}": '
            f'set delimiter = "{shown}" in the recipe\'s source'
        )


def _is_utf_8(region: bytes) -> bool:
    try:
        region.decode()
    except UnicodeDecodeError:
        return False
    return True


def _quotes_are_sound(octets: npt.NDArray[np.uint8], quotes: npt.NDArray[np.intp], separator: int) -> bool:
    openings, closings = quotes[0::2], quotes[1::2]
    before = octets[openings[openings > 0] - 1]
    after = octets[np.minimum(closings + 1, len(octets) - 1)]
    beyond = octets[np.minimum(closings + 2, len(octets) - 1)]
    ends_line = (after == _NEWLINE) | ((after == _RETURN) & (beyond == _NEWLINE))
    opened = (before == separator) | (before == _NEWLINE) | (before == _QUOTE)
    closed = (after == separator) | (after == _QUOTE) | ends_line
    return bool(opened.all() and closed.all())


def _by_polars(region: bytes, names: list[str], dialect: Dialect) -> pl.DataFrame | None:
    every = [name or f"\0{i}" for i, name in enumerate(names)]
    try:
        frame = pl.read_csv(
            region,
            has_header=False,
            new_columns=every,
            infer_schema=False,
            separator=dialect.separator,
            quote_char='"' if dialect.has_quotes else None,
        )
    except pl.exceptions.PolarsError:
        return None
    # Not `select`, which reads names such as "*" and "^t.*$" as patterns.
    return pl.DataFrame([frame[name] for name in names if name])


def _lines(region: bytes) -> list[str]:
    lines = region.decode("utf-8", "surrogateescape").split("\n")
    return lines if lines[-1] else lines[:-1]


def _parse_region(region: bytes, names: list[str], first_row: int, last: bool, dialect: Dialect) -> Parsed:
    length, count = sound_records(region, len(names), dialect)
    if count:
        frame = _by_polars(region[:length], names, dialect)
        if frame is not None and frame.height == count:
            return Parsed(frame, np.arange(first_row, first_row + count), NO_TALLIES, count, length)
    return _leniently(region, names, first_row, last, dialect)


def _leniently(region: bytes, names: list[str], first_row: int, last: bool, dialect: Dialect) -> Parsed:
    lines = _lines(region)
    check_text = not _is_utf_8(region)
    good: list[list[str]] = []
    rows: list[int] = []
    bad: dict[str, Tally] = {}
    at, row = 0, first_row
    while at < len(lines):
        line = lines[at]
        if line in ("", "\r"):
            at += 1
            continue
        record = _next_record(lines, at, last, dialect)
        if not record.lines:
            break
        reason = _fault(record, lines[at : at + record.lines] if check_text else [], len(names))
        if reason == NOT_UTF_8 and dialect.encoding == UTF_8:
            reason = OTHER_ENCODING
        if reason is None and record.cells is not None:
            good.append(record.cells)
            rows.append(row)
        elif reason is not None:
            bad = merged(bad, {reason: Tally(1, (line_example(row, line),))})
        at += record.lines
        row += 1
    rest = "".join(f"{line}\n" for line in lines[at:]).encode("utf-8", "surrogateescape")
    columns = list(zip(*good, strict=True)) or [()] * len(names)
    cells: dict[str, list[str | None]] = {
        name: list(column) for name, column in zip(names, columns, strict=True) if name
    }
    used = len(region) - len(rest)
    return Parsed(text_frame(cells), np.array(rows, dtype=np.int64), bad, row - first_row, used)


def _fault(record: _Record, lines: list[str], width: int) -> str | None:
    try:
        "".join(lines).encode()
    except UnicodeEncodeError:
        return NOT_UTF_8
    if record.cells is None:
        return BROKEN_QUOTES
    return None if len(record.cells) == width else RAGGED


def _next_record(lines: list[str], start: int, last: bool, dialect: Dialect) -> _Record:
    """The record that begins at a line: its lines up to the one that closes its last quote.

    If that line is too far away, or text follows a closing quote, only the first line is bad, so the rows
    after it are kept.
    """
    cells, is_open = split_record(lines[start].removesuffix("\r"), dialect)
    if not is_open:
        return _Record(cells, 1)
    size = len(lines[start])
    for end in range(start + 1, len(lines)):
        size += len(lines[end])
        if size > _LONGEST_RECORD:
            return _Record(None, 1)
        if lines[end].count('"') % 2 == 0:
            continue
        cells, is_open = split_record("\n".join(lines[start : end + 1]).removesuffix("\r"), dialect)
        if not is_open:
            return _Record(cells, end - start + 1 if cells else 1)
    return _Record(None, 1 if last else 0)
