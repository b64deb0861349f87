import zipfile
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from homefeed.samples import cities as module
from homefeed.samples.cities import Places, distance_km, draw_cities, draw_languages, load_cities, settle

GEONAMES = Path(__file__).parents[3] / "shared" / "data" / "geonames" / "cities15000.zip"
CITIES = pl.read_csv(Path(module.__file__).with_name("cities.csv"))
CONTINENTS = {"Africa", "Asia", "Europe", "North America", "Oceania", "South America"}


def at(*points: tuple[float, float]) -> Places:
    latitude, longitude = np.array(points).T
    return Places(np.zeros(len(points), np.int32), latitude, longitude)


def test_there_are_32_cities_on_six_continents() -> None:
    assert CITIES.height == CITIES["city"].n_unique() == 32
    assert set(CITIES["continent"]) == CONTINENTS
    assert {"en", "fr", "es", "pt", "de", "ja", "ar", "hi"} < set(load_cities().languages)


@pytest.mark.skipif(not GEONAMES.is_file(), reason=f"needs the cities of GeoNames in {GEONAMES.parent}")
def test_the_cities_are_those_of_geonames() -> None:
    with zipfile.ZipFile(GEONAMES) as packed:
        lines = packed.read("cities15000.txt").splitlines()
    ours = {str(number).encode() for number in CITIES["geoname_id"]}
    found = [line.decode().split("\t") for line in lines if line.partition(b"\t")[0] in ours]
    real = {int(row[0]): row for row in found}
    for row in CITIES.iter_rows(named=True):
        city = real[row["geoname_id"]]
        assert (city[1], city[8], city[17]) == (row["city"], row["country"], row["time_zone"])
        assert (float(city[4]), float(city[5])) == (row["latitude"], row["longitude"])


def test_the_package_names_where_the_cities_are_from() -> None:
    notice = Path(module.__file__).with_name("NOTICE").read_text()
    assert "https://www.geonames.org" in notice
    assert "https://creativecommons.org/licenses/by/4.0/" in notice


@pytest.mark.parametrize(
    ("one", "other", "km"),  # by geographiclib
    [
        ((48.85341, 2.3488), (35.6895, 139.69171), 9_736.095),
        ((40.71427, -74.00597), (51.50853, -0.12574), 5_585.226),
        ((-36.84853, 174.76349), (-13.5, -172.0), 2_903.21),  # across the antimeridian
        ((0.0, 0.0), (0.01, 0.01), 1.569),
        ((90.0, 0.0), (-90.0, 0.0), 20_003.931),
        ((10.0, 20.0), (-10.0, -160.0), 20_003.931),
        ((48.85341, 2.3488), (48.85341, 2.3488), 0.0),
    ],
)
def test_distances_are_those_along_the_ellipsoid(
    one: tuple[float, float], other: tuple[float, float], km: float
) -> None:
    assert distance_km(at(one), at(other))[0] == pytest.approx(km, rel=0.002, abs=1e-6)
    assert distance_km(at(one), at(other)) == distance_km(at(other), at(one))


def test_people_settle_around_the_middle_of_their_city() -> None:
    city = np.repeat(np.arange(32, dtype=np.int32), 100)
    places = settle(city, np.random.default_rng(1))
    middle = Places(city, load_cities().latitude[city], load_cities().longitude[city])
    away = distance_km(places, middle)
    assert 4 < np.median(away) < 10
    assert away.max() < 82
    assert (np.abs(places.longitude) <= 180).all()


def test_no_city_is_left_out_where_there_are_enough_to_go_round() -> None:
    weights = load_cities().streams
    assert set(draw_cities(weights, 32, np.random.default_rng(0))) == set(range(32))
    assert len(draw_cities(weights, 3, np.random.default_rng(0))) == 3


def test_languages_are_spoken_as_in_the_city() -> None:
    cities = load_cities()
    paris = np.full(2_000, cities.name.index("Paris"), np.int32)
    spoken = np.array(cities.languages)[draw_languages(paris, np.random.default_rng(0))]
    assert set(spoken) == {"en", "fr"}
    assert (spoken == "fr").mean() == pytest.approx(0.8, abs=0.04)
