"""Learned rankers made from what was shown, where that is enough."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from homefeed.apps import find_recipe
from homefeed.environment import Environment
from homefeed.evaluate import ranking
from homefeed.rank.click_model.model import ClickModelModel
from homefeed.recipe import Recipe
from homefeed.serving import LiveApp
from homefeed.store import Store
from homefeed.store.artifacts import ArtifactStore
from homefeed.store.events import append_events
from homefeed.store.impressions import IMPORTED, Impression, write_impressions
from homefeed.store.items import ItemWrite, put_items
from homefeed.store.users import put_users
from homefeed.train import Trained, train_app
from homefeed.types import DAY, SECOND, Event

pytestmark = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)

APP = "streaming"
NAME = "home_ranker"
NOW = 1_700_000_000 * SECOND
MINUTE = 60 * SECOND
OTHERS = ("item_item", "sequence", "content", "blend", "signals")


@dataclass
class World:
    """An app with a clock that the test moves."""

    recipe: Recipe
    store: Store
    artifacts: ArtifactStore
    now: int = NOW

    async def train(self, *models: str) -> Trained:
        environment = Environment(lambda: self.now)
        return await train_app(self.recipe, self.store, self.artifacts, environment, models=models)

    async def show(self, count: int, seed: int, blend: str | None = None, imported: bool = False) -> None:
        """Pages of ten whose feature "popular" is drawn: what has most is played. The score says nothing."""
        live = LiveApp(self.recipe, self.store, self.artifacts, Environment(lambda: self.now))
        await live.start()
        feed = live.feeds["home"]
        models = live.model_versions | ({} if blend is None else {"blend": blend})
        rng = np.random.default_rng(seed)
        pages, events = [], []
        for number in range(count):
            time = self.now + number * MINUTE
            items = rng.permutation(30)[:10].astype(np.int32) + 1
            features = rng.random((10, len(feed.feature_names))).astype(np.float32)
            best = int(items[features[:, feed.feature_names.index("popular")].argmax()])
            user = number % 20 + 1
            pages.append(
                Impression(
                    request_id=f"{seed}-{number}",
                    feed="home",
                    user=user,
                    time=time,
                    start=0,
                    items=items,
                    scores=rng.random(10).astype(np.float32),
                    propensities=np.ones(10, np.float32),
                    feature_names=feed.feature_names,
                    features=features,
                    models=models,
                    served_by=f"home/{feed.ranked_by}",
                )
            )
            events.append(Event(f"u{user - 1:02}", f"i{best - 1:02}", "play", time + SECOND, 3_000.0))
        if imported:
            nothing = np.empty((10, 0), np.float32)
            pages = [replace(page, feature_names=(), features=nothing, served_by=IMPORTED) for page in pages]
        await write_impressions(self.store, APP, pages)
        self.now += count * MINUTE
        await append_events(self.store, APP, events, self.now)


@pytest.fixture(autouse=True)
def _few_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranking, "MIN_JUDGED", 5)
    monkeypatch.setattr(ranking, "_LEAST_COVERAGE", 0.5)


@pytest.fixture
async def world(store: Store, tmp_path: Path) -> World:
    overlay = tmp_path / "overlay.toml"
    settings = '[impressions]\nexamined = "all"\nmin_learned_requests = 80\n'
    overlay.write_text(f"{settings}[feeds.home.learned.click_model]\n")
    recipe = find_recipe(APP, overlay)
    await put_items(
        store, APP, [ItemWrite(f"i{n:02}", {"title": f"Film {n}", "genre": ["Drama"]}) for n in range(30)]
    )
    await put_users(store, APP, [(f"u{n:02}", {}) for n in range(20)])
    rng = np.random.default_rng(0)
    plays = [
        Event(f"u{user:02}", f"i{item:02}", "play", NOW - int(day * DAY), 3_000.0)
        for user in range(20)
        for item, day in zip(rng.permutation(30)[:8], np.sort(rng.uniform(1, 50, 8)), strict=True)
    ]
    await append_events(store, APP, plays, NOW)
    world = World(recipe, store, ArtifactStore(tmp_path / "models"))
    await world.train(*OTHERS)
    return world


async def test_it_learns_from_pages_shown_and_its_successor_is_judged_by_later_ones(world: World) -> None:
    await world.show(100, seed=1)
    trained = await world.train(NAME)
    why = trained.rankers[NAME]
    assert why.startswith("published; taken: ndcg@10 "), why
    assert " of weighted on the items shown by the latest 25 requests, " in why
    assert why.endswith("; learned from 75 pages shown")
    manifest = world.artifacts.manifest(APP, NAME)
    assert manifest is not None
    verdict = manifest.facts["verdict"]
    assert (verdict["source"], verdict["learned_until"]) == ("shown", "2023-11-14T23:27:20Z")
    found = world.artifacts.load(APP, NAME, ClickModelModel, "click_model")
    assert found is not None
    assert np.argmax(found.model.coefficients) == found.model.feature_names.index("popular")
    # Of 120 pages the last quarter is 30; the published one learned from none of these.
    await world.show(20, seed=2)
    again = (await world.train(NAME)).rankers[NAME]
    assert " of click_model on the items shown by the latest 30 requests, " in again
    assert again.endswith("; learned from 90 pages shown")


async def test_of_too_few_it_learns_from_history(world: World) -> None:
    await world.show(79, seed=1)
    trained = await world.train(NAME)
    assert "pages shown" not in trained.rankers[NAME]


async def test_pages_of_another_calibration_are_none(world: World) -> None:
    await world.show(100, seed=1, blend="another")
    assert "pages shown" not in (await world.train(NAME)).rankers[NAME]


async def test_pages_of_another_service_are_replayed_and_learned_from(world: World) -> None:
    await world.show(100, seed=1, imported=True)
    why = (await world.train(NAME)).rankers[NAME]
    assert " of weighted on the items shown by the latest 25 requests, " in why
    assert why.endswith("; learned from 75 pages shown")
