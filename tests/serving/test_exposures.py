"""What was shown and chosen counts in every process alike, a minute or two later, and after a restart."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
from tests.train.plain import plain_recipe

from homefeed.apps import find_recipe
from homefeed.environment import Environment
from homefeed.recipe import Recipe
from homefeed.serving import FeedRequest, LiveApp
from homefeed.store import Store
from homefeed.store.artifacts import ArtifactStore
from homefeed.store.events import append_events
from homefeed.store.impressions import Impression
from homefeed.store.items import ItemWrite, put_items
from homefeed.store.users import put_users
from homefeed.train import train_app
from homefeed.types import SECOND, Event

pytestmark = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)

APP = "streaming"
START = 1_700_000_040 * SECOND
MINUTE = 60 * SECOND


@dataclass
class Clock:
    now: int = START

    def __call__(self) -> int:
        return self.now


@dataclass
class Served:
    """A server and the clock that it goes by."""

    store: Store
    artifacts: ArtifactStore
    recipe: Recipe
    clock: Clock = field(default_factory=Clock)

    async def open(self) -> LiveApp:
        app = LiveApp(self.recipe, self.store, self.artifacts, Environment(self.clock))
        await app.start()
        return app

    async def train(self) -> list[str]:
        trained = await train_app(
            self.recipe, self.store, self.artifacts, Environment(self.clock), models=["signals"]
        )
        return [manifest.model for manifest in trained.manifests]


@pytest.fixture
async def served(store: Store, tmp_path: Path) -> Served:
    overlay = tmp_path / "overlay.toml"
    overlay.write_text(
        "[feeds.home]\nretrieve = { popular = {}, fresh = {} }\nrank.weighted.weights.popular = 1\n"
        "[feeds.home.features.click_rate]\n"
    )
    await put_items(store, APP, [ItemWrite(f"i{n}", {"title": f"Film {n}"}) for n in range(5)])
    await put_users(store, APP, [("u", {})])
    await append_events(store, APP, [Event("v", "i4", "play", START - MINUTE, 600.0)], 0)
    return Served(store, ArtifactStore(tmp_path / "models"), find_recipe(APP, overlay))


async def show(app: LiveApp, clock: Clock, request: str) -> None:
    """A page, as the routes write it down."""
    answer = await app.recommend(FeedRequest("home", "u"))
    slate, catalog = answer.slate, answer.catalog
    shown = Impression(
        *(request, "home", 1, clock.now, 0, catalog.numbers[slate.positions], slate.scores),
        *(slate.propensities, slate.feature_names, slate.features, {}),
    )
    app.impressions.add(request, 1, lambda: shown)
    await app.impressions.flush()


async def rates(app: LiveApp, item: str = "i1") -> list[float]:
    """click_rate_1d, click_rate_7d, shown."""
    slate = (await app.recommend(FeedRequest("home", "v", n=5))).slate
    row = slate.positions.tolist().index(app.catalog.position(item))
    columns = [slate.feature_names.index(name) for name in ("click_rate_1d", "click_rate_7d", "shown")]
    found: list[float] = slate.features[row, columns].tolist()
    return found


async def click(app: LiveApp, clock: Clock, item: str = "i1") -> None:
    await app.append([Event("u", item, "play", clock.now, 600.0)])


async def test_it_counts_once_it_is_settled_in_every_process_alike(served: Served) -> None:
    app, other = await served.open(), await served.open()
    assert await rates(app) == [0, 0, 0]
    await show(app, served.clock, "one")
    served.clock.now += 10 * SECOND
    await click(app, served.clock)
    served.clock.now = START + MINUTE
    await app.catch_up()
    assert await rates(app) == [0, 0, 0]
    served.clock.now = START + 3 * MINUTE
    await app.catch_up()
    await other.catch_up()
    found = await rates(app)
    assert found[0] > 0.3
    assert found[2] == pytest.approx(0.05 / 1.05, abs=1e-3)
    assert await rates(other) == found
    assert (await rates(app, "i2"))[0] < 0


async def test_a_training_of_signals_counts_it_and_a_restart_goes_on_from_there(served: Served) -> None:
    app = await served.open()
    for minute in range(6):
        served.clock.now = START + minute * MINUTE
        await show(app, served.clock, f"r{minute}")
        await click(app, served.clock)
    served.clock.now = START + 5 * MINUTE
    assert "exposures" in await served.train()
    served.clock.now = START + 20 * MINUTE
    await app.catch_up()
    restarted = await served.open()
    found = await rates(restarted)
    assert "exposures" in restarted.model_versions
    assert await rates(app) == pytest.approx(found)
    # From the beginning it comes to the same.
    anew = await replace(served, artifacts=ArtifactStore(served.artifacts.root / "none")).open()
    assert await rates(anew) == pytest.approx(found)
    # Six showings, none chosen.
    assert (await rates(anew, "i2"))[2] == pytest.approx(0.3 / 1.3, abs=1e-2)


async def test_it_is_counted_for_no_app_without_a_part_that_goes_by_it(served: Served) -> None:
    plain = replace(served, recipe=plain_recipe(APP))
    app = await plain.open()
    assert not plain.recipe.counts_exposures
    served.clock.now = START + 20 * MINUTE
    await app.catch_up()
    assert app.follower.parts.exposures.model.until == 0
    assert "exposures" not in await plain.train()
    assert served.recipe.counts_exposures


async def test_what_is_counted_is_a_number_for_each_item(served: Served) -> None:
    app = await served.open()
    await show(app, served.clock, "one")
    served.clock.now = START + 3 * MINUTE
    await app.catch_up()
    model = app.follower.parts.exposures.model
    assert np.isfinite(model.expected).all()
    assert model.expected.shape == (6, 3)
