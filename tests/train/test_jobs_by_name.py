"""Training some of an app's models: those are new, the others serve on as they were."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.ticking import Ticking
from tests.train.plain import plain_recipe

from homefeed.catalog import SignalsModel
from homefeed.environment import Environment
from homefeed.errors import HomefeedError, NotFoundError
from homefeed.protocols import Range
from homefeed.retrieve.item_item.trainer import ItemItemTrainer
from homefeed.serving import FeedRequest, LiveApp
from homefeed.store import Store
from homefeed.store.artifacts import ArtifactStore
from homefeed.store.events import append_events, rows_after
from homefeed.store.items import ItemWrite, put_items
from homefeed.train import Budget, train_app
from homefeed.types import DAY, SECOND, Event

pytestmark = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)

APP = "streaming"
RECIPE = plain_recipe(APP)
NOW = 1_700_000_000 * SECOND
EVERY = ("item_item", "sequence", "content", "signals")


ENVIRONMENT = Environment(Ticking(NOW))


@pytest.fixture
def artifacts(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(tmp_path / "models")


async def put_films(store: Store, start: int, stop: int) -> None:
    await put_items(store, APP, [ItemWrite(f"i{n}", {"title": f"Film {n}"}) for n in range(start, stop)])


async def play(store: Store, seed: int, items: int = 20, users: int = 40) -> None:
    """Every user plays ten of the films, over the last fifty days."""
    rng = np.random.default_rng(seed)
    events = [
        Event(f"u{user}", f"i{item}", "play", NOW - int(day * DAY), 3_000.0)
        for user in range(users)
        for item, day in zip(rng.permutation(items)[:10], np.sort(rng.uniform(0, 50, 10)), strict=True)
    ]
    await append_events(store, APP, events, NOW)


async def train(store: Store, artifacts: ArtifactStore, *models: str, budget: Budget | None = None) -> list[str]:
    """Train these models, or all; what was published, in the order in which it was."""
    trained = await train_app(RECIPE, store, artifacts, ENVIRONMENT, models=models or None, budget=budget)
    return [manifest.model for manifest in trained.manifests]


def current(artifacts: ArtifactStore) -> dict[str, str | None]:
    return {name: artifacts.current(APP, name) for name in EVERY}


async def test_models_that_are_named_are_trained_and_no_others(store: Store, artifacts: ArtifactStore) -> None:
    await put_films(store, 0, 20)
    await play(store, 0)
    assert await train(store, artifacts) == ["item_item", "sequence", "content", "blend", "signals"]
    before = current(artifacts)
    assert await train(store, artifacts, "content") == ["content"]
    after = current(artifacts)
    assert {name for name in EVERY if after[name] != before[name]} == {"content"}


async def test_signals_come_last_whatever_the_order_given(store: Store, artifacts: ArtifactStore) -> None:
    await put_films(store, 0, 20)
    assert await train(store, artifacts, "signals", "content", "item_item") == ["item_item", "content", "signals"]


async def test_a_first_training_may_be_of_signals_alone(store: Store, artifacts: ArtifactStore) -> None:
    await put_films(store, 0, 20)
    await play(store, 0)
    assert await train(store, artifacts, "signals") == ["signals"]
    found = artifacts.load(APP, "signals", SignalsModel)
    assert found
    assert (found.model.watermark, found.model.events.sum()) == (400, 400)
    app = LiveApp(RECIPE, store, artifacts, ENVIRONMENT)
    await app.start()
    assert set(app.model_versions) == {"signals"}
    assert len((await app.recommend(FeedRequest("home", "u1"))).slate) > 0


async def test_a_server_takes_over_new_signals_with_older_models(store: Store, artifacts: ArtifactStore) -> None:
    await put_films(store, 0, 20)
    await play(store, 0)
    await train(store, artifacts)
    app = LiveApp(RECIPE, store, artifacts, ENVIRONMENT)
    await app.start()
    versions = app.model_versions
    await put_films(store, 20, 25)  # the models do not know them
    await play(store, 1, items=25, users=60)
    await train(store, artifacts, "signals")
    await append_events(store, APP, [Event("u1", "i24", "play", NOW + n, 3_000.0) for n in range(3)], NOW)
    assert await app.catch_up()
    assert {name for name in EVERY if app.model_versions[name] != versions[name]} == {"signals"}
    counters = app.follower.parts.counters
    assert counters.watermark == (await store.watermarks(APP)).event_seq
    rows = await rows_after(store, APP, 0, 2_000)
    assert len(rows.users) == 400 + 600 + 3
    assert counters.events.sum() == len(set(zip(rows.users, rows.items, strict=True)))
    assert (await app.recommend(FeedRequest("home", "u1"))).slate.failed == {}
    assert len((await app.recommend(FeedRequest("popular", n=25))).slate) == 25


async def test_only_the_models_named_are_tuned(
    store: Store, artifacts: ArtifactStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ItemItemTrainer, "SPACE", {"cosine": Range(0, 2)})
    await put_films(store, 0, 20)
    await play(store, 0)
    budget = Budget(3_600, lambda: 0.0, 2)
    with pytest.raises(HomefeedError, match="no model of its feeds has values to tune"):
        await train(store, artifacts, "content", "signals", budget=budget)
    assert current(artifacts) == dict.fromkeys(EVERY)
    assert await train(store, artifacts, "item_item", budget=budget) == ["item_item"]
    manifest = artifacts.manifest(APP, "item_item")
    assert manifest is not None
    assert manifest.facts["tuning"]["trials"] == 2


async def test_a_missing_model_is_reported_before_any_work(store: Store, artifacts: ArtifactStore) -> None:
    with pytest.raises(NotFoundError) as caught:
        await train(store, artifacts, "content", "trends")
    known = "item_item, sequence, content, blend, signals"
    assert str(caught.value) == f'no model "trends" in streaming; the models are: {known}'
    assert not (artifacts.root / APP).exists()
