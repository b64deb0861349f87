"""What a learned ranker brings on MIND: impressions of news, imported, replayed, learned from, tested on a day.

    python -m benchmarks.ranking.mind ../shared/data/mind-sample/behaviors.tsv.gz

The sample is imported by the importers of `homefeed import` into SQLite. The ranker of `mind.toml` learns from
what was shown before the test day and re-orders what was shown on it, with counters as they were at each
impression. AUC, MRR and nDCG@10 are those of MIND (Wu et al., "MIND: A Large-scale Dataset for News
Recommendation", ACL 2020): within each impression, and their mean over impressions. Beside it stand an order by
chance, smoothed click-through rates and LambdaMART over ten plain counters; the differences have 95 % intervals
(paired bootstrap over users). Prints one JSON line. `--day 13` is for choosing settings: the test day is for
figures only.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from benchmarks.ranking.mind_counters import NAMES, plain_counters
from benchmarks.ranking.mind_files import Shown, read_impressions, write_files
from homefeed.dataset.log import read_log
from homefeed.dataset.ranking_rows import RankingRows, read_ranking_rows
from homefeed.engine import fit_ranking_model
from homefeed.evaluate.bootstrap import paired_differences
from homefeed.evaluate.impressions import replay_impressions
from homefeed.ingest import find_files, import_files
from homefeed.recipe import PartSpec, Recipe, find_part, load_recipe
from homefeed.store import open_store
from homefeed.types import DAY, SECOND, Floats, Scores

RECIPE: Final = Path(__file__).with_name("mind.toml")
MEASURES: Final = ("auc", "mrr", "ndcg@10")
_DEPTH: Final = 10
_RESAMPLES: Final = 2_000
_SEED: Final = 0

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Days:
    """The lists before a day, and those of it; plain counters beside the features of the feed."""

    learning: RankingRows
    test: RankingRows
    learning_counters: Floats
    test_counters: Floats


async def prepared(shown: Sequence[Shown], folder: Path, recipe: Recipe) -> RankingRows:
    """Import the sample into a folder, and ask the feed again for all that was shown."""
    write_files(shown, folder)
    now = int(shown[-1].time.timestamp()) * SECOND + DAY
    async with open_store(f"sqlite:///{folder / 'mind.db'}") as store:
        await import_files(store, recipe, find_files(folder), now=now)
        rows = await read_ranking_rows(store, recipe, "home", None, seed=_SEED)
        log = await read_log(store, recipe, now=now, seed=_SEED)
    return replay_impressions(recipe, log.catalog, log.data, "home", rows, given=True)


def divided(rows: RankingRows, day: int) -> Days:
    """By a day of November 2019."""
    start = int(datetime(2019, 11, day, tzinfo=UTC).timestamp()) * SECOND
    before, after = rows.times < start, (rows.times >= start) & (rows.times < start + DAY)
    counters = plain_counters(rows)
    sizes = np.diff(rows.data.starts)
    return Days(
        rows.take(np.flatnonzero(before)),
        rows.take(np.flatnonzero(after)),
        counters[np.repeat(before, sizes)],
        counters[np.repeat(after, sizes)],
    )


def scores_of(days: Days, recipe: Recipe) -> dict[str, Scores]:
    """What each system says of the rows of the test day."""
    plain = replace(days.learning.data, feature_names=NAMES, features=days.learning_counters)
    of_counters = PartSpec("counters", "lambdamart", find_part("model", "lambdamart").Config())
    ranker = fit_ranking_model(recipe.learned_ranker("home"), days.learning.data)
    chance = np.random.default_rng(_SEED).random(len(days.test.items)).astype(np.float32)
    return {
        "random": chance,
        "click_rate": days.test_counters[:, NAMES.index("click_rate")],
        "counters": fit_ranking_model(of_counters, plain).scores(days.test_counters),
        "homefeed": ranker.scores(days.test.data.features),
    }


def measured(rows: RankingRows, scores: Scores) -> dict[str, Doubles]:
    """By measure, (requests,) how well the scores order each list; NaN where all of it or nothing was clicked."""
    found = np.full((len(rows), len(MEASURES)), np.nan)
    for number, (start, stop) in enumerate(zip(rows.data.starts, rows.data.starts[1:], strict=False)):
        clicked = rows.data.chosen[start:stop]
        if clicked.any() and not clicked.all():
            found[number] = _measures(clicked, scores[start:stop])
    return dict(zip(MEASURES, found.T, strict=True))


def _measures(clicked: npt.NDArray[np.bool_], scores: Scores) -> tuple[float, float, float]:
    ones = int(clicked.sum())
    above = float(rankdata(scores)[clicked].sum()) - ones * (ones + 1) / 2
    ordered = clicked[np.argsort(-scores, kind="stable")]
    discounts = 1 / np.log2(np.arange(2, _DEPTH + 2))
    gained = float((ordered[:_DEPTH] * discounts[: len(ordered)]).sum())
    reciprocals = float((ordered / np.arange(1, len(ordered) + 1)).sum())
    return above / (ones * (len(clicked) - ones)), reciprocals / ones, gained / float(discounts[:ones].sum())


def compared(rows: RankingRows, scores: Mapping[str, Scores]) -> dict[str, Any]:
    """The means of each system, and how far Homefeed's ranker is ahead of the others."""
    values = {name: measured(rows, each) for name, each in scores.items()}
    whole = np.isfinite(values["homefeed"]["auc"])
    kept = {name: {key: column[whole] for key, column in each.items()} for name, each in values.items()}
    ahead = {}
    for name in [name for name in kept if name != "homefeed"]:
        rng = np.random.default_rng(_SEED)
        found = paired_differences(kept["homefeed"], kept[name], rng, _RESAMPLES, users=rows.users[whole])
        ahead[name] = {key: [round(value, 4) for value in interval] for key, interval in found.items()}
    means = {
        name: {key: round(float(column.mean()), 4) for key, column in each.items()} for name, each in kept.items()
    }
    return {"impressions": int(whole.sum()), "means": means, "ahead_of": ahead}


def run(path: Path, day: int = 14, limit: int | None = None) -> dict[str, Any]:
    """Import, replay, learn and compare; of the impressions the first `limit` only, and the day they end."""
    recipe, shown = load_recipe(RECIPE), read_impressions(path)[:limit]
    with tempfile.TemporaryDirectory() as folder:
        rows = asyncio.run(prepared(shown, Path(folder), recipe))
    days = divided(rows, day)
    return compared(days.test, scores_of(days, recipe))


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("behaviors", type=Path, help="behaviors.tsv.gz of the sample")
    parser.add_argument("--day", type=int, default=14, help="of November 2019")
    options = parser.parse_args(arguments)
    started = time.perf_counter()
    found = run(options.behaviors, options.day)
    print(json.dumps({"day": options.day, **found, "seconds": round(time.perf_counter() - started, 1)}))


if __name__ == "__main__":
    main()
