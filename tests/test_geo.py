"""Places: checked, read, and as far apart as geodesics on WGS 84 say, wherever on the Earth they are."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from geographiclib.geodesic import Geodesic
from hypothesis import example, given, settings
from hypothesis import strategies as st

from homefeed.errors import InvalidError
from homefeed.geo import (
    FARTHEST_KM,
    MAX_RADIUS_KM,
    MIN_RADIUS_KM,
    Place,
    distance_km,
    distances_km,
    unit_vectors,
    within_km,
)

PARIS, LONDON = Place(48.8566, 2.3522), Place(51.5074, -0.1278)
latitudes = st.floats(-90, 90) | st.sampled_from([-90.0, 0.0, 90.0])
longitudes = st.floats(-180, 180) | st.sampled_from([-180.0, 0.0, 180.0])
places = st.builds(Place, latitudes, longitudes)


def geodesic_km(one: Place, other: Place) -> float:
    line = Geodesic.WGS84.Inverse(*(one.latitude, one.longitude), *(other.latitude, other.longitude))
    return float(line["s12"]) / 1_000


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Place, Place]:
    """Any two places; and such as lie close together, or almost opposite each other."""
    one = draw(places)
    north, east = (draw(st.floats(-1, 1)) * 10 ** draw(st.integers(-6, 0)) for _ in range(2))
    near = Place(min(90, max(-90, one.latitude + north)), math.remainder(one.longitude + east, 360))
    opposite = Place(-near.latitude, math.remainder(near.longitude + 180, 360))
    return one, draw(st.sampled_from([near, opposite]) | places)


@settings(max_examples=150)
@given(pairs())
@example((Place(0, 0), Place(0, 180)))
@example((Place(90, 0), Place(-90, 0)))
@example((Place(0, 0), Place(0, 179.5)))
@example((Place(0, 0), Place(1e-7, 0)))
@example((Place(89.9999999, 0), Place(89.9999999, 180)))
def test_every_distance_is_within_half_a_percent_of_the_geodesic(pair: tuple[Place, Place]) -> None:
    exact = geodesic_km(*pair)
    # The oracle itself is right to some nanometres.
    assert distance_km(*pair) == pytest.approx(exact, rel=0.005, abs=1e-10)
    assert distance_km(*pair) == distance_km(*reversed(pair)) <= FARTHEST_KM


@pytest.mark.parametrize(
    ("one", "other", "km"),
    [
        (PARIS, LONDON, 343.923),
        (Place(-16.5, 179.9), Place(-16.5, -179.9), 21.353),  # across the antimeridian
        (Place(90, 0), Place(0, 17), 10_001.966),  # a quarter of a meridian
        (Place(0, 0), Place(0, 1), 111.319),
    ],
)
def test_known_distances_hold_to_a_hundredth_of_a_percent(one: Place, other: Place, km: float) -> None:
    assert geodesic_km(one, other) == pytest.approx(km, abs=0.001)
    assert distance_km(one, other) == pytest.approx(km, rel=1e-4)


@given(places)
def test_a_place_is_nowhere_but_where_it_is(place: Place) -> None:
    assert distance_km(place, place) == 0


def test_a_pole_has_no_longitude() -> None:
    assert distance_km(Place(90, -120), Place(90, 77)) == pytest.approx(0, abs=1e-9)


def test_where_there_is_no_place_there_is_no_distance_and_nothing_is_within() -> None:
    some, others = np.array([48.8566, math.nan, 51.5074]), np.array([2.3522, math.nan, -0.1278])
    assert distances_km(PARIS, some, others) == pytest.approx([0, math.nan, 343.9], abs=0.1, nan_ok=True)
    assert within_km(PARIS, 20_037, unit_vectors(some, others)).tolist() == [True, False, True]
    assert distances_km(PARIS, some[:0], others[:0]).tolist() == []


@given(places, st.lists(places, min_size=1, max_size=20), st.floats(1e-6, FARTHEST_KM) | st.just(FARTHEST_KM))
def test_within_are_those_whose_distance_is_not_above_it(place: Place, others: list[Place], km: float) -> None:
    north, east = np.array([[p.latitude, p.longitude] for p in others]).T
    distances = distances_km(place, north, east)
    for radius in (km, float(distances[0])):  # at the very edge, too
        expected = distances <= radius
        assert within_km(place, radius, unit_vectors(north, east)).tolist() == expected.tolist()


@given(pairs())
def test_distances_lie_between_two_radii_times_the_angle(pair: tuple[Place, Place]) -> None:
    chord = float(np.linalg.norm(pair[0].unit_vector - pair[1].unit_vector))
    angle = 2 * math.asin(min(1, chord / 2))
    slack = 1e-6  # about what an angle near 0 or half a turn loses in its vectors
    assert MIN_RADIUS_KM * (angle - slack) <= distance_km(*pair) <= MAX_RADIUS_KM * (angle + slack)


def test_unit_vectors_point_where_they_should() -> None:
    found = unit_vectors(np.array([0.0, 0.0, 90.0, math.nan]), np.array([0.0, 90.0, 45.0, 0.0]))
    assert found[:3] == pytest.approx(np.eye(3), abs=1e-15)
    assert np.isnan(found[3, 2])


@pytest.mark.parametrize(
    "value",
    [
        "48.8566,2.3522",
        " 48.8566 , +2.3522 ",
        [48.8566, 2.3522],
        ("48.8566", "2.3522"),
        {"latitude": 48.8566, "longitude": 2.3522},
        PARIS,
    ],
)
def test_a_place_is_read_in_whatever_form(value: Any) -> None:
    assert Place.read(value) == PARIS


@given(places)
def test_what_is_written_is_read_again(place: Place) -> None:
    assert Place.read(place.to_json()) == place
    assert distance_km(Place.read(str(place)), place) < 1e-6


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("91,0", "latitude: expected degrees from -90 to 90, got 91.0"),
        ("0,-180.5", "longitude: expected degrees from -180 to 180, got -180.5"),
        ([math.nan, 0], "latitude: expected degrees, got nan"),
        ([0, math.inf], "longitude: expected degrees, got inf"),
        ([10**400, 0], "latitude: expected degrees, got 1"),
        ("nan,0", "latitude: expected degrees, got 'nan'"),
        ("1_0,0", "latitude: expected degrees, got '1_0'"),
        ("0,1e999", "longitude: expected degrees, got '1e999'"),
        ("N48,2", "latitude: expected degrees"),
        ([True, 0], "latitude: expected degrees, got True"),
        ([None, 0], "latitude: expected degrees, got None"),
        ("48.8", 'expected a place such as "48.85,2.35"'),
        ("1,2,3", 'expected a place such as "48.85,2.35"'),
        ("", 'expected a place such as "48.85,2.35"'),
        ([1], 'expected a place such as "48.85,2.35"'),
        (7, 'expected a place such as "48.85,2.35"'),
        (None, 'expected a place such as "48.85,2.35"'),
        ({"latitude": 1}, 'expected a place such as "48.85,2.35"'),
    ],
)
def test_what_is_no_place_is_refused_in_words(value: Any, message: str) -> None:
    with pytest.raises(InvalidError) as refused:
        Place.read(value)
    assert message in str(refused.value)


@pytest.mark.parametrize(("latitude", "longitude"), [(math.nan, 0.0), (0.0, math.nan), (-90.1, 0), (0, 180.1)])
def test_no_place_is_off_the_earth(latitude: float, longitude: float) -> None:
    with pytest.raises(InvalidError, match="expected degrees from"):
        Place(latitude, longitude)
