"""Where items are, as a column."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from homefeed.catalog import CatalogView
from homefeed.catalog.columns import COLUMNS, TextColumn
from homefeed.catalog.locations import LocationColumn
from homefeed.errors import InvalidError, RecipeError
from homefeed.geo import Place, unit_vectors
from homefeed.types import Condition, Item

PARIS, TOKYO = Place(48.8566, 2.3522), Place(35.6762, 139.6503)
FIELDS = {"title": "text", "location": "location"}


def column(*values: Any) -> LocationColumn:
    made = LocationColumn()
    made.set_many(np.arange(len(values), dtype=np.int32), values)
    return made


@pytest.mark.parametrize(
    "given", ["48.8566,2.3522", [48.8566, 2.3522], {"latitude": 48.8566, "longitude": 2.3522}]
)
def test_whatever_form_is_given_one_is_kept(given: Any) -> None:
    assert COLUMNS["location"]().check("f", given) == {"latitude": 48.8566, "longitude": 2.3522}


@pytest.mark.parametrize("given", [None, ""])
def test_there_may_be_none(given: Any) -> None:
    assert COLUMNS["location"]().check("f", given) is None


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("Paris", 'expected a place such as "48.85,2.35"'),
        ({"latitude": 1}, 'expected a place such as "48.85,2.35"'),
        ([91, 0], "latitude: expected degrees from -90 to 90, got 91"),
        ("1,", "longitude: expected degrees, got ''"),
    ],
)
def test_what_is_refused_names_the_field(given: Any, why: str) -> None:
    with pytest.raises(InvalidError) as refused:
        COLUMNS["location"]().check("home", given)
    assert str(refused.value).startswith(f"home: {why}")


def test_it_holds_degrees_and_unit_vectors_and_nothing_where_there_is_none() -> None:
    made = column(PARIS.to_json(), None, "nowhere", [35.6762, 139.6503])
    expected = [48.8566, math.nan, math.nan, 35.6762, math.nan]
    assert made.latitudes(5).tolist() == pytest.approx(expected, nan_ok=True)
    assert made.longitudes(4)[[0, 3]].tolist() == [2.3522, 139.6503]
    expected_vectors = unit_vectors(made.latitudes(5), made.longitudes(5))
    np.testing.assert_array_equal(made.vectors(5), expected_vectors)
    assert [made.place(position) for position in (0, 1, 3, 9)] == [PARIS, None, TOKYO, None]
    assert made.all_terms(2) == [("48.8566,2.3522",), ()]


@pytest.mark.parametrize("north", [91, -90.1, math.nan, True, "north", None])
def test_what_was_stored_before_it_was_a_location_is_left_out(north: Any) -> None:
    made = column({"latitude": north, "longitude": 2}, {"latitude": 1, "longitude": 2})
    assert [made.place(position) for position in (0, 1)] == [None, Place(1, 2)]


def test_a_move_is_seen_at_once() -> None:
    made = column(PARIS.to_json(), None)
    made.set(0, TOKYO.to_json())
    made.set_many(np.array([1, 2_000], np.int32), [PARIS.to_json(), None])
    assert made.within_km(PARIS, 10, 3).tolist() == [False, True, False]
    assert made.distances_km(TOKYO, np.array([0, 2], np.int32), 3).tolist() == pytest.approx(
        [0, math.nan], nan_ok=True
    )


def test_no_condition_compares_it() -> None:
    with pytest.raises(InvalidError, match=r"^filter location:Paris: location is a location field; .* radius_km$"):
        column(None).mask(Condition("location", ":", "Paris"), 1)


def test_the_catalogue_knows_where_its_items_are() -> None:
    catalog = CatalogView(FIELDS, "title", place="location")
    catalog.apply([Item("a", 1, {"title": "A", "location": [1, 2]}, None)])
    assert catalog.places is catalog.located(None) is catalog.located("location")
    assert catalog.located(None).place(0) == Place(1, 2)
    assert catalog.all_terms().keys() == {"title"}
    with pytest.raises(RecipeError, match='title is declared as "text"; expected "location"'):
        catalog.located("title")


def test_a_catalogue_may_have_none() -> None:
    catalog = CatalogView({"title": "text"}, "title")
    assert catalog.places is None
    with pytest.raises(RecipeError, match='items have no field of the kind "location"'):
        catalog.located(None)
    assert isinstance(catalog.column("title", TextColumn), TextColumn)


def test_a_move_revises_no_words() -> None:
    catalog = CatalogView(FIELDS, "title", place="location")
    catalog.apply([Item("a", 1, {"title": "A", "location": [1, 2]}, None)])
    before = catalog.revisions, catalog.generation
    catalog.apply([Item("a", 1, {"title": "A", "location": [1, 3]}, None)])
    assert (catalog.revisions, catalog.generation) == (before[0], before[1] + 1)
