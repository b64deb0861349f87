"""Which column becomes what."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from homefeed.errors import DataError, RecipeError
from homefeed.ingest.cells import mapped
from homefeed.ingest.mapping import event_layout, item_layout, user_layout

if TYPE_CHECKING:
    from tests.ingest.conftest import World

Counts = Callable[[Mapping[str, Any]], dict[str, int]]

PATH = Path("folder/file.csv")
EVENT_COLUMNS = ("user_id", "item_id", "event_type", "watch_seconds", "timestamp")


def test_a_missing_column_names_the_file_the_column_and_what_is_there(world: World) -> None:
    with pytest.raises(DataError) as caught:
        event_layout(world.recipe(), PATH, ("user_id", "item_id", "timestamp"))
    assert str(caught.value) == (
        f'{PATH}: no column "watch_seconds" (the recipe\'s value); its columns are: user_id, item_id, timestamp'
    )
    with pytest.raises(DataError, match='no column "item_id"; its columns are: none'):
        item_layout(world.recipe(), PATH, ())


@pytest.mark.parametrize("missing", ["user_id", "item_id", "timestamp", "watch_seconds"])
def test_what_an_event_needs(world: World, missing: str) -> None:
    columns = [name for name in EVENT_COLUMNS if name != missing]
    with pytest.raises(DataError, match=f'no column "{missing}"'):
        event_layout(world.recipe(), PATH, columns)


def test_the_type_must_be_there_where_there_are_several(world: World) -> None:
    columns = [name for name in EVENT_COLUMNS if name != "event_type"]
    assert event_layout(world.recipe(), PATH, columns).origins["event_type"].constant == "play"
    with pytest.raises(DataError, match='no column "event_type"'):
        event_layout(world.recipe(events={"play": {}, "like": {}}), PATH, columns)


def test_a_mapped_column_that_is_missing_is_noted(world: World) -> None:
    columns: dict[str, Any] = {"created_at": "premiere"}
    recipe = world.recipe(sources={"items": {"columns": columns}})
    notes = item_layout(recipe, PATH, ("item_id", "title", "content_type", "genre", "year")).notes
    assert notes == ('no column "premiere" (the recipe\'s created_at): rows load without it',)


def test_a_column_in_the_way_of_a_mapped_one_is_ignored(world: World) -> None:
    recipe = world.recipe(sources={"items": {"columns": {"title": "name", "maker": "studio"}}})
    columns = ("item_id", "title", "name", "content_type", "genre", "year", "studio", "more")
    layout = item_layout(recipe, PATH, columns)
    assert layout.ignored == ("title",)
    frame = pl.DataFrame({name: [name] for name in columns})
    assert layout.others(frame) == ["more"]
    assert layout.cells(frame, "title").to_list() == ["name"]
    assert layout.cells(frame, "maker").to_list() == ["studio"]


def test_without_a_row_to_tell_the_columns_everything_is_looked_for(world: World) -> None:
    layout = user_layout(world.recipe(), PATH, None)
    assert layout.notes == ()
    assert layout.cells(pl.DataFrame({"age": ["1"]}), "user_id").to_list() == [None]


RATED = {"event_type": {"column": "stars", "map": {"<=2": "dislike", ">= 4": "like", "seen": "play"}}}


def test_thresholds_make_event_types_of_a_value(world: World) -> None:
    types = {"play": {}, "like": {}, "dislike": {"weight": -1}}
    recipe = world.recipe(events=types, sources={"events": {"columns": RATED}})
    layout = event_layout(recipe, PATH, ("user_id", "item_id", "stars", "timestamp"))
    frame = pl.DataFrame({"stars": ["0.5", "2", "2.01", "3", "4", " 5 ", "seen", "unseen", "", None]})
    expected = ["dislike", "dislike", None, None, "like", "like", "play", None, None, None]
    assert layout.cells(frame, "event_type").to_list() == expected
    assert (
        layout.unmapped(frame, "event_type").tolist()
        == [False] * 2 + [True] * 2 + [False] * 3 + [True] + [False] * 2
    )


def test_of_several_entries_the_first_counts() -> None:
    cells = pl.Series(["1", "5", "9"])
    assert mapped(cells, {"5": "five", "<7": "few", ">0": "many"}).to_list() == ["few", "five", "many"]


def test_an_empty_cell_can_be_something_too() -> None:
    cells = pl.Series(["1", "5", "", "  ", None])
    assert mapped(cells, {"<=2": "dislike", ">2": "watch", "": "watch"}).to_list() == ["dislike", *["watch"] * 4]


async def test_a_rating_is_a_dislike_or_a_like_or_no_event(world: World, counts: Counts) -> None:
    types = {"like": {"full": 1.0}, "dislike": {"weight": -1}}
    columns = {**RATED, "value": {"column": "stars", "map": {"5": "1.0", "4": "0.5"}}}
    recipe = world.recipe(events=types, sources={"events": {"columns": columns, "required": ["value"]}})
    rows = ["u1,i1,1", "u1,i2,3", "u2,i1,5", "u2,i2,4"]
    world.write(events="\n".join(["user_id,item_id,stars,timestamp", *(f"{row},2025-12-05" for row in rows)]))
    report = await world.run(recipe)
    assert [(user, item, kind, value) for user, item, kind, value, _ in await world.log()] == [
        ("u1", "i1", "dislike", None),
        ("u2", "i1", "like", 1.0),
        ("u2", "i2", "like", 0.5),
    ]
    assert counts(report.files[2].rejected) == {"stars is mapped to no event type": 1}


@pytest.mark.parametrize("key", ["<", ">=x", "<=2,5", "> 1 2"])
def test_a_threshold_is_a_number(world: World, key: str) -> None:
    columns = {"event_type": {"column": "stars", "map": {key: "play"}}}
    with pytest.raises(RecipeError, match=r"map: expected <, <=, > or >= and a number, such as"):
        world.recipe(sources={"events": {"columns": columns}})


@pytest.mark.parametrize(
    ("events", "constant"), [({"play": {}, "no": {"weight": -1}}, "play"), ({"no": {"weight": -1}}, None)]
)
def test_a_file_without_types_holds_none_of_dislikes(world: World, events: Any, constant: str | None) -> None:
    columns = [name for name in EVENT_COLUMNS if name != "event_type"]
    recipe = world.recipe(events=events)
    if constant is None:
        with pytest.raises(DataError, match='no column "event_type"'):
            event_layout(recipe, PATH, columns)
    else:
        assert event_layout(recipe, PATH, columns).origins["event_type"].constant == constant
