"""What a map shows: items and users as points, and how many of them lie in each place and category."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, Final, Self, TypeAlias

import numpy as np
import numpy.typing as npt

from homefeed.geo import Degrees, unit_vectors

MAX_POINTS: Final = 100_000
"""So many points of a layer are drawn at most, those with most events; all are counted."""
MAX_ROWS: Final = 200
"""So many places and so many categories are told at most, the largest."""

Integers: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Layer:
    """Points on the Earth as columns (n,): the number of events, the title, the category and the place of each.

    An empty text is one that is not known. `nowhere` are as many again that have no location.
    """

    latitudes: Degrees
    longitudes: Degrees
    events: Integers
    titles: tuple[str, ...]
    categories: tuple[str, ...]
    places: tuple[str, ...]
    nowhere: int = 0

    def __len__(self) -> int:
        return len(self.latitudes)

    def drawn(self) -> Self:
        """No more than `MAX_POINTS` of them, those with most events, in the same order."""
        if len(self) <= MAX_POINTS:
            return self
        rows = np.sort(np.argsort(-self.events, kind="stable")[:MAX_POINTS])
        titles, categories, places = (
            tuple(map(column.__getitem__, rows.tolist())) for column in (self.titles, self.categories, self.places)
        )
        north, east, events = self.latitudes[rows], self.longitudes[rows], self.events[rows]
        return type(self)(north, east, events, titles, categories, places, self.nowhere)


@dataclass(frozen=True, slots=True)
class Row:
    """How many items and users there are of a place or category, and how many events of the items. Where a place
    is, is the middle of what lies there; NaN of a category.
    """

    name: str
    items: int
    users: int
    events: int
    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class MapData:
    """An app's map. `place_field` and `category_field` name the fields that places and categories are of."""

    app: str
    title: str
    items: Layer
    users: Layer
    place_field: str | None
    category_field: str | None

    def places(self) -> list[Row]:
        """The largest places by items, then by users."""
        return _rows(
            Counter(self.items.places), Counter(self.users.places), _events_of(self.items, self.items.places), self
        )

    def categories(self) -> list[Row]:
        """The largest categories of items, most first."""
        return _rows(Counter(self.items.categories), Counter(), _events_of(self.items, self.items.categories))

    def to_json(self) -> dict[str, Any]:
        """The counts, as `homefeed map --json` prints them."""
        return {
            "app": self.app,
            "items": len(self.items),
            "items_without_location": self.items.nowhere,
            "users": len(self.users),
            "users_without_location": self.users.nowhere,
            "events": int(self.items.events.sum()),
            "place_field": self.place_field,
            "places": [
                {"name": row.name, "items": row.items, "users": row.users, "events": row.events}
                for row in self.places()
            ],
            "category_field": self.category_field,
            "categories": [
                {"name": row.name, "items": row.items, "events": row.events} for row in self.categories()
            ],
        }


def _events_of(layer: Layer, names: tuple[str, ...]) -> Counter[str]:
    found: Counter[str] = Counter()
    for name, events in zip(names, layer.events.tolist(), strict=True):
        found[name] += events
    return found


def _rows(
    items: Counter[str], users: Counter[str], events: Counter[str], data: MapData | None = None
) -> list[Row]:
    by_size = sorted(items.keys() | users.keys(), key=lambda name: (-items[name], -users[name], name))
    names = [name for name in by_size if name][:MAX_ROWS]
    middles = {} if data is None else _middles(names, data)
    nowhere = (float("nan"), float("nan"))
    return [Row(name, items[name], users[name], events[name], *middles.get(name, nowhere)) for name in names]


def _middles(names: list[str], data: MapData) -> dict[str, tuple[float, float]]:
    """Where the sum of the unit vectors of what lies in a place points to: right across the antimeridian, too."""
    codes = {name: code for code, name in enumerate(names)}
    sums = np.zeros((len(names), 3))
    for layer in (data.items, data.users):
        rows = np.array([codes.get(name, -1) for name in layer.places], np.int64)
        here = rows >= 0
        np.add.at(sums, rows[here], unit_vectors(layer.latitudes, layer.longitudes)[here])
    north = np.degrees(np.arctan2(sums[:, 2], np.hypot(sums[:, 0], sums[:, 1])))
    east = np.degrees(np.arctan2(sums[:, 1], sums[:, 0]))
    return dict(zip(names, zip(north.tolist(), east.tolist(), strict=True), strict=True))
