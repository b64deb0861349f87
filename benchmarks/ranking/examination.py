"""Whether places that are looked at less explain clicks, on the Open Bandit data. Prints one JSON line.

    python -m benchmarks.ranking.examination --data ../shared/data/open-bandit

The data (Saito et al., "Open Bandit Dataset and Pipeline", 2020) hold what a shop showed at three places, in one
half (`random`) with items drawn by lot, in the other (`bts`) chosen by a bandit. From the first are measured how
much each place is looked at and how often each item is clicked where it is, drawn to the mean as if by `PRIOR`
more showings; that predicts the clicks of the second, beside the same without places. Each row is a request of its
own.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from homefeed.evaluate.bootstrap import Interval, mean_intervals
from homefeed.rank.examination import Examination, Showings, examination_by_lot
from homefeed.types import Codes

DATA: Final = Path(__file__).parents[3] / "shared" / "data" / "open-bandit"
PRIOR: Final = 2_000.0
_CAMPAIGNS: Final = ("men", "women")
_RESAMPLES: Final = 2_000

Doubles = npt.NDArray[np.float64]


class Half(NamedTuple):
    """The showings of one half, and the item of each: of another campaign it is another."""

    showings: Showings
    items: Codes


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    print(json.dumps(measured(options.data, options.seed)))


def measured(data: Path, seed: int = 0) -> dict[str, Any]:
    """What was found: of places from 0, with 95 % intervals by resampling rows."""
    random, bandit = read_half(data, "random"), read_half(data, "bts")
    rng = np.random.default_rng(seed)
    examination = examination_by_lot(random.showings, rng, falling=False)
    flat = Examination(*(np.ones(1),) * 3, 1)
    with_places, without = predicted(random, bandit, examination), predicted(random, bandit, flat)
    places, clicked = bandit.showings.places, bandit.showings.clicked
    losses = log_losses(clicked, without) - log_losses(clicked, with_places)
    return {
        "benchmark": "examination",
        "rows": [len(random.showings), len(bandit.showings)],
        "clicks_by_place": [_by_place(half.showings.places, half.showings.clicked) for half in (random, bandit)],
        "examination": _rounded(examination.places),
        "examination_interval": [_rounded(examination.low), _rounded(examination.high)],
        "bts_rate": _rates(places, clicked.astype(np.float64)),
        "predicted_with_examination": _rates(places, with_places),
        "predicted_without": _rates(places, without),
        "calibration_error_with": calibration_error(places, clicked, with_places, rng),
        "calibration_error_without": calibration_error(places, clicked, without, rng),
        "log_loss_saved": _interval(mean_intervals({"": losses}, rng, _RESAMPLES)[""]),
    }


def read_half(data: Path, name: str) -> Half:
    """One half of the data, both campaigns."""
    columns: list[list[float]] = []
    for number, campaign in enumerate(_CAMPAIGNS):
        with gzip.open(data / name / campaign / f"{campaign}.csv.gz", "rt", encoding="utf-8", newline="") as file:
            columns += [
                [
                    number * 1_000 + int(row["item_id"]),
                    int(row["position"]) - 1,
                    int(row["click"]),
                    float(row["propensity_score"]),
                ]
                for row in csv.DictReader(file)
            ]
    items, places, clicked, propensities = np.array(columns).T
    requests = np.arange(len(items))
    showings = Showings(requests, places.astype(np.int32), clicked.astype(np.bool_), propensities)
    return Half(showings, items.astype(np.int32))


def predicted(known: Half, later: Half, examination: Examination) -> Doubles:
    """(n,) how likely each showing of the later half is clicked, by the rates of items in the known one."""
    looked_at = examination.at(known.showings.places)
    size = max(int(known.items.max()), int(later.items.max())) + 1
    clicks = np.bincount(known.items, known.showings.clicked, minlength=size)
    shown = np.bincount(known.items, looked_at, minlength=size)
    mean = clicks.sum() / shown.sum()
    rates = (clicks + PRIOR * mean) / (shown + PRIOR)
    found: Doubles = np.clip(rates[later.items] * examination.at(later.showings.places), 1e-6, 1 - 1e-6)
    return found


def log_losses(clicked: npt.NDArray[np.bool_], probabilities: Doubles) -> Doubles:
    """(n,) of each showing."""
    return np.asarray(-np.log(np.where(clicked, probabilities, 1 - probabilities)))


def calibration_error(
    places: npt.NDArray[np.integer[Any]],
    clicked: npt.NDArray[np.bool_],
    probabilities: Doubles,
    rng: np.random.Generator,
) -> list[float]:
    """How far the predicted share of each place's clicks is from that found, on average, and its interval.

    Shares of all clicks, so that the halves may differ in how much is clicked at all.
    """

    def error(found: npt.NDArray[Any], told: npt.NDArray[Any]) -> float:
        return float(np.abs(found / found.sum() - told / told.sum()).mean())

    size = int(places.max()) + 1
    resampled = []
    for _ in range(_RESAMPLES):
        drawn = np.bincount(rng.integers(len(places), size=len(places)), minlength=len(places))
        found, told = (np.bincount(places, drawn * each, minlength=size) for each in (clicked, probabilities))
        resampled.append(error(found, told))
    whole = (np.bincount(places, each, minlength=size) for each in (clicked, probabilities))
    return _interval(Interval(error(*whole), *np.quantile(resampled, (0.025, 0.975))))


def _by_place(places: npt.NDArray[np.integer[Any]], clicked: npt.NDArray[np.bool_]) -> list[int]:
    found: list[int] = np.bincount(places, clicked).astype(int).tolist()
    return found


def _rates(places: npt.NDArray[np.integer[Any]], values: Doubles) -> list[float]:
    return _rounded(np.bincount(places, values) / np.bincount(places), 5)


def _rounded(values: Doubles, digits: int = 3) -> list[float]:
    found: list[float] = values.round(digits).tolist()
    return found


def _interval(found: Interval) -> list[float]:
    return [round(each, 6) for each in found]


if __name__ == "__main__":
    main()
