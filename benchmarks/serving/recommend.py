"""What a page costs in process, without HTTP. Prints one JSON line a page.

    python -m benchmarks.serving.recommend --home bench
    python -m benchmarks.serving.recommend --page streaming-100k --home bench --warm

The data is that of `load`, made once and kept in HOME-PAGE; without `--home` it is thrown away. One thread
requests the page of one user after the other. Users are drawn evenly from all users of the app, none twice, so
that the store is read for each of them; with `--warm` their states are read before, and the time is that of the
feed alone. `own` is the same page in turn without the learned ranker of home and its features; `ranked_by` tells
whether that ranker was taken. The baseline answers from the same models the plain way: item-item as a sparse
vector-matrix product, content as a dense one, all items scored, sorted and cut, no filters and no reasons.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from threadpoolctl import threadpool_limits

from benchmarks.serving.homes import Python, copy_of, home_of, prepare, root_of
from benchmarks.serving.http_load import quantiles
from benchmarks.serving.pages import PAGES, Page, page_names, user_ids
from homefeed.apps import find_recipe
from homefeed.protocols import NamesFeatures
from homefeed.recipe import Recipe
from homefeed.retrieve.content.model import ContentModel
from homefeed.retrieve.item_item.model import ItemItemModel
from homefeed.serving import FeedRequest, LiveApp, open_app
from homefeed.settings import Settings
from homefeed.types import Floats, Positions

WARM_UP: Final = 200
_BASELINE_USERS: Final = 300
_SEED: Final = 1
_LEARNED: Final = "home"
_FEEDS: Final[Mapping[str, Mapping[str, int]]] = {
    "community": {"home": 10},
    "streaming": {"home": 10},
    "shop": {"home": 20, "trending": 20, "best_value": 20, "diverse": 20, "top_categories": 120},
}
"""Of each app the feeds of the page, and how many items of each its route requests."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure the pages."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    measured = [name for name, page in PAGES.items() if page.app in _FEEDS]
    parser.add_argument("--page", action="append", choices=sorted(measured), help="May be repeated.")
    parser.add_argument("--home", type=Path, help="Where data is kept: HOME-PAGE for each page.")
    parser.add_argument("--requests", type=int, default=3_000)
    parser.add_argument("--warm", action="store_true", help="Read the states of users before.")
    options = parser.parse_args(arguments)
    with root_of(options.home) as root, threadpool_limits(1, user_api="blas"):  # as the server does
        for name in options.page or [each for each in page_names() if each in measured]:
            home = home_of(root, name)
            prepare(PAGES[name], home, Python(Path(sys.executable)))
            print(json.dumps(measure(PAGES[name], home, options.requests, options.warm)), flush=True)


def measure(page: Page, home: Path, requests: int, warm: bool) -> dict[str, Any]:
    """One page."""
    users = np.random.default_rng(_SEED).permutation(user_ids(home / "sample")).tolist()
    first = min(WARM_UP, len(users) // 2)
    with copy_of(home) as copy:
        settings = Settings(home=copy, apps=(page.app,))
        measured = asyncio.run(_measured(settings, users[:first], users[first:][:requests], warm))
    return {
        "benchmark": "recommend",
        "page": page.name,
        "items": page.items,
        "users": page.users,
        "events": page.events,
        "warm": warm,
        **measured,
    }


async def _measured(settings: Settings, first: Sequence[str], users: Sequence[str], warm: bool) -> dict[str, Any]:
    start = time.perf_counter()
    async with open_app(find_recipe(settings.apps[0]), settings) as app:
        opened = time.perf_counter() - start
        async with open_app(_unlearned(app), settings) as own:
            await _seconds([app, own], first)
            if warm:
                for user in users:
                    await app.user_state(user)
                    await own.user_state(user)
            seconds, of_own = await _seconds([app, own], users)
        baseline = await _baseline_seconds(app, users[:_BASELINE_USERS])
        ranked_by = app.feeds[_LEARNED].ranked_by
    return {
        "requests": len(seconds),
        **quantiles(seconds),
        "ranked_by": ranked_by,
        "own": quantiles(of_own),
        "baseline": quantiles(baseline),
        "open_seconds": round(opened, 2),
    }


def _unlearned(app: LiveApp) -> Recipe:
    """The recipe with home by its own ranker alone, and no features but those that this one weighs."""
    home, config = app.recipe.feeds[_LEARNED], app.recipe.feeds[_LEARNED].rank.config
    weighed = set(config.named_features.values()) if isinstance(config, NamesFeatures) else set()
    extractors = app.feeds[_LEARNED].extractors
    kept = tuple(spec for spec in home.features if weighed.intersection(extractors[spec.name].names))
    return replace(app.recipe, feeds={**app.recipe.feeds, _LEARNED: replace(home, learned=None, features=kept)})


async def _seconds(apps: Sequence[LiveApp], users: Sequence[str]) -> list[list[float]]:
    """Of each app what the page of each user takes, one app after the other for each of them."""
    feeds = _FEEDS[apps[0].recipe.app]
    seconds: list[list[float]] = [[] for _ in apps]
    for number, user in enumerate(users):
        for turn in range(len(apps)):
            which = (number + turn) % len(apps)
            requests = [FeedRequest(feed, user, n=n) for feed, n in feeds.items()]
            start = time.perf_counter()
            await apps[which].recommend_together(requests)
            seconds[which].append(time.perf_counter() - start)
    return seconds


async def _baseline_seconds(app: LiveApp, users: Sequence[str]) -> list[float]:
    plain = _plain(app)
    seconds = []
    for user in users:
        history = (await app.user_state(user)).history
        start = time.perf_counter()
        plain(history.items, history.strengths)
        seconds.append(time.perf_counter() - start)
    return seconds


def _plain(app: LiveApp) -> Callable[[Positions, Floats], npt.NDArray[np.intp]]:
    similar = app.artifacts.load(app.recipe.app, "item_item", ItemItemModel)
    content = app.artifacts.load(app.recipe.app, "content", ContentModel)
    assert similar is not None
    assert content is not None
    assert isinstance(similar.model, ItemItemModel)
    assert isinstance(content.model, ContentModel)
    size = len(similar.model.numbers)
    matrix = sp.csr_array((similar.model.weights, similar.model.indices, similar.model.indptr), shape=(size, size))
    vectors = np.array(content.model.vectors)

    def answer(items: Positions, strengths: Floats) -> npt.NDArray[np.intp]:
        history = sp.csr_array((strengths, items, [0, len(items)]), shape=(1, size))
        scores = (history @ matrix).toarray()[0] + 0.2 * (vectors @ (strengths @ vectors[items]))
        scores[items] = 0
        return np.argsort(-scores)[:10]

    return answer


if __name__ == "__main__":
    main()
