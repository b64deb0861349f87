"""Live counters: signals brought up to the last event, as columns by position."""

from __future__ import annotations

from threading import Lock
from typing import Self

import numpy as np

from homefeed.catalog.columns import CategoryColumn
from homefeed.catalog.growable import Growable
from homefeed.catalog.hourly import HourlyCounts
from homefeed.catalog.pairs import Pairs, PairTable
from homefeed.catalog.partitions import name_in
from homefeed.catalog.signals import Doubles, SignalsModel
from homefeed.catalog.view import CatalogView
from homefeed.catalog.windows import FadingCounts
from homefeed.types import Floats, Numbers, Positions, Times

_RESCALE_AFTER_HALF_LIVES = 500


class Counters:
    """Events, strength and trend of every item. `version` grows with every change.

    Of all that a user does to an item one event counts, the strongest: in a trend the one of which most is left.
    So an item has as many events as users, whatever one of them does. Without `once_per_user` every event counts.
    `latest` is the latest time that was counted.
    """

    def __init__(
        self,
        catalog: CatalogView,
        half_life: float,
        group_field: str | None,
        default_full: float,
        *,
        once_per_user: bool = True,
        pairs: Pairs | None = None,
    ) -> None:
        """`pairs` are those of the users and items that are counted already."""
        self.catalog = catalog
        self.half_life = half_life
        self.version = 0
        self.landmark = 0
        self.latest = 0
        self.watermark = 0
        self._group_field = group_field
        self._group_full = {"": default_full}
        self._events = Growable(np.float64, 0.0)
        self._strength = Growable(np.float64, 0.0)
        self._trend = Growable(np.float64, 0.0)
        self._full = Growable(np.float32, default_full)
        self._engagement = Growable(np.float64, 0.0)
        self.hourly = HourlyCounts()
        self._recent = FadingCounts()
        self._pairs = PairTable(pairs or Pairs()) if once_per_user else None
        self._told: dict[str, set[tuple[int, int]]] = {}
        self._distinct: dict[str, Growable[np.float64]] = {}
        self._growing = Lock()

    @classmethod
    def from_model(
        cls,
        model: SignalsModel,
        catalog: CatalogView,
        half_life: float,
        group_field: str | None,
        *,
        once_per_user: bool = True,
    ) -> Self:
        """Start from counted signals."""
        counters = cls(
            *(catalog, half_life, group_field, model.default_full),
            once_per_user=once_per_user,
            pairs=model.pairs,
        )
        counters._group_full = {"": model.default_full} | dict(model.group_full)
        counters.landmark, counters.watermark = model.landmark, model.watermark
        counters.latest = model.landmark
        counters._grow()
        positions = catalog.positions(model.numbers)
        here = positions >= 0
        for column, counted in (
            (counters._events, model.events),
            (counters._strength, model.strength),
            (counters._trend, model.trend),
            (counters._full, model.full),
        ):
            column.view[positions[here]] = counted[here]
        if len(model.latest):
            counters._recent.restore(positions[here], model.recent[here], model.latest[here])
        if len(model.engagement):
            counters._engagement.view[positions[here]] = model.engagement[here]
        for name, pairs in model.distinct.items():
            counters.add_distinct(name, pairs[:, 0], pairs[:, 1])
        return counters

    @property
    def events(self) -> Doubles:
        """(items,) number of events that count: of users who did something to the item that is no dislike."""
        self._grow()
        return self._events.view

    @property
    def strength(self) -> Doubles:
        """(items,) sum of strengths."""
        self._grow()
        return self._strength.view

    @property
    def engagement(self) -> Doubles:
        """(items,) sum of the strengths of all events, every one of a user, less those of dislikes."""
        self._grow()
        return self._engagement.view

    @property
    def trend(self) -> Doubles:
        """(items,) decayed sum of strengths, to the scale of `landmark`; see `trend_at`."""
        self._grow()
        return self._trend.view

    @property
    def full(self) -> Floats:
        """(items,) typical full value."""
        self._grow()
        return self._full.view

    @property
    def pairs(self) -> Pairs | None:
        """Every user's items that count, as of now; None where users do not count once for an item."""
        return None if self._pairs is None else self._pairs.now()

    def recent_at(self, positions: Positions, now: int) -> Doubles:
        """(n, windows) the events that count of the last hour, day and week, as they fade; see `WINDOWS`.

        Where a user counts once for an item, by their first event of it.
        """
        self._grow()
        return self._recent.at(positions, now)

    def distinct(self, event_type: str) -> Doubles:
        """(items,) how many different users told an event of that type, one of the recipe's `distinct`."""
        column = self._distinct.setdefault(event_type, Growable(np.float64, 0.0))
        column.grow(self.catalog.size)
        return column.view

    def add_distinct(self, event_type: str, users: Numbers, items: Numbers) -> None:
        """Count users (n,) of items (n,), by their numbers: a user counts once for an item."""
        told = self._told.setdefault(event_type, set())
        new = set(zip(users.tolist(), items.tolist(), strict=True)) - told
        told |= new
        positions = self.catalog.positions(np.array([item for _, item in new], np.int32))
        np.add.at(self.distinct(event_type), positions[positions >= 0], 1.0)
        self.version += 1

    def trend_at(self, now: int) -> float:
        """What to multiply `trend` by to have it as of `now`: strength that has not faded yet."""
        return float(np.exp2(np.clip((self.landmark - now) / self.half_life, -1000, 1000)))

    def add(
        self,
        users: Numbers,
        positions: Positions,
        strengths: Floats,
        times: Times,
        weights: Floats | None = None,
    ) -> None:
        """Count events (n,) of users, by their numbers; those at position -1 are of items no longer here.

        `weights` (n,) are what events count in `hourly`, as in the store's view: by default their strengths.

        Dislikes make nothing popular: all that they do is to lessen `engagement` and `hourly`.
        """
        self._engage(positions, strengths, times, strengths if weights is None else weights)
        rows = np.flatnonzero((positions >= 0) & (strengths >= 0))
        if not len(rows):
            return
        users, positions, strengths, times = users[rows], positions[rows], strengths[rows], times[rows]
        self._grow()
        latest = int(times.max())
        self.latest = max(self.latest, latest)
        self._rescale(latest)
        counts = self._events.view, self._strength.view, self._trend.view
        if self._pairs is not None:
            numbers = self.catalog.numbers[positions]
            how = self.half_life, self.landmark, counts
            counting = self._pairs.add(users, numbers, positions, strengths, times, *how)
        else:
            left = np.exp2((times - self.landmark) / self.half_life)
            np.add.at(counts[0], positions, 1.0)
            np.add.at(counts[1], positions, strengths.astype(np.float64))
            np.add.at(counts[2], positions, strengths * left)
            counting = np.ones(len(rows), np.bool_)
        self._recent.add(positions, times, counting)
        self.version += 1

    def _engage(self, positions: Positions, strengths: Floats, times: Times, weights: Floats) -> None:
        here = positions >= 0
        if here.any():
            self._grow()
            np.add.at(self._engagement.view, positions[here], strengths[here].astype(np.float64))
            self.hourly.add(positions[here], weights[here], times[here])
            self.version += 1

    def _rescale(self, latest: int) -> None:
        # The first event sets the landmark; later ones move it before the powers of two leave a float's range.
        if self.landmark == 0:
            self.landmark = latest
        elif latest - self.landmark > _RESCALE_AFTER_HALF_LIVES * self.half_life:
            self._trend.view[:] *= np.exp2((self.landmark - latest) / self.half_life)
            self.landmark = latest

    def _grow(self) -> None:
        # Requests read counters while a thread sorts them anew: whichever comes first makes the room.
        if len(self._full) >= self.catalog.size:
            return
        with self._growing:
            start, size = len(self._full), self.catalog.size
            for column in (self._events, self._strength, self._trend, self._full, self._engagement):
                column.grow(size)
            self._recent.grow(size)
            self._full.view[start:] = self._priors(start, size)

    def _priors(self, start: int, size: int) -> Floats:
        """(size - start,) the typical full value of the group of each item from `start` on."""
        other = self._group_full[""]
        if self.catalog.apart is not None:
            return np.array([self._prior(position) for position in range(start, size)], np.float32)
        if self._group_field is None:
            return np.full(size - start, other, np.float32)
        column = self.catalog.column(self._group_field, CategoryColumn)
        codes = column.codes(size).copy()  # before its values: a request may meet new ones meanwhile
        of_group = [self._group_full.get(column.value(code), other) for code in range(column.distinct)]
        return np.array([*of_group, other], np.float32)[codes[start:]]

    def _prior(self, position: int) -> float:
        """The same of one item where users are kept apart: of its group within its partition, or of that."""
        assert self.catalog.apart is not None  # noqa: S101
        partition = self.catalog.apart.spelled(position)
        field, known = self._group_field, self._group_full
        group = "" if field is None else next(iter(self.catalog.terms_at(field, position)), "")
        return known.get(name_in(group, partition), known.get(name_in("", partition), known[""]))
