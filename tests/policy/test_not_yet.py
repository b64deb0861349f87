"""What is still to come, to the microsecond."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from homefeed.engine import build_feeds
from homefeed.errors import RecipeError
from homefeed.funnel import recommend
from homefeed.policy.not_yet import NotYet
from homefeed.protocols import ExplanationFilter, Filter, FilterExplainer
from homefeed.recipe import parse_recipe
from homefeed.testing import FilterContract, World, make_world, toy_world
from homefeed.testing.world import NOW, RECIPE
from homefeed.times import format_time
from homefeed.types import Item

FIELDS = RECIPE["items"]["fields"] | {"available_from": "time", "expires_at": "time", "starts": "time"}
DECLARED = {**RECIPE, "items": {"fields": FIELDS}}


def starting(*times: int | None) -> World:
    """A world of items i0, i1, ... that are there from those times on."""
    starts = [{} if time is None else {"available_from": format_time(time)} for time in times]
    return make_world(
        [Item(f"i{n}", n, attributes, None) for n, attributes in enumerate(starts)], (), declared=DECLARED
    )


def seen(world: World, now: int = NOW) -> list[int]:
    return np.flatnonzero(NotYet(NotYet.Config(), world.resources).filter(world.query(now=now))).tolist()


class TestNotYet(FilterContract):
    @pytest.fixture(autouse=True)
    def _declared(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("homefeed.testing.filter.empty_world", partial(make_world, (), (), declared=DECLARED))

    @pytest.fixture
    def world(self) -> World:
        return starting(NOW - 1, NOW + 1, None)

    def make(self, world: World) -> Filter:
        return NotYet(NotYet.Config(), world.resources)

    def requests(self, world: World) -> dict[str, object]:  # type: ignore[override]
        return {"now": world.query("da"), "nobody": world.query(), "later": world.query("da", now=NOW + 1)}


def test_an_item_is_there_from_its_time_on() -> None:
    world = starting(NOW - 1, NOW, NOW + 1, None)
    assert seen(world) == [0, 1, 3]
    assert seen(world, NOW + 1) == [0, 1, 2, 3]
    assert seen(world, NOW - 2) == [3]


def test_every_feed_has_it_where_items_say_when() -> None:
    world = starting(NOW - 1, NOW + 1)
    for feed in build_feeds(world.recipe, world.resources).values():
        assert world.ids(recommend(feed, world.query()).positions) == ("i0",)
        assert world.ids(recommend(feed, world.query(now=NOW + 1)).positions) == ("i1", "i0")
    assert [spec.name for spec in world.recipe.feeds["popular"].filter] == ["blocked", "seen", "expiry", "not_yet"]
    without = parse_recipe({**DECLARED, "parts": {"filter": {"not_yet": False}}}, "a test")
    assert [spec.name for spec in without.feeds["popular"].filter] == ["blocked", "seen", "expiry"]


def test_no_reason_names_it_and_why_names_the_time() -> None:
    part = NotYet(NotYet.Config(), starting(NOW + 1).resources)
    assert isinstance(part, ExplanationFilter)
    assert part.restricts_explanations
    assert isinstance(part, FilterExplainer)
    assert part.why(starting().query(), 0) == "available_from 2026-01-15T12:00:00.000001Z has not come"


def test_its_field_is_a_time() -> None:
    with pytest.raises(RecipeError, match="starts"):
        NotYet(NotYet.Config(field="starts"), toy_world().resources)
