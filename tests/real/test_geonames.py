"""Cities of the world (GeoNames): what is nearest to any place, as found by measuring the way to all of them."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from homefeed.catalog import CatalogView
from homefeed.catalog.place_index import PlaceIndex
from homefeed.geo import Place, distances_between
from homefeed.types import Item

CITIES = Path(__file__).parents[3] / "shared" / "data" / "geonames" / "cities15000.zip"

pytestmark = pytest.mark.skipif(not CITIES.is_file(), reason=f"needs the cities of GeoNames in {CITIES}")


@pytest.fixture(scope="module")
def items() -> CatalogView:
    with zipfile.ZipFile(CITIES) as packed, packed.open("cities15000.txt") as table:
        rows = [line.rstrip("\n").split("\t") for line in io.TextIOWrapper(table, "utf-8")]
    catalog = CatalogView({"title": "text", "location": "location"}, "title", place="location")
    catalog.apply(
        Item(row[0], n + 1, {"title": row[1], "location": [row[4], row[5]]}, None) for n, row in enumerate(rows)
    )
    return catalog


def test_the_nearest_400_cities_of_a_thousand_places_are_those_of_measuring_the_way_to_all(
    items: CatalogView,
) -> None:
    index, everything = PlaceIndex.of(items), items.available
    vectors = items.located(None).vectors(items.size)
    assert items.size > 30_000
    rng = np.random.default_rng(17)
    north = np.degrees(np.arcsin(rng.uniform(-1, 1, 1_000)))
    for latitude, longitude in zip(north.tolist(), rng.uniform(-180, 180, 1_000).tolist(), strict=True):
        place = Place(latitude, longitude)
        found, kms = index.nearest(place, everything, 400)
        distances = distances_between(place, vectors)
        farthest = np.partition(distances, 399)[399]
        assert np.flatnonzero(distances <= farthest).tolist() == sorted(found.tolist())
        assert kms.tolist() == sorted(distances[found].tolist())


def test_the_cities_nearest_to_paris_are_its_suburbs(items: CatalogView) -> None:
    found, kms = PlaceIndex.of(items).nearest(Place(48.8566, 2.3522), items.available, 30)
    assert {"Paris", "Bagnolet", "Ivry-sur-Seine"} <= {items.title(position) for position in found.tolist()}
    assert kms[-1] < 10
