"""Whether served pages hold what no list should: what was disliked, consumed, or is not to be had."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from tests.evaluate.offline_sample import evaluated, planted_world

from homefeed.engine import build_feeds
from homefeed.evaluate.served import ServedCheck, ServedPages
from homefeed.evaluate.setting import Setting, WeekCounts
from homefeed.evaluate.split import Case
from homefeed.testing import Play, World, make_world
from homefeed.testing.world import ITEMS, NOW, RECIPE
from homefeed.types import NO_POSITIONS

POPULAR = {"retrieve": {"popular": {}}, "rank": {"weighted": {"weights": {"popular": 1.0}}}}
FIELDS = {**RECIPE["items"]["fields"], "expires_at": "time", "available_from": "time"}
DECLARED: dict[str, Any] = {
    "app": "toy",
    "items": {"fields": FIELDS},
    "events": {"play": {"full": 100}, "dislike": {"weight": -1}},
    "feeds": {
        "fine": {**POPULAR, "filter": {"expiry": {}}},
        "careless": {**POPULAR, "filter": {"seen": False, "blocked": False, "not_yet": False, "expiry": False}},
    },
}
TIMES = {"c1": {"expires_at": NOW // 1_000_000 - 1}, "s4": {"available_from": NOW // 1_000_000 + 1}}


def served(world: World, user: int) -> dict[str, ServedCheck]:
    resources, events = world.resources, world.data.interactions
    week = WeekCounts(events, world.catalog.size)
    feeds = build_feeds(world.recipe, resources)
    setting = Setting(world.recipe, world.catalog, feeds, {}, world.counters, world.counters.full, week)
    pages = ServedPages(list(feeds))
    history = np.flatnonzero(events.users == user)
    pages.ask(setting, world.data, Case(user, history, NO_POSITIONS, history[:0], NOW))
    return {check.feed: check for check in pages.checks()}


def test_a_feed_without_filters_is_found_out() -> None:
    items = [replace(item, attributes={**item.attributes, **TIMES.get(item.item_id, {})}) for item in ITEMS]
    plays = [Play("u", "d1", 100, 3), Play("u", "d2", 10, 2), Play("u", "s2", 0, 1, "dislike")]
    found = served(make_world(items, plays, declared=DECLARED), 0)
    assert found["careless"] == ServedCheck("careless", 10, 0.1, 0.1, 0.2)
    assert not found["careless"].is_clean
    assert found["careless"].sentence() == (
        "careless as served: of the first 10 places 10.0% disliked by the user, 10.0% already consumed, "
        "20.0% unavailable."
    )
    assert (found["fine"].disliked, found["fine"].consumed) == (0, 0)


def test_an_evaluation_tells_of_each_feed() -> None:
    result = evaluated(planted_world())
    assert [check.feed for check in result.served] == ["popular", "home"]
    assert all(check.is_clean and check.places > 0 for check in result.served)
    assert result.to_json()["served"][1] == {
        "feed": "home",
        "places": result.served[1].places,
        "disliked": 0.0,
        "consumed": 0.0,
        "unavailable": 0.0,
    }
