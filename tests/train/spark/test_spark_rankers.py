"""The learned ranker in a training on Spark: judged, published and noted as that of one machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from homefeed.environment import Environment
from homefeed.rank.lambdamart import trainer
from homefeed.rank.lambdamart.model import LambdamartModel
from homefeed.recipe import Recipe, parse_recipe
from homefeed.serving import LiveApp
from homefeed.store import Store
from homefeed.store.artifacts import ArtifactStore
from homefeed.store.events import append_events
from homefeed.store.impressions import Impression, write_impressions
from homefeed.store.items import ItemWrite, delete_item, put_items
from homefeed.store.users import put_users
from homefeed.store.verdicts import verdicts_of
from homefeed.train import train_app
from homefeed.train.spark import rankers
from homefeed.train.spark.training import train_on_spark
from homefeed.types import SECOND, Event

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)

NOW = 1_700_000_000 * SECOND
MINUTE = 60 * SECOND
NAME = "home_ranker"
CLOCK = Environment(lambda: NOW)


def _recipe() -> Recipe:
    feed = {
        "retrieve": {"popular": {}},
        "rank": {"weighted": {"weights": {"popular": 1.0}}},
        "learned": {"lambdamart": {"trees": 10, "min_weight": 0.1}},
    }
    declared: dict[str, Any] = {
        "app": "shop",
        "items": {"fields": {"title": "text"}},
        "events": {"click": {}},
        "impressions": {"min_learned_requests": 100, "examined": "all"},
        "feeds": {"home": feed},
    }
    return parse_recipe(declared, "a test")


async def _show(recipe: Recipe, store: Store, artifacts: ArtifactStore, requests: int) -> None:
    """Pages of eight, of which what has most of the first feature is clicked, but for chance."""
    live = LiveApp(recipe, store, artifacts, CLOCK)
    await live.start()
    feed, rng = live.feeds["home"], np.random.default_rng(0)
    pages, events = [], []
    for request in range(requests):
        time, items = NOW - (requests - request) * MINUTE, rng.permutation(20)[:8].astype(np.int32) + 1
        features = rng.random((8, len(feed.feature_names))).astype(np.float32)
        best = int(items[(features[:, 0] + rng.normal(0, 0.1, 8)).argmax()])
        page = Impression(
            request_id=f"r{request}",
            feed="home",
            user=request % 9 + 1,
            time=time,
            start=0,
            items=items,
            scores=rng.random(8).astype(np.float32),
            propensities=np.ones(8, np.float32),
            feature_names=feed.feature_names,
            features=features,
            models=live.model_versions,
            served_by=f"home/{feed.ranked_by}",
        )
        pages.append(page)
        events.append(Event(f"u{request % 9}", f"i{best - 1:02}", "click", time + SECOND))
    await append_events(store, "shop", events, NOW)
    await write_impressions(store, "shop", pages)


async def test_it_is_judged_and_published_as_that_of_one_machine(
    spark: SparkSession, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainer, "_TIMES", (0.0, 3.0))  # each is a training
    recipe, here, there = _recipe(), ArtifactStore(tmp_path / "spark"), ArtifactStore(tmp_path / "local")
    await put_items(store, "shop", [ItemWrite(f"i{n:02}", {"title": f"Shoe {n}"}) for n in range(20)])
    await put_users(store, "shop", [(f"u{n}", {}) for n in range(9)])
    await _show(recipe, store, here, 240)
    local = await train_app(recipe, store, there, CLOCK, models=[NAME])
    await delete_item(store, "shop", "i19")
    trained = await train_on_spark(recipe, store, here, CLOCK, spark, models=[NAME, "signals"])
    assert [manifest.model for manifest in trained.manifests] == ["signals", NAME]
    assert not trained.left_out
    gone = trained.rejected["shown: unknown item"]
    assert 50 < gone < 150, "a twentieth of 1,920"
    assert local.rankers[NAME].startswith("published; taken: ndcg@10 ")
    assert trained.rankers[NAME].startswith("published; taken: ndcg@10 ")
    ours, theirs = (verdicts_of(store.root, "shop", NAME)[0] for store in (here, there))
    assert ours.keys() == theirs.keys()
    assert ours["learned_until"] == theirs["learned_until"]
    loaded = here.find("shop", NAME, LambdamartModel)
    assert loaded is not None
    assert loaded.manifest.facts["engine"] == "spark"
    assert ours["version"] == loaded.manifest.version

    def failing(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError("a plug-in")

    monkeypatch.setattr(rankers, "spark_ranker", failing)
    trained = await train_on_spark(recipe, store, here, CLOCK, spark, models=[NAME])
    assert dict(trained.rankers) == {NAME: "not published; not made: a plug-in"}
    assert here.current("shop", NAME) == loaded.manifest.version
