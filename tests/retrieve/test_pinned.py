"""What is pinned, since when and until when."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from homefeed.errors import RecipeError
from homefeed.protocols import Retriever, RetrieverExplainer
from homefeed.retrieve.pinned import Pinned
from homefeed.testing import RetrieverContract, World, make_world, toy_world
from homefeed.testing.requests import toy_requests
from homefeed.testing.world import ITEMS, NOW, PLAYS, RECIPE
from homefeed.times import format_time
from homefeed.types import DAY, Item, Query

FIELDS = RECIPE["items"]["fields"] | {"pinned_until": "time", "offer": "time"}
DECLARED = {**RECIPE, "items": {"fields": FIELDS}}


def pinned(world: World, **config: str) -> Pinned:
    return Pinned(Pinned.Config.model_validate(config), world.resources)


def item(number: int, until: int | None, days_old: float | None = None, **attributes: Any) -> Item:
    created = None if days_old is None else NOW - int(days_old * DAY)
    if until is not None:
        attributes["pinned_until"] = format_time(until)
    return Item(f"i{number}", 40 + number, attributes, created)


def world_of(*items: Item) -> World:
    return make_world(items, (), declared=DECLARED)


def found(world: World, k: int = 100, now: int = NOW, **query: Any) -> tuple[str, ...]:
    return world.ids(pinned(world).retrieve(world.query(now=now, **query), k)[0])


class TestPinned(RetrieverContract):
    @pytest.fixture(autouse=True)
    def _declared(self, monkeypatch: pytest.MonkeyPatch) -> None:
        suite = "homefeed.testing.retriever"
        monkeypatch.setattr(f"{suite}.make_world", partial(make_world, declared=DECLARED))
        monkeypatch.setattr(f"{suite}.empty_world", partial(make_world, (), (), declared=DECLARED))

    @pytest.fixture
    def world(self) -> World:
        times = {"d1": NOW + DAY, "s3": NOW + 9 * DAY, "c1": NOW + 2 * DAY, "h1": NOW + DAY, "x1": NOW + 3 * DAY}
        items = [
            Item(i.item_id, i.number, {**i.attributes, "pinned_until": format_time(time)}, i.created_at, i.hidden)
            if (time := times.get(i.item_id))
            else i
            for i in ITEMS
        ]
        return make_world(items, PLAYS, declared=DECLARED)

    def make(self, world: World) -> Retriever:
        return pinned(world)

    def requests(self, world: World) -> dict[str, Query]:
        return toy_requests(world) | {"a day later": world.query("da", now=NOW + DAY)}

    def test_what_this_world_pins(self, world: World) -> None:
        assert found(world) == ("c1", "s3", "d1", "x1")
        assert found(world, now=NOW + DAY) == ("c1", "s3", "x1")


def test_a_pin_ends_with_its_time() -> None:
    world = world_of(item(0, NOW - 1), item(1, NOW), item(2, NOW + 1), item(3, None))
    assert found(world) == ("i2",)
    assert found(world, now=NOW - 2) == ("i2", "i1", "i0")


def test_the_newest_come_first() -> None:
    until = NOW + DAY
    world = world_of(
        item(0, until, 3), item(1, until, None), item(2, until, 1), item(3, until, 3), item(4, until, 2)
    )
    assert found(world) == ("i2", "i4", "i3", "i0", "i1")
    assert found(world, k=2) == ("i2", "i4")
    assert found(world, exclude=("i4",)) == ("i2", "i3", "i0", "i1")


def test_scores_fall() -> None:
    world = world_of(*(item(n, NOW + DAY, n) for n in range(4)))
    _, scores = pinned(world).retrieve(world.query(), 100)
    assert scores.tolist() == pytest.approx([1, 1 / 2, 1 / 3, 1 / 4])


def test_a_pin_set_or_removed_counts_at_once() -> None:
    world = world_of(item(0, NOW + DAY), item(1, None))
    retriever = pinned(world)
    world.catalog.apply([item(0, None), item(1, NOW + DAY), item(2, NOW + DAY)])
    assert world.ids(retriever.retrieve(world.query(), 9)[0]) == ("i2", "i1")


def test_the_reason_names_the_day() -> None:
    world = world_of(item(0, NOW + DAY), item(1, NOW), item(2, None), item(3, 1_772_323_199 * 1_000_000))
    retriever = pinned(world)
    assert isinstance(retriever, RetrieverExplainer)
    positions = world.positions("i0", "i1", "i2", "i3")
    reasons = ["Pinned until 16 January", None, None, "Pinned until 28 February"]
    assert retriever.reasons(world.query(), positions) == reasons
    assert pinned(world, reason="Important").reasons(world.query(), positions[:1]) == ["Important"]


def test_the_field_has_to_be_a_time() -> None:
    world = world_of(item(0, None, offer="2027-01-01"))
    assert world.ids(pinned(world, field="offer").retrieve(world.query(), 9)[0]) == ("i0",)
    with pytest.raises(RecipeError, match="pinned_until is not declared"):
        pinned(toy_world())
    with pytest.raises(RecipeError, match="year"):
        pinned(world, field="year")
