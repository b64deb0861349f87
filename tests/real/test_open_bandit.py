"""The Open Bandit data, small version: what its clicks can tell of places, and what they cannot."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from benchmarks.ranking.examination import DATA, measured, read_half
from homefeed.rank.examination import examination_by_lot

pytestmark = pytest.mark.skipif(not (DATA / "random").is_dir(), reason=f"needs the Open Bandit data in {DATA}")


@pytest.fixture(scope="module")
def found() -> Any:
    return measured(DATA)


def test_every_row_is_read_and_every_item_was_drawn_alike() -> None:
    random, bandit = read_half(DATA, "random"), read_half(DATA, "bts")
    assert (len(random.showings), len(bandit.showings)) == (20_000, 20_000)
    assert np.unique(random.items // 1_000).tolist() == [0, 1]
    men = random.items < 1_000
    assert random.showings.propensities[men] == pytest.approx(1 / 34)
    assert random.showings.propensities[~men] == pytest.approx(1 / 46)
    assert np.unique(random.showings.places).tolist() == [0, 1, 2]


def test_a_hundred_clicks_are_too_few_to_say_that_a_place_is_looked_at_less(found: Any) -> None:
    assert found["clicks_by_place"][0] == [25, 37, 30]
    low, high = found["examination_interval"]
    assert all(one <= 1 <= other for one, other in zip(low, high, strict=True))
    by_default = examination_by_lot(read_half(DATA, "random").showings, np.random.default_rng(0))
    assert by_default.places == pytest.approx([1, 1, 1], abs=0.01), (
        "lower ones had more, so as falling all are the same"
    )


def test_with_places_clicks_are_predicted_neither_better_nor_worse(found: Any) -> None:
    _, low, high = found["log_loss_saved"]
    assert low < 0 < high
    with_places, without = found["calibration_error_with"], found["calibration_error_without"]
    assert with_places[1] < without[2], "their intervals overlap"
    assert without[1] < with_places[2]
