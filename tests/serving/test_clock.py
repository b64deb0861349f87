"""A clock that is ahead for a while, and right again: everything is as if it had never been, without a restart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from structlog.testing import capture_logs

from homefeed.apps import find_recipe
from homefeed.environment import Environment
from homefeed.serving import FeedRequest, LiveApp
from homefeed.store import Store
from homefeed.store.artifacts import ArtifactStore
from homefeed.store.events import totals
from homefeed.store.items import ItemWrite, put_items
from homefeed.train import train_app
from homefeed.types import DAY, SECOND, Event

APP = "streaming"
NOW = 1_700_000_000 * SECOND
YEARS = 1_095 * DAY

pytestmark = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)


class Clock:
    now = NOW

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def app(store: Store, tmp_path: Path, clock: Clock) -> LiveApp:
    await put_items(
        store, APP, [ItemWrite(f"i{n}", {"title": f"Film {n}", "genre": "Drama"}, 1) for n in range(9)]
    )
    return await opened(store, tmp_path, clock)


async def opened(store: Store, folder: Path, clock: Clock) -> LiveApp:
    live = LiveApp(find_recipe(APP), store, ArtifactStore(folder / "models"), Environment(clock))
    await live.start()
    return live


async def play(app: LiveApp, item: str, users: int, first: int = 0) -> None:
    now = app.environment.clock()
    await app.append([Event(f"u{first + n}", item, "play", now - n, 3_000.0) for n in range(users)])


async def trending(app: LiveApp) -> list[str]:
    answer = await app.recommend(FeedRequest("trending", n=2))
    return [answer.catalog.item_id(position) for position in answer.slate.positions.tolist()]


def left_of(app: LiveApp) -> list[float]:
    counters = app.follower.parts.counters
    left: list[float] = (counters.trend * counters.trend_at(NOW)).tolist()
    return left


@pytest.mark.parametrize("trained", ["never", "before", "ahead"])
async def test_one_play_of_a_time_to_come_beats_nobody_once_the_clock_is_right(
    app: LiveApp, clock: Clock, tmp_path: Path, trained: str
) -> None:
    await play(app, "i1", 300)
    await play(app, "i2", 200)
    if trained == "before":
        await train_app(app.recipe, app.store, app.artifacts, app.environment)
        await app.catch_up()
    clock.now = NOW + YEARS
    await play(app, "i3", 1, 900)
    await app.catch_up()
    assert (await trending(app))[0] == "i3", "by the clock as it is all others are years old"
    if trained == "ahead":
        await train_app(app.recipe, app.store, app.artifacts, app.environment)
        await app.catch_up()
    versions = app.model_versions
    clock.now = NOW
    with capture_logs() as logs:
        assert not await app.catch_up(), "no model is another"
    assert [line["event"] for line in logs] == ["clock went back, events are counted anew"]
    assert await trending(app) == ["i1", "i2"]
    assert app.model_versions == versions
    anew = await opened(app.store, tmp_path, clock)
    np.testing.assert_allclose(left_of(app), left_of(anew), rtol=1e-5)
    assert left_of(app)[3] > 0, "it counts as of now"
    with capture_logs() as logs:
        await app.catch_up()
    assert logs == [], "once is enough"
    await play(app, "i2", 200, 300)
    await app.refresh()
    assert await trending(app) == ["i2", "i1"]


async def test_a_clock_that_is_set_back_a_little_counts_nothing_anew(app: LiveApp, clock: Clock) -> None:
    await play(app, "i1", 3)
    parts = app.follower.parts
    clock.now -= 30 * SECOND
    await app.catch_up()
    assert app.follower.parts is parts


async def test_events_go_on_with_a_clock_that_went_back(app: LiveApp, clock: Clock) -> None:
    await play(app, "i1", 3)
    clock.now = NOW - 2 * DAY
    await play(app, "i2", 5, 10)
    await app.catch_up()
    assert await trending(app) == ["i2", "i1"]
    assert len((await app.user_state("u10")).history) == 1


async def test_events_per_minute_are_those_of_the_minute(app: LiveApp, clock: Clock) -> None:
    clock.now = NOW + YEARS
    await play(app, "i1", 300)
    clock.now = NOW
    await play(app, "i2", 5)
    assert (await totals(app.store, APP, clock())).events_per_minute == 5
