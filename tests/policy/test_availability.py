"""What can be seen at all."""

from __future__ import annotations

from dataclasses import replace

from homefeed.engine import build_feeds
from homefeed.funnel import recommend
from homefeed.policy.availability import Availability
from homefeed.protocols import Filter
from homefeed.testing import FilterContract, World, toy_world
from homefeed.testing.world import ITEMS, NOW
from homefeed.types import DAY


class TestAvailability(FilterContract):
    def make(self, world: World) -> Filter:
        return Availability(Availability.Config(), world.resources)


def seen(world: World) -> list[str]:
    mask = Availability(Availability.Config(), world.resources).filter(world.query("da"))
    return [item.item_id for position, item in enumerate(ITEMS) if mask[position]]


def test_hidden_items_cannot_be_seen() -> None:
    assert seen(toy_world()) == [item.item_id for item in ITEMS if item.item_id != "h1"]


def test_hiding_deleting_and_bringing_back_show_at_once() -> None:
    world = toy_world()
    world.catalog.apply([replace(ITEMS[0], hidden=True), replace(ITEMS[1], deleted=True)])
    assert {"d1", "d2"}.isdisjoint(seen(world))
    world.catalog.apply([ITEMS[0], ITEMS[1], replace(ITEMS[10], hidden=False)])
    assert {"d1", "d2", "h1"} <= set(seen(world))


def test_an_item_dated_later_than_now_is_there_from_then_on() -> None:
    world = toy_world()
    part = Availability(Availability.Config(), world.resources)
    world.catalog.apply([replace(ITEMS[0], created_at=NOW + 5)])
    position = world.position("d1")
    assert not part.filter(world.query("da"))[position]
    assert part.filter(world.query("da"))[world.position("d2")]
    assert part.filter(world.query("da", now=NOW + 5))[position]
    world.catalog.apply([ITEMS[0]])
    assert part.filter(world.query("da"))[position]


def test_no_feed_puts_an_item_of_the_future_on_top() -> None:
    """By a sender's clock, or a typing error: 2199."""
    world = toy_world()
    world.catalog.apply([replace(ITEMS[9], created_at=NOW + 63_000 * DAY)])
    now, then = world.query("cold", n=20), world.query("cold", n=20, now=NOW + 63_000 * DAY)
    for name, feed in build_feeds(world.recipe, world.resources).items():
        assert "d4" not in world.ids(recommend(feed, now).positions), name
        assert "d4" in world.ids(recommend(feed, then).positions), name
