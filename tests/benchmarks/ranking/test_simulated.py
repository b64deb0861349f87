"""In the simulated world places are measured as planted, and clicks weighed by them teach better."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.ranking.simulated import draw, of_one_log, recipe
from homefeed.testing.simulation import SimulatedWorld, Week, simulate

WORLD = SimulatedWorld()

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def weeks() -> list[Week]:
    return simulate(recipe("hybrid"), WORLD, weeks=6, seed=0)


def test_places_are_measured_as_they_are_planted(weeks: list[Week]) -> None:
    found = weeks[-1].examination
    assert found.known == WORLD.page
    assert np.abs(found.places - WORLD.examination).max() < 0.03
    assert (found.low <= WORLD.examination).all()
    assert (found.high >= WORLD.examination).all()


def test_weighed_clicks_of_the_same_pages_teach_a_better_order(weeks: list[Week]) -> None:
    for part, figures in of_one_log(WORLD, weeks, 0, ("value", "lambdamart")).items():
        for name, (alike, weighed, _, low, _) in figures.items():
            assert low > 0, (part, name)
            assert weighed > alike


def test_the_plot_has_a_line_for_each_system_and_is_the_same_again(weeks: list[Week], tmp_path: Path) -> None:
    one, other = tmp_path / "one.svg", tmp_path / "other.svg"
    for path in (one, other):
        draw({"first": weeks, "second": weeks[::-1]}, path)
    assert one.read_bytes() == other.read_bytes()
    assert one.stat().st_size > 5_000
