"""Rows of one id that are joined, in a batch, across batches, and not with what was there before the import."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import pytest

from homefeed.ingest import Files, table
from homefeed.recipe import Recipe
from homefeed.store import Store
from homefeed.store.bulk import attributes_of
from homefeed.store.items import ItemWrite, delete_item, put_items
from homefeed.store.users import put_users

if TYPE_CHECKING:
    from tests.ingest.conftest import World

Counts = Callable[[Mapping[str, Any]], dict[str, int]]

ITEMS = (
    "item_id,title,content_type,genre,year,hidden,created_at\n"
    "i1,A,tv,Drama|Crime,,yes,2025-01-01\n"
    "i2,B,tv,,1990,yes,\n"
    "i1,,movie,,2001,,\n"
    "i1,A again,,Comedy,,no,\n"
    "i2,,,,,,2025-02-01\n"
)
JOINED = {
    "i1": {"title": "A again", "content_type": "movie", "genre": ["Comedy"], "year": 2001},
    "i2": {"title": "B", "content_type": "tv", "year": 1990},
}


def joining(world: World, **tables: Any) -> Recipe:
    return world.recipe(sources={"items": {"join": True, **tables}, "users": {"join": True}})


async def held(world: World) -> dict[str, dict[str, Any]]:
    return {item.item_id: dict(item.attributes) for item in await world.items()}


@pytest.mark.parametrize("block", [12 << 20, 40, 70])
async def test_what_a_later_row_leaves_empty_stays(
    world: World, counts: Counts, monkeypatch: pytest.MonkeyPatch, micros: Callable[..., int], block: int
) -> None:
    monkeypatch.setattr(table, "BLOCK", block)
    world.write(items=ITEMS)
    report = (await world.run(joining(world), Files(items=world.folder / "items.csv"))).files[0]
    assert await held(world) == JOINED
    assert (report.rows, report.loaded, report.new, report.updated) == (5, 2, 2, 0)
    assert counts(report.duplicates) == {"repeated id; its rows are joined": 3}
    assert [example.row for example in next(iter(report.duplicates.values())).examples] == [3, 4, 5]
    assert {item.item_id: (item.hidden, item.created_at) for item in await world.items()} == {
        "i1": (False, micros(2025, 1, 1)),
        "i2": (True, micros(2025, 2, 1)),
    }


@pytest.mark.parametrize("block", [12 << 20, 40])
async def test_of_an_earlier_import_nothing_stays(
    world: World, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    monkeypatch.setattr(table, "BLOCK", block)
    await put_items(world.store, "streaming", [ItemWrite("i1", {"title": "Old", "colour": "red"})])
    world.write(items=ITEMS)
    files = Files(items=world.folder / "items.csv")
    assert (await world.run(joining(world), files)).files[0].new == 1
    assert await held(world) == JOINED
    world.write(items="item_id,title\ni1,New\n")
    await world.run(joining(world), files)
    assert (await held(world))["i1"] == {"title": "New"}


@pytest.mark.parametrize("block", [12 << 20, 20])
async def test_users_too(world: World, monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(table, "BLOCK", block)
    world.write(users="user_id,age,region\nu1,30,North\nu2,,East\nu1,,South\nu2,44,\n")
    await world.run(joining(world), Files(users=world.folder / "users.csv"))
    assert {user.user_id: dict(user.attributes) for user in await world.users()} == {
        "u1": {"age": 30, "region": "South"},
        "u2": {"age": 44, "region": "East"},
    }


async def test_a_row_that_is_refused_is_not_joined(world: World, counts: Counts) -> None:
    world.write(items="item_id,title,year\ni1,A,1990\ni1,,2001\n")
    recipe = joining(world, required=["title"])
    report = (await world.run(recipe, Files(items=world.folder / "items.csv"))).files[0]
    assert (counts(report.rejected), counts(report.duplicates)) == ({"missing title": 1}, {})
    assert await held(world) == {"i1": {"title": "A", "year": 1990}}


async def test_by_default_the_last_row_counts(world: World, counts: Counts) -> None:
    world.write(items=ITEMS)
    recipe = world.recipe(sources={})
    report = (await world.run(recipe, Files(items=world.folder / "items.csv"))).files[0]
    assert (await held(world))["i2"] == {}
    assert counts(report.duplicates) == {"repeated id; its last row counts": 3}


async def test_the_attributes_of_what_is_there(store: Store) -> None:
    await put_items(store, "a", [ItemWrite("i1", {"x": 1}), ItemWrite("i2", {"x": 2}), ItemWrite("i3", {})])
    await put_users(store, "a", [("i1", {"age": 3})])
    await delete_item(store, "a", "i2")
    assert await attributes_of(store, "a", "items", ["i1", "i2", "i3", "i4"]) == {"i1": {"x": 1}, "i3": {}}
    assert await attributes_of(store, "a", "users", ["i1", "i2"]) == {"i1": {"age": 3}}
    assert await attributes_of(store, "b", "items", ["i1"]) == {}


async def test_a_row_that_would_make_an_item_too_large_is_rejected_and_the_rest_of_it_stays(
    world: World, counts: Counts
) -> None:
    row = "{},{},,{}"
    parts = [row.format("i1", "A" if not n else "", ("," * n) + "x" * 50_000 + "," * (6 - n)) for n in range(7)]
    names = "item_id,title,year," + ",".join(f"part{n}" for n in range(7))
    world.write(items="\n".join([names, *parts, "i1,B,,,,,,,,", ""]))
    report = (await world.run(joining(world), Files(items=world.folder / "items.csv"))).files[0]
    assert counts(report.rejected) == {"joined, more than 262,144 bytes as JSON": 2}
    assert [example.row for example in report.rejected["joined, more than 262,144 bytes as JSON"].examples] == [
        6,
        7,
    ]
    assert (await held(world))["i1"].keys() == {"title", *(f"part{n}" for n in range(5))}
    assert (await held(world))["i1"]["title"] == "B"
    assert (report.rows, report.loaded) == (8, 1)
