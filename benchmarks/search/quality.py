"""How well a shop's search answers graded queries, and how fast. Prints one JSON line.

    python -m benchmarks.search.quality --products ../shared/data/amazon-products/Amazon-Products.csv

The products are imported and the shop's models trained as `homefeed import` and `homefeed train` do it, in a
folder that is thrown away. Systems are those of the recipe's search feed: `lexical` and `semantic` are what
each retriever proposes, `both` is what is served; `plain_bm25`, the baseline, is the lexical one without
synonyms, corrections, completions and coverage. Figures are NDCG@10 with 95 % bootstrap intervals over the
queries, over all queries and by kind; those of the public sample are in queries.toml. Without
`--products` it is a generated shop: what its shoppers searched for, and which products that was for.

Milliseconds are those of the whole feed, a page of `--page` products, every query asked once (`cold_ms`), with
nothing known of it, and then again (`warm_ms`), from what is kept for some seconds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
from threadpoolctl import threadpool_limits

from benchmarks.search.graded_queries import Grades, Query, Rule, grade, intervals, load_queries, ndcg
from homefeed.apps import find_recipe
from homefeed.apps.shop.prepare import prepare_items
from homefeed.engine import text_model_of
from homefeed.environment import Environment, system_clock
from homefeed.evaluate.bootstrap import Interval, mean_intervals
from homefeed.funnel import rank
from homefeed.ingest import Files, import_files
from homefeed.retrieve.search.analysis import stem
from homefeed.retrieve.search.index import TextIndex
from homefeed.retrieve.search.prices import with_prices
from homefeed.samples.shop.generate import generate
from homefeed.serving import FeedRequest, LiveApp, open_app
from homefeed.settings import Settings
from homefeed.store import open_store
from homefeed.store.artifacts import ArtifactStore
from homefeed.train import train_app
from homefeed.types import Positions, UserState
from homefeed.types import Query as Request
from homefeed.words import words_of

_DEPTH: Final = 10
_PLANTED: Final = 300


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--products", type=Path, help="a file of products, graded by queries.toml")
    parser.add_argument("--items", type=int, default=2_000, help="without --products: how many are generated")
    parser.add_argument("--split", choices=("validation", "test"), default="validation")
    parser.add_argument("--text-model", help="as the setting: wordllama, a folder, or none")
    parser.add_argument("--page", type=int, default=60)
    parser.add_argument("--show", action="store_true", help="Print each query's first products and grades, too.")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, threadpool_limits(1, "blas"):  # as the server does
        settings = Settings(home=Path(folder), apps=("shop",))
        print(json.dumps(asyncio.run(_measured(settings, options))))


async def _measured(settings: Settings, options: argparse.Namespace) -> dict[str, Any]:
    recipe = find_recipe("shop")
    async with open_store(settings.store_url) as store:
        if options.products is None:
            end = datetime.now(UTC).replace(microsecond=0)
            generate(settings.home / "sample", items=options.items, end=end)
        files = Files(items=options.products or settings.home / "sample" / "products.csv")
        await import_files(store, recipe, files, now=system_clock(), prepare_items=prepare_items)
        text_model = text_model_of(options.text_model)
        await train_app(recipe, store, ArtifactStore(settings.models_folder), Environment(), text_model=text_model)
    async with open_app(recipe, settings) as live:
        if options.products is None:
            queries, grades = _planted(live, settings.home / "sample" / "truth")
        else:
            queries = load_queries(split=options.split)
            grades = _grades(live, queries)
        lists = {query.text: _lists(live, query.text) for query in queries}
        if options.show:
            _show(live, queries, grades, lists)
        rng = np.random.default_rng(0)
        scores = {
            system: ndcg(grades, [lists[query.text][system] for query in queries], _DEPTH)
            for system in ("plain_bm25", "lexical", "semantic", "both")
        }
        return {
            "benchmark": "search_quality",
            "split": options.split if options.products is not None else "generated",
            "products": live.catalog.size,
            "text_models": live.text_models,
            "queries": len(queries),
            "ndcg@10": {system: _by_kind(queries, values, rng) for system, values in scores.items()},
            "both_minus": {
                system: _rounded(mean_intervals({system: scores["both"] - values}, rng)[system])
                for system, values in scores.items()
                if system != "both"
            },
            **await _times(live, [query.text for query in queries], options.page),
        }


def _by_kind(queries: Sequence[Query], values: Any, rng: np.random.Generator) -> dict[str, Any]:
    return {group: _rounded(found) for group, found in intervals(queries, values, rng).items()}


def _rounded(interval: Interval) -> list[float]:
    return [round(value, 4) for value in (interval.mean, interval.low, interval.high)]


def _grades(live: LiveApp, queries: Sequence[Query]) -> Grades:
    catalog = live.catalog
    every = [catalog.attributes(position) for position in range(catalog.size)]
    names, mains, subs = (
        [str(shown.get(field) or "") for shown in every] for field in ("name", "main_category", "sub_category")
    )
    return grade(queries, names, mains, subs, [shown.get("price") for shown in every])


def _planted(live: LiveApp, truth: Path) -> tuple[list[Query], Grades]:
    """The generated shop's commonest searches: what they were for is right, all else is wrong."""
    searched = pl.read_csv(truth / "queries.csv").sort("searches", "query", descending=[True, False])
    planted = searched.unique("query", keep="first", maintain_order=True).head(_PLANTED)
    types = pl.read_csv(truth / "products.csv", columns=["id", "product_type"])
    type_of = dict(types.iter_rows())
    own = np.array([type_of[live.catalog.item_id(position)] for position in range(live.catalog.size)])
    grades = np.stack([np.where(own == wanted, 3, 0) for wanted in planted["product_type"]]).astype(np.int8)
    found = np.flatnonzero(grades.any(axis=1))
    texts = [planted["query"][int(row)] for row in found]
    return [Query(text, "plain", "test", (Rule(3, name="."),)) for text in texts], grades[found]


