"""Who looks at what, when, and what they do then. Times are whole seconds since 1970-01-01 UTC.

In a visit a user comes across listings that are to be had, and looks at those that draw them most: the more, the
higher the utility. Whoever clicks may apply, save or share; whoever does not may dismiss. Of a listing each user
decides once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from homefeed.samples import DAY, HOUR, Progress, Rng, Rows, Shelves, Weights, choose, plan_rhythm
from homefeed.samples.marketplace.listings import STYLES
from homefeed.samples.marketplace.utility import World, utility
from homefeed.types import Codes, Mask, Times

ACTIONS: Final = ("view", "click", "apply", "save", "share", "dismiss")
"""The types of interactions, by code."""
DEVICES: Final = ("mobile", "desktop", "tablet")

OFFERED: Final = {"near": 6, "of_tag": 6, "of_style": 5, "in_city": 5, "anywhere": 2}
"""How many listings users choose from in a visit, by how they come across them."""

SHARPNESS: Final = 14.0
"""By how much the log-odds of a look rise with the utility."""

# The log-odds of what follows a look: at which utility they are 0, and how fast they rise.
CLICK: Final = (0.48, 9.0)
APPLY: Final = (0.66, 9.0)
SAVE: Final = (0.62, 5.0)
SHARE: Final = (0.95, 5.0)
DISMISS: Final = (0.20, -9.0)

_VISITS_AT_ONCE: Final = 10_000  # bounds memory
_EVENTS_PER_VISIT: Final = 6.0
_MAX_LOOKS: Final = 8
_LAST_LOOK: Final = 0.27  # probability that a look is the last of its visit
_LONGEST: Final = HOUR
_LATEST_FIRST: Final = 0.6  # exponent of the draw: below 1 for listings that came late, as early ones are gone
_GLANCE, _READ = (5.0, 40), (60.0, 300)  # typical and longest seconds of a view and of a click
_WORKDAY: Final = (4, 2, 1, 1, 1, 3, 8, 16, 20, 18, 16, 17, 24, 20, 16, 16, 19, 26, 34, 40, 44, 40, 26, 12)
_WEEKEND: Final = (8, 5, 3, 2, 1, 2, 4, 8, 16, 24, 30, 32, 32, 30, 29, 29, 30, 31, 34, 38, 40, 36, 26, 15)


@dataclass(frozen=True)
class Interactions:
    """Interactions as columns (n,); `seconds` spent is -1 where there is nothing to spend them on."""

    visit: Times
    user: Codes
    item: Codes
    action: Codes
    time: Times
    seconds: Times

    def take(self, rows: Rows | Mask) -> Self:
        """Some of them."""
        return type(self)(*(getattr(self, field.name)[rows] for field in fields(self)))

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """All of them, part by part."""
        return cls(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(cls)))


class Guide:
    """Where users come across listings: near them, of what they like, in their city, anywhere."""

    def __init__(self, world: World) -> None:
        listings, people = world.listings, world.people
        item = np.flatnonzero(~listings.unseen).astype(np.int32)
        at, self._tags = listings.at.take(item), people.liking.shape[1]
        shelves = {
            "near": at.neighbourhood,
            "of_tag": at.city * self._tags + listings.tags[item, 0],
            "of_style": at.city * STYLES + listings.style[item],
            "in_city": at.city,
            "anywhere": np.zeros_like(item),
        }
        appeal, window = 0.1 + listings.appeal[item] ** 2, (int(listings.created.min()), world.end)
        self._shelves = {
            name: Shelves.build(shelf.astype(np.int32), item, appeal, listings.created[item], window)
            for name, shelf in shelves.items()
        }
        self._people, self._communities = people, world.communities

    def offer(self, user: Codes, moment: Times, rng: Rng) -> Codes:
        """(n, offered) listings that each user comes across at a time, none twice; -1 where there is none."""
        at = self._people.at.take(user)
        shelves = {
            "near": at.neighbourhood,
            "of_tag": at.city * self._tags + _one_of(self._people.liking[user], rng),
            "of_style": at.city * STYLES + _one_of(self._communities[self._people.community[user]], rng),
            "in_city": at.city,
            "anywhere": np.zeros_like(user),
        }
        rolls = {name: rng.random((len(user), count)) ** _LATEST_FIRST for name, count in OFFERED.items()}
        offered = np.sort(
            np.hstack([self._shelves[n].draw(shelves[n], moment, roll) for n, roll in rolls.items()])
        )
        offered[:, 1:][offered[:, 1:] == offered[:, :-1]] = -1
        return offered


def draw_interactions(world: World, events: int, rng: Rng, progress: Progress | None) -> Interactions:
    """Exactly `events` interactions, by time; one of the visits may be incomplete."""
    guide, parts, made, visited = Guide(world), list[Interactions](), 0, 0
    while made < events:
        visits = int((events - made) / _EVENTS_PER_VISIT) + 20
        user = np.sort(choose(world.people.activity, visits, rng))
        start = _draw_times(world, user, rng)
        for first in range(0, visits, _VISITS_AT_ONCE):
            rows = np.arange(first, min(first + _VISITS_AT_ONCE, visits))
            parts.append(_visit(world, guide, user[rows], start[rows], visited + rows, rng))
            made += len(parts[-1].user)
            if progress and made < events:
                progress(made, events)
        parts, visited = [_decided_once(Interactions.join(parts))], visited + visits
        made = len(parts[0].user)
    if progress:
        progress(events, events)
    kept = _some_visits(parts[0], events, rng)
    return kept.take(np.lexsort((kept.action, kept.item, kept.user, kept.time)))


def _draw_times(world: World, user: Codes, rng: Rng) -> Times:
    """When each visit begins, by the hours that are busy where the user is, after they joined."""
    offset = world.offsets[world.people.at.city[user]]
    days = -(-(world.end - world.begin) // DAY)
    rhythm = plan_rhythm(world.end + DAY, days + 2, _WORKDAY, _WEEKEND)
    first = np.maximum(world.people.joined[user], world.begin)
    return rhythm.draw(first + offset, world.end - _LONGEST + offset, rng, len(user)) - offset


def _visit(world: World, guide: Guide, user: Codes, start: Times, number: Times, rng: Rng) -> Interactions:
    """The interactions of one visit per user; of nobody who finds nothing that is to be had."""
    offered = guide.offer(user, start, rng)
    moment = np.broadcast_to(start[:, None], offered.shape)
    pairs = np.repeat(user, offered.shape[1]), offered.ravel(), moment.ravel()
    worth = utility(world, *pairs).reshape(offered.shape)
    lure = SHARPNESS * worth + rng.gumbel(size=offered.shape)
    lure[(offered < 0) | ~world.listings.alive(offered, moment, _LONGEST)] = -np.inf
    best = np.argsort(-lure, axis=1, kind="stable")[:, :_MAX_LOOKS]
    looks = np.minimum(rng.geometric(_LAST_LOOK, len(user)), _MAX_LOOKS)
    is_looked_at = (np.arange(_MAX_LOOKS) < looks[:, None]) & np.isfinite(np.take_along_axis(lure, best, axis=1))
    visit, place = np.nonzero(is_looked_at)
    column = best[visit, place]
    return _follow(number[visit], user[visit], offered[visit, column], start[visit], worth[visit, column], rng)


def _follow(visit: Times, user: Codes, item: Codes, start: Times, worth: Weights, rng: Rng) -> Interactions:
    """What follows each look, one look after another."""
    clicks = _happens(CLICK, worth, rng)
    applies = clicks & _happens(APPLY, worth, rng)
    saves = clicks & ~applies & _happens(SAVE, worth, rng)
    shares = clicks & ~applies & ~saves & _happens(SHARE, worth, rng)
    dismisses = ~clicks & _happens(DISMISS, worth, rng)
    glance = _seconds(*_GLANCE, worth, rng)
    read = np.where(clicks, _seconds(*_READ, worth, rng), 0)
    total = np.cumsum(glance + read + 1)
    before = total - (glance + read + 1)
    first = np.diff(visit, prepend=-1) > 0
    begins = start + before - before[np.flatnonzero(first)][np.cumsum(first) - 1]
    decides = begins + glance + read
    parts = []
    for action, (which, time, seconds) in enumerate(
        (
            (np.ones(len(visit), np.bool_), begins, glance),
            (clicks, begins + glance, read),
            *((which, decides, np.full(len(visit), -1)) for which in (applies, saves, shares, dismisses)),
        )
    ):
        rows = np.flatnonzero(which)
        code = np.full(len(rows), action, np.int32)
        parts.append(Interactions(visit[rows], user[rows], item[rows], code, time[rows], seconds[rows]))
    return Interactions.join(parts)


def _happens(odds: tuple[float, float], worth: Weights, rng: Rng) -> Mask:
    middle, slope = odds
    happens: Mask = rng.random(len(worth)) < 1 / (1 + np.exp(-slope * (worth - middle)))
    return happens


def _seconds(typical: float, longest: int, worth: Weights, rng: Rng) -> Times:
    """How long they stay, longer with what is worth more."""
    drawn = typical * np.exp(2 * (worth - 0.5) + rng.normal(0.0, 0.6, len(worth)))
    seconds: Times = np.clip(drawn, 1, longest).astype(np.int64)
    return seconds


def _decided_once(drawn: Interactions) -> Interactions:
    """Without decisions of a user about a listing after the first, and without rows that are there twice."""
    rows = np.lexsort((drawn.action, drawn.time, drawn.item, drawn.user))
    drawn = drawn.take(rows)
    pair = drawn.user.astype(np.int64) * (int(drawn.item.max(initial=0)) + 1) + drawn.item
    is_new_pair = np.diff(pair, prepend=-1) != 0
    decides = drawn.action >= ACTIONS.index("apply")
    decided: Times = np.cumsum(decides) - decides
    decided -= decided[np.flatnonzero(is_new_pair)][np.cumsum(is_new_pair) - 1]
    same = ~is_new_pair & (np.diff(drawn.time, prepend=-1) == 0) & (np.diff(drawn.action, prepend=-1) == 0)
    return drawn.take(np.flatnonzero(~(decides & (decided > 0)) & ~same))


def _some_visits(drawn: Interactions, events: int, rng: Rng) -> Interactions:
    """Exactly so many interactions, of visits that are drawn by lot."""
    lot = rng.permutation(int(drawn.visit.max()) + 1)
    return drawn.take(np.lexsort((drawn.action, drawn.time, lot[drawn.visit]))[:events])


def _one_of(weights: npt.NDArray[np.floating], rng: Rng) -> Codes:
    """(n,) a column for each row of the weights (n, columns), by weight."""
    reach: Weights = np.cumsum(weights, axis=1, dtype=np.float64)
    roll = rng.random((len(reach), 1)) * reach[:, -1:]
    column: Codes = np.minimum((roll >= reach).sum(axis=1), reach.shape[1] - 1).astype(np.int32)
    return column
