"""In which order users came to items."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from homefeed.retrieve.item_item.kernels import Indices, Starts
from homefeed.retrieve.item_item.matrix import Matrix
from homefeed.types import DAY, Floats, Interactions, Positions

_LEAST_STRENGTH: Final = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class Orders:
    """The events of all users, user by user, each from the oldest on: columns (events,).

    User u has those from `starts[u]` to `starts[u + 1]`. `places` count up from 0; events of one moment, such as
    the products of a basket, have the same place. `strengths` are 1 on average.
    """

    starts: Starts
    items: Positions
    places: Indices
    strengths: Floats

    @classmethod
    def of(
        cls,
        events: Interactions,
        user_count: int,
        *,
        max_items_per_user: int,
        repeats: bool,
        days_per_place: float | None,
        window: int,
    ) -> Self:
        """Dislikes are left out; of what a user does several times to an item the first counts, unless `repeats`.

        It is as strong as the strongest of them. Gaps in time count as the config says, at most as a window.
        """
        liked = events.take(events.strengths > 0)
        liked = liked if repeats else _first_of_each(liked)
        order = np.argsort(liked.users, kind="stable")
        users, times = liked.users[order], liked.times[order]
        starts = np.searchsorted(users, np.arange(user_count + 1))
        latest = starts[users + 1] - np.arange(len(users)) <= max_items_per_user
        users, times, order = users[latest], times[latest], order[latest]
        starts = np.searchsorted(users, np.arange(user_count + 1)).astype(np.int64)
        return cls(
            starts,
            liked.items[order],
            _places(users, times, starts, days_per_place, window),
            _scaled(liked.strengths[order]),
        )

    def __len__(self) -> int:
        return len(self.items)

    def matrix(self, item_count: int) -> Matrix:
        """(users, items) the strength of each pair, of several the strongest."""
        order = np.lexsort((self.items, self.users))
        users, items, strengths = self.users[order], self.items[order], self.strengths[order]
        first = np.ones(len(order), np.bool_)
        first[1:] = (users[1:] != users[:-1]) | (items[1:] != items[:-1])
        if len(order):
            strengths = np.maximum.reduceat(strengths, np.flatnonzero(first))
        shape = (len(self.starts) - 1, item_count)
        return sp.csr_array((strengths, (users[first], items[first])), shape=shape)

    def latest(self, users: npt.NDArray[np.integer[Any]], item_count: int, decay: Floats) -> Matrix:
        """(chosen users, items) how much each item counts at a request after all events, by its place back.

        The n-th place back counts `decay[n - 1]` times the event's strength, what is further back nothing.
        """
        lengths = np.diff(self.starts)[users]
        rows = np.repeat(np.arange(len(users)), lengths)
        events = np.arange(lengths.sum()) + np.repeat(self.starts[users] - np.cumsum(lengths) + lengths, lengths)
        final = self.places[np.maximum(self.starts[users + 1] - 1, 0)] if len(self) else lengths
        back = np.repeat(final, lengths) - self.places[events]
        near = back < len(decay)
        weights = self.strengths[events[near]] * decay[back[near]]
        shape = (len(users), item_count)
        return sp.csr_array((weights, (rows[near], self.items[events[near]])), shape=shape)

    @property
    def users(self) -> npt.NDArray[np.int32]:
        """(events,) whose each is."""
        return np.repeat(np.arange(len(self.starts) - 1, dtype=np.int32), np.diff(self.starts))


def _first_of_each(events: Interactions) -> Interactions:
    """Each user's first event of each item, as strong as the strongest of that item."""
    order = np.lexsort((np.arange(len(events)), events.items, events.users))
    users, items = events.users[order], events.items[order]
    first = np.ones(len(order), np.bool_)
    first[1:] = (users[1:] != users[:-1]) | (items[1:] != items[:-1])
    if not len(order):
        return events
    strongest = np.maximum.reduceat(events.strengths[order], np.flatnonzero(first))
    rows = order[first]
    strengths = events.strengths.copy()
    strengths[rows] = strongest
    rows = np.sort(rows)
    return Interactions(
        events.users[rows],
        events.items[rows],
        events.types[rows],
        events.values[rows],
        strengths[rows],
        events.times[rows],
    )


def _places(
    users: npt.NDArray[np.int32],
    times: npt.NDArray[np.int64],
    starts: Starts,
    days_per_place: float | None,
    window: int,
) -> Indices:
    """Counted up by 1 with each later moment of a user, and by more after a gap."""
    if not len(times):
        return np.empty(0, np.int32)
    gaps = np.diff(times, prepend=times[:1])
    steps = (gaps > 0).astype(np.int64)
    if days_per_place is not None:
        steps += np.minimum(gaps // max(int(days_per_place * DAY), 1), window) * (gaps > 0)
    steps[starts[:-1][np.diff(starts) > 0]] = 0
    counted = np.cumsum(steps)
    first = np.minimum(starts[:-1], len(times) - 1)
    return (counted - counted[first][users]).astype(np.int32)


def _scaled(strengths: Floats) -> Floats:
    """1 on average, and none weaker than a thousandth of that."""
    if not len(strengths):
        return strengths
    scaled: Floats = np.maximum(strengths / strengths.mean(dtype=np.float64), _LEAST_STRENGTH).astype(np.float32)
    return scaled
