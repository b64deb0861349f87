"""Whether a replay gives what was served: a live app answers requests, and the same requests are asked again.

    python -m benchmarks.ranking.replayed --requests 10000

An app of its own, with the streaming app's feeds, serves users who play some of what they are shown, by a clock of
its own; its models are trained anew once on the way. Then the impressions are replayed from the log: features and
scores are to be those that were written down, and the order that which was shown. Prints one JSON line.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
from threadpoolctl import threadpool_limits

from homefeed.apps import find_recipe
from homefeed.dataset.log import read_log
from homefeed.dataset.ranking_rows import FeedColumns, RankingRows, read_ranking_rows
from homefeed.environment import Environment
from homefeed.evaluate.impressions import replay_impressions
from homefeed.rank.blend import Blend
from homefeed.recipe import BLEND, Recipe
from homefeed.serving import FeedRequest, LiveApp
from homefeed.store import Store, open_store
from homefeed.store.artifacts import ArtifactStore
from homefeed.store.events import append_events
from homefeed.store.impressions import write_impressions
from homefeed.store.items import ItemWrite, put_items
from homefeed.store.users import put_users
from homefeed.train import train_app
from homefeed.types import DAY, SECOND, Event, Positions

_START: Final = 1_700_000_000 * SECOND
_GENRES: Final = ("Drama", "Comedy", "Horror", "Action", "War", "Western")
_OVERLAY: Final = Path(__file__).with_name("replayed.toml")
_WITHOUT_BLEND: Final = ("item_item", "sequence", "content", "signals")
"""What is trained anew on the way: a replay blends by one blend, and so do all pages."""
_PAGE: Final = 20


@dataclass(frozen=True, slots=True)
class Compared:
    """What was served beside what the replay says: the largest differences, and lists in another order."""

    requests: int
    rows: int
    features: int
    largest_feature_difference: float
    largest_score_difference: float
    lists_in_another_order: int
    left_out: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Serving:
    """A live app whose clock and users are drawn."""

    store: Store
    artifacts: ArtifactStore
    rng: np.random.Generator
    recipe: Recipe = field(default_factory=lambda: find_recipe("streaming", _OVERLAY))
    now: int = _START
    trained_at: list[int] = field(default_factory=list)

    async def fill(self, users: int, items: int, events: int) -> None:
        """A catalogue, and what was played of it before."""
        made = [self._item(number, items) for number in range(items)]
        await put_items(self.store, self.recipe.app, made)
        await put_users(self.store, self.recipe.app, [(f"u{number}", {}) for number in range(users)])
        times = np.sort(self.rng.integers(_START - 60 * DAY, _START, events))
        who, what = self.rng.integers(0, users, events), self.rng.zipf(1.3, events) % items
        played = [
            Event(f"u{user}", f"i{item}", "play", int(time), float(self.rng.uniform(60, 6_000)))
            for user, item, time in zip(who.tolist(), what.tolist(), times.tolist(), strict=True)
        ]
        await append_events(self.store, self.recipe.app, played, self.now)

    async def train(self) -> None:
        """Train all models as of now."""
        self.now += SECOND
        models = _WITHOUT_BLEND if self.trained_at else None
        self.trained_at.append(self.now)
        with threadpool_limits(1, "blas"):  # as a replay trains: with more threads sums are rounded otherwise
            await train_app(self.recipe, self.store, self.artifacts, self.environment, models=models)

    @property
    def environment(self) -> Environment:
        """The clock of this app."""
        return Environment(lambda: self.now)

    async def serve(self, requests: int, users: int) -> None:
        """Answer requests, half of which are followed by a play; train anew halfway."""
        live = LiveApp(self.recipe, self.store, self.artifacts, self.environment)
        await live.start()
        for number in range(requests):
            if number == requests // 2:
                await self.train()
                await live.catch_up()
            self.now += int(self.rng.integers(SECOND, 300 * SECOND))
            user = f"u{self.rng.integers(0, users)}"
            await live.follower.follow_shown()  # a server does both every second
            await live.refresh()
            answer = await live.recommend(FeedRequest("home", user, n=_PAGE))
            await write_impressions(self.store, self.recipe.app, [answer.impression(f"r{number}")])
            if self.rng.random() < 0.5 and len(answer.slate):
                await self._play(live, user, f"r{number}", answer.slate.positions.tolist())

    async def _play(self, live: LiveApp, user: str, request: str, positions: list[int]) -> None:
        self.now += SECOND
        item = live.catalog.item_id(positions[int(self.rng.geometric(0.3)) % len(positions)])
        event = Event(user, item, "play", self.now, float(self.rng.uniform(60, 6_000)), request_id=request)
        await live.append([event])

    def _item(self, number: int, items: int) -> ItemWrite:
        genres = self.rng.choice(_GENRES, 2, replace=False).tolist()
        age = int(self.rng.integers(0, 400)) * DAY
        values = {"title": f"Film {number} of {genres[0]}", "genre": genres, "year": 1990 + number * 30 // items}
        return ItemWrite(f"i{number}", values, created_at=_START - age)


async def compare(serving: Serving) -> Compared:
    """Replay what was served, and look for differences."""
    live = LiveApp(serving.recipe, serving.store, serving.artifacts, serving.environment)
    await live.start()
    feed = live.feeds["home"]
    columns = FeedColumns(feed.feature_names, feed.calibration is not None, live.model_versions.get(BLEND))
    logged = await read_ranking_rows(serving.store, serving.recipe, "home", columns)
    log = await read_log(serving.store, serving.recipe, now=serving.now, seed=0)
    blend = serving.artifacts.find(serving.recipe.app, BLEND, Blend)
    again = replay_impressions(
        serving.recipe,
        log.catalog,
        log.data,
        "home",
        logged,
        due=np.array(serving.trained_at, np.int64),
        blend=None if blend is None else blend.model,
    )
    features = np.abs(again.data.features - logged.data.features)
    return Compared(
        requests=len(again),
        rows=len(again.items),
        features=features.shape[1],
        largest_feature_difference=float(features.max(initial=0)),
        largest_score_difference=float(np.abs(again.served - logged.served).max(initial=0)),
        lists_in_another_order=_in_another_order(again, log.catalog.positions(again.items)),
        left_out=dict(again.read.left_out),
    )


def _in_another_order(rows: RankingRows, positions: Positions) -> int:
    """Of how many lists the scores give another order than the places; of equals the lower position is first."""
    count, starts = 0, rows.data.starts.tolist()
    for start, stop in pairwise(starts):
        part = slice(start, stop)
        by_score = np.lexsort((positions[part], -rows.served[part]))
        count += not np.array_equal(by_score, np.argsort(rows.places[part]))
    return count


async def run(requests: int, users: int, items: int, events: int, folder: Path, seed: int = 0) -> Compared:
    """Fill an app in a folder, serve, and compare."""
    artifacts, url = ArtifactStore(folder / "models"), f"sqlite:///{folder / 'replayed.db'}"
    async with open_store(url) as store:
        serving = Serving(store, artifacts, np.random.default_rng(seed))
        await serving.fill(users, items, events)
        await serving.train()
        await serving.serve(requests, users)
        return await compare(serving)


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve and replay, and print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--users", type=int, default=1_000)
    parser.add_argument("--items", type=int, default=1_000)
    parser.add_argument("--events", type=int, default=20_000)
    options = parser.parse_args(arguments)
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(run(options.requests, options.users, options.items, options.events, Path(folder)))
    print(json.dumps({**asdict(found), "seconds": round(time.perf_counter() - started, 1)}))


if __name__ == "__main__":
    main()
