"""The table that rankers learn from holds nothing of the time after each request, but for what was then done."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.evaluate.offline_sample import planted_world

from homefeed.evaluate.candidates import Replayed, replay_feeds
from homefeed.rank.features.popularity import Popularity
from homefeed.recipe import Recipe, parse_recipe
from homefeed.testing import World
from homefeed.testing.world import RECIPE
from homefeed.types import Candidates, Floats, Query, TrainingData

FEATURES: dict[str, Any] = {
    "popularity": {},
    "popularity_windows": {},
    "activity": {},
    "age": {},
    "repeats": {"of": ["content_type"]},
    "similarity": {},
    "click_rate": {},
    "proposals": {"of": ["item_item", "popular"]},
}


@pytest.fixture(scope="module")
def world() -> World:
    return planted_world(users=80)


def recipe() -> Recipe:
    home = {**RECIPE["feeds"]["home"], "features": FEATURES, "learned": {"click_model": {}}}
    return parse_recipe({**RECIPE, "feeds": {**RECIPE["feeds"], "home": home}}, "a test")


def table(world: World, data: TrainingData) -> Replayed:
    how = {"max_requests": 10_000, "progress": lambda _stage, _done, _total: None}
    return replay_feeds(recipe(), world.catalog, data, ["home"], **how)["home"]  # type: ignore[arg-type]


def with_another_future(data: TrainingData, moment: int) -> TrainingData:
    """The same events up to a moment, the same users and times after it, and other items."""
    events = data.interactions
    items, later = events.items.copy(), np.flatnonzero(events.times > moment)
    items[later] = np.random.default_rng(1).permutation(items[later])
    return replace(data, interactions=replace(events, items=items))


def leaks(world: World) -> list[str]:
    """The columns of requests up to the middle one that another future changes."""
    whole = table(world, world.data)
    moment = int(np.sort(whole.times)[len(whole) // 2])
    other = table(world, with_another_future(world.data, moment))
    # With another future some requests have nothing left to choose, and are none.
    both = set(zip(whole.users, whole.times, strict=True)) & set(zip(other.users, other.times, strict=True))
    here, there = (
        each.take(np.array([n for n, one in enumerate(zip(each.users, each.times, strict=True)) if one in both]))
        for each in (whole, other)
    )
    here, there = (each.take(np.flatnonzero(each.times <= moment)) for each in (here, there))
    assert len(here) == len(there) > 10
    np.testing.assert_array_equal(here.positions, there.positions)
    assert not np.array_equal(here.outcomes, there.outcomes), "what was done after the request is another"
    columns = {"evidence": here.evidence - there.evidence, "served": here.served - there.served}
    columns |= {
        name: here.features[:, column] - there.features[:, column]
        for column, name in enumerate(here.feature_names)
    }
    return [name for name, difference in columns.items() if np.abs(difference).max() > 0]


def test_no_feature_knows_what_comes_after_its_request(world: World) -> None:
    assert leaks(world) == []


def test_a_planted_leak_is_found(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A feature that counts the events of the very moment, and those of the day after it."""
    told: list[TrainingData] = []
    of = Popularity.extract

    def reading(self: Popularity, query: Query, candidates: Candidates) -> Floats:
        events = told[-1].interactions
        soon = events.items[(events.times >= query.now) & (events.times < query.now + 86_400_000_000)]
        found = of(self, query, candidates)
        return found + np.bincount(soon, minlength=world.catalog.size)[candidates.positions, None].astype(
            np.float32
        )

    monkeypatch.setattr(Popularity, "extract", reading)
    original = table

    def telling(world: World, data: TrainingData) -> Replayed:
        told.append(data)
        return original(world, data)

    monkeypatch.setitem(globals(), "table", telling)
    assert leaks(world) == ["popularity"]
