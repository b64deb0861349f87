"""Who watches what, when, for how long, and how they rate it. Times are whole seconds since 1970-01-01 UTC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from homefeed.samples import DAY, Progress, Rhythm, Rng, choose, plan_rhythm
from homefeed.samples.cities import load_cities
from homefeed.samples.live.affinity import affinity
from homefeed.samples.live.streams import Guide, Streams
from homefeed.samples.live.viewers import Viewers
from homefeed.types import Codes, Times

# How busy each hour of a day is, where the user is, on workdays (Monday to Friday) and on weekends.
_WORKDAY: Final = (16, 8, 4, 2, 1, 2, 3, 5, 6, 6, 7, 9, 13, 11, 10, 11, 15, 22, 31, 42, 52, 54, 45, 29)
_WEEKEND: Final = (24, 14, 8, 4, 3, 2, 3, 5, 9, 14, 19, 22, 25, 27, 29, 31, 33, 37, 43, 51, 58, 58, 49, 36)

OFFERED: Final = {"near": 6, "of_segment": 12, "in_language": 6, "anywhere": 4}
"""How many streams users choose from at a time, by where they come across them."""

_CHUNK: Final = 20_000  # interactions drawn at once: bounds memory
_TYPICAL_SECONDS: Final = 900
_SHORTEST: Final = 10
_LONGEST: Final = 6 * 3_600
_MIDDLING: Final = 5.4  # the affinity at which a stream is watched for the typical time
_LONGER: Final = 0.5  # by how much a unit of affinity more lengthens it, as a logarithm
_RATED_SHARE: Final = 0.35
_OFF_AIR: Final = -1e3  # only where nothing else is offered


@dataclass(frozen=True)
class World:
    """The users, the streams and the window of time."""

    viewers: Viewers
    streams: Streams
    begin: int
    end: int


def draw_interactions(world: World, events: int, rng: Rng, progress: Progress | None) -> pl.DataFrame:
    """Exactly `events` interactions, by time: the rows of user and stream, seconds watched, rating and time."""
    user = np.sort(choose(world.viewers.activity, events, rng))
    time = _draw_times(world, user, rng)
    guide = Guide.of(world.streams, world.begin, world.end)
    parts: list[pl.DataFrame] = []
    for start in range(0, events, _CHUNK):
        rows = slice(start, start + _CHUNK)
        parts.append(_watch(world, guide, user[rows], time[rows], rng))
        if progress:
            progress(min(start + _CHUNK, events), events)
    return pl.concat(parts).sort("time", "user")


def _draw_times(world: World, user: Codes, rng: Rng) -> Times:
    """When each begins, by the hours that are busy where the user is; no two of a user in the same second."""
    offset = load_cities().offset[world.viewers.at.city[user]].astype(np.int64)
    # Those that would be in the same second are moved apart, so all must begin that long before the end.
    latest = world.end - np.bincount(user)[user]
    rhythm = _rhythm_of_days(world)
    time = rhythm.draw(world.begin + offset, latest + offset, rng, len(user)) - offset
    time = time[np.lexsort((time, user))]
    row = np.arange(len(time))
    lane = user * np.int64(2 * (world.end - world.begin) + len(time)) - row
    apart: Times = np.maximum.accumulate(time + lane) - lane
    return apart


def _rhythm_of_days(world: World) -> Rhythm:
    """The hours of the window, and of the days around it: somewhere it is earlier or later."""
    days = -(-(world.end - world.begin) // DAY)
    return plan_rhythm(world.end + DAY, days + 2, _WORKDAY, _WEEKEND)


def _watch(world: World, guide: Guide, user: Codes, time: Times, rng: Rng) -> pl.DataFrame:
    """What each chooses of what they come across, most likely what they are drawn to; it must be on air."""
    offered = offer(world.viewers, guide, OFFERED, user, time, rng)
    chooser = np.repeat(user, offered.shape[1])
    drawn = affinity(world.viewers, world.streams, chooser, offered.ravel()).reshape(offered.shape)
    lure = drawn + rng.gumbel(size=offered.shape) + _OFF_AIR * ~world.streams.on_air(offered, time[:, None])
    best = np.where(offered < 0, -np.inf, lure).argmax(axis=1)
    row = np.arange(len(user))
    item, drawn = offered[row, best], drawn[row, best]
    pull = drawn - _MIDDLING
    seconds = _TYPICAL_SECONDS * np.exp(_LONGER * pull + rng.normal(0.0, 0.9, len(user)))
    left = np.maximum(world.end - time, 1)
    watched = np.minimum(np.clip(seconds, _SHORTEST, _LONGEST), left).astype(np.int32)
    rating = np.clip(np.round(3.6 + 0.6 * pull + rng.normal(0.0, 0.8, len(user))), 1, 5).astype(np.int8)
    rated = rng.random(len(user)) < _RATED_SHARE
    columns = {"user": user, "item": item, "watch_time": watched, "rating": rating, "rated": rated, "time": time}
    return pl.DataFrame(columns).with_columns(rating=pl.when("rated").then("rating")).drop("rated")


def offer(viewers: Viewers, guide: Guide, counts: Mapping[str, int], user: Codes, time: Times, rng: Rng) -> Codes:
    """(n, offered) streams that each user comes across at a time, so many at each place; -1 where there is none.

    They may be on air or not.
    """
    shelves = {
        "near": viewers.at.city[user],
        "of_segment": _segment(viewers, user, rng),
        "in_language": viewers.language[user],
        "anywhere": np.zeros_like(user),
    }
    rolls = {place: rng.random((len(user), count)) for place, count in counts.items()}
    return np.hstack([getattr(guide, place).draw(shelves[place], time, roll) for place, roll in rolls.items()])


def _segment(viewers: Viewers, user: Codes, rng: Rng) -> Codes:
    """(n,) a segment for each, by what they like."""
    reach = np.cumsum(viewers.liking[user], axis=1)
    roll = rng.random((len(user), 1), dtype=np.float32) * reach[:, -1:]
    segment: Codes = np.minimum((roll >= reach).sum(axis=1), reach.shape[1] - 1).astype(np.int32)
    return segment
