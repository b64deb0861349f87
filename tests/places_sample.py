"""The toy world on a map: d1 to d3 around Paris, s1 to s3 in Tokyo, c1 at the south pole, others nowhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final

from homefeed.geo import Place
from homefeed.testing import World, make_world
from homefeed.testing.world import ITEMS, PLAYS, RECIPE
from homefeed.types import Query

PARIS: Final = Place(48.8566, 2.3522)
TOKYO: Final = Place(35.6762, 139.6503)
PLACES: Final[Mapping[str, Place]] = {
    "d1": PARIS,
    "d2": Place(48.8049, 2.1204),  # Versailles, 17.96 km from Paris
    "d3": Place(51.5074, -0.1278),  # London, 343.9 km
    "s1": TOKYO,
    "s2": TOKYO,
    "s3": TOKYO,
    "c1": Place(-90, 0),
}
FIELDS: Final = RECIPE["items"]["fields"] | {"location": "location"}
DECLARED: Final[Mapping[str, Any]] = {**RECIPE, "items": {"fields": FIELDS}}

located_empty_world: Final = partial(make_world, (), (), declared=DECLARED)


def located_world() -> World:
    """A toy world with those places."""
    items = [
        replace(item, attributes={**item.attributes, "location": PLACES[item.item_id].to_json()})
        if item.item_id in PLACES
        else item
        for item in ITEMS
    ]
    return make_world(items, PLAYS, declared=DECLARED)


def located_requests(world: World) -> dict[str, Query]:
    """Requests from somewhere, for contract suites."""
    return {
        "from Paris": world.query("da", place=PARIS),
        "from Paris, not far": world.query("da", place=PARIS, radius_km=20),
        "from the north pole": world.query(place=Place(90, 45)),
        "from the antimeridian": world.query("cold", place=Place(0, 180)),
    }
