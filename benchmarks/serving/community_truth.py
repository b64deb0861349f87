"""The community feed against the truth of its sample: who likes what, what is spam, what is told twice.

    python -m benchmarks.serving.community_truth --seed 42 --markdown table.md

Generates the sample, imports and trains on it, and asks at the moment it ends. The gain of an item for a resident
is their true interest in its topics times its true quality; NDCG@10 (Järvelin & Kekäläinen, TOIS 2002) is against
the best order of all items that the resident could be shown: of their community, not expired, not spam, not seen.
"On interest" is the share of the first ten with a topic among the true interests. The baseline is popularity over
the same items. Intervals are percentile bootstraps over residents. Prints one JSON line.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from homefeed.apps import find_recipe
from homefeed.environment import Environment
from homefeed.evaluate.bootstrap import Interval, mean_intervals, paired_differences
from homefeed.ingest import find_files, import_files
from homefeed.samples.community.generate import generate
from homefeed.serving import FeedRequest, LiveApp, live_app
from homefeed.settings import Settings
from homefeed.store import open_store
from homefeed.store.artifacts import ArtifactStore
from homefeed.train import train_app
from homefeed.types import SECOND, Event

END = datetime(2026, 1, 1, tzinfo=UTC)
NOW = int(END.timestamp()) * SECOND
METRICS = ("ndcg@10", "on interest@10")


@dataclass(frozen=True)
class Truth:
    """What the generator knows. `topics` and `quality` are by item id, `interests` by user id."""

    interests: Mapping[str, Mapping[str, float]]
    topics: Mapping[str, tuple[str, ...]]
    quality: Mapping[str, float]
    spam: frozenset[str]
    original: Mapping[str, str]
    community: Mapping[str, str]
    expires: Mapping[str, str]

    def gain(self, user_id: str, item_id: str) -> float:
        """How much a resident would like an item."""
        liked = self.interests[user_id]
        return sum(liked.get(topic, 0.0) for topic in self.topics[item_id]) * self.quality[item_id]

    def on_interest(self, user_id: str, item_id: str) -> bool:
        """Whether an item has a topic that the resident truly likes."""
        return any(topic in self.interests[user_id] for topic in self.topics[item_id])


def main() -> None:
    """Measure, print, and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--residents", type=int, default=1_200)
    parser.add_argument("--likers", type=int, default=200, help="residents of the feedback experiment")
    parser.add_argument("--markdown", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(measure(Path(folder), arguments.seed, arguments.residents, arguments.likers))
    if arguments.markdown:
        arguments.markdown.write_text(as_markdown(found), encoding="utf-8")
    print(json.dumps(found))


async def measure(folder: Path, seed: int, residents: int, likers: int) -> dict[str, Any]:
    """All figures of one sample."""
    settings, recipe = Settings(home=folder), find_recipe("community")
    scale = residents / 1_200
    items, events = round(1_500 * scale), round(60_000 * scale)
    generate(folder / "sample", users=residents, items=items, events=events, seed=seed, end=END)
    environment = Environment(lambda: NOW)
    async with open_store(settings.store_url) as store:
        await import_files(store, recipe, find_files(folder / "sample", recipe.sources), now=NOW)
        await train_app(recipe, store, ArtifactStore(settings.models_folder), environment)
        app = live_app(recipe, store, settings, environment)
        await app.start()
        truth, users = read_truth(folder / "sample"), pl.read_csv(folder / "sample/truth/users.csv")
        warm = users.filter(~pl.col("cold"))["user_id"].to_list()
        cold = users.filter(pl.col("cold"))["user_id"].to_list()
        rng = np.random.default_rng(seed)
        return {
            "benchmark": "community_truth",
            "seed": seed,
            "users": residents,
            "items": items,
            "events": events,
            "warm": await judged(app, truth, warm, rng),
            "cold": await judged(app, truth, cold, rng),
            "safety": await safety(app, truth, [*warm, *cold]),
            "feedback": await feedback(app, truth, [*rng.permutation(warm)[:likers]], rng),
        }


def read_truth(sample: Path) -> Truth:
    """The truth beside a sample."""
    users, items = (pl.read_csv(sample / f"truth/{name}.csv") for name in ("users", "items"))
    table = pl.read_csv(sample / "items.csv")
    interests = {
        user: {tag: float(weight) for tag, weight in (pair.rsplit(":", 1) for pair in text.split("|"))}
        for user, text in users.select("user_id", "interests").iter_rows()
    }
    ids = items["item_id"].to_list()
    return Truth(
        interests=interests,
        topics={item: tuple((text or "").split("|")) for item, text in zip(ids, items["topic"], strict=True)},
        quality=dict(zip(ids, items["quality"], strict=True)),
        spam=frozenset(items.filter("spam")["item_id"]),
        original={i: o or i for i, o in zip(ids, items["duplicate_of"], strict=True)},
        community=dict(table.select("item_id", "community_id").iter_rows()),
        expires={item: text or "9" for item, text in table.select("item_id", "expires_at").iter_rows()},
    )


async def judged(app: LiveApp, truth: Truth, residents: Sequence[str], rng: np.random.Generator) -> dict[str, Any]:
    """The feed and popularity for the same residents over the same items."""
    per_feed: dict[str, dict[str, list[float]]] = {f: {m: [] for m in METRICS} for f in ("home", "popular")}
    for user in residents:
        state = await app.user_state(user)
        seen = {app.catalog.item_id(position) for position in set(state.history.items.tolist())}
        community = str(state.attributes["community_id"])
        now = END.isoformat().replace("+00:00", "Z")
        able = [
            item
            for item, theirs in truth.community.items()
            if theirs == community and item not in seen | truth.spam and truth.expires[item] > now
        ]
        best = np.sort([truth.gain(user, item) for item in able])[::-1][:10]
        for feed, metrics in per_feed.items():
            shown = await asked(app, feed, user, 10, tuple(seen))
            metrics["ndcg@10"].append(ndcg([truth.gain(user, item) for item in shown], best))
            metrics["on interest@10"].append(float(np.mean([truth.on_interest(user, item) for item in shown])))
    values = {
        feed: {name: np.array(column, np.float64) for name, column in metrics.items()}
        for feed, metrics in per_feed.items()
    }
    return {
        "residents": len(residents),
        **{feed: as_objects(mean_intervals(metrics, rng)) for feed, metrics in values.items()},
        "difference": as_objects(paired_differences(values["home"], values["popular"], rng)),
    }


def ndcg(gains: Sequence[float], best: npt.NDArray[np.float64]) -> float:
    """Discounted gain of the first ten, over that of the best ten."""
    discounts = 1 / np.log2(np.arange(2, 12))
    ideal = float(best @ discounts[: len(best)])
    return float(np.array(gains) @ discounts[: len(gains)]) / ideal if ideal > 0 else 0.0


async def safety(app: LiveApp, truth: Truth, residents: Sequence[str]) -> dict[str, int]:
    """Over five pages of every resident: what must never be there."""
    counts = {"pages": 0, "items": 0, "spam": 0, "foreign": 0, "duplicates together": 0, "over the cap": 0}
    for user in residents:
        community = str((await app.user_state(user)).attributes["community_id"])
        shown: list[str] = []
        cursor: str | None = None
        for _ in range(5):
            answer = await app.recommend(FeedRequest("home", user, 20, cursor))
            shown += [app.catalog.item_id(p) for p in answer.slate.positions.tolist()]
            counts["pages"] += 1
            cursor = answer.next_cursor
            if cursor is None:
                break
        originals = [truth.original[item] for item in shown]
        counts["items"] += len(shown)
        counts["spam"] += sum(item in truth.spam for item in shown)
        counts["foreign"] += sum(truth.community[item] != community for item in shown)
        counts["duplicates together"] += len(originals) - len(set(originals))
        creators = [app.catalog.terms_at("creator_id", app.catalog.position(item) or 0) for item in shown]
        windows = [creators[start : start + 10] for start in range(max(len(creators) - 9, 1))]
        counts["over the cap"] += sum(max(map(window.count, window), default=0) > 2 for window in windows)
    return counts


async def feedback(
    app: LiveApp, truth: Truth, residents: Sequence[str], rng: np.random.Generator
) -> dict[str, Any]:
    """Residents like five items of one topic that is new to them; its share of their next twenty."""
    before, after = [], []
    topics = sorted({topic for topics in truth.topics.values() for topic in topics if topic})
    for user in residents:
        shown = await asked(app, "home", user, 100, ())
        community = str((await app.user_state(user)).attributes["community_id"])
        new = [topic for topic in topics if topic not in truth.interests[user]]
        offers = {
            topic: [
                item
                for item, theirs in truth.topics.items()
                if topic in theirs and truth.community[item] == community and item not in truth.spam
            ]
            for topic in new
        }
        topic = str(rng.choice([topic for topic in new if len(offers[topic]) >= 15]))
        liked = [str(item) for item in rng.choice(offers[topic], 5, replace=False)]
        before.append(np.mean([topic in truth.topics[item] for item in shown[:20]]))
        outcomes = await app.append([Event(user, item, "like", NOW, event_id=f"{user}-{item}") for item in liked])
        assert all(outcome.value == "accepted" for outcome in outcomes)
        following = await asked(app, "home", user, 20, ())
        after.append(np.mean([topic in truth.topics[item] for item in following]))
    shares = {"before": np.array(before), "after": np.array(after)}
    change = paired_differences({"share": shares["after"]}, {"share": shares["before"]}, rng)["share"]
    return {
        "residents": len(residents),
        "rose for": float(np.mean(shares["after"] > shares["before"])),
        **as_objects(mean_intervals(shares, rng)),
        "difference": change._asdict(),
    }


async def asked(app: LiveApp, feed: str, user: str, n: int, exclude: tuple[str, ...]) -> list[str]:
    """The ids of a feed's first n."""
    answer = await app.recommend(FeedRequest(feed, user, n, exclude=exclude))
    return [app.catalog.item_id(position) for position in answer.slate.positions.tolist()]


def as_objects(intervals: Mapping[str, Interval]) -> dict[str, dict[str, float]]:
    """Intervals for JSON."""
    return {name: interval._asdict() for name, interval in intervals.items()}


def as_markdown(found: Mapping[str, Any]) -> str:
    """The tables for the docs."""

    def cell(interval: Mapping[str, float], sign: str = "") -> str:
        return f"{interval['mean']:{sign}.3f} [{interval['low']:{sign}.3f}, {interval['high']:{sign}.3f}]"

    lines = ["| residents | feed | NDCG@10 | on interest@10 |", "| --- | --- | ---: | ---: |"]
    for group in ("warm", "cold"):
        for feed, label in (("home", "For you"), ("popular", "popular"), ("difference", "difference")):
            sign = "+" if feed == "difference" else ""
            cells = " | ".join(cell(found[group][feed][metric], sign) for metric in METRICS)
            lines.append(f"| {found[group]['residents']:,} {group} | {label} | {cells} |")
    feedback = found["feedback"]
    lines += [
        "",
        f"Safety: {json.dumps(found['safety'])}",
        "",
        f"Feedback, {feedback['residents']} residents: {cell(feedback['before'])} before, "
        f"{cell(feedback['after'])} after, {cell(feedback['difference'], '+')}; "
        f"it rose for {feedback['rose for']:.0%}.",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
