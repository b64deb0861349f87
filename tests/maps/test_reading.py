"""What a map shows is what the store holds."""

from __future__ import annotations

import numpy as np
import pytest
from tests.maps.maps_sample import NOW, fill, recipe, stall

from homefeed.errors import InvalidError
from homefeed.maps.reading import read_map
from homefeed.store import Store


async def _filled(store: Store) -> None:
    items = [
        stall("a", "10,179", title="Apples", town="Fiji", kind="food"),
        stall("b", "10,-179", town="Fiji", kind="food"),
        stall("c", "-90,0", title="Coats", town="Pole", kind="clothes"),
        stall("d", None, kind="food"),
    ]
    users = {
        "u1": {"home": "10.123456,179.987654", "town": "Fiji"},
        "u2": {"town": "Fiji"},
        "u3": {"home": "0,0", "private": "yes"},
    }
    await fill(store, items, users, ["u1 a", "u1 b", "u2 a", "u3 d"])


async def test_items_have_titles_categories_places_and_events(store: Store) -> None:
    await _filled(store)
    found = await read_map(store, recipe(), now=NOW)
    assert (found.place_field, found.category_field) == ("town", "kind")
    assert found.items.titles == ("Apples", "b", "Coats")
    assert found.items.categories == ("food", "food", "clothes")
    assert found.items.events.tolist() == [2, 1, 0]
    assert found.items.nowhere == 1


async def test_users_are_about_where_they_are_and_nowhere_if_they_opted_out(store: Store) -> None:
    await _filled(store)
    users = (await read_map(store, recipe(), now=NOW)).users
    assert (users.latitudes.tolist(), users.longitudes.tolist()) == ([10.12], [179.99])
    assert users.titles == ("",)
    assert users.events.tolist() == [2]
    assert users.nowhere == 2


async def test_places_and_categories_are_counted(store: Store) -> None:
    await _filled(store)
    found = (await read_map(store, recipe(), now=NOW)).to_json()
    assert found["places"] == [
        {"name": "Fiji", "items": 2, "users": 1, "events": 3},
        {"name": "Pole", "items": 1, "users": 0, "events": 0},
    ]
    assert found["categories"] == [
        {"name": "food", "items": 2, "events": 3},
        {"name": "clothes", "items": 1, "events": 0},
    ]


async def test_the_middle_of_a_place_is_right_across_the_antimeridian(store: Store) -> None:
    await _filled(store)
    fiji, pole = (await read_map(store, recipe(), now=NOW)).places()
    assert abs(fiji.longitude) > 179
    assert fiji.latitude == pytest.approx(10, abs=0.1)
    assert pole.latitude == pytest.approx(-90)


async def test_fields_can_be_chosen(store: Store) -> None:
    await _filled(store)
    found = await read_map(store, recipe(), now=NOW, places="kind", categories="town")
    assert [row.name for row in found.places()] == ["food", "clothes"]
    assert [row.name for row in found.categories()] == ["Fiji", "Pole"]


async def test_a_field_that_is_no_category_is_refused(store: Store) -> None:
    with pytest.raises(InvalidError, match='--category: "title" is no category field of items; those are: town'):
        await read_map(store, recipe(), now=NOW, categories="title")


async def test_an_app_without_a_location_is_told_what_to_add(store: Store) -> None:
    with pytest.raises(InvalidError, match=r'declare one.*\[items\.fields\] location = "location"'):
        await read_map(store, recipe(located=False), now=NOW)


async def test_a_map_of_nothing_is_a_map(store: Store) -> None:
    found = await read_map(store, recipe(), now=NOW)
    assert (len(found.items), len(found.users), found.places()) == (0, 0, [])
    assert np.isnan(found.items.latitudes).sum() == 0
