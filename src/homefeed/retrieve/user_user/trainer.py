"""Fits the user-user model: who engaged with what, weighed, bounded and without names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import ClassVar, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from homefeed.protocols import Range
from homefeed.retrieve.user_user.model import UserUserConfig, UserUserModel
from homefeed.types import DAY, Interactions, TrainingData

_BATCH: Final = 1_000
"""Of how many users the events are weighed at once: that takes the memory of these, whatever the number of all."""

Entries: TypeAlias = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float64]]
"""Users, items and values above 0 of a sparse matrix, of equal length."""

_NOTHING: Final = (np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float64))


class UserUserTrainer:
    """Unit vectors of users over items, and their transpose.

    r(u, i) is the weightiest of the user's events of the item, the later of equals: its strength, halved for every
    half-life between it and the user's latest event. Where that is a dislike, the item is none the user chose.
    d(i) = (users who chose i)^-item_exponent damps what many chose, and u's vector is

        v(u, i) = d(i) r(u, i) / sqrt(sum over i of (d(i) r(u, i))^2)

    An exponent of 0 makes inner products of such vectors the plain cosine; to weigh items by how few users have
    them follows the inverse user frequency of Breese, Heckerman & Kadie, "Empirical Analysis of Predictive
    Algorithms for Collaborative Filtering" (UAI 1998).
    """

    Config = UserUserConfig
    SPACE: ClassVar[Mapping[str, Range]] = {
        "half_life_days": Range(7, 3_650, log=True),
        "item_exponent": Range(0, 1),
    }

    def __init__(self, config: UserUserConfig) -> None:
        self._config = config

    def fit(self, data: TrainingData) -> UserUserModel:
        """Rows of all users who chose two items or more: one item leads to no other."""
        return self.fit_in_batches(data, lambda _done, _all: None)

    def fit_in_batches(self, data: TrainingData, progress: Callable[[int, int], None]) -> UserUserModel:
        """The same, telling how many users of all are weighed."""
        config = self._config
        users, items, values = self._entries(data, progress)
        by_user, by_item = np.lexsort((items, users)), np.lexsort((users, items))
        count = int(users.max(initial=-1)) + 1
        chosen = np.bincount(items, minlength=data.item_count)
        damping = np.maximum(chosen, 1) ** -config.item_exponent
        damped = values * damping[items]
        length = np.sqrt(np.bincount(users, damped**2, minlength=count))
        by_item = by_item[_place(items[by_item]) < config.max_users_per_item]
        return UserUserModel(
            numbers=data.numbers,
            damping=damping.astype(np.float32),
            item_starts=_starts(items[by_item], data.item_count),
            item_users=users[by_item].astype(np.int32),
            item_weights=(damped[by_item] / length[users[by_item]]).astype(np.float32),
            user_starts=_starts(users, count),
            user_items=items[by_user].astype(np.int32),
            user_strengths=values[by_user].astype(np.float32),
        )

    def _entries(self, data: TrainingData, progress: Callable[[int, int], None]) -> Entries:
        """What users chose: of each their weightiest items, users renumbered, the most lately active first."""
        events = data.interactions
        latest = np.full(data.user_count, np.iinfo(np.int64).min)
        np.maximum.at(latest, events.users, events.times)
        batches = []
        for done, batch in _by_users(events, data.user_count):
            batches.append(self._chosen(batch, latest))
            progress(done, data.user_count)
        users, items, values = (np.concatenate(parts) for parts in zip(_NOTHING, *batches, strict=True))
        present = np.unique(users)
        rank = np.empty(data.user_count, np.int64)
        rank[present[np.lexsort((present, -latest[present]))]] = np.arange(len(present))
        return rank[users], items, values

    def _chosen(self, events: Interactions, latest: npt.NDArray[np.int64]) -> Entries:
        """What some users chose, from all their events: those items that they chose most, if two or more."""
        users, items, values = _weightiest(events, latest, self._config.half_life_days)
        heaviest_first = np.lexsort((items, -values, users))
        kept = heaviest_first[_place(users[heaviest_first]) < self._config.max_items_per_user]
        theirs = users[kept]
        kept = kept[np.searchsorted(theirs, theirs, side="right") - np.searchsorted(theirs, theirs) > 1]
        return users[kept], items[kept], values[kept]


def _by_users(events: Interactions, user_count: int) -> Iterator[tuple[int, Interactions]]:
    """All events of a batch of users, each user's in their order, and of how many users they were by then."""
    order = np.argsort(events.users, kind="stable")
    starts = _starts(events.users.astype(np.int64), user_count)
    for first in range(0, user_count, _BATCH):
        done = min(first + _BATCH, user_count)
        yield done, events.take(order[starts[first] : starts[done]])


def _weightiest(events: Interactions, latest: npt.NDArray[np.int64], half_life_days: float) -> Entries:
    """Of each user's events of an item the weightiest, the later of equals; no dislikes."""
    age = (latest[events.users] - events.times) / (half_life_days * DAY)
    values = events.strengths * np.exp2(-age)
    order = np.lexsort((-np.arange(len(values)), -np.abs(values), events.items, events.users))
    users, items, values = events.users[order], events.items[order], values[order]
    first = np.ones(len(order), np.bool_)
    first[1:] = (users[1:] != users[:-1]) | (items[1:] != items[:-1])
    # What has faded to nothing in 32 bits is nothing.
    chosen = first & (values > np.finfo(np.float32).tiny)
    return users[chosen].astype(np.int64), items[chosen].astype(np.int64), values[chosen].astype(np.float64)


def _place(groups: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """(n,) the how-manieth of its group each is, counted from 0, in sorted groups."""
    return np.arange(len(groups)) - np.searchsorted(groups, groups)


def _starts(groups: npt.NDArray[np.int64], count: int) -> npt.NDArray[np.int64]:
    """(count + 1,) where each group begins, once they are sorted."""
    return np.concatenate(([0], np.cumsum(np.bincount(groups, minlength=count)))).astype(np.int64)
