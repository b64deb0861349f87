"""Sample data for the streaming app: seeded, realistic, with planted tastes that a good recommender can find.

Users prefer certain hidden styles of a genre, so similar users tell more than genres do.
Times are whole seconds since 1970-01-01 UTC.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Final, Unpack

import numpy as np
import polars as pl

from homefeed.samples import (
    DAY,
    HOUR,
    Options,
    Progress,
    Rng,
    Rows,
    Sample,
    Shelves,
    Summary,
    Tables,
    Weights,
    choose,
    ids,
    iso,
    write_sample,
)
from homefeed.samples.streaming.titles import (
    CONTENT_TYPES,
    GENRE_SHARES,
    GENRES,
    STYLES,
    Catalogue,
    fill_shelves,
    pick,
    plan_catalogue,
)
from homefeed.types import Codes, Floats, Mask, Times

# The age at which each genre is most popular.
_PEAK_AGE: Final = {
    "Action": 30, "Adventure": 32, "Animation": 20, "Comedy": 33, "Crime": 50, "Documentary": 58, "Drama": 48,
    "Family": 38, "Fantasy": 24, "History": 62, "Horror": 22, "Romance": 40, "Sci-Fi": 28, "Thriller": 42,
}  # fmt: skip

# Per content type, in the order of CONTENT_TYPES: tv, movie, series, microdrama.
_PLAYS_PER_SESSION: Final = np.array([1.8, 1.2, 2.4, 6.0])
_MAX_PLAYS_PER_SESSION: Final = np.array([6, 3, 8, 30])
_PAUSE_SECONDS: Final = np.array([90, 240, 60, 8])
_NEXT_EPISODE: Final = np.array([0.4, 0.0, 0.65, 0.0])

# All regions lie within an hour or two of UTC: one daily rhythm serves all. Tilts are per content type.
_REGIONS: Final = {
    "British Isles": (0.24, (1.6, 1.0, 1.1, 0.5)),
    "Central Europe": (0.28, (1.5, 1.3, 0.8, 0.5)),
    "Iberia": (0.16, (0.7, 0.8, 1.8, 0.9)),
    "Mediterranean": (0.18, (0.8, 0.9, 1.0, 1.7)),
    "Nordics": (0.14, (0.9, 1.6, 1.3, 0.4)),
}
_GENDERS: Final = {"F": 0.49, "M": 0.48, "O": 0.03}

# How busy each hour of a day is, on workdays (Monday to Friday) and on weekends.
_WORKDAY: Final = (8, 4, 2, 1, 1, 2, 5, 9, 8, 6, 6, 8, 13, 11, 8, 9, 13, 20, 30, 42, 52, 54, 40, 20)
_WEEKEND: Final = (14, 8, 5, 3, 2, 2, 3, 6, 11, 16, 19, 21, 23, 25, 27, 29, 31, 34, 41, 52, 60, 59, 47, 28)

_COLD_SHARE: Final = 0.03
_WANDERING_SHARE: Final = 0.12  # plays of popular titles, whatever the user's taste
_LONGEST_SESSION: Final = 12 * HOUR
_LONGEST_PLAY: Final = 4 * HOUR
_CHUNK: Final = 250_000  # plays drawn at once: bounds memory


@dataclass(frozen=True)
class People:
    """The users as columns. `liking` is (users, segments), `type_share` (users, types): rows sum to one."""

    age: Codes
    gender: Codes
    region: Codes
    liking: Floats
    type_share: Floats
    activity: Weights


@dataclass(frozen=True)
class World:
    """The users, the titles and the window of time."""

    people: People
    catalogue: Catalogue
    begin: int
    end: int


@dataclass(frozen=True)
class Sessions:
    """Sessions, by user and then by time; a mood is the content type the user wants."""

    user: Codes
    start: Times
    mood: Codes
    size: Codes

    def part(self, rows: slice) -> Sessions:
        """Some of the sessions."""
        return Sessions(self.user[rows], self.start[rows], self.mood[rows], self.size[rows])


DEFAULTS: Final = Sample(users=2_000, items=3_000, events=120_000, days=90)


def generate(folder: Path, *, progress: Progress | None = None, **options: Unpack[Options]) -> Summary:
    """Write users, items, events and truth_users (the planted tastes) to `folder`.

    Raises:
        InvalidError: an option is out of bounds.
    """
    sample = replace(DEFAULTS, **options)
    return write_sample(folder, sample, lambda: _tables(sample, progress))


def _tables(sample: Sample, progress: Progress | None) -> Tables:
    world = plan_world(sample)
    plays = _draw_events(world, sample.events, sample.rng(2), progress)
    return {
        f"users.{sample.format}": _users_table(world.people),
        f"items.{sample.format}": _items_table(world.catalogue, sample.dated),
        f"events.{sample.format}": _events_table(plays),
        f"truth_users.{sample.format}": _truth_table(world.people),
    }


def plan_world(sample: Sample) -> World:
    """The users and items of a sample, with all that the files leave out: styles, appeal, availability."""
    begin = sample.last - sample.days * DAY
    people = _plan_people(sample.users, sample.rng(0))
    return World(people, plan_catalogue(sample.items, begin, sample.last, sample.rng(1)), begin, sample.last)


def _plan_people(count: int, rng: Rng) -> People:
    age = np.clip(16 + rng.gamma(3.0, 8.0, count), 16, 85).astype(np.int32)
    region_share, tilts = zip(*_REGIONS.values(), strict=True)
    region = choose(region_share, count, rng)
    type_share = np.array(tilts)[region] * rng.gamma(1.5, size=(count, len(CONTENT_TYPES)))
    activity = np.minimum(rng.lognormal(0.0, 1.0, count), 30.0)
    if count > 1:
        activity[rng.permutation(count)[: max(1, round(_COLD_SHARE * count))]] = 0.0
    return People(
        age=age,
        gender=choose(tuple(_GENDERS.values()), count, rng),
        region=region,
        liking=_plan_liking(age, rng),
        type_share=(type_share / type_share.sum(axis=1, keepdims=True)).astype(np.float32),
        activity=activity / activity.sum(),
    )


def _plan_liking(age: Codes, rng: Rng) -> Floats:
    """One to three genres per user, and mostly one or two styles within each."""
    count = len(age)
    shares, ages = (np.array([table[genre] for genre in GENRES]) for table in (GENRE_SHARES, _PEAK_AGE))
    fondness = np.log(shares) - ((age[:, None] - ages) / 30) ** 2
    genres = np.argsort(-(fondness + rng.gumbel(size=fondness.shape)), axis=1)[:, :3]
    weight = rng.gamma(1.5, size=genres.shape)
    weight[np.arange(3) > choose((0.3, 0.45, 0.25), count, rng)[:, None]] = 0.0
    # Most of a style preference is the same in every genre: that is what carries over between genres.
    general = rng.dirichlet((0.1,) * STYLES, (count, 1))
    style = 0.6 * general + 0.4 * rng.dirichlet((0.1,) * STYLES, genres.shape)
    liking = np.zeros((count, len(GENRES), STYLES), dtype=np.float32)
    liking[np.arange(count)[:, None], genres] = (weight / weight.sum(axis=1, keepdims=True))[:, :, None] * style
    segments: Floats = liking.reshape(count, -1)
    return segments


def _draw_events(world: World, events: int, rng: Rng, progress: Progress | None) -> pl.DataFrame:
    """Plays by time: the rows of their user and item, seconds watched, and when."""
    sessions = _draw_sessions(world, events, rng)
    shelves = fill_shelves(world.catalogue, world.begin, world.end)
    parts: list[pl.DataFrame] = []
    for rows in _chunks(sessions):
        parts.append(_play(world, shelves, sessions.part(rows), rng))
        if progress:
            progress(sum(map(len, parts)), events)
    return pl.concat(parts).sort("time", "user")


def _draw_sessions(world: World, events: int, rng: Rng) -> Sessions:
    """Sessions with exactly `events` plays in all."""
    user = choose(world.people.activity, events, rng)
    reach = np.cumsum(world.people.type_share, axis=1)[user]
    mood = (rng.random((events, 1)) * reach[:, -1:] >= reach).sum(axis=1, dtype=np.int32)
    size = np.minimum(rng.geometric(1 / _PLAYS_PER_SESSION[mood]), _MAX_PLAYS_PER_SESSION[mood]).astype(np.int32)
    total = np.cumsum(size)
    count = int(np.searchsorted(total, events)) + 1
    size[count - 1] -= total[count - 1] - events
    start = _draw_starts(world, count, rng)
    order = np.lexsort((start, user[:count]))
    return Sessions(user[order], start[order], mood[order], size[order])


def _draw_starts(world: World, count: int, rng: Rng) -> Times:
    hour = np.arange(world.begin // HOUR, world.end // HOUR)
    is_weekend = (hour // 24 + 3) % 7 >= 5  # 1970-01-01 was a Thursday
    busy = np.where(is_weekend, np.array(_WEEKEND)[hour % 24], np.array(_WORKDAY)[hour % 24])
    start: Times = world.begin + choose(busy, count, rng) * np.int64(HOUR) + rng.integers(0, HOUR, count)
    return start


def _chunks(sessions: Sessions) -> Iterator[slice]:
    """Rows of whole users, about `_CHUNK` plays at a time."""
    bounds = np.concatenate(([0], np.flatnonzero(np.diff(sessions.user)) + 1, [len(sessions.user)]))
    chunk = np.concatenate(([0], np.cumsum(sessions.size, dtype=np.int64)))[bounds] // _CHUNK
    inner = bounds[1:-1][np.diff(chunk[:-1]) > 0]
    edges = [0, *inner.tolist(), len(sessions.user)]
    return (slice(start, stop) for start, stop in pairwise(edges))


def _play(world: World, shelves: tuple[Shelves, ...], sessions: Sessions, rng: Rng) -> pl.DataFrame:
    session = np.repeat(np.arange(len(sessions.size)), sessions.size)
    user, mood = sessions.user[session], sessions.mood[session]
    # Plays of one user are moved apart by up to one second each, so they must end that long before the window.
    latest = world.end - np.bincount(user - user[0])[sessions.user - user[0]]
    known = np.clip(sessions.start, world.begin, latest - _LONGEST_SESSION - _LONGEST_PLAY)[session]
    liking = world.people.liking[user[0] : user[-1] + 1]
    item = _choose_items(liking, user - user[0], shelves, mood, known, rng)
    liked = rng.random(len(item)) < _enjoyment(liking, user - user[0], world.catalogue, item)
    item, liked = _binge(world.catalogue, user, mood, item, liked, rng)
    watched = np.where(liked, rng.uniform(0.88, 1.0, len(item)), 0.85 * rng.beta(1.3, 3.5, len(item)))
    seconds = np.maximum(5, world.catalogue.seconds[item] * watched).astype(np.int32)
    time = _schedule(sessions, session, seconds, latest, rng)
    return pl.DataFrame({"user": user, "item": item, "watch_seconds": seconds, "time": time})


def _choose_items(
    liking: Floats, who: Codes, shelves: tuple[Shelves, ...], mood: Codes, moment: Times, rng: Rng
) -> Codes:
    """An item for each play, by the taste of the user `who` (a row of `liking`)."""
    reach = np.cumsum(liking, axis=1)
    level = np.where(rng.random(len(who)) < _WANDERING_SHARE, np.int32(2), np.int32(0))
    item = np.full(len(who), -1, dtype=np.int32)
    rows = np.arange(len(who))
    # Users rarely pick an item again: repeats are drawn again, the last time from the whole genre.
    for widest in (0, 0, 0, 1):
        reached = reach[who[rows]]
        roll = rng.random((len(rows), 1), dtype=np.float32) * reached[:, -1:]
        segment = np.minimum((roll >= reached).sum(axis=1, dtype=np.int32), reach.shape[1] - 1)
        item[rows] = pick(shelves, np.maximum(level[rows], widest), segment, mood[rows], moment[rows], rng)
        rows = _repeats(who, item)
    return item


def _repeats(who: Codes, item: Codes) -> Rows:
    """The rows that repeat an item of an earlier row of the same user."""
    key = who.astype(np.int64) * (int(item.max()) + 1) + item
    order = np.argsort(key, kind="stable")
    repeats: Rows = order[1:][np.diff(key[order]) == 0]
    return repeats


def _enjoyment(liking: Floats, who: Codes, catalogue: Catalogue, item: Codes) -> Weights:
    """The probability that each play goes on to the end."""
    second = catalogue.second_segment[item]
    fit = liking[who, catalogue.segment[item]] + np.where(second >= 0, 0.5 * liking[who, second], 0.0)
    likely: Weights = 0.2 + 0.7 * np.sqrt(np.minimum(fit / liking.max(axis=1)[who], 1.0))
    return likely


def _binge(
    catalogue: Catalogue, user: Codes, mood: Codes, item: Codes, liked: Mask, rng: Rng
) -> tuple[Codes, Mask]:
    """Let the next episode follow a liked one, in the same session or in the user's next of that mood."""
    roll = rng.random(len(user))
    may_follow = roll < _NEXT_EPISODE.max()
    may_follow[np.flatnonzero(np.diff(user, prepend=-1))] = False
    before = np.maximum.accumulate(np.where(may_follow, 0, np.arange(len(user))))
    type_before = catalogue.content_type[item[before]]
    follows = may_follow & liked[before] & (roll < _NEXT_EPISODE[type_before]) & (type_before == mood)
    return np.where(follows, item[before], item), liked | follows


