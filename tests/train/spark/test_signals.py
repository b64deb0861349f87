"""Strengths and signals: what Spark makes of an exported log is what one process makes of it."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.train.spark.logs import read_by_both

from homefeed.apps import find_recipe
from homefeed.catalog import SignalsModel
from homefeed.catalog.pairs import Pairs
from homefeed.engine import fit_signals
from homefeed.engine.apart import partitions_of
from homefeed.recipe import Recipe
from homefeed.store import Store
from homefeed.store.events import append_events
from homefeed.store.items import ItemWrite, delete_item, put_items
from homefeed.train.spark import apart
from homefeed.train.spark.reading import OF_CREATOR
from homefeed.train.spark.signals import fit_signals_on_spark
from homefeed.types import DAY, SECOND, Event, Interactions

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from homefeed.train.spark.data import SparkData

NOW = 1_700_000_000 * SECOND

pytestmark = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)


async def put_town(store: Store) -> Recipe:
    """Items of two communities and of none, with creators who look at their own, and reports."""
    recipe, rng = find_recipe("community"), np.random.default_rng(1)
    recipe = replace(recipe, signals=recipe.signals.model_copy(update={"count": "users"}))
    items = [
        ItemWrite(f"i{n}", {"title": f"T{n}", "community_id": "ab"[n % 2], "creator_id": f"u{n % 5}"})
        for n in range(12)
    ]
    await put_items(store, recipe.app, items)
    types = rng.choice([name for name, spec in recipe.events.items() if spec.about == "item"], 300)
    events = [
        Event(
            f"u{rng.integers(9)}",
            f"i{min(int(rng.exponential(4)), 11)}",
            str(kind),
            NOW - int(rng.integers(-1, 20 * DAY)),
            None if rng.random() < 0.3 else float(rng.random() * 90),
            event_id=f"e{n}",
        )
        for n, kind in enumerate(types)
    ]
    await append_events(store, recipe.app, events, NOW)
    await delete_item(store, recipe.app, "i3")
    return recipe


async def put_films(store: Store) -> Recipe:
    """Films played for some time, with searches and a type that nobody declared; all events count."""
    recipe, rng = find_recipe("streaming"), np.random.default_rng(2)
    recipe = replace(recipe, signals=recipe.signals.model_copy(update={"count": "events"}))
    await put_items(store, recipe.app, [ItemWrite(f"i{n}", {"title": f"T{n}"}) for n in range(9)])
    events = [
        Event(
            f"u{rng.integers(6)}",
            f"i{rng.integers(8)}",
            ("play", "dislike", "forgotten")[min(n % 7, 2)],
            NOW - int(rng.integers(20)) * DAY,
            float(rng.choice([60, 1800, 3600, 5000])) if n % 7 == 0 else None,
            event_id=f"e{n}",
        )
        for n in range(200)
    ]
    await append_events(store, recipe.app, events, NOW)
    return recipe


def assert_equal(ours: SignalsModel, local: SignalsModel, rounded: set[str]) -> None:
    for each in fields(SignalsModel):
        mine, theirs = getattr(ours, each.name), getattr(local, each.name)
        if isinstance(theirs, Pairs):
            for part in fields(Pairs):
                np.testing.assert_array_equal(getattr(mine, part.name), getattr(theirs, part.name))
        elif each.name in rounded:
            np.testing.assert_allclose(mine, theirs, rtol=1e-9, err_msg=each.name)
        elif each.name == "distinct":
            assert {name: found.tolist() for name, found in mine.items()} == {
                n: f.tolist() for n, f in theirs.items()
            }
        else:
            np.testing.assert_array_equal(mine, theirs, err_msg=each.name)


def collected(data: SparkData) -> Interactions:
    table = data.events.orderBy("time", "seq").toArrow()
    return Interactions(
        *(table[name].to_numpy() for name in ("user", "item", "type", "value", "strength", "time"))
    )


async def test_where_a_user_counts_once_all_is_as_of_one_process(
    spark: SparkSession, store: Store, tmp_path: Path
) -> None:
    recipe = await put_town(store)
    async with read_by_both(spark, store, recipe, tmp_path / "out", NOW) as both:
        assert both.read.left_out.keys() == {OF_CREATOR, "unknown item"}
        assert both.read.rows == 300 == both.read.count + sum(both.read.left_out.values())
        ours, theirs = collected(both.spark.data), both.local.data.interactions
        for each in fields(Interactions):
            np.testing.assert_array_equal(getattr(ours, each.name), getattr(theirs, each.name), err_msg=each.name)
        assert both.spark.data.about.user_numbers.tolist() == both.local.data.user_numbers.tolist()
        assert both.spark.group_full == both.local.group_full
        made = fit_signals_on_spark(recipe, both.spark, both.log.watermark)
        assert_equal(made, fit_signals(recipe, both.local, both.log.watermark), {"engagement"})
        assert len(made.pairs) > 50
        assert len(made.distinct["report"]) > 5
        locally = dict(partitions_of(both.local.data))
        assert locally.keys() == {"a", "b"}
        for name, part in apart.partitions_of(both.spark.data):
            own = locally[name]
            assert part.about.numbers.tolist() == own.numbers.tolist()
            assert part.about.user_numbers.tolist() == own.user_numbers.tolist()
            assert collected(part).items.tolist() == own.interactions.items.tolist()
            assert collected(part).users.tolist() == own.interactions.users.tolist()


async def test_where_all_events_count_sums_are_but_for_rounding(
    spark: SparkSession, store: Store, tmp_path: Path
) -> None:
    recipe = await put_films(store)
    async with read_by_both(spark, store, recipe, tmp_path / "out", NOW) as both:
        assert both.read.left_out == {"unknown event type": sum(n % 7 >= 2 for n in range(200))}
        np.testing.assert_array_equal(both.spark.full, both.local.full)
        rounded = {"strength", "trend", "recent", "engagement"}
        made = fit_signals_on_spark(recipe, both.spark, both.log.watermark)
        assert_equal(made, fit_signals(recipe, both.local, both.log.watermark), rounded)
        assert made.events.sum() == 29
