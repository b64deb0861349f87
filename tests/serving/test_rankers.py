"""Which ranker ranks a feed and why: told of what was found last, and never of what is no longer so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from homefeed.apps import find_recipe
from homefeed.environment import Environment
from homefeed.rank.click_model.model import ClickModelModel
from homefeed.rank.schema import Schema
from homefeed.recipe import Recipe
from homefeed.serving import FeedRequest, LiveApp
from homefeed.serving.rankers import LearnedState
from homefeed.store import Store
from homefeed.store.artifacts import ArtifactStore
from homefeed.store.items import ItemWrite, put_items
from homefeed.store.verdicts import RankerVerdict, note_verdict
from homefeed.train import train_app
from homefeed.types import DAY, SECOND

pytestmark = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)

APP = "streaming"
NAME = "home_ranker"
NOW = 1_700_000_000 * SECOND
ENVIRONMENT = Environment(lambda: NOW)


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    overlay = tmp_path / "overlay.toml"
    overlay.write_text("[feeds.home.learned.click_model]\n")
    return find_recipe(APP, overlay)


@pytest.fixture
def artifacts(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(tmp_path / "models")


@pytest.fixture
async def app(store: Store, recipe: Recipe, artifacts: ArtifactStore) -> LiveApp:
    await put_items(store, APP, [ItemWrite(f"i{n}", {"title": f"Film {n}"}) for n in range(3)])
    await train_app(recipe, store, artifacts, ENVIRONMENT, models=["signals"])
    app = LiveApp(recipe, store, artifacts, ENVIRONMENT)
    await app.start()
    return app


def note(artifacts: ArtifactStore, why: str, version: str | None = None, **told: Any) -> None:
    note_verdict(artifacts.root, APP, NAME, {"judged_at": "2026-01-05", "why": why, "version": version, **told})


def publish(app: LiveApp, day: int, *, lacks: str = "", **facts: Any) -> str:
    names = tuple(name for name in app.feeds["home"].feature_names if name != lacks)
    model = ClickModelModel(Schema(names, calibrated=False), np.ones(len(names), np.float32))
    how = {"now": NOW + day * DAY, "watermark": 0, "config": {}}
    return app.artifacts.publish(APP, NAME, "click_model", model, facts=facts, **how).version  # type: ignore[arg-type]


def taken(lead: float) -> dict[str, Any]:
    return {"why": f"taken: {lead}", "finding": "taken", "metric": "ndcg@10", "lead": [lead, 0.1, 0.9]}


async def test_a_refused_training_is_told_while_it_serves(app: LiveApp, artifacts: ArtifactStore) -> None:
    assert app.learned["home"] == LearnedState(NAME, "click_model", False, "none is published yet", None, None)
    serial, home = app.follower.parts.serial, app.feeds["home"]
    note(artifacts, "not taken, too few", finding="not taken")
    assert await app.reload_models() is False, "nothing else serves now"
    assert app.feeds["home"].why_not_learned == "not taken, too few, judged 2026-01-05"
    assert app.learned["home"] == LearnedState(
        NAME,
        "click_model",
        False,
        "not taken, too few, judged 2026-01-05",
        None,
        RankerVerdict("2026-01-05", "not taken, too few", "not taken"),
    )
    assert (app.follower.parts.serial, app.feeds["home"].ranker) == (serial, home.ranker), "the parts stay"
    newcomers = await app.explain(FeedRequest("home", "u1"), "i1")
    assert (newcomers.made_by, newcomers.why_not_learned) == ("popular", None)


async def test_a_server_that_starts_after_it_tells_it_too(
    app: LiveApp, artifacts: ArtifactStore, store: Store
) -> None:
    note(artifacts, "not taken")
    later = LiveApp(app.recipe, store, artifacts, ENVIRONMENT)
    await later.start()
    assert later.learned["home"].why == "not taken, judged 2026-01-05"


async def test_one_that_ranks_has_the_verdict_of_its_own_version(app: LiveApp, artifacts: ArtifactStore) -> None:
    first = publish(app, 1, verdict=taken(0.25))
    second = publish(app, 2, verdict=taken(0.5))
    note(artifacts, "not taken, it is not ahead beyond doubt")
    assert await app.reload_models() is True
    now = app.learned["home"]
    assert (now.serving, now.version, now.why) == (True, second, "taken: 0.5, judged 2023-11-16")
    assert now.verdict is not None
    assert now.verdict.lead == (0.5, 0.1, 0.9)
    artifacts.choose(APP, NAME, first)
    await app.reload_models()
    back = app.learned["home"]
    assert (back.serving, back.version, back.why) == (True, first, "taken: 0.25, judged 2023-11-15")
    [history] = app.learned_history()
    assert (history.feed, history.ranked_by, history.learned) == ("home", "click_model", back)
    assert history.versions == (second, first)
    assert [verdict.why for verdict in history.verdicts] == ["not taken, it is not ahead beyond doubt"]


async def test_one_without_a_verdict_says_that(app: LiveApp) -> None:
    publish(app, 1)
    await app.reload_models()
    assert app.learned["home"].why == "it was published without a verdict"


async def test_one_of_other_features_says_so_and_not_what_was_found(
    app: LiveApp, artifacts: ArtifactStore
) -> None:
    version = publish(app, 1, lacks="fresh", verdict=taken(0.5))
    note(artifacts, "taken", version)
    await app.reload_models()
    now = app.learned["home"]
    assert (now.serving, now.version, now.verdict) == (False, version, None)
    assert now.why == "the feed has features that it has not learned from: fresh"


async def test_one_that_is_damaged_is_told_before_any_verdict(app: LiveApp, artifacts: ArtifactStore) -> None:
    version = publish(app, 1)
    file = artifacts.root / APP / NAME / version / "coefficients.npz"
    file.chmod(0o600)
    file.write_bytes(b"damaged")
    note(artifacts, "not taken")
    await app.reload_models()
    assert app.feeds["home"].why_not_learned == app.degraded[NAME]
    assert "coefficients.npz" in app.degraded[NAME]
    assert (app.learned["home"].version, app.learned["home"].verdict) == (None, None)


async def test_a_verdict_that_no_longer_holds_is_not_told(app: LiveApp, artifacts: ArtifactStore) -> None:
    note(artifacts, "not taken", part="lambdamart")
    await app.reload_models()
    assert app.learned["home"].why == "none is published yet", "that was of another part"
    note(artifacts, "taken", "20260105T031500000000-0123abcd", part="click_model")
    await app.reload_models()
    assert app.learned["home"].why == "version 20260105T031500000000-0123abcd was published, and is gone"
