"""Locations of a file: from cells to latitude and longitude, and what is wrong with those that are none."""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import numpy as np
import orjson
import polars as pl

from homefeed.errors import InvalidError
from homefeed.geo import Place, read_coordinates
from homefeed.types import Mask

HALF: Final = "only half of a location"
OUTSIDE: Final = "a location off the Earth: latitude is -90 to 90, longitude -180 to 180"
UNREADABLE: Final = 'not a location such as "48.85,2.35"'

_Location: TypeAlias = dict[str, float]


def read_locations(cells: pl.Series, label: str) -> tuple[list[_Location | None], list[tuple[str, Mask]]]:
    """The location of each cell (n,), `48.85,2.35` or as JSON, and the faults (n,) of cells that hold none.

    An empty cell has neither.
    """
    read = [None if cell is None or not cell.strip() else _read(cell) for cell in cells.to_list()]
    found = [None if isinstance(each, str) else each for each in read]
    faults = [
        (f"{label}: {fault}", np.array([each == fault for each in read], np.bool_))
        for fault in (HALF, OUTSIDE, UNREADABLE)
    ]
    return found, faults


def _read(cell: str) -> _Location | str:
    parts = _parts(cell.strip())
    if parts is None or len(parts) != 2:
        return UNREADABLE
    empty = [part is None or (isinstance(part, str) and not part.strip()) for part in parts]
    if any(empty):
        return UNREADABLE if all(empty) else HALF
    try:
        latitude, longitude = read_coordinates(parts)
    except InvalidError:
        return UNREADABLE
    try:
        return Place(latitude, longitude).to_json()
    except InvalidError:
        return OUTSIDE


def _parts(cell: str) -> list[Any] | None:
    if cell[0] not in "[{":
        return cell.split(",")
    try:
        value = orjson.loads(cell)
    except orjson.JSONDecodeError:
        return None
    if isinstance(value, dict):
        return [value.get("latitude"), value.get("longitude")]
    return value if isinstance(value, list) else None