def _schedule(sessions: Sessions, session: Rows, seconds: Codes, latest: Times, rng: Rng) -> Times:
    """When each play begins: one after another in a session, no two of a user in the same second."""
    pause = 1 + rng.exponential(_PAUSE_SECONDS[sessions.mood[session]]).astype(np.int64)
    before = np.cumsum(seconds + pause) - seconds - pause
    after = np.cumsum(sessions.size)
    offset = np.minimum(before - before[after - sessions.size][session], _LONGEST_SESSION)
    start = np.minimum(sessions.start, latest - offset[after - 1] - seconds[after - 1])
    user = sessions.user[session]
    time: Times = start[session] + offset
    order = np.lexsort((time, user))
    # Running maximum of (time - row): postpones a play that would not begin after the one before it.
    lane = user[order] * np.int64(2 * np.ptp(time) + len(time) + 1) - np.arange(len(time))
    time[order] = np.maximum.accumulate(time[order] + lane) - lane
    return time


def _users_table(people: People) -> pl.LazyFrame:
    return pl.LazyFrame(
        {
            "user_id": ids("u", len(people.age)),
            "age": people.age,
            "gender": np.array(list(_GENDERS))[people.gender],
            "region": np.array(list(_REGIONS))[people.region],
        }
    )


def _items_table(catalogue: Catalogue, dated: bool) -> pl.LazyFrame:
    names = np.array(GENRES, dtype=object)
    second = np.where(catalogue.second_segment >= 0, "|" + names[catalogue.second_segment // STYLES], "")
    table = pl.LazyFrame(
        {
            "item_id": ids("i", len(catalogue.title)),
            "title": catalogue.title,
            "content_type": np.array(CONTENT_TYPES)[catalogue.content_type],
            "genre": (names[catalogue.segment // STYLES] + second).tolist(),
            "created_at": catalogue.available,
        }
    )
    return table.with_columns(iso("created_at")) if dated else table.drop("created_at")


def _events_table(plays: pl.DataFrame) -> pl.LazyFrame:
    return plays.lazy().select(
        user_id=pl.format("u{}", pl.col("user") + 1),
        item_id=pl.format("i{}", pl.col("item") + 1),
        event_type=pl.lit("play"),
        watch_seconds="watch_seconds",
        timestamp=iso("time"),
    )


def _truth_table(people: People) -> pl.LazyFrame:
    tastes = people.liking.reshape(-1, len(GENRES), STYLES).sum(axis=2)
    best_first = np.argsort(-tastes, axis=1, kind="stable")[:, :3]
    weights = np.take_along_axis(tastes, best_first, axis=1)
    texts = [
        "|".join(f"{GENRES[genre]}:{weight:.3f}" for genre, weight in zip(*row, strict=True) if weight > 0)
        for row in zip(best_first.tolist(), weights.tolist(), strict=True)
    ]
    return pl.LazyFrame({"user_id": ids("u", len(texts)), "tastes": texts})
