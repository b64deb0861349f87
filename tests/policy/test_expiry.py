"""What is over, to the microsecond."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from homefeed.errors import RecipeError
from homefeed.policy.expiry import Expiry
from homefeed.protocols import Filter, FilterExplainer
from homefeed.testing import FilterContract, World, make_world, toy_world
from homefeed.testing.world import ITEMS, NOW, PLAYS, RECIPE
from homefeed.times import format_time
from homefeed.types import DAY, NEVER, NO_POSITIONS, Item

FIELDS = RECIPE["items"]["fields"] | {"expires_at": "time", "until": "time"}
DECLARED = {**RECIPE, "items": {"fields": FIELDS}}


def expiry(world: World, **config: str) -> Expiry:
    return Expiry(Expiry.Config.model_validate(config), world.resources)


def ending(*times: int | None) -> World:
    """A world of items i0, i1, ... that end at those times."""
    ends = [{} if time is None else {"expires_at": format_time(time)} for time in times]
    return make_world(
        [Item(f"i{n}", n, attributes, None) for n, attributes in enumerate(ends)], (), declared=DECLARED
    )


def seen(world: World, now: int = NOW) -> list[int]:
    return np.flatnonzero(expiry(world).filter(world.query(now=now))).tolist()


class TestExpiry(FilterContract):
    @pytest.fixture(autouse=True)
    def _declared(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("homefeed.testing.filter.empty_world", partial(make_world, (), (), declared=DECLARED))

    @pytest.fixture
    def world(self) -> World:
        ends = {"expires_at": format_time(NOW + DAY)}
        some_end = [
            replace(item, attributes={**item.attributes, **(ends if item.number % 2 else {})}) for item in ITEMS
        ]
        return make_world(some_end, PLAYS, declared=DECLARED)

    def make(self, world: World) -> Filter:
        return expiry(world)


def test_an_item_is_over_from_its_time_on() -> None:
    world = ending(NOW - DAY, NOW - 1, NOW, NOW + 1, NOW + DAY, None)
    assert seen(world) == [3, 4, 5]
    assert seen(world, NOW + 1) == [4, 5]
    assert seen(world, NOW - 2 * DAY) == [0, 1, 2, 3, 4, 5]
    assert seen(world, NOW + 10_000 * DAY) == [5]


def test_items_pass_together_until_the_first_is_over() -> None:
    part = expiry(ending(NOW + 5, NOW + 3, None, NOW + 9))
    assert part.passes_until(np.array([0, 1, 3], np.int32)) == NOW + 3
    assert part.passes_until(np.array([3, 2], np.int32)) == NOW + 9
    assert part.passes_until(np.array([2], np.int32)) == NEVER
    assert part.passes_until(NO_POSITIONS) == NEVER


def test_an_item_can_be_prolonged() -> None:
    world = ending(NOW - DAY)
    part = expiry(world)
    assert not part.filter(world.query()).any()
    world.catalog.apply([Item("i0", 0, {"expires_at": format_time(NOW + DAY)}, None)])
    assert part.filter(world.query()).all()
    world.catalog.apply([Item("i0", 0, {}, None)])
    assert part.filter(world.query()).all()


def test_why_names_the_time() -> None:
    world = ending(NOW - DAY)
    part = expiry(world)
    assert isinstance(part, FilterExplainer)
    assert part.why(world.query(), 0) == "expires_at 2026-01-14T12:00:00Z has passed"


def test_the_field_can_be_another_time() -> None:
    world = ending(NOW - DAY)
    assert expiry(world, field="until").filter(world.query()).all()
    with pytest.raises(RecipeError, match=r"items\.fields\.expires_at"):
        expiry(toy_world())
    with pytest.raises(RecipeError, match='year is declared as "number"'):
        expiry(world, field="year")
