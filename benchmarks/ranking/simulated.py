"""Weeks of a simulated world: popularity, a hybrid, and rankers that learn from its clicks. Prints one JSON line.

    python -m benchmarks.ranking.simulated --plot docs/images/simulated.svg

What users want and how much each place is looked at is planted, so that what is counted is what was to be expected
of a page, not what chance made of it. Beside the weeks, all rankers learn from the pages of the hybrid but those
of its last week, once with clicks that count the same and once weighed by the examination as measured, and put the
pages of the last week in their order.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from homefeed.engine import fit_ranking_model
from homefeed.evaluate.bootstrap import Interval, paired_differences
from homefeed.rank.examination import Examination, examination_by_swaps
from homefeed.recipe import PartSpec, Recipe, find_part, parse_recipe
from homefeed.testing.simulation import Shown, SimulatedWorld, Week, learned_from, make_truth, simulate

Doubles = npt.NDArray[np.float64]

PARTS: Final[Mapping[str, Mapping[str, Any]]] = {
    "click_model": {},
    "value": {"values": {"click": 1.0}},
    "lambdamart": {},
}
_FEATURES: Final[Mapping[str, Any]] = {
    "bias": {},
    "popularity": {},
    "affinity": {"field": "category"},
    "recency": {},
    "quality": {"field": "rating", "unknown": 3.0, "good": 5.0},
}
_RESAMPLES: Final = 2_000


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weeks", type=int, default=6)
    parser.add_argument("--users", type=int, default=SimulatedWorld().users)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--plot", type=Path)
    options = parser.parse_args(arguments)
    world = SimulatedWorld(users=options.users)
    systems = simulated(world, options.weeks, options.seed)
    print(json.dumps(figures(world, systems, options.seed)))
    if options.plot is not None:
        draw(systems, options.plot)


def recipe(kind: str, learned: str | None = None) -> Recipe:
    """Popularity alone, or a hybrid, which a ranker that learns may take over. Neighbours of the page swap."""
    of_popularity = {
        "retrieve": {"popular": {}},
        "rank": {"weighted": {"weights": {"popular": 1.0}}},
    }
    hybrid = {
        "retrieve": {"item_item": {}, "content": {}, "popular": {}, "fresh": {}},
        "features": _FEATURES,
        "rank": {"weighted": {"weights": {"item_item": 1.0, "content": 0.5, "popular": 0.5}}},
        "learned": {} if learned is None else {learned: PARTS[learned]},
    }
    home = of_popularity if kind == "popularity" else hybrid
    declared = {
        "app": "simulated",
        "items": {"fields": {"title": "text", "category": "category", "rating": "number"}},
        "events": {"click": {}},
        "models": {"item_item": {}, "content": {"fields": {"title": 1.0, "category": 1.0}}},
        "feeds": {"home": {**home, "filter": {"seen": False}, "rerank": {"swap": {"share": 1.0, "places": 6}}}},
    }
    return parse_recipe(declared, "the benchmark")


def simulated(world: SimulatedWorld, weeks: int, seed: int) -> dict[str, list[Week]]:
    """The weeks of each system."""
    return {
        "popularity": simulate(recipe("popularity"), world, weeks=weeks, seed=seed),
        "hybrid": simulate(recipe("hybrid"), world, weeks=weeks, seed=seed),
        "learned, clicks alike": simulate(
            recipe("hybrid", "lambdamart"), world, weeks=weeks, seed=seed, weigh=False
        ),
        "learned, clicks weighed": simulate(recipe("hybrid", "lambdamart"), world, weeks=weeks, seed=seed),
    }


def figures(world: SimulatedWorld, systems: Mapping[str, Sequence[Week]], seed: int) -> dict[str, Any]:
    """What was to be expected of the pages, and how the systems differ in the last week."""
    rng, hybrid = np.random.default_rng(seed), systems["hybrid"]
    examination, last = hybrid[-1].examination, {name: weeks[-1] for name, weeks in systems.items()}
    names = list(systems)
    return {
        "benchmark": "simulated",
        "requests_a_week": len(hybrid[0].users),
        "expected_clicks": {name: [round(float(w.expected.mean()), 3) for w in s] for name, s in systems.items()},
        "ndcg": {name: [round(float(w.ndcg.mean()), 3) for w in s] for name, s in systems.items()},
        "ahead_in_the_last_week": {
            f"{better} - {worse}": _rounded(ahead(last[better], last[worse], rng))
            for worse, better in pairwise(names)
        },
        "examination": examination.places.round(3).tolist(),
        "examination_interval": [examination.low.round(3).tolist(), examination.high.round(3).tolist()],
        "planted": world.examination.round(3).tolist(),
        "of_one_log": of_one_log(world, hybrid, seed),
    }


def ahead(better: Week, worse: Week, rng: np.random.Generator) -> Interval:
    """How many more clicks were to be expected of a request."""
    columns = {"": better.expected}, {"": worse.expected}
    return paired_differences(*columns, rng, _RESAMPLES, users=better.users)[""]


def of_one_log(
    world: SimulatedWorld, weeks: Sequence[Week], seed: int, parts: Sequence[str] = tuple(PARTS)
) -> dict[str, dict[str, list[float]]]:
    """Of each ranker, what it makes of the last week's pages: clicks alike, weighed, and the difference."""
    known, judged = Shown.joined([week.shown for week in weeks[:-1]]), weeks[-1]
    examination = examination_by_swaps(known.showings, np.random.default_rng(seed))
    wanted = make_truth(world, len(weeks), seed).wanted[judged.users[judged.shown.requests], judged.shown.items]
    rng, found = np.random.default_rng(seed), {}
    for part in parts:
        alike = reordered(world, judged, wanted, part, known, None)
        weighed = reordered(world, judged, wanted, part, known, examination)
        leads = paired_differences(weighed, alike, rng, _RESAMPLES, users=judged.users)
        found[part] = {
            name: [round(float(alike[name].mean()), 4), round(float(weighed[name].mean()), 4), *_rounded(lead)]
            for name, lead in leads.items()
        }
    return found


