"""How a text file is written, guessed from its first bytes: encoding, delimiter, whether it has a header."""

from __future__ import annotations

import codecs
import csv
import re
from collections import Counter
from dataclasses import dataclass
from typing import Final

from homefeed.times import read_time

_DELIMITERS: Final = ("\t", ";", ",", "|", "::")
_BOMS: Final = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_LINES: Final = 200
_VALUE: Final = re.compile(r"-?\d+([.,]\d+)?")


@dataclass(frozen=True, slots=True)
class Written:
    """The encoding and delimiter of a text file.

    `columns` is how many its first row has; `has_header` whether that row names them.
    """

    encoding: str
    delimiter: str
    columns: int
    has_header: bool


def guess_encoding(beginning: bytes) -> str:
    """UTF-8 or UTF-16 where the bytes are, else cp1252, or latin-1 where that has holes."""
    for mark, encoding in _BOMS:
        if beginning.startswith(mark):
            return encoding
    # The last character may be cut off.
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        decoder.decode(beginning)
    except UnicodeDecodeError:
        try:
            beginning.decode("cp1252")
        except UnicodeDecodeError:
            return "latin-1"
        return "cp1252"
    return "utf-8"


def guess_written(beginning: bytes) -> Written:
    """How a file is written that begins so: the delimiter by which most rows have equally many cells."""
    encoding = guess_encoding(beginning)
    text = beginning.decode(encoding, "replace").removeprefix("\ufeff")
    lines = [line for line in text.splitlines() if line.strip()][: _LINES + 1]
    whole = lines[:-1] if len(lines) > 1 and not text.endswith(("\n", "\r")) else lines
    columns, delimiter = max(
        ((_agreed(whole, each), each) for each in _DELIMITERS), key=lambda found: found[0][0] * (found[0][1] - 1)
    )
    if columns[1] < 2:
        return Written(encoding, ",", 1, True)
    first = cells_of(whole[0], delimiter)
    return Written(encoding, delimiter, len(first), _names_columns(first))


def cells_of(line: str, delimiter: str) -> list[str]:
    """The cells of a line."""
    if len(delimiter) > 1:
        return line.split(delimiter)
    return next(csv.reader([line], delimiter=delimiter), [])


def _agreed(lines: list[str], delimiter: str) -> tuple[float, int]:
    """The share of the lines that have the usual number of cells, and that number."""
    widths = Counter(len(cells_of(line, delimiter)) for line in lines)
    width, count = max(widths.items(), key=lambda entry: (entry[1], entry[0]), default=(1, 0))
    return count / max(len(lines), 1), width


def _names_columns(cells: list[str]) -> bool:
    """Whether cells are names: all there but for one, none a number or a time. The reader refuses repeats."""
    names = [cell.strip() for cell in cells]
    if sum(not name for name in names) > 1:
        return False
    return not any(_VALUE.fullmatch(name) or (name and read_time(name) is not None) for name in names)
