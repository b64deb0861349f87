"""A log of pages and events of every kind, at random, and the same in Spark."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tests.dataset.shown_log import Page, Told, impression, write_log

from homefeed.dataset.export_folder import Export, export_app
from homefeed.dataset.log import read_catalog
from homefeed.recipe import Recipe
from homefeed.store import Store
from homefeed.store.impressions import IMPORTED, write_impressions
from homefeed.store.users import list_users
from homefeed.train.spark.inputs import open_input
from homefeed.train.spark.reading import read_ids
from homefeed.train.spark.shown import Shown, shown_of

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

USERS = "uvwxy"
ITEMS = "abcdefgh"


async def write_sample(store: Store, app: str, seed: int = 0, requests: int = 60) -> None:
    """Requests of some pages, some asked again, some shown again, of several feeds, ways and models."""
    rng = np.random.default_rng(seed)
    pages, events = [], []
    for request in range(requests):
        minute, user = float(rng.integers(0, 600)), str(rng.choice(list(USERS)))
        name = f"r{request if rng.random() < 0.9 else request // 2}"
        feed = str(rng.choice(["home", "best"], p=[0.8, 0.2]))
        start = 0
        for _ in range(rng.integers(1, 4)):
            shown = "".join(rng.choice(list(ITEMS), 4, replace=False))
            nobody, reused = rng.random() < 0.1, rng.random() < 0.15
            pages.append(Page(minute, shown, None if nobody else user, name, feed, start, bool(reused)))
            start = 0 if rng.random() < 0.2 else start + 4
            minute += float(rng.choice([0, 1, 30]))
        for _ in range(rng.integers(0, 4)):
            told = name if rng.random() < 0.5 else str(rng.choice(["unknown", ""]))
            at = minute + float(rng.choice([-40, -1, 0, 1, 20, 2_000]))
            item, kind = str(rng.choice(list(ITEMS))), str(rng.choice(["click", "buy"]))
            events.append(Told(at, item, user, told or None, kind))
    everyone = [Page(-10_000, ITEMS, user, f"first-{user}", "other") for user in USERS]
    await write_log(store, app, everyone, events)
    users = {user.user_id: user.number for user in await list_users(store, app, 0, 100)}
    items = {item: number for number, item in enumerate(ITEMS, 1)}
    await write_impressions(store, app, [impression(page, users, items, **_served(page, rng)) for page in pages])


def _served(page: Page, rng: np.random.Generator) -> dict[str, object]:
    """By what a page was made: mostly as is learned from."""
    n, kind = len(page.items), rng.integers(12)
    features = rng.normal(size=(n, 2)).astype(np.float32)
    features[0, 0] = rng.choice([0.5, np.nan, np.inf])
    two = {"feature_names": ("y", "x"), "features": features}
    other: dict[int, dict[str, object]] = {
        0: {"served_by": ""},
        1: {"served_by": "best/weighted"},
        2: {"served_by": IMPORTED, "feature_names": (), "features": features[:, :0]},
        3: {"models": {"blend": "v1"}},
        4: {"feature_names": ("y",), "features": features[:, :1]},
        5: {"feature_names": ("z", "x", "y"), "features": np.column_stack([features[:, 0], features])},
        6: {"served_by": "home/weighted"},
    }
    return two | other.get(int(kind), {})


@asynccontextmanager
async def exported_and_read(
    spark: SparkSession, store: Store, recipe: Recipe, folder: Path
) -> AsyncIterator[Shown]:
    """What was shown and what followed, by way of an export."""
    export = Export(("events", "impressions"), "parquet", by_day=True)
    await export_app(store, recipe, folder, export, now=0, progress=lambda *_: None)
    source = open_input(spark, str(folder), recipe, 0)
    assert source.impressions is not None
    ids = await read_ids(store, recipe, await read_catalog(store, recipe))
    with shown_of(source, source.impressions, ids, recipe) as shown:
        yield shown
