"""Reads what a map of an app shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from homefeed.catalog import CatalogView
from homefeed.catalog.columns import CategoryColumn
from homefeed.dataset.log import LogData, Progress, read_log
from homefeed.errors import InvalidError
from homefeed.maps.layers import Integers, Layer, MapData
from homefeed.privacy import opted_out
from homefeed.recipe import Recipe
from homefeed.recipe.variety import place_name
from homefeed.store import Store
from homefeed.store.users import list_users
from homefeed.types import Mask

_PAGE: Final = 20_000
_FEW: Final = range(2, 101)
"""A field with so many values tells categories apart, where nobody says which field does."""
_USER_DIGITS: Final = 2
"""Users are drawn within a kilometre of where they are, so that a map tells nobody's address."""


async def read_map(
    store: Store,
    recipe: Recipe,
    *,
    now: int,
    places: str | None = None,
    categories: str | None = None,
    progress: Progress | None = None,
) -> MapData:
    """The items that can be shown and the users, where they are known to be.

    Args:
        store: The open store.
        recipe: The app's.
        now: In microseconds since 1970; later events do not count.
        places: The category field that names where an item is; by default what `nearby` goes by.
        categories: The category field that items are coloured by; by default that of `signals.full_group`, else
            the first with 2 to 100 values.
        progress: Called with (events read, events in all).

    Raises:
        InvalidError: the app has no location field, or one of the fields is none of its category fields.
    """
    if recipe.items.place_field is None and recipe.users.place_field is None:
        raise InvalidError(
            f"{recipe.app} has no location to map: declare one in its recipe, of items or of users or of both, "
            'such as [items.fields] location = "location" and [users.fields] location = "location", and import '
            "latitude and longitude"
        )
    log = await read_log(store, recipe, now=now, seed=0, progress=progress)
    catalog = log.catalog
    place_field = _category(recipe, "place", places) or place_name(recipe)
    category_field = _category(recipe, "category", categories) or _telling(recipe, catalog, place_field)
    items = _items(log, place_field, category_field)
    users = await _users(store, recipe, log, place_field)
    return MapData(recipe.app, recipe.title, items, users, place_field, category_field)


def _category(recipe: Recipe, option: str, field: str | None) -> str | None:
    known = [name for name, kind in recipe.items.fields.items() if kind == "category"]
    if field is not None and field not in known:
        raise InvalidError(
            f'--{option}: "{field}" is no category field of items; those are: {", ".join(known) or "none"}'
        )
    return field


def _telling(recipe: Recipe, catalog: CatalogView, place_field: str | None) -> str | None:
    if recipe.signals.full_group is not None:
        return recipe.signals.full_group
    fields = (name for name, kind in catalog.fields.items() if kind == "category" and name != place_field)
    return next((name for name in fields if catalog.column(name, CategoryColumn).distinct in _FEW), None)


def _items(log: LogData, place_field: str | None, category_field: str | None) -> Layer:
    catalog = log.catalog
    column, size = catalog.places, catalog.size
    shown: Mask = catalog.available[:size]
    if column is None:
        return _empty(int(shown.sum()))
    placed = shown & ~np.isnan(column.latitudes(size))
    rows = np.flatnonzero(placed)
    events = np.bincount(log.data.interactions.items, minlength=size).astype(np.int64)
    return Layer(
        column.latitudes(size)[rows],
        column.longitudes(size)[rows],
        events[rows],
        tuple(map(catalog.title, rows.tolist())),
        _values(catalog, category_field, rows),
        _values(catalog, place_field, rows),
        int(shown.sum()) - len(rows),
    )


def _values(catalog: CatalogView, field: str | None, rows: Integers) -> tuple[str, ...]:
    if field is None:
        return ("",) * len(rows)
    column = catalog.column(field, CategoryColumn)
    values = [*map(column.value, range(column.distinct)), ""]
    return tuple(values[code] for code in column.codes(catalog.size)[rows].tolist())


async def _users(store: Store, recipe: Recipe, log: LogData, place_field: str | None) -> Layer:
    """Users without their ids, about where they are; those who opted out are nowhere."""
    events = np.bincount(log.data.interactions.users, minlength=log.data.user_count)
    active = dict(zip(log.data.user_numbers.tolist(), events.tolist(), strict=True))
    found: list[tuple[float, float, int, str]] = []
    last = nowhere = 0
    while page := await list_users(store, recipe.app, last, _PAGE):
        for user in page:
            place = None if opted_out(user.attributes, recipe) else recipe.users.place_of(user.attributes)
            if place is None:
                nowhere += 1
                continue
            north, east = round(place.latitude, _USER_DIGITS), round(place.longitude, _USER_DIGITS)
            found.append((north, east, active.get(user.number, 0), _text(user.attributes, place_field)))
        last = page[-1].number
    if not found:
        return _empty(nowhere)
    norths, easts, counts, places = zip(*found, strict=True)
    nothing = ("",) * len(found)
    return Layer(
        np.array(norths, np.float64),
        np.array(easts, np.float64),
        np.array(counts, np.int64),
        nothing,
        nothing,
        places,
        nowhere,
    )


def _text(attributes: Mapping[str, Any], field: str | None) -> str:
    value = None if field is None else attributes.get(field)
    return value if isinstance(value, str) else ""


def _empty(nowhere: int) -> Layer:
    nothing = np.empty(0, np.float64)
    return Layer(nothing, nothing, np.empty(0, np.int64), (), (), (), nowhere)
