"""How the shoppers of the sample shop: trips of searches and clicks, and what goes into the basket at their end.

A trip has one wish or a few. A wish is for one product, or for a complement of the product wished for before; the
shopper may search, looks at the product and similar ones, and may buy it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from homefeed.samples import DAY, Progress, Rhythm, Rng, Rows, Shelves, Weights
from homefeed.samples.shop.complements import slots
from homefeed.samples.shop.shoppers import ROLES, Shoppers
from homefeed.samples.shop.stock import KIND_SHELF, SHELF_MAIN, TREND_DAYS, Stock
from homefeed.types import Codes, Floats, Mask, Times

SEARCH, CLICK, PURCHASE = 0, 1, 2
"""The codes of the actions."""

LONGEST_TRIP: Final = 7_200
_TRIPS_AT_ONCE: Final = 8_000  # bounds memory
_OFFERED: Final = 8  # products that a shopper chooses from
_RISING_OFFERED: Final = 8
_MAX_WISHES: Final = 4
_MAX_LOOKS: Final = 6  # at products, per wish
_LAST_WISH: Final = 0.55  # probability that a wish is the last of its trip, and a look the last of its wish
_LAST_LOOK: Final = 0.5
_WANDERING_SHARE: Final = 0.1  # wishes for what sells well, whatever the shopper's taste
_TREND_SHARE: Final = 0.3  # wishes of the last hours that are for what is rising
_GOES_WITH: Final = 0.6  # of a trip's further wishes: those for a complement
_FITS: Final = 0.55  # of these: those for the very product that fits
_SEARCHES: Final = (0.6, 0.25)  # a wish of their own, one for a complement
_FRUITLESS_SHARE: Final = 0.07  # searches that lead to no click
_BUYS: Final = (
    0.16,
    0.08,
    0.6,
)  # a wish of their own, one for a complement, one after a purchase
_ADDS: Final = (0.4, 0.25)  # probability that a first and a second complement are added to the basket
_SAME_KIND: Final = 0.75  # of the further looks; the others are at the same shelf
_FAVOURITE: Final = 8.0  # weight of the favourite brand relative to others
_LEVEL_WIDTH: Final = 0.9  # how far a price may be from the shopper's level


@dataclass(frozen=True)
class Actions:
    """Searches, clicks and purchases as columns; the `item` of a search is the product wished for."""

    trip: Codes
    user: Codes
    action: Codes
    item: Codes
    time: Times

    def take(self, rows: Rows | Mask | slice) -> Actions:
        """Some of them."""
        return Actions(*(column[rows] for column in vars(self).values()))

    @classmethod
    def join(cls, parts: Sequence[Actions]) -> Actions:
        """All of them, part by part."""
        return cls(*map(np.concatenate, zip(*(vars(part).values() for part in parts), strict=True)))


@dataclass(frozen=True)
class Wishes:
    """What each trip is for, (trips, wishes): `item` is -1 where there is no further wish."""

    item: Codes
    goes_with: Mask
    searches: Mask
    looks: Codes
    buys: Mask


class Shop:
    """The products, on shelves of three levels, and the shoppers."""

    def __init__(self, stock: Stock, people: Shoppers, rhythm: Rhythm) -> None:
        self.people = people
        self._stock, self._rhythm = stock, rhythm
        levels = (stock.kind, stock.shelf, np.zeros_like(stock.kind))
        window = (rhythm.begin, rhythm.end)
        rows = np.arange(len(stock.kind), dtype=np.int32)
        self._shelves = [Shelves.build(shelf, rows, stock.appeal, stock.arrives, window) for shelf in levels]
        self._main = SHELF_MAIN[stock.shelf]
        self._taste = np.cumsum(people.taste, axis=1)
        stay = (people.last - people.first) / (rhythm.end - rhythm.begin)
        self._activity = np.cumsum(people.activity * stay)

    def visitors(self, count: int, rng: Rng) -> Codes:
        """The shopper of each trip: active ones more often."""
        roll = rng.random(count) * self._activity[-1]
        who: Codes = np.searchsorted(self._activity, roll, side="right").astype(np.int32)
        return who

    def visit(self, who: Codes, rng: Rng) -> Actions:
        """The actions of one trip per shopper, by trip and within it by time."""
        people = self.people
        start = self._rhythm.draw(people.first[who], people.last[who] - LONGEST_TRIP, rng, len(who))
        wishes = self._wish(who, start, rng)
        trip, place = np.nonzero(wishes.searches)
        parts = [
            (trip, 10 * place, SEARCH, wishes.item[trip, place]),
            *self._look(wishes, who, start, rng),
            *self._fill_baskets(wishes, who, start, rng),
        ]
        trip, order, action, item = (
            np.concatenate([np.broadcast_to(part[column], len(part[0])) for part in parts]) for column in range(4)
        )
        sort = np.lexsort((order, trip))
        trip, action, item = trip[sort], action[sort], item[sort]
        # A product is looked at and bought only once in a trip.
        same = (trip * 3 + action) * np.int64(len(self._main)) + item
        kept = np.sort(
            np.unique(np.where(action == SEARCH, -1 - np.arange(len(same)), same), return_index=True)[1]
        )
        trip, action, item = trip[kept], action[kept], item[kept]
        time = start[trip] + _after(trip, action, rng)
        return Actions(trip.astype(np.int32), who[trip], action.astype(np.int32), item.astype(np.int32), time)

    def _wish(self, who: Codes, start: Times, rng: Rng) -> Wishes:
        shape = (len(who), _MAX_WISHES)
        wishes = np.minimum(rng.geometric(_LAST_WISH, len(who)), _MAX_WISHES)
        item, goes_with, buys = np.full(shape, -1, np.int32), np.zeros(shape, np.bool_), np.zeros(shape, np.bool_)
        for place in range(_MAX_WISHES):
            rows = np.flatnonzero(wishes > place)
            item[rows, place] = self._suiting(who[rows], start[rows], rng)
            if place:
                rows = rows[rng.random(len(rows)) < _GOES_WITH]
                found = self._going_with(item[rows, place - 1], who[rows], start[rows], rng)
                rows, found = rows[found >= 0], found[found >= 0]
                item[rows, place], goes_with[rows, place] = found, True
        searches = (item >= 0) & (rng.random(shape) < np.where(goes_with, _SEARCHES[1], _SEARCHES[0]))
        looks = np.where(item >= 0, np.minimum(rng.geometric(_LAST_LOOK, shape), _MAX_LOOKS), 0)
        looks[searches & (rng.random(shape) < _FRUITLESS_SHARE)] = 0
        roll = rng.random(shape)
        for place in range(_MAX_WISHES):
            chance = np.where(goes_with[:, place], np.where(buys[:, place - 1], _BUYS[2], _BUYS[1]), _BUYS[0])
            buys[:, place] = (looks[:, place] > 0) & (roll[:, place] < chance)
        return Wishes(item, goes_with, searches, looks.astype(np.int32), buys)

    def _suiting(self, user: Codes, moment: Times, rng: Rng) -> Codes:
        """A product for each: to their taste, or any that sells, or, in the last days, a rising one."""
        reach = self._taste[user]
        shelf = (rng.random((len(user), 1), dtype=np.float32) * reach[:, -1:] >= reach).sum(axis=1)
        item = self._choose(1, np.minimum(shelf, reach.shape[1] - 1).astype(np.int32), user, moment, rng)
        rows = np.flatnonzero(rng.random(len(user)) < _WANDERING_SHARE)
        item[rows] = self._choose(2, np.zeros(len(rows), np.int32), user[rows], moment[rows], rng)
        trend = 1 - (self._rhythm.end - moment) / (TREND_DAYS * DAY)
        rows = np.flatnonzero(rng.random(len(user)) < _TREND_SHARE * trend)
        rising = self._stock.rising
        if len(rising):
            offered = rising[rng.integers(0, len(rising), (len(rows), _RISING_OFFERED))]
            suits = self.people.taste[user[rows, None], self._stock.shelf[offered]] + np.float32(0.02)
            item[rows] = _one_of(offered, suits, rng)
        return item

    def _going_with(self, item: Codes, user: Codes, moment: Times, rng: Rng) -> Codes:
        """A complement of each product, -1 where there is none: the best fit, or another one of its kind."""
        kinds, strengths = slots()
        kind, partners = self._stock.kind[item], self._stock.partners[item]
        weight = np.where(partners >= 0, strengths[kind], np.float32(0))
        slot = _one_of(np.broadcast_to(np.arange(weight.shape[1], dtype=np.int32), weight.shape), weight, rng)
        found = np.take_along_axis(partners, slot[:, None], axis=1)[:, 0]
        rows = np.flatnonzero((found >= 0) & (rng.random(len(item)) >= _FITS))
        found[rows] = self._choose(0, kinds[kind[rows], slot[rows]], user[rows], moment[rows], rng)
        return found

    def _choose(self, level: int, shelf: Codes, user: Codes, moment: Times, rng: Rng) -> Codes:
        """A product from a shelf of a level, at the price level and of the brand that each shopper likes."""
        offered = self._shelves[level].draw(shelf, moment, rng.random((len(shelf), _OFFERED)))
        for wider in range(level + 1, len(self._shelves)):
            rows = np.flatnonzero(offered[:, 0] < 0)
            shelf = KIND_SHELF[shelf] if wider == 1 else np.zeros_like(shelf)
            offered[rows] = self._shelves[wider].draw(shelf[rows], moment[rows], rng.random((len(rows), _OFFERED)))
        stock, people = self._stock, self.people
        away = (stock.level[offered] - people.level[user][:, None]) / np.float32(_LEVEL_WIDTH)
        is_favourite = stock.brand[offered] == people.brand[user[:, None], self._main[offered]]
        weight = np.exp(np.float32(-0.5) * away**2) * np.where(is_favourite, np.float32(_FAVOURITE), np.float32(1))
        return _one_of(offered, weight + np.float32(1e-4), rng)

    def _look(self, wishes: Wishes, who: Codes, start: Times, rng: Rng) -> list[tuple[Rows, Rows, int, Codes]]:
        """The clicks: on the product wished for, then on others of its kind or shelf."""
        trip, place = np.nonzero(wishes.looks)
        looks = wishes.looks[trip, place]
        first = (trip, 10 * place + 1, CLICK, wishes.item[trip, place])
        further = np.repeat(np.arange(len(trip)), looks - 1)
        number = np.arange(len(further)) - np.repeat(np.cumsum(looks - 1) - (looks - 1), looks - 1)
        trip, place, wished = trip[further], place[further], first[3][further]
        item = np.empty(len(further), np.int32)
        is_of_kind = rng.random(len(further)) < _SAME_KIND
        for level, shelves in enumerate((self._stock.kind, self._stock.shelf)):
            rows = np.flatnonzero(is_of_kind == (level == 0))
            item[rows] = self._choose(level, shelves[wished[rows]], who[trip[rows]], start[trip[rows]], rng)
        return [first, (trip, 10 * place + 2 + number, CLICK, item)]

    def _fill_baskets(
        self, wishes: Wishes, who: Codes, start: Times, rng: Rng
    ) -> list[tuple[Rows, Rows, int, Codes]]:
        """The purchases: the products wished for, and some of their complements."""
        trip, place = np.nonzero(wishes.buys)
        last = np.full(len(trip), 10 * _MAX_WISHES)
        bought = wishes.item[trip, place]
        parts = [(trip, last, PURCHASE, bought)]
        for chance in _ADDS:
            rows = np.flatnonzero(rng.random(len(trip)) < chance)
            added = self._going_with(bought[rows], who[trip[rows]], start[trip[rows]], rng)
            rows, added = rows[added >= 0], added[added >= 0]
            parts.append((trip[rows], last[rows], PURCHASE, added))
        return parts


def draw_actions(shop: Shop, events: int, rng: Rng, progress: Progress | None) -> Actions:
    """Exactly `events` actions, by time; the trip drawn last may be incomplete."""
    single = np.flatnonzero(shop.people.role == ROLES.index("single")).astype(np.int32)
    once = shop.visit(single, rng)
    parts = [once.take(np.flatnonzero(np.diff(once.trip, prepend=-1))[: events // 2])]
    made = len(parts[0].trip)
    while made < events:
        if progress and len(parts) > 1:
            progress(made, events)
        wanted = min(_TRIPS_AT_ONCE, (events - made) // 4 + 20)
        parts.append(shop.visit(shop.visitors(wanted, rng), rng))
        made += len(parts[-1].trip)
    if progress:
        progress(events, events)
    actions = Actions.join(parts).take(slice(0, events))
    return actions.take(np.lexsort((actions.item, actions.action, actions.user, actions.time)))


def _one_of(offered: Codes, weight: Floats, rng: Rng) -> Codes:
    """One of each row, by weight; the first of a row without any weight."""
    reach = np.cumsum(weight, axis=1)
    roll = rng.random((len(offered), 1), dtype=np.float32) * reach[:, -1:]
    taken = np.minimum((roll >= reach).sum(axis=1), offered.shape[1] - 1)
    taken[reach[:, -1] <= 0] = 0
    chosen: Codes = offered[np.arange(len(offered)), taken].astype(np.int32)
    return chosen


def _after(trip: Rows, action: Codes, rng: Rng) -> Times:
    """Seconds from the start of the trip to each action; a basket is bought at once."""
    typical, longest = np.array([25.0, 45.0, 60.0]), np.array([120, 200, 300])
    pause = 5 + np.minimum(rng.exponential(typical[action]), longest[action]).astype(np.int64)
    is_first = np.diff(trip, prepend=-1) > 0
    pause[is_first | ((action == PURCHASE) & (np.append(-1, action[:-1]) == PURCHASE))] = 0
    total: Weights | Times = np.cumsum(pause)
    after: Times = total - total[np.flatnonzero(is_first)][np.cumsum(is_first) - 1]
    return after
