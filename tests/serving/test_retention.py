"""Retention: what is older than the settings allow is deleted, nothing else, and feeds learn of it in time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from homefeed.apps import find_recipe
from homefeed.environment import Environment
from homefeed.serving import FeedRequest, LiveApp
from homefeed.serving.retention import Pruned, prune
from homefeed.settings import Settings
from homefeed.store import Store
from homefeed.store.artifacts import ArtifactStore
from homefeed.store.events import append_events, rows_after
from homefeed.store.impressions import Impression, impressions_of_request, write_impressions
from homefeed.store.items import ItemWrite, put_items
from homefeed.store.users import list_users
from homefeed.times import format_time
from homefeed.train import train_app
from homefeed.types import DAY, Event

APP = "streaming"
NOW = 20_000 * DAY + 12_345
AGES = (0.0, 0.25, 1.0, 1.5, 90.0, 90.25, 400.0)
"""In days."""

either_store = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
"""For what is the same on every database: a database of one's own takes PostgreSQL a second."""


def ago(days: float) -> int:
    return NOW - round(days * DAY)


def shown(days: float) -> Impression:
    one = np.ones(1, np.float32)
    items = np.ones(1, np.int32)
    return Impression(f"{days}", "home", None, ago(days), 0, items, one, one, ("popular",), one[:, None], {})


@pytest.fixture
async def filled(store: Store) -> Store:
    for app in (APP, "other"):
        await put_items(store, app, [ItemWrite("a", {}, 1), ItemWrite("b", {}, 1)])
        plays = [Event(f"u{n}", "ab"[n % 2], "play", ago(days), 60.0) for n, days in enumerate(AGES)]
        await append_events(store, app, plays, NOW)
        await write_impressions(store, app, [shown(days) for days in AGES])
    return store


async def left(store: Store, app: str = APP) -> tuple[list[float], list[float]]:
    """The ages of the events and of the impressions that are still there."""
    times = set((await rows_after(store, app, 0, 100)).times)
    return [days for days in AGES if ago(days) in times], [
        days for days in AGES if await impressions_of_request(store, app, f"{days}")
    ]


def settings(**days: Any) -> Settings:
    return Settings(home=Path("never-opened"), **days)


@pytest.mark.parametrize(
    ("days", "events", "impressions"),
    [
        ({}, 7, 5),
        ({"events_days": 90}, 5, 5),
        ({"events_days": 1.25, "impressions_days": 0.25}, 3, 2),
        ({"impressions_days": 0}, 7, 1),
        ({"events_days": 1e-9}, 1, 5),
        ({"events_days": 36_500, "impressions_days": 36_500}, 7, 7),
    ],
)
async def test_what_is_older_than_the_settings_allow_goes_and_nothing_else(
    filled: Store, days: dict[str, float], events: int, impressions: int
) -> None:
    days |= {"max_prune_share": 1}
    gone = await prune(filled, APP, settings(**days), NOW)
    assert gone == Pruned(7 - events, 7 - impressions)
    assert await left(filled) == (list(AGES[:events]), list(AGES[:impressions]))
    assert await left(filled, "other") == (list(AGES), list(AGES))
    assert await prune(filled, APP, settings(**days), NOW) == Pruned(0, 0)


YEARS = 1_095 * DAY


async def play(store: Store, time: int) -> None:
    await append_events(store, APP, [Event("now", "a", "play", time, 60.0)], time)


async def test_a_clock_years_ahead_makes_nothing_old(filled: Store) -> None:
    gone = await prune(filled, APP, settings(events_days=365, impressions_days=365), NOW + YEARS)
    assert gone == Pruned(1, 1)
    assert await left(filled) == (list(AGES[:6]), list(AGES[:6]))


async def test_once_it_has_written_nothing_is_deleted_that_is_most_of_all(filled: Store) -> None:
    insist = "the newest: more than max_prune_share = 0.5. If the clock is right, insist: homefeed prune streaming"
    year, quarter = (format_time(NOW + YEARS - days * DAY) for days in (365, 90))
    await play(filled, NOW + YEARS)
    for _hour in range(2):
        gone = await prune(filled, APP, settings(events_days=365), NOW + YEARS)
        assert (gone.events, gone.impressions) == (0, 0)
        assert gone.refused == (
            f"7 of 8 events are from before {year}, events_days = 365 before {insist} --yes",
            f"7 of 7 impressions are from before {quarter}, impressions_days = 90 before {insist} --yes",
        )
        assert await left(filled) == (list(AGES), list(AGES))
    # The clock is right again: the event of a time to come does not count.
    assert await prune(filled, APP, settings(events_days=365), NOW) == Pruned(1, 2)
    # It was right all along.
    assert await prune(filled, APP, settings(events_days=365), NOW + YEARS, insist=True) == Pruned(6, 5)
    assert await left(filled) == ([], [])
    assert (await rows_after(filled, APP, 0, 100)).times == (NOW + YEARS,)


async def test_a_clock_that_is_behind_deletes_nothing(filled: Store) -> None:
    assert await prune(filled, APP, settings(events_days=1), NOW - YEARS) == Pruned(0, 0)
    assert await prune(filled, APP, settings(events_days=1), 0) == Pruned(0, 0)
    assert await left(filled) == (list(AGES), list(AGES))


@pytest.mark.parametrize(("share", "deleted"), [(0.28, False), (0.29, True), (1.0, True)])
@either_store
async def test_the_share_that_may_be_deleted_at_once_is_a_setting(
    filled: Store, share: float, deleted: bool
) -> None:
    gone = await prune(filled, APP, settings(events_days=90, max_prune_share=share), NOW)
    assert gone.events == (2 if deleted else 0)
    assert gone.impressions == (2 if deleted else 0)
    assert len(gone.refused) == (0 if deleted else 2)


@either_store
async def test_users_and_items_stay(filled: Store) -> None:
    before = await list_users(filled, APP, 0, 100)
    await prune(filled, APP, settings(events_days=1e-9, impressions_days=0), NOW + DAY, insist=True)
    assert await left(filled) == ([], [])
    assert await list_users(filled, APP, 0, 100) == before


@either_store
async def test_an_app_without_anything_has_nothing_too_old(store: Store) -> None:
    assert await prune(store, "nobody's", settings(events_days=1, impressions_days=0), NOW) == Pruned(0, 0)


@either_store
async def test_a_live_app_forgets_what_was_deleted_and_counts_it_until_the_next_training(
    filled: Store, tmp_path: Path
) -> None:
    app = LiveApp(find_recipe(APP), filled, ArtifactStore(tmp_path), Environment(lambda: NOW))
    await train_app(app.recipe, filled, app.artifacts, app.environment)
    await app.start()
    assert len((await app.user_state("u6")).history) == 1
    popular = FeedRequest("popular", n=1)
    assert (await app.recommend(popular)).slate.reasons == ("Popular: 4 viewers",)
    await prune(filled, APP, settings(events_days=1), NOW, insist=True)
    app.forget_users()
    assert len((await app.user_state("u6")).history) == 0
    assert len((await app.user_state("u0")).history) == 1
    await app.catch_up()
    assert (await app.recommend(popular)).slate.reasons == ("Popular: 4 viewers",)
    await train_app(app.recipe, filled, app.artifacts, app.environment)
    assert await app.catch_up()
    assert (await app.recommend(popular)).slate.reasons == ("Popular: 2 viewers",)
