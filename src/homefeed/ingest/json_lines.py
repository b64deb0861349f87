"""JSON Lines: an object per line. Values that are not text become text, as they would be in a CSV file."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson

from homefeed.ingest.delimited import NOT_UTF_8
from homefeed.ingest.table import (
    BLOCK,
    Parsed,
    Table,
    head,
    mark_length,
    parsed_blocks,
    text_frame,
    whole_lines,
)
from homefeed.ingest.tallies import Tally, line_example, merged
from homefeed.numerals import has_many_digits, load_json, number_text

NOT_JSON: Final = "not valid JSON"
NOT_AN_OBJECT: Final = "not a JSON object"


def open_json_lines(path: Path) -> Table:
    """A file with a JSON object on each line; its columns are the keys found in its first block.

    Raises:
        DataError: it cannot be read or is empty.
    """
    beginning = head(path, BLOCK)
    skip = mark_length(beginning)
    sample = parse_block(beginning[skip:], 1, last=len(beginning) < BLOCK)
    return Table(
        path=path,
        columns=tuple(sample.frame.columns) if sample.frame.height else None,
        total=path.stat().st_size,
        batches=lambda: parsed_blocks(path, skip, parse_block),
    )


def parse_block(block: bytes, first_row: int, last: bool) -> Parsed:
    """Take a block of lines apart; blank lines are no rows."""
    region = whole_lines(block, last)
    load = load_json if has_many_digits(region) else orjson.loads
    good: list[dict[str, Any]] = []
    rows: list[int] = []
    bad: dict[str, Tally] = {}
    row = first_row
    for line in region.split(b"\n"):
        if not line or line.isspace():
            continue
        try:
            parsed = load(line)
        except orjson.JSONDecodeError:
            bad = _with_bad(bad, row, line, _fault(line))
        else:
            if isinstance(parsed, dict):
                good.append(parsed)
                rows.append(row)
            else:
                bad = _with_bad(bad, row, line, NOT_AN_OBJECT)
        row += 1
    names = dict.fromkeys(name for parsed in good for name in parsed)
    columns: dict[str, list[str | None]] = {}
    for name in names:
        cells = [_text(parsed.get(name)) for parsed in good]
        known = columns.get(name.strip())
        columns[name.strip()] = cells if known is None else _filled(known, cells)
    named = {name: cells for name, cells in columns.items() if name}
    # Objects without any key are rows too, but a frame without columns has no rows.
    frame = text_frame(named or {"": [None] * len(good)})
    return Parsed(frame, np.array(rows, dtype=np.int64), bad, row - first_row, min(len(region), len(block)))


def _filled(known: list[str | None], more: list[str | None]) -> list[str | None]:
    return [old if new is None else new for old, new in zip(known, more, strict=True)]


def _with_bad(bad: dict[str, Tally], row: int, line: bytes, reason: str) -> dict[str, Tally]:
    example = line_example(row, line.decode("utf-8", "surrogateescape"))
    return merged(bad, {reason: Tally(1, (example,))})


def _fault(line: bytes) -> str:
    try:
        line.decode()
    except UnicodeDecodeError:
        return NOT_UTF_8
    return NOT_JSON


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return repr(value)
    if isinstance(value, float):
        return number_text(value)
    return orjson.dumps(value).decode()
