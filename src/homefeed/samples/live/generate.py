"""Sample data for the live app: seeded, realistic, with its truth in separate files.

Users live in and around real cities. They watch what is on air, what they like, what they understand and, as far
as that means something to them, what is near. They prefer certain hidden styles of a category, so similar users
tell more than categories do. Times are whole seconds since 1970-01-01 UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Unpack

import numpy as np
import polars as pl

from homefeed.samples import DAY, Options, Progress, Sample, Summary, Tables, ids, write_sample
from homefeed.samples.cities import load_cities
from homefeed.samples.live.affinity import WEIGHTS
from homefeed.samples.live.categories import CATEGORIES, STYLES
from homefeed.samples.live.clicks import INTERCEPT, SLOPE, draw_clicks
from homefeed.samples.live.streams import Streams, plan_streams
from homefeed.samples.live.viewers import Viewers, plan_viewers
from homefeed.samples.live.watching import World, draw_interactions

_DIGITS: Final = 6


@dataclass(frozen=True, kw_only=True)
class LiveSample(Sample):
    """`items` are streams, `events` interactions, `clicks` the streams shown to learn clicks from."""

    clicks: int

    @property
    def sizes(self) -> dict[str, int]:
        """What has to be at least 1, by name."""
        return super().sizes | {"clicks": self.clicks}


class LiveOptions(Options, total=False):
    """What a caller may choose."""

    clicks: int


DEFAULTS: Final = LiveSample(users=1_000, items=500, events=50_000, days=30, clicks=25_000, format="parquet")


def generate(folder: Path, *, progress: Progress | None = None, **options: Unpack[LiveOptions]) -> Summary:
    """Write users, streams, interactions and click_samples to `folder`, and their truth to its `truth`.

    Raises:
        InvalidError: an option is out of bounds.
    """
    sample = replace(DEFAULTS, **options)
    return write_sample(folder, sample, lambda: _tables(sample, progress))


def plan_world(sample: Sample) -> World:
    """The users and streams of a sample, with all that the files leave out."""
    begin = sample.last - sample.days * DAY
    viewers = plan_viewers(sample.users, sample.rng(0))
    return World(viewers, plan_streams(sample.items, begin, sample.last, sample.rng(1)), begin, sample.last)


def _tables(sample: LiveSample, progress: Progress | None) -> Tables:
    world, form = plan_world(sample), sample.format
    named = _Named(ids("user_", sample.users, _DIGITS), ids("stream_", sample.items, _DIGITS))
    watched = draw_interactions(world, sample.events, sample.rng(2), progress)
    shown, likely = draw_clicks(world, sample.clicks, sample.rng(3))
    return {
        f"users.{form}": _users_table(world.viewers, named.users),
        f"streams.{form}": _streams_table(world.streams, named.streams, sample.dated),
        f"interactions.{form}": named.table(watched.rename({"time": "timestamp"})),
        f"click_samples.{form}": named.table(shown),
        "truth/users.csv": _true_users(world.viewers, named.users),
        "truth/streams.csv": _true_streams(world.streams, named.streams),
        "truth/categories.csv": pl.LazyFrame({"category_id": range(len(CATEGORIES)), "name": CATEGORIES}),
        "truth/clicks.csv": named.table(shown.select("user", "item", probability=pl.Series(likely.round(4)))),
        "truth/affinity.csv": _true_affinity(),
    }


@dataclass(frozen=True)
class _Named:
    """The ids of all users and streams."""

    users: list[str]
    streams: list[str]

    def table(self, drawn: pl.DataFrame) -> pl.LazyFrame:
        """A table with the ids of its rows of users and streams, `user` and `item`."""
        of_pair = {
            "user_id": pl.Series(self.users).gather(drawn["user"]),
            "stream_id": pl.Series(self.streams).gather(drawn["item"]),
        }
        return pl.DataFrame(of_pair).hstack(drawn.drop("user", "item")).lazy()


def _users_table(viewers: Viewers, named: list[str]) -> pl.LazyFrame:
    cities = load_cities()
    return pl.LazyFrame(
        {
            "user_id": named,
            "latitude": viewers.at.latitude,
            "longitude": viewers.at.longitude,
            "city": np.array(cities.name)[viewers.at.city],
            "language": np.array(cities.languages)[viewers.language],
            "preferred_categories": [np.flatnonzero(row).tolist() for row in viewers.told],
            "local_preference_strength": viewers.local,
            "total_watch_hours": viewers.hours,
        }
    )


def _streams_table(streams: Streams, named: list[str], dated: bool) -> pl.LazyFrame:
    cities = load_cities()
    table = pl.LazyFrame(
        {
            "stream_id": named,
            "latitude": streams.at.latitude,
            "longitude": streams.at.longitude,
            "city": np.array(cities.name)[streams.at.city],
            "language": np.array(cities.languages)[streams.language],
            "category_id": streams.category,
            "stream_quality_score": streams.quality,
            "avg_viewer_count": streams.audience,
            "creator_followers": streams.followers,
            "is_partnered": streams.partnered,
            "mature_content": streams.mature,
            "is_live": streams.viewers > 0,
            "viewer_count": streams.viewers,
            "created_at": streams.created,
        }
    )
    return table if dated else table.drop("created_at")


def _true_users(viewers: Viewers, named: list[str]) -> pl.LazyFrame:
    """What each truly likes: style by style of a category, the best is 1; and how active they are."""
    best = np.argsort(-viewers.liking, axis=1, kind="stable")[:, :8]
    liked = np.take_along_axis(viewers.liking, best, axis=1)
    tastes = [
        "|".join(f"{_style(one)}={liking:.3f}" for one, liking in zip(*row, strict=True) if liking >= 5e-4)
        for row in zip(best.tolist(), liked.tolist(), strict=True)
    ]
    return pl.LazyFrame({"user_id": named, "tastes": tastes, "activity": viewers.activity.round(4)})


def _true_streams(streams: Streams, named: list[str]) -> pl.LazyFrame:
    """The hidden style of each, how likely people come across it, and its hours on air in UTC."""
    return pl.LazyFrame(
        {
            "stream_id": named,
            "style": [_style(segment) for segment in streams.segment.tolist()],
            "appeal": (streams.appeal / streams.appeal.max()).round(6),
            "on_air_from_seconds": streams.begins,
            "on_air_for_seconds": streams.lasts,
        }
    )


def _style(segment: int) -> str:
    """A style by the number of its category and its own, such as 3:0."""
    return "{}:{}".format(*divmod(segment, STYLES))


def _true_affinity() -> pl.LazyFrame:
    """The parameters of `affinity`, and of the clicks that follow from it."""
    terms = WEIGHTS | {"click_intercept": INTERCEPT, "click_slope": SLOPE}
    return pl.LazyFrame({"term": list(terms), "weight": list(terms.values())})
