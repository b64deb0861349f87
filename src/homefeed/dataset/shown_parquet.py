"""The data set of impressions as a Parquet file: a row for each item shown, with the ids of users and items."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

import numpy as np
import orjson
import polars as pl

from homefeed.dataset.impressions import ShownItems
from homefeed.store import Store
from homefeed.store.items import item_ids
from homefeed.store.private import make_private
from homefeed.store.users import user_ids
from homefeed.types import Numbers

_GROUP: Final = 100_000
"""Rows of a row group: as many of a file are in memory while it is put together."""


async def frame_of(store: Store, app: str, shown: ShownItems, known_items: dict[int, str]) -> pl.DataFrame:
    """The rows of the file. `known_items` has ids by number, and is given those that it lacks."""
    missing = set(np.unique(shown.items).tolist()) - known_items.keys()
    known_items |= await item_ids(store, app, missing)
    users = await user_ids(store, app, set(np.unique(shown.users).tolist()))
    by_page = pl.DataFrame(
        {
            "request_id": shown.request_ids,
            "feed": shown.feeds,
            "served_by": shown.served_by,
            "variant": shown.variants,
            "time": pl.Series(shown.times).cast(pl.Datetime("us", "UTC")),
            "user_id": _named(shown.users, users),
            "reused": shown.reused,
            "models": [orjson.dumps(dict(models)).decode() for models in shown.models],
        }
    )
    by_item: dict[str, object] = {
        "place": shown.places,
        "item_id": _named(shown.items, known_items),
        "score": shown.scores,
        "propensity": shown.propensities,
        "examined": shown.examined,
    }
    for column, name in enumerate(shown.event_types):
        by_item[f"count_{name}"] = shown.counts[:, column]
        by_item[f"seconds_{name}"] = pl.Series(shown.seconds[:, column]).fill_nan(None)
    for column, name in enumerate(shown.feature_names):
        by_item[f"feature_{name}"] = pl.Series(shown.features[:, column]).fill_nan(None)
    return pl.concat([by_page[shown.pages], pl.DataFrame(by_item)], how="horizontal")


@contextmanager
def new_parquet(path: Path) -> Iterator[Callable[[pl.DataFrame], None]]:
    """Write a file for its owner alone: give the function it yields the rows, some at a time.

    The file takes the place of one that is there when it is whole, and not before.
    """
    folder = Path(mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    parts: list[Path] = []

    def add(rows: pl.DataFrame) -> None:
        parts.append(folder / str(len(parts)))
        rows.write_parquet(parts[-1], compression="lz4", statistics=False)

    try:
        yield add
        whole = folder / "whole"
        pl.scan_parquet(parts, glob=False).sink_parquet(whole, row_group_size=_GROUP)
        make_private(whole)
        whole.replace(path)
    finally:
        shutil.rmtree(folder)


def _named(numbers: Numbers, ids: Mapping[int, str]) -> pl.Series:
    """The id of each number, null without one."""
    distinct, places = np.unique(numbers, return_inverse=True)
    names = pl.Series([ids.get(number) for number in distinct.tolist()], dtype=pl.String)
    return names.gather(places)
