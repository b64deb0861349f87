"""What recipes say of places."""

from __future__ import annotations

from typing import Any

import pytest

from homefeed.errors import RecipeError
from homefeed.geo import Place
from homefeed.recipe import Recipe, parse_recipe

FEEDS = {"best": {"retrieve": {"popular": {}}, "rank": {"weighted": {"weights": {"popular": 1.0}}}}}


def recipe(**tables: Any) -> Recipe:
    items = {"fields": {"title": "text", "location": "location"}}
    return parse_recipe(
        {"app": "town", "items": items, "events": {"like": {}}, "feeds": FEEDS} | tables, "town.toml"
    )


def test_the_only_location_field_says_where_one_is() -> None:
    made = recipe(users={"fields": {"age": "number", "home": "location"}})
    assert (made.items.place_field, made.users.place_field) == ("location", "home")
    assert recipe(items={"fields": {"title": "text"}}).items.place_field is None


def test_of_several_one_is_named() -> None:
    fields = {"home": "location", "work": "location"}
    assert recipe(users={"fields": fields, "place": "work"}).users.place_field == "work"
    with pytest.raises(
        RecipeError, match="users: place: name the location field that says where one is: home, work"
    ):
        recipe(users={"fields": fields})
    with pytest.raises(RecipeError, match='place names "age", which is not declared in fields as "location"'):
        recipe(users={"fields": {"age": "number"}, "place": "age"})


@pytest.mark.parametrize(
    ("attributes", "place"),
    [
        ({"home": {"latitude": 1, "longitude": 2}}, Place(1, 2)),
        ({"home": "1,2"}, Place(1, 2)),
        ({"home": None}, None),
        ({"home": "here"}, None),
        ({}, None),
    ],
)
def test_where_a_user_is_is_read_from_their_attributes(attributes: dict[str, Any], place: Place | None) -> None:
    assert recipe(users={"fields": {"home": "location"}}).users.place_of(attributes) == place
    assert recipe().users.place_of(attributes) is None


def test_only_a_location_has_two_columns() -> None:
    for kind, name in (("items", "title"), ("users", "age"), ("events", "value")):
        with pytest.raises(
            RecipeError, match=rf'sources\.{kind}\.columns\.{name}: only a "location" field has two'
        ):
            recipe(sources={kind: {"columns": {name: ["a", "b"]}}})


@pytest.mark.parametrize("columns", [["lat"], ["lat", "lon", "height"], [1, 2]])
def test_a_location_has_two_columns_and_no_other_number(columns: list[Any]) -> None:
    with pytest.raises(RecipeError, match=r"^town\.toml: sources\.items\.columns\.location"):
        recipe(sources={"items": {"columns": {"location": columns}}})


def test_a_column_comes_from_one_origin() -> None:
    with pytest.raises(RecipeError, match="expected exactly one of `column`, `columns` and `value`"):
        recipe(sources={"items": {"columns": {"location": {"columns": ["a", "b"], "column": "c"}}}})
