"""A server without XGBoost goes on by the feed's own ranker, and says what it lacks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.rank.learned_sample import lambdamart
from tests.rank.test_trees import without_xgboost

from homefeed.apps import find_recipe
from homefeed.environment import Environment
from homefeed.serving import FeedRequest, LiveApp
from homefeed.store import Store
from homefeed.store.artifacts import ArtifactStore
from homefeed.store.items import ItemWrite, put_items
from homefeed.testing import planted_requests
from homefeed.train import train_app
from homefeed.types import SECOND

pytestmark = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)

APP = "streaming"
NOW = 1_700_000_000 * SECOND
ENVIRONMENT = Environment(lambda: NOW)


async def test_it_serves_on_without_xgboost(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    overlay = tmp_path / "overlay.toml"
    overlay.write_text(
        "[feeds.home.learned.lambdamart]\n"
        "[feeds.home]\nretrieve = { popular = {}, fresh = {} }\nrank.weighted.weights.popular = 1\n"
    )
    recipe = find_recipe(APP, overlay)
    artifacts = ArtifactStore(tmp_path / "models")
    await put_items(store, APP, [ItemWrite(f"i{n}", {"title": f"Film {n}"}) for n in range(5)])
    await train_app(recipe, store, artifacts, ENVIRONMENT, models=["signals"])
    app = LiveApp(recipe, store, artifacts, ENVIRONMENT)
    await app.start()
    home = app.follower.parts.feeds["home"]
    assert (home.ranked_by, home.why_not_learned) == ("weighted", "none is published yet")

    publish(artifacts, home.feature_names)
    with monkeypatch.context() as missing:
        without_xgboost(missing)
        await app.reload_models()
        assert "pip install 'homefeed[ranking]'" in app.degraded["home_ranker"]
        assert app.follower.parts.feeds["home"].ranked_by == "weighted"
        assert len((await app.recommend(FeedRequest("home", "u1"))).slate) == 5
    with_it = LiveApp(recipe, store, artifacts, ENVIRONMENT)
    await with_it.start()
    assert (with_it.degraded, with_it.follower.parts.feeds["home"].ranked_by) == ({}, "lambdamart")
    assert len((await with_it.recommend(FeedRequest("home", "u1"))).slate) == 5


def publish(artifacts: ArtifactStore, names: tuple[str, ...]) -> None:
    """A ranker of the features that a feed has."""
    data = planted_requests()
    features = np.ones((len(data.features), len(names)), np.float32)
    features[:, 0] = data.features[:, 0]
    of_feed = replace(data, feature_names=names, features=features, calibrated=False)
    model = lambdamart(3).fit(of_feed)
    artifacts.publish(APP, "home_ranker", "lambdamart", model, now=NOW, watermark=0, config={}, facts={})
