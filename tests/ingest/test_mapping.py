"""Which column becomes what."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from homefeed.errors import DataError
from homefeed.ingest.mapping import event_layout, item_layout, user_layout

if TYPE_CHECKING:
    from tests.ingest.conftest import World

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
