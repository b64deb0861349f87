"""Exploration: new items with few events, drawn at random with known probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

import numpy as np
from pydantic import Field

from homefeed.catalog import Resources
from homefeed.catalog.windows import WINDOWS
from homefeed.geo import FARTHEST_KM, within_km
from homefeed.kernels import BOOL, F64, I32, I64, U64, kernel, reads, several, writes
from homefeed.protocols import PartConfig
from homefeed.retrieve.arrays import Doubles, is_marked, marked
from homefeed.retrieve.fresh import NewestFirst
from homefeed.retrieve.sampling import draw_key, mixed
from homefeed.types import DAY, Mask, Numbers, Positions, Query, Scores, Times

_WEEK: Final = list(WINDOWS).index("7d")


class Explore:
    """A few new items that hardly any user has met, drawn at random for each user and period.

    It draws `slots` of the pool: eligible items no older than `max_age_days` with fewer than `max_events` events.
    Every item of the pool is drawn with the same probability, min(1, slots / items in the pool): its propensity,
    which is its score. By it, training on the log can weigh what chance brought about: Horvitz &
    Thompson, "A generalization of sampling without replacement from a finite universe" (JASA 1952).

    Drawn are the items with the lowest of pseudo-random numbers made from item, user and period: a period of
    `draw_hours` has one draw for a user, the same in every process and at every request. One item
    that joins or leaves the pool meanwhile changes at most one of those drawn; what earlier pages have shown stays
    in the pool, so that the next page finds the same draw. Users without an id share one.
    """

    class Config(PartConfig):
        max_age_days: Annotated[float, Field(gt=0)] = 2.0
        """How long an item is new."""
        max_events: Annotated[int, Field(ge=1)] = 10
        """An item with so many events that count, one of each user, is known and no longer drawn."""
        slots: Annotated[int, Field(ge=1)] = 2
        """How many items are drawn: as many as the reranker `explore` has places."""
        max_km: Annotated[float, Field(gt=0, le=FARTHEST_KM)] | None = None
        """Of the pool are only items so near to the place of the request, or else of the user, where one is known;
        none: items everywhere."""
        max_expected: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
        """An item that was shown until so many choices of it were to be expected, by the places it stood in, is
        known, too, and leaves the pool within two minutes: so the others have their turn. None: however often."""
        draw_hours: Annotated[float, Field(gt=0)] = 1.0
        """How long a user's draw stays the same."""
        seed: int = 0
        """Another seed makes other draws."""
        reason: str = "New: be among the first to see this"
        """The reason for items that can be drawn."""

        @property
        def counts_exposures(self) -> bool:
            """Whether it goes by what was shown."""
            return self.max_expected is not None

    def __init__(self, config: Config, resources: Resources) -> None:
        self._config = config
        self._catalog = resources.catalog
        self._counters, self._exposures = resources.counters, resources.exposures
        self._newest = NewestFirst.of(resources.catalog)
        self._places = None if config.max_km is None else resources.catalog.located(None)

    def refresh(self) -> None:
        """Sort anew where the catalogue changed."""
        self._newest.refresh()

    def retrieve(self, query: Query, k: int) -> tuple[Positions, Scores]:
        """Those drawn for this user and period, in the order of the draw, that this request may show."""
        config, catalog = self._config, self._catalog
        oldest = query.now - config.max_age_days * DAY
        drawn, pool = _drawn(
            self._new(query, oldest),
            query.eligible,
            query.exclude,
            catalog.available,
            catalog.created,
            self._counters.events,
            catalog.numbers,
            np.uint64(draw_key(query, config.draw_hours, config.seed)),
            float(oldest),
            query.now,
            config.max_events,
            config.slots,
        )
        positions = drawn[query.eligible[drawn]][:k]
        return positions, np.full(len(positions), min(1.0, config.slots / max(pool, 1)), np.float32)

    def _new(self, query: Query, oldest: float) -> Positions:
        """The items that are new, near and not shown often yet."""
        new = self._newest.between(oldest, query.now)
        if self._config.max_expected is not None:
            expected, _ = self._exposures.model.of(self._catalog.numbers[new])
            new = new[expected[:, _WEEK] < self._config.max_expected]
        if self._places is None or self._config.max_km is None or query.place is None:
            return new
        return new[within_km(query.place, self._config.max_km, self._places.vectors(self._catalog.size)[new])]

    def reasons(self, query: Query, positions: Positions) -> Sequence[str | None]:
        """The same for every item that is new and hardly known."""
        oldest, events = query.now - self._config.max_age_days * DAY, self._counters.events[positions].tolist()
        return [
            self._config.reason if oldest <= time <= query.now and count < self._config.max_events else None
            for time, count in zip(self._catalog.created[positions].tolist(), events, strict=True)
        ]


@kernel(
    several(writes(I32), I64),
    *(
        reads(I32),
        reads(BOOL),
        reads(I32),
        reads(BOOL),
        reads(I64),
        reads(F64),
        reads(I32),
        U64,
        F64,
        I64,
        F64,
        I64,
    ),
)
def _drawn(
    new: Positions,
    eligible: Mask,
    exclude: Positions,
    available: Mask,
    created: Times,
    events: Doubles,
    numbers: Numbers,
    key: np.uint64,
    oldest: float,
    now: int,
    max_events: float,
    slots: int,
) -> tuple[Positions, int]:
    """The `slots` items of the lowest numbers drawn, of the pool, lowest first; and how many the pool has.

    What earlier pages have shown, and excluded since, is of the pool as long as it is available.
    """
    excluded = marked(exclude)
    drawn, lowest = np.empty(slots, np.int32), np.empty(slots, np.uint64)
    pool = 0
    for position in new:
        if not oldest <= created[position] <= now or events[position] >= max_events:
            continue
        if not (available[position] if is_marked(position, excluded) else eligible[position]):
            continue
        number = mixed(key, numbers[position])
        place = min(pool, slots)
        pool += 1
        if place == slots:
            if number >= lowest[slots - 1]:
                continue
            place -= 1
        while place > 0 and number < lowest[place - 1]:
            drawn[place], lowest[place] = drawn[place - 1], lowest[place - 1]
            place -= 1
        drawn[place], lowest[place] = position, number
    return drawn[: min(pool, slots)], pool
