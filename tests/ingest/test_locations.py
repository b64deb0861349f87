"""Locations of files: from one column or two, and what is said of those that are none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from homefeed.errors import DataError
from homefeed.geo import Place
from homefeed.ingest import Files
from homefeed.recipe import Recipe

if TYPE_CHECKING:
    from tests.ingest.conftest import World

Counts = Callable[[Mapping[str, Any]], dict[str, int]]

PARIS = {"latitude": 48.85, "longitude": 2.35}

# What is tested here is the same on every database.
pytestmark = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)


def located(world: World, **sources: Any) -> Recipe:
    return world.recipe(
        items={"fields": {"title": "text", "location": "location"}},
        users={"fields": {"home": "location"}},
        sources=sources,
    )


async def places(world: World, recipe: Recipe, items: str = "items.csv") -> list[Any]:
    await world.run(recipe, Files(items=world.folder / items))
    return [item.attributes.get("location") for item in await world.items()]


async def test_one_column_holds_both(world: World) -> None:
    world.write(items='item_id,title,location\na,A,"48.85,2.35"\nb,B,\nc,C,"[48.85, 2.35]"\n')
    assert await places(world, located(world)) == [PARIS, None, PARIS]


async def test_two_columns_are_named_in_the_recipe(world: World) -> None:
    world.write(items="item_id,title,lat,lng\na,A,48.85, 2.35\nb,B,,\n")
    recipe = located(world, items={"columns": {"location": ["lat", "lng"]}})
    assert await places(world, recipe) == [PARIS, None]
    # Neither is kept beside the location.
    assert [item.attributes.keys() for item in await world.items()] == [{"title", "location"}, {"title"}]
    table = located(world, items={"columns": {"location": {"columns": ["lng", "lat"]}}})
    assert await places(world, table) == [{"latitude": 2.35, "longitude": 48.85}, None]


async def test_latitude_and_longitude_are_found_of_items_and_users(world: World) -> None:
    world.write(
        items="item_id,title,latitude,longitude\na,A,48.85,2.35\n",
        users="user_id,longitude,latitude\nu1,2.35,48.85\nu2,,\n",
    )
    report = await world.run(located(world), Files(world.folder / "users.csv", world.folder / "items.csv"))
    assert [dict(item.attributes) for item in await world.items()] == [{"title": "A", "location": PARIS}]
    assert [dict(user.attributes) for user in await world.users()] == [{"home": PARIS}, {}]
    assert [file.notes for file in report.files] == [(), ()]


async def test_a_column_of_its_own_name_comes_first(world: World) -> None:
    world.write(items='item_id,title,location,latitude,longitude\na,A,"48.85,2.35",1,2\n')
    assert await places(world, located(world)) == [PARIS]
    assert (await world.items())[0].attributes["latitude"] == "1"


async def test_parquet_and_json_lines_are_read_likewise(world: World) -> None:
    rows = {"item_id": ["a", "b"], "title": ["A", "B"]}
    pairs = {"latitude": [48.85, None], "longitude": [2.35, None]}
    pl.DataFrame(rows | pairs).write_parquet(world.folder / "pairs.parquet")
    structs = {"location": [PARIS, None]}
    pl.DataFrame(rows | structs).write_parquet(world.folder / "structs.parquet")
    pl.DataFrame(rows | structs).write_ndjson(world.folder / "structs.jsonl")
    pl.DataFrame(rows | pairs).write_ndjson(world.folder / "pairs.jsonl")
    pl.DataFrame(rows | {"location": [[48.85, 2.35], None]}).write_ndjson(world.folder / "lists.jsonl")
    for name in ("pairs.parquet", "structs.parquet", "structs.jsonl", "pairs.jsonl", "lists.jsonl"):
        assert await places(world, located(world), name) == [PARIS, None], name


BAD = "item_id,title,latitude,longitude\na,A,48.85,\nb,B,,2.35\nc,C,91,0\nd,D,0,181\ne,E,north,2\nf,F,48.85,2.35\n"


async def test_what_is_none_is_left_out_with_a_warning(world: World, counts: Counts) -> None:
    world.write(items=BAD)
    report = (await world.run(located(world), Files(items=world.folder / "items.csv"))).files[0]
    label = "latitude and longitude"
    assert (report.loaded, counts(report.rejected)) == (6, {})
    assert counts(report.warnings) == {
        f"{label}: only half of a location": 2,
        f"{label}: a location off the Earth: latitude is -90 to 90, longitude -180 to 180": 2,
        f'{label}: not a location such as "48.85,2.35"': 1,
    }
    assert [item.attributes.get("location") for item in await world.items()] == [None] * 5 + [PARIS]


async def test_where_it_is_required_the_row_is_refused(world: World, counts: Counts) -> None:
    world.write(items=BAD + "g,G,,\n")
    recipe = located(world, items={"required": ["location"]})
    report = (await world.run(recipe, Files(items=world.folder / "items.csv"))).files[0]
    assert counts(report.rejected)["missing latitude and longitude"] == 1
    assert report.loaded == 1


async def test_a_column_that_is_not_there_is_named(world: World) -> None:
    world.write(items="item_id,title,lat\na,A,48.85\n")
    columns = {"columns": {"location": ["lat", "lon"]}}
    report = (await world.run(located(world, items=columns), Files(items=world.folder / "items.csv"))).files[0]
    assert report.notes == ('no column "lon" (the recipe\'s location): rows load without it',)
    required = located(world, items=columns | {"required": ["location"]})
    with pytest.raises(DataError, match=r'no column "lon" \(the recipe\'s location\); its columns are'):
        await world.run(required, Files(items=world.folder / "items.csv"))


async def test_what_is_imported_is_what_a_place_is_read_from(world: World) -> None:
    world.write(users='user_id,home\nu1,"-33.9,151.2"\n')
    recipe = located(world)
    await world.run(recipe, Files(world.folder / "users.csv"))
    (user,) = await world.users()
    assert recipe.users.place_of(user.attributes) == Place(-33.9, 151.2)
