"""A log of pages and events of every kind, at random, and the same in Spark."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from tests.dataset.shown_log import Page, Told, impression, write_log

from homefeed.dataset.impression_frames import impression_frames
from homefeed.recipe import Recipe
from homefeed.store import Store
from homefeed.store.event_stream import stream_events
from homefeed.store.impressions import IMPORTED, write_impressions
from homefeed.store.items import item_ids
from homefeed.store.users import list_users
from homefeed.times import LATEST
from homefeed.train.spark.attribution import EVENTS, SHOWN

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

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


async def shown_in(spark: SparkSession, store: Store, app: str) -> DataFrame:
    """What was shown, by way of the frames of the export; users and items are their permanent numbers."""
    frame = pl.concat([frame async for frame in impression_frames(store, app)])
    users = {user.user_id: user.number for user in await list_users(store, app, 0, 100)}
    items = {name: number for number, name in (await item_ids(store, app, range(1, 100))).items()}
    frame = frame.with_columns(
        time=pl.col("timestamp").dt.epoch("us"),
        owner=pl.col("user_id").replace_strict(users, return_dtype=pl.Int32).fill_null(-1),
        item=pl.col("item_id").replace_strict(items, return_dtype=pl.Int32),
    )
    return spark.createDataFrame(frame.select(SHOWN.names).to_arrow().cast(SHOWN))


async def events_in(spark: SparkSession, store: Store, recipe: Recipe) -> DataFrame:
    """The log."""
    codes = {name: code for code, name in enumerate(recipe.event_types)}
    frames = [
        pl.DataFrame(
            {
                "event": rows.seqs,
                "at": rows.times,
                "user": rows.users,
                "item": rows.items,
                "type": [codes[name] for name in rows.types],
                "named": rows.request_ids,
            },
            schema_overrides={"named": pl.String},
        )
        async for rows in stream_events(store, recipe.app, 0, LATEST)
    ]
    return spark.createDataFrame(pl.concat(frames).to_arrow().cast(EVENTS))
