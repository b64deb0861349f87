"""Events of a made-up app of any size, as Parquet files with the columns of `SparkData.events`."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.cf.synthetic import generate
from homefeed.train.spark.data import EVENTS
from homefeed.types import DAY, SECOND, Interactions

NOW = 1_768_478_400 * SECOND
_NO_CODES, _NO_FLOATS = np.empty(0, np.int32), np.empty(0, np.float32)
NO_EVENTS = Interactions(_NO_CODES, _NO_CODES, _NO_CODES, _NO_FLOATS, _NO_FLOATS, np.empty(0, np.int64))
_A_DAY = 4
_MINUTE = 60 * SECOND
_FILE = 2_000_000


def write_events(folder: Path, count: int, seed: int) -> dict[str, int]:
    """Write them to a folder, instead of what is there; returns how many events, users and items there are.

    Each is of another user and item, see `cf.synthetic`: a user has four a day, a minute apart, so that there are
    baskets; the strength is 0.25, 0.5 or 1.
    """
    matrix = generate(count, seed)
    users, items = (np.asarray(column) for column in matrix.nonzero())
    rng = np.random.default_rng(seed)
    order = np.lexsort((rng.random(count, np.float32), users))
    place = np.arange(count) - np.searchsorted(users, users)
    times = NOW - DAY * 400 + place // _A_DAY * DAY % (DAY * 365) + place % _A_DAY * _MINUTE
    in_time = np.argsort(times, kind="stable")
    columns: dict[str, np.ndarray[Any, Any]] = {
        "user": users[in_time],
        "item": items[order][in_time],
        "type": np.zeros(count),
        "value": np.full(count, np.nan),
        "strength": rng.choice(np.array([0.25, 0.5, 1], np.float32), count),
        "time": times[in_time],
        "seq": np.arange(count),
    }
    arrays = [pa.array(columns[field.name].astype(field.type.to_pandas_dtype())) for field in EVENTS]
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    table = pa.Table.from_arrays(arrays, schema=EVENTS)
    for first in range(0, count, _FILE):
        pq.write_table(table.slice(first, _FILE), folder / f"part-{first // _FILE:05}.parquet")
    return {"events": count, "users": matrix.shape[0], "items": matrix.shape[1]}


def read_events(folder: Path) -> Interactions:
    """All of them, for the trainer of one machine."""
    table = pq.read_table(folder, columns=["user", "item", "type", "value", "strength", "time"])
    return Interactions(*(table[name].to_numpy() for name in table.column_names))