def _lists(live: LiveApp, text: str) -> Mapping[str, Positions]:
    feed = live.feeds["search"]
    request = Request(
        live.recipe.app, "search", UserState(None), live.environment.clock(), 100, context={"query": text}
    )
    request, _ = with_prices(request, feed.settings.price)
    ranked = rank(feed, request)
    found = {name: positions[:_DEPTH] for name, (positions, _) in ranked.proposals.items()}
    return {
        "plain_bm25": _plain_bm25(live, text),
        "lexical": found["search"],
        "semantic": found["semantic"],
        "both": ranked.candidates.positions[:_DEPTH],
    }


def _plain_bm25(live: LiveApp, text: str) -> Positions:
    index = _index(live).reading
    scores = np.zeros(index.size, np.float32)
    for term in dict.fromkeys(map(stem, words_of(text))):
        items, impacts = index.postings(term)
        scores[items] += impacts * np.float32(index.rarity(term))
    best = np.argsort(-scores, kind="stable")[:_DEPTH]
    return best[scores[best] > 0].astype(np.int32)


def _index(live: LiveApp) -> TextIndex:
    config = next(spec.config for spec in live.recipe.feeds["search"].retrieve if spec.name == "search")
    fields: Mapping[str, float] = config.fields  # type: ignore[attr-defined]  # a SearchConfig
    return live.catalog.derived(("text index", *fields.items()), lambda: TextIndex(live.catalog, fields))


def _show(
    live: LiveApp, queries: Sequence[Query], grades: Grades, lists: Mapping[str, Mapping[str, Positions]]
) -> None:
    for query, row in zip(queries, grades, strict=True):
        print(f"\n{query.text!r} ({query.kind})")
        for system in ("lexical", "semantic", "both"):
            found = lists[query.text][system]
            value = ndcg(row[None], [found], _DEPTH)[0]
            print(f"  {system} {value:.2f}")
            for position in found.tolist()[:6]:
                print(f"    {row[position]} {live.catalog.title(position)[:90]}")


async def _times(live: LiveApp, texts: Sequence[str], page: int) -> dict[str, Any]:
    took: dict[str, list[float]] = {"cold_ms": [], "warm_ms": []}
    for text in texts:
        for times in took.values():
            began = time.perf_counter()
            await live.recommend_together([FeedRequest("search", n=page, context={"query": text})])
            times.append((time.perf_counter() - began) * 1_000)
    return {name: _percentiles(times) for name, times in took.items()}


def _percentiles(times: Sequence[float]) -> dict[str, float]:
    return {f"p{p}": round(float(np.percentile(times, p)), 3) for p in (50, 95, 99)} if times else {}


if __name__ == "__main__":
    main()
