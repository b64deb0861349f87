"""What can be seen at all."""

from __future__ import annotations

from dataclasses import replace

from homefeed.policy.availability import Availability
from homefeed.protocols import Filter
from homefeed.testing import FilterContract, World, toy_world
from homefeed.testing.world import ITEMS


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