def reordered(
    world: SimulatedWorld, judged: Week, wanted: Doubles, part: str, known: Shown, examination: Examination | None
) -> dict[str, Doubles]:
    """(requests,) the clicks to be expected of pages in the order of a ranker, and the NDCG of that order."""
    config = find_part("model", part).Config.model_validate(PARTS[part])
    with threadpool_limits(1, "blas"):
        model = fit_ranking_model(PartSpec(part, part, config), learned_from(known, "click", examination))
    requests = judged.shown.requests
    scores = model.scores(np.nan_to_num(judged.shown.features, posinf=0.0, neginf=0.0))
    order, best = np.lexsort((-scores, requests)), np.lexsort((-wanted, requests))
    discounts, count = 1 / np.log2(judged.shown.places + 2), len(judged.users)
    looked_at = world.examination[judged.shown.places]
    gained = np.bincount(requests, wanted[order] * discounts, minlength=count)
    return {
        "expected_clicks": np.asarray(
            np.bincount(requests, wanted[order] * looked_at, minlength=count), np.float64
        ),
        "ndcg": gained / np.bincount(requests, wanted[best] * discounts, minlength=count),
    }


def draw(systems: Mapping[str, Sequence[Week]], path: Path) -> None:
    """The clicks to be expected of a request, week by week, as SVG; the same weeks make the same file."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context({"svg.hashsalt": "homefeed", "font.size": 9, "axes.spines.top": False}):
        mpl.rcParams["axes.spines.right"] = False
        figure = Figure(figsize=(6.4, 3.2), layout="constrained")
        axes = figure.add_subplot()
        for (name, weeks), marker, colour in zip(
            systems.items(), "os^D", ("#767676", "#0072b2", "#d55e00", "#009e73"), strict=False
        ):
            means = [week.expected.mean() for week in weeks]
            axes.plot(range(1, len(weeks) + 1), means, marker=marker, color=colour, label=name)
        axes.set_xlabel("week")
        axes.set_ylabel("expected clicks a request")
        axes.set_xticks(range(1, len(next(iter(systems.values()))) + 1))
        axes.set_ylim(bottom=0)
        axes.grid(axis="y", color="#dddddd", linewidth=0.6)
        axes.legend(frameon=False, loc="lower right", ncols=2)
        figure.savefig(path, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))


def _rounded(found: Interval) -> list[float]:
    return [round(each, 4) for each in found]


if __name__ == "__main__":
    main()
