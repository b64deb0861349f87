"""The benchmark of places finds what is planted in data of the same form."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import numpy as np
import pytest

from benchmarks.ranking.examination import log_losses, measured, predicted, read_half
from homefeed.rank.examination import Examination

CURVE = np.array([1.0, 0.6, 0.3])
APPEAL = np.array([0.1, 0.3, 0.6])


def write(folder: Path, half: str, rows: int, tilt: float, seed: int) -> None:
    """Items drawn evenly, or, with a tilt, the more wanted at lower places."""
    rng = np.random.default_rng(seed)
    for campaign in ("men", "women"):
        path = folder / half / campaign
        path.mkdir(parents=True)
        with gzip.open(path / f"{campaign}.csv.gz", "wt", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["", "timestamp", "item_id", "position", "click", "propensity_score"])
            for row in range(rows):
                place = int(rng.integers(3))
                weights = np.exp(tilt * place * np.arange(3))
                item = int(rng.choice(3, p=weights / weights.sum()))
                clicked = int(rng.random() < CURVE[place] * APPEAL[item])
                writer.writerow([row, "", item, place + 1, clicked, 1 / 3])


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bandit")
    write(folder, "random", 8_000, 0, 0)
    write(folder, "bts", 8_000, 1, 1)
    return folder


def test_planted_places_are_found_and_predict_the_other_half(data: Path) -> None:
    found = measured(data)
    assert found["examination"] == pytest.approx(CURVE, abs=0.06)
    assert found["predicted_with_examination"] == pytest.approx(found["bts_rate"], abs=0.06)
    assert found["calibration_error_with"][2] < found["calibration_error_without"][1]
    assert found["log_loss_saved"][1] > 0


def test_a_prediction_is_the_rate_where_it_stands_times_the_place(data: Path) -> None:
    random = read_half(data, "random")
    examination = Examination(CURVE, CURVE, CURVE, 3)
    told = predicted(random, random, examination)
    for place in range(3):
        there = told[(random.showings.places == place) & (random.items == 2)]
        # 6,000 showings of a drawn item, 2 / 3 of them looked at, and 2,000 as of the mean.
        assert there == pytest.approx(CURVE[place] * (APPEAL[2] * 1_700 + 2_000 / 3) / 3_700, abs=0.03)


def test_the_loss_of_a_showing_is_of_what_happened() -> None:
    found = log_losses(np.array([True, False]), np.array([0.25, 0.25]))
    assert found == pytest.approx([np.log(4), np.log(4 / 3)])
