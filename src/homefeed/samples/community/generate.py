"""Sample data for the community app: seeded, realistic, with its truth in separate files.

Residents come in sessions, mostly in the evening. What they look at depends on their true interests, the
quality of the item, their block and how fresh it is; what they do with it depends on how well it suits them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Unpack

import numpy as np
import numpy.typing as npt
import polars as pl

from homefeed.samples import (
    HOUR,
    Options,
    Progress,
    Rhythm,
    Rng,
    Rows,
    Sample,
    Summary,
    Tables,
    choose,
    ids,
    iso,
    plan_rhythm,
    write_sample,
)
from homefeed.samples.community.people import NEVER, TAGS, Homes, People, plan_people, plan_posts
from homefeed.samples.community.posts import KINDS, NAMES
from homefeed.types import Codes, Floats, Mask, Times

ACTIONS: Final = ("view", "click", "like", "comment", "share", "save", "hide", "report")
"""The event types of the contract, in the order in which a visit can show them."""

# How busy each hour of a day is, on workdays (Monday to Friday) and on weekends.
_WORKDAY: Final = (6, 3, 2, 1, 1, 2, 6, 13, 13, 9, 8, 9, 15, 12, 8, 9, 13, 21, 32, 44, 52, 48, 32, 15)
_WEEKEND: Final = (11, 6, 4, 2, 2, 2, 4, 8, 15, 24, 30, 31, 29, 26, 27, 31, 35, 38, 44, 52, 56, 50, 36, 20)

_WANDERING_SHARE: Final = 0.1  # visits that ignore the resident's interests
_OFF_INTEREST: Final = 0.004  # weight of an item that meets no interest; one that meets the strongest weighs 1
_FOR_BLOCK: Final = np.array([1.0, 0.15, 1.8], np.float32)  # weights: for all, for others, for the own block
_PATIENCE: Final = 0.4  # how often residents look at an item that meets no interest
_VISITS_PER_SESSION: Final = (4.0, 12)  # mean and maximum
_LONGEST_SESSION: Final = 3 * HOUR
_OFFERED: Final = 56  # items a resident chooses from at each visit
_CHUNK: Final = 20_000  # visits drawn at once: bounds memory


@dataclass(frozen=True)
class Board:
    """The items as columns, and the rows of visible ones: `latest` (communities, hours) indexes `row`."""

    column: dict[str, npt.NDArray[Any]]
    row: Rows
    latest: Codes


@dataclass(frozen=True)
class World:
    """The residents, their items and the window of time."""

    homes: Homes
    people: People
    posts: pl.DataFrame
    rhythm: Rhythm
    board: Board


@dataclass(frozen=True)
class Visits:
    """What residents looked at: `does` (visits, actions) is what they did, `after` how many seconds later."""

    session: Codes
    user: Codes
    item: Codes
    time: Times
    does: Mask
    after: Codes
    dwell: Codes

    def take(self, rows: npt.NDArray[np.intp] | Mask) -> Visits:
        """Some of the visits."""
        return Visits(*(column[rows] for column in vars(self).values()))

    def join(self, others: Visits) -> Visits:
        """These and the others."""
        return Visits(*map(np.concatenate, zip(vars(self).values(), vars(others).values(), strict=True)))


@dataclass(frozen=True, kw_only=True)
class CommunitySample(Sample):
    """Fewer communities and blocks are made where there are too few residents or items for them.

    `dated` changes nothing: the items of this contract are always dated.
    """

    communities: int = 3
    blocks: int = 12

    @property
    def sizes(self) -> dict[str, int]:
        """What has to be at least 1, by name."""
        return super().sizes | {"communities": self.communities, "blocks": self.blocks}


class CommunityOptions(Options, total=False):
    """What a caller may choose."""

    communities: int
    blocks: int


DEFAULTS: Final = CommunitySample(users=1_200, items=1_500, events=60_000, days=60)


def generate(folder: Path, *, progress: Progress | None = None, **options: Unpack[CommunityOptions]) -> Summary:
    """Write users, items and interactions to `folder`, and their truth to its `truth`.

    Raises:
        InvalidError: an option is out of bounds.
    """
    sample = replace(DEFAULTS, **options)
    return write_sample(folder, sample, lambda: _tables(sample, progress))


def _tables(sample: CommunitySample, progress: Progress | None) -> Tables:
    world = plan_world(sample)
    drawn = _draw_events(world, sample.events, sample.rng(2), progress)
    return {
        f"users.{sample.format}": _users_table(world),
        f"items.{sample.format}": _items_table(world),
        f"interactions.{sample.format}": _events_table(drawn),
        "truth/users.csv": _true_users(world.people),
        "truth/items.csv": _true_items(world.posts),
    }


def plan_world(sample: CommunitySample) -> World:
    """The residents and items of a sample, with all that the files leave out."""
    rhythm = plan_rhythm(sample.last, sample.days, _WORKDAY, _WEEKEND)
    homes = _plan_homes(sample)
    people = plan_people(sample.users, homes, rhythm, sample.rng(0))
    posts = plan_posts(sample.items, homes, people, rhythm, sample.rng(1))
    return World(homes, people, posts, rhythm, _set_up_board(posts, rhythm))


def _plan_homes(sample: CommunitySample) -> Homes:
    communities = min(sample.communities, sample.users, sample.items)
    blocks = max(communities, min(sample.blocks, sample.users))
    community = np.sort(np.arange(blocks, dtype=np.int32) % communities)
    buildings = [f"{tree} {building}" for building in NAMES["building"] for tree in NAMES["tree"]]
    return Homes(_number(NAMES["community"], communities), _number(buildings, blocks), community)


def _number(names: Sequence[str], count: int) -> tuple[str, ...]:
    rounds = ("", *(f"-{number}" for number in range(2, count // len(names) + 2)))
    return tuple(name + suffix for suffix in rounds for name in names)[:count]


def _set_up_board(posts: pl.DataFrame, rhythm: Rhythm) -> Board:
    column = {name: posts[name].to_numpy() for name in posts.columns if posts[name].dtype != pl.String}
    column["pull"] = (column["appeal"] * (0.2 + column["quality"]) ** 3).astype(np.float32)
    row = np.flatnonzero(~column["unseen"])
    row = row[np.argsort(column["community"][row], kind="stable")]
    community, span = column["community"][row].astype(np.int64), rhythm.end - rhythm.begin
    hours = np.arange(community[-1] + 1)[:, None] * span + np.append(-1, np.arange(0, span, HOUR))
    latest = np.searchsorted(community * span + column["created"][row] - rhythm.begin, hours, side="right") - 1
    return Board(column, row, latest.astype(np.int32))


def _draw_events(world: World, events: int, rng: Rng, progress: Progress | None) -> pl.DataFrame:
    """Exactly `events` events, by time: rows of user and item, action, seconds it took, and time."""
    requested = round(events / 1.3) + 50
    visits = _draw_visits(world, requested, 0, rng)
    settled = _settle(visits, world.board)
    while (made := int(settled.does.sum())) < events:
        if progress:
            progress(made, events)
        more = round(1.2 * (events - made) * requested / max(made, 1)) + 50
        visits = visits.join(_draw_visits(world, more, requested, rng))
        settled = _settle(visits, world.board)
        requested += more
    if progress:
        progress(events, events)
    settled = settled.take(rng.permutation(len(settled.user)))
    visit, action = (rows[:events] for rows in np.nonzero(settled.does))
    columns = {
        "user": settled.user[visit],
        "item": settled.item[visit],
        "action": action.astype(np.int32),
        "dwell": np.where(action < 2, settled.dwell[visit, np.minimum(action, 1)], -1),
        "time": settled.time[visit] + settled.after[visit, action],
    }
    return pl.DataFrame(columns).sort("time", "user", "item", "action")


def _draw_visits(world: World, count: int, first_session: int, rng: Rng) -> Visits:
    """Visits by session, and within it by time: which item each resident looks at, and what they do with it."""
    people, rhythm = world.people, world.rhythm
    stay = (rhythm.end - np.maximum(people.joined, rhythm.begin)) / (rhythm.end - rhythm.begin)
    size = np.minimum(rng.geometric(1 / _VISITS_PER_SESSION[0], count), _VISITS_PER_SESSION[1])
    session = np.repeat(np.arange(count), size)[:count]
    who = choose(people.activity * stay, session[-1] + 1, rng)
    start = rhythm.draw(np.maximum(people.joined[who], rhythm.begin), rhythm.end - _LONGEST_SESSION, rng, len(who))
    item, fit, wanders = _meet(world, who[session], start[session], rng)
    stays = np.flatnonzero(wanders | (fit > 0) | (rng.random(count) < _PATIENCE))
    session, item = session[stays], item[stays]
    does, after, dwell = _react(world.board, item, fit[stays], rng)
    lasts = after.max(axis=1) + dwell[:, 1] + rng.integers(2, 20, len(item))
    before = np.cumsum(lasts) - lasts
    _, opening, number = np.unique(session, return_index=True, return_inverse=True)
    time = start[session] + before - before[opening][number]
    return Visits((session + first_session).astype(np.int32), who[session], item, time, does, after, dwell)


def _meet(world: World, user: Codes, moment: Times, rng: Rng) -> tuple[Codes, Floats, Mask]:
    """The item each looks at, mostly an unseen one, how well it meets their interests, and who ignores these."""
    item, fit = np.empty(len(user), np.int32), np.empty(len(user), np.float32)
    wanders = rng.random(len(user)) < _WANDERING_SHARE
    rows = np.arange(len(user))
    for _ in range(4):
        for part in np.array_split(rows, max(1, len(rows) // _CHUNK)):
            item[part], fit[part] = _choose_items(world, user[part], moment[part], wanders[part], rng)
        order = np.lexsort((item, user))
        rows = order[1:][(np.diff(user[order]) == 0) & (np.diff(item[order]) == 0)]
    return item, fit, wanders


def _choose_items(world: World, user: Codes, moment: Times, wanders: Mask, rng: Rng) -> tuple[Codes, Floats]:
    people, board, of = world.people, world.board, world.board.column
    shape, who, home = (len(user), _OFFERED), user[:, None], people.community[user]
    # Residents look at the last days, and sometimes further back.
    days = np.where(rng.random(shape, dtype=np.float32) < 0.75, np.float32(1.3), np.float32(8.0))
    now = ((moment - world.rhythm.begin) / HOUR).astype(np.float32)[:, None]
    hour = np.maximum(1 + now - 24 * days * rng.standard_exponential(shape, dtype=np.float32), 0)
    older, place = (board.latest[home[:, None], np.maximum(hour.astype(np.int32) - back, 0)] for back in (1, 0))
    place -= ((place - older) * (hour - np.floor(hour))).astype(np.int32)  # any item of that hour
    first = board.latest[home, :1] + 1
    item = board.row[np.maximum(place, first)]
    item[:, -1] = board.row[first[:, 0]]  # the fallback is the community's first item, which never ends
    best = people.taste.max(axis=1)[who]
    fit = (people.taste[who, of["topic"][item]] + np.float32(0.5) * people.taste[who, of["second"][item]]) / best
    fit = np.minimum(fit, np.float32(1))
    pull = np.where(
        wanders[:, None], np.float32(0.3), (_OFF_INTEREST + fit) * people.kind_taste[who, of["kind"][item]]
    )
    block = of["block"][item]
    pull *= of["pull"][item] * _FOR_BLOCK[(block >= 0) * (1 + (block == people.block[who]))]
    pull *= (
        (place >= first) & (of["creator"][item] != who) & (of["ends"][item] > moment[:, None] + _LONGEST_SESSION)
    )
    pull[:, -1] = 1e-9
    reach = np.cumsum(pull, axis=1)
    roll = rng.random((shape[0], 1), dtype=np.float32) * reach[:, -1:]
    taken = (np.arange(shape[0]), np.minimum((roll >= reach).sum(axis=1), _OFFERED - 1))
    return item[taken].astype(np.int32), fit[taken]


def _react(board: Board, item: Codes, fit: Floats, rng: Rng) -> tuple[Mask, Codes, Codes]:
    """The actions of each visit, after how many seconds, and how long the view and the click last."""
    count = len(item)
    quality, spam = (board.column[name][item] for name in ("quality", "spam"))
    pleased = (0.1 + 0.9 * fit) * (0.35 + 0.65 * quality)
    disliked = np.where(spam, 0.35, 0.01 + 0.15 * (1 - fit) * (1 - quality))
    chance = np.column_stack((
        np.ones(count), 0.15 + 0.65 * pleased, 0.04 + 0.55 * pleased, 0.01 + 0.18 * pleased, 0.005 + 0.1 * pleased,
        0.01 + 0.22 * pleased, disliked, np.where(spam, 0.12, 0.01),
    ))  # fmt: skip
    does = rng.random(chance.shape) < chance
    negative = does[:, 6] | does[:, 7]
    does[:, 2:6] &= (does[:, 1] & ~negative)[:, None]
    dwell = np.column_stack((
        np.clip(rng.lognormal(1.6, 0.6, count) * (1 + 2 * pleased), 1, 180),
        np.clip(rng.lognormal(3.0, 0.7, count) * (0.5 + 2 * pleased + quality), 2, 420),
    )).astype(np.int32)  # fmt: skip
    typical, longest = (1, 1, 8, 40, 6, 4, 3, 6), (1, 1, 30, 120, 30, 20, 20, 40)
    pause = 2 + np.minimum(rng.exponential(typical, chance.shape), longest)
    pause[:, 0] = 0
    pause[:, 1] = dwell[:, 0]
    after = np.cumsum(np.where(does, pause.astype(np.int32), 0), axis=1, dtype=np.int32)
    return does, after, dwell


def _settle(visits: Visits, board: Board) -> Visits:
    """Visits without repeats that do not occur in reality, and with the reports that the items count."""
    order = np.lexsort((visits.time, visits.item, visits.user))
    user, item, session = visits.user[order], visits.item[order], visits.session[order]
    returns = np.append(False, (np.diff(user) == 0) & (np.diff(item) == 0))
    kept = ~(returns & np.append(False, np.diff(session) == 0))
    visits, returns = visits.take(order[kept]), returns[kept]
    is_last = np.append(~returns[1:], True)
    does = visits.does.copy()
    does[:, [2, 4, 5]] &= ~returns[:, None]
    does[:, 6:] &= is_last[:, None]
    reported = np.flatnonzero(does[:, 7])
    reported = reported[np.argsort(visits.item[reported], kind="stable")]
    rank = np.arange(len(reported)) - np.searchsorted(visits.item[reported], visits.item[reported])
    does[reported[rank >= board.column["reports"][visits.item[reported]]], 7] = False
    return Visits(**{**vars(visits), "does": does})


def _users_table(world: World) -> pl.LazyFrame:
    people, homes = world.people, world.homes
    return pl.LazyFrame(
        {
            "user_id": ids("u", len(people.block)),
            "community_id": np.array(homes.communities)[people.community],
            "block": np.array(homes.blocks)[people.block],
            "interests": people.declared,
            "language": people.language,
            "joined_at": people.joined,
        }
    ).with_columns(pl.col("interests").replace("", None), iso("joined_at"))


def _items_table(world: World) -> pl.LazyFrame:
    posts, homes = world.posts, world.homes
    names = np.array([*TAGS, ""])
    pairs = names[posts["tag", "further_tag"].to_numpy()].tolist()
    organisations = [f"{name}-{body}" for name in homes.communities[::-1] for body in ("council", "management")]
    creators = np.array([*ids("u", len(world.people.block)), *organisations])
    return pl.LazyFrame(
        {
            "item_id": ids("i", posts.height),
            "community_id": np.array(homes.communities)[posts["community"].to_numpy()],
            "block": np.array([*homes.blocks, ""])[posts["block"].to_numpy()],
            "creator_id": creators[posts["creator"].to_numpy()],
            "item_type": np.array(KINDS)[posts["kind"].to_numpy()],
            "title": posts["title"],
            "text": posts["text"],
            "tags": ["|".join(dict.fromkeys(filter(None, pair))) for pair in pairs],
            "created_at": posts["created"],
            "expires_at": posts["ends"].replace(NEVER, None),
            "quality": posts["seen_quality"].fill_nan(None),
            "reports": posts["reports"],
        }
    ).with_columns(pl.col("block", "tags").replace("", None), iso("created_at"), iso("expires_at"))


def _events_table(drawn: pl.DataFrame) -> pl.LazyFrame:
    return drawn.lazy().select(
        user_id=pl.format("u{}", pl.col("user") + 1),
        item_id=pl.format("i{}", pl.col("item") + 1),
        event_type=pl.col("action").replace_strict(dict(enumerate(ACTIONS)), return_dtype=pl.String),
        dwell_seconds=pl.when(pl.col("dwell") >= 0).then("dwell"),
        created_at=iso("time"),
    )


def _true_users(people: People) -> pl.LazyFrame:
    parts = (people.taste[:, :-1] * 1_000).round().astype(np.int32)
    parts[np.arange(len(parts)), parts.argmax(axis=1)] += 1_000 - parts.sum(axis=1)
    best = np.argsort(-parts, axis=1, kind="stable")[:, :4]
    interests = [
        "|".join(f"{TAGS[tag]}:{row[tag] / 1_000:.3f}" for tag in tags if row[tag])
        for row, tags in zip(parts, best, strict=True)
    ]
    truth = {"interests": interests, "cold": people.activity == 0, "activity": people.activity.round(4)}
    return pl.LazyFrame({"user_id": ids("u", len(parts)), **truth})


def _true_items(posts: pl.DataFrame) -> pl.LazyFrame:
    pairs = zip(posts["topic"].to_list(), posts["second"].to_list(), strict=True)
    return posts.lazy().select(
        item_id=pl.Series(ids("i", posts.height)),
        quality="quality",
        spam="spam",
        duplicate_of=pl.when(pl.col("original") >= 0).then(pl.format("i{}", pl.col("original") + 1)),
        topic=pl.Series(["|".join(TAGS[tag] for tag in pair if tag >= 0) for pair in pairs]),
    )
