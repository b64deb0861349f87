"""The projection is that of the paper, and equal areas are equal."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from homefeed.maps.projection import equal_earth, globe, graticule, land


def test_it_is_as_wide_and_high_as_the_paper_says() -> None:
    corners = equal_earth(np.array([0.0, 90.0, -90.0]), np.array([180.0, 0.0, 180.0]))
    assert corners[0] == pytest.approx([2.70663, 0], abs=1e-5)
    assert corners[1] == pytest.approx([0, 1.31737], abs=1e-5)
    # A pole is a line of 0.59 of the equator's length.
    assert corners[2, 0] / corners[0, 0] == pytest.approx(0.59, abs=0.005)


@given(st.floats(-89, 88), st.floats(-179, 178))
def test_equal_areas_are_equal(latitude: float, longitude: float) -> None:
    step = 1e-3
    north, east = (
        np.array([latitude, latitude, latitude + step]),
        np.array([longitude, longitude + step, longitude]),
    )
    here, along, up = equal_earth(north, east)
    area = np.linalg.det(np.stack([along - here, up - here]))
    assert area == pytest.approx(np.cos(np.radians(latitude + step / 2)) * np.radians(step) ** 2, rel=1e-3)


def test_land_and_lines_lie_on_the_map() -> None:
    for line in (*land(), *graticule(), globe()):
        assert np.abs(line).max(axis=0) == pytest.approx([1.36, 0.66], abs=1.36)
    assert len(land()) > 100
