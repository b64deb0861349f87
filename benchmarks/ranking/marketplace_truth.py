"""The marketplace's feed against the truth of its sample: what listings are worth to those who are shown them.

    python -m benchmarks.ranking.marketplace_truth --seeds 101 102 103 --markdown table.md

Generates a sample by seed, imports and trains on it, and asks at the moment it ends. The gain of a listing is its
true utility to the user at that moment, 0 to 1; NDCG (Järvelin & Kekäläinen, TOIS 2002) is against the best order
of all listings that the user could be shown: open, within the user's own limits, not met before. `served` is the
feed as it is, with exploration and, for new users, diversity; `all` its formula alone; `without X` that less one
signal; the others are orders by one thing, over the same listings, those that are `near` within 50 km. A new user
has done nothing yet; a new listing came in the last day and nobody has met it. Users who want no personal feed are
left out, and those with fewer than twenty listings to choose from. Intervals are percentile bootstraps over the
users of all seeds, differences paired. The parameters of the sample were set with seeds 42, 7 and 8 in view;
others are asked by default. Prints one JSON line.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from benchmarks.ranking.marketplace_feeds import NEAR_KM, RIVALS, WITHOUT, with_variants
from homefeed.apps import find_recipe
from homefeed.environment import Environment
from homefeed.evaluate.bootstrap import Interval, mean_intervals, paired_differences
from homefeed.geo import Place, distances_km
from homefeed.ingest import find_files, import_files
from homefeed.samples import Sample
from homefeed.samples.marketplace.generate import DEFAULTS, generate, name_world, plan_world
from homefeed.samples.marketplace.people import People
from homefeed.samples.marketplace.utility import World, utility
from homefeed.samples.marketplace.visits import draw_interactions
from homefeed.serving import FeedRequest, LiveApp, live_app
from homefeed.settings import Settings
from homefeed.store import open_store
from homefeed.store.artifacts import ArtifactStore
from homefeed.train import train_app
from homefeed.types import SECOND, Mask

Values = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]

METRICS: Final = ("utility@10", "ndcg@10", "ndcg@20")
NEW_METRICS: Final = ("share of new@20", "utility of first new")
FIRST_NEW: Final = 3
MIN_LISTINGS: Final = 20
DEPTH: Final = 400
"""How much of each order is looked through for new listings."""
SERVED: Final = "served"
_OF_NEW: Final = (SERVED, "all", WITHOUT + "recency", *RIVALS)


@dataclass(frozen=True)
class Truth:
    """What is true at the end of a sample: (users, listings) the utility, what could be shown, how far."""

    worth: Values
    able: Mask
    km: Values
    unseen: Mask

    @classmethod
    def of(cls, world: World, met: Mask) -> Truth:
        """The truth of a world where users have met some of the listings, (users, listings)."""
        shape = met.shape
        user, item = (pairs.ravel().astype(np.int32) for pairs in np.indices(shape))
        worth = utility(world, user, item, np.full(len(user), world.end)).reshape(shape)
        at, there = world.people.at, world.listings.at
        places = map(Place, at.latitude.tolist(), at.longitude.tolist())
        km = np.stack([distances_km(place, there.latitude, there.longitude) for place in places])
        return cls(worth, could_be_shown(world, km) & ~met, km, world.listings.unseen)

    def judged(self, user: int, shown: Rows) -> dict[str, float]:
        """The metrics of an order of listings."""
        gains, best = self.worth[user, shown], np.sort(self.worth[user, self.able[user]])[::-1]
        return {
            "utility@10": float(gains[:10].mean()) if len(gains) else 0.0,
            "ndcg@10": ndcg(gains, best, 10),
            "ndcg@20": ndcg(gains, best, 20),
        }

    def judged_new(self, user: int, shown: Rows) -> dict[str, float]:
        """How many of the first twenty are new, and what the first new ones are worth; NaN where there are few."""
        new = shown[self.unseen[shown]]
        first = self.worth[user, new[:FIRST_NEW]]
        share = float(self.unseen[shown[:20]].sum() / 20)
        return dict(
            zip(NEW_METRICS, (share, float(first.mean()) if len(first) == FIRST_NEW else np.nan), strict=True)
        )

    def by_lot(self, user: int) -> float:
        """What a new listing near the user is worth on average; NaN where there are few."""
        near = self.able[user] & self.unseen & (self.km[user] <= NEAR_KM)
        return float(self.worth[user, near].mean()) if near.sum() >= FIRST_NEW else np.nan


def could_be_shown(world: World, km: Values) -> Mask:
    """(users, listings) open, not expired, and within what each user has set."""
    listings, limits = world.listings, world.people.preferences
    pay, tags = listings.compensation[None, :], listings.tags
    near = ~(km > limits.max_distance_km[:, None])
    suits = ~(pay < limits.min_pay[:, None]) & ~(pay > limits.max_pay[:, None])
    blocked = (tags[None] == limits.blocked_tag[:, None, None]) & (tags[None] >= 0)
    able: Mask = near & suits & ~blocked.any(axis=2) & (listings.status == 0) & (listings.expires > world.end)
    return able


def ndcg(gains: Values, best: Values, n: int) -> float:
    """Discounted gain of the first n over that of the best n; `best` is in falling order."""
    discounts = 1 / np.log2(np.arange(2, n + 2))
    ideal = float(best[:n] @ discounts[: len(best[:n])])
    return float(gains[:n] @ discounts[: len(gains[:n])]) / ideal if ideal > 0 else 0.0


@dataclass
class Asked:
    """The values of users by system and metric, and how many listings were shown that should not be."""

    values: dict[str, dict[str, list[float]]]
    users: int = 0
    foreign: int = 0

    def add(self, found: Mapping[str, Mapping[str, float]]) -> None:
        """The values of one user."""
        self.users += 1
        for system, metrics in found.items():
            for metric, value in metrics.items():
                self.values.setdefault(system, {}).setdefault(metric, []).append(value)

    def told(self, metrics: Sequence[str], rng: np.random.Generator) -> dict[str, Any]:
        """The mean of each system, and by how much `all` is ahead of it, over users where both have a value."""
        systems, ahead = dict[str, Any](), dict[str, Any]()
        for system, found in self.values.items():
            for metric in (name for name in metrics if name in found):
                own, base = (np.array(self.values[name][metric]) for name in (system, "all"))
                both = ~np.isnan(own) & ~np.isnan(base)
                if not both.any():
                    continue
                (mean,) = mean_intervals({metric: own[both]}, rng).values()
                systems.setdefault(system, {})[metric] = mean._asdict()
                if system != "all":
                    (by,) = paired_differences({metric: base[both]}, {metric: own[both]}, rng).values()
                    ahead.setdefault(system, {})[metric] = by._asdict()
        return {"users": self.users, "systems": systems, "all is ahead by": ahead, "foreign": self.foreign}


async def ask(app: LiveApp, feeds: Mapping[str, str], user: str) -> dict[str, Rows]:
    """The listings of each feed, best first, as rows of the sample."""
    shown = {}
    for system, feed in feeds.items():
        slate = (await app.recommend(FeedRequest(feed, user, DEPTH))).slate
        ids = [app.catalog.item_id(position) for position in slate.positions.tolist()]
        shown[system] = np.array([int(listing[-6:]) - 1 for listing in ids], np.int64)
    return shown


async def measure(folder: Path, sample: Sample, groups: Mapping[str, Asked]) -> None:
    """Add the users of one sample to the groups."""
    generate(folder / "sample", users=sample.users, items=sample.items, events=sample.events, seed=sample.seed)
    world = plan_world(sample)
    named = name_world(sample, world)
    done = draw_interactions(world, sample.events, sample.rng(7), None)
    met = np.zeros((sample.users, sample.items), np.bool_)
    met[done.user, done.item] = True
    truth = Truth.of(world, met)
    settings, environment = Settings(home=folder), Environment(lambda: sample.last * SECOND)
    recipe, names = with_variants(find_recipe("marketplace"))
    async with open_store(settings.store_url) as store:
        files = find_files(folder / "sample", recipe.sources)
        await import_files(store, recipe, files, now=sample.last * SECOND)
        artifacts = ArtifactStore(settings.models_folder)
        await train_app(recipe, store, artifacts, environment, models=("user_user", "signals"))
        app = live_app(recipe, store, settings, environment)
        await app.start()
        for user in chosen(world.people, truth):
            kind = "users" if met[user].any() else "new users"
            feeds = {SERVED: "feed", **names["feed" if kind == "users" else "new_user"]}
            shown = await ask(app, feeds, named.users[user])
            groups[kind].add({system: truth.judged(user, rows) for system, rows in shown.items()})
            groups[kind].foreign += sum(int((~truth.able[user, rows]).sum()) for rows in shown.values())
            told = {name: truth.judged_new(user, rows) for name, rows in shown.items() if name in _OF_NEW}
            groups["new listings"].add({**told, "by lot": {NEW_METRICS[1]: truth.by_lot(user)}})


def chosen(people: People, truth: Truth) -> list[int]:
    """The users who want a personal feed and have enough to choose from."""
    rows = people.preferences.personal & (truth.able.sum(axis=1) >= MIN_LISTINGS)
    return [int(user) for user in np.flatnonzero(rows)]


def main() -> None:
    """Measure, print, and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[101, 102, 103])
    parser.add_argument("--users", type=int, default=DEFAULTS.users)
    parser.add_argument("--listings", type=int, default=DEFAULTS.items)
    parser.add_argument("--interactions", type=int, default=DEFAULTS.events)
    parser.add_argument("--markdown", type=Path)
    given = parser.parse_args()
    groups = {name: Asked({}) for name in ("users", "new users", "new listings")}
    sizes = {"users": given.users, "items": given.listings, "events": given.interactions}
    for seed in given.seeds:
        with tempfile.TemporaryDirectory() as folder:
            asyncio.run(measure(Path(folder), replace(DEFAULTS, seed=seed, **sizes), groups))
    rng = np.random.default_rng(0)
    found = {name: asked.told((*METRICS, *NEW_METRICS), rng) for name, asked in groups.items()}
    if given.markdown:
        given.markdown.write_text(as_markdown(found), encoding="utf-8")
    print(json.dumps({"benchmark": "marketplace_truth", "seeds": given.seeds, **sizes, **found}))


def as_markdown(found: Mapping[str, Any]) -> str:
    """The tables for the docs."""

    def cell(interval: Mapping[str, float] | None, sign: str = "") -> str:
        if interval is None:
            return ""
        of = Interval(**interval)
        return f"{of.mean:{sign}.3f} [{of.low:{sign}.3f}, {of.high:{sign}.3f}]"

    lines: list[str] = []
    for group, told in found.items():
        metrics = NEW_METRICS if group == "new listings" else METRICS
        last = metrics[-1] if group == "new listings" else metrics[0]
        lines += [f"{told['users']:,} {group if group != 'new listings' else 'users'}", ""]
        lines += [
            f"| | {' | '.join(metrics)} | all is ahead, {last} |",
            "| --- |" + " ---: |" * (len(metrics) + 1),
        ]
        for system, values in told["systems"].items():
            cells = [cell(values.get(metric)) for metric in metrics]
            cells.append(cell(told["all is ahead by"].get(system, {}).get(last), "+"))
            lines.append(f"| {system} | {' | '.join(cells)} |")
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
