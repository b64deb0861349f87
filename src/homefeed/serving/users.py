"""User states: read from the store, kept while nothing they are made of changes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from homefeed.catalog import CatalogView, Counters, EventWeights, strengths
from homefeed.dataset.columns import log_columns
from homefeed.errors import NotFoundError
from homefeed.store import Store
from homefeed.store.events import LogRows, rows_of_user
from homefeed.types import NO_SEARCHES, Codes, Floats, History, Numbers, Searches, Times, UserState


@dataclass(frozen=True, slots=True)
class StoredUser:
    """What the store knows of a user: events by permanent item numbers, oldest first."""

    number: int | None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    items: Numbers = field(default_factory=lambda: np.empty(0, np.int32))
    types: Codes = field(default_factory=lambda: np.empty(0, np.int32))
    values: Floats = field(default_factory=lambda: np.empty(0, np.float32))
    times: Times = field(default_factory=lambda: np.empty(0, np.int64))
    last_seq: int = 0
    searches: Searches = NO_SEARCHES

    @property
    def version(self) -> tuple[object, ...]:
        """What is equal as long as neither the user's events nor their attributes change."""
        return self.number, len(self.items), self.last_seq, self.attributes

    def state(self, user_id: str, catalog: CatalogView, counters: Counters, weights: EventWeights) -> UserState:
        """As the algorithms see it: only events of declared types and of items still in the catalogue."""
        positions = catalog.positions(self.items)
        here = (positions >= 0) & (self.types >= 0)
        positions, types, values = positions[here], self.types[here], self.values[here]
        history = History(
            positions, types, values, strengths(weights, types, values, counters.full[positions]), self.times[here]
        )
        return UserState(user_id, history, self.attributes, searches=self.searches)


class UserCache:
    """The `size` users requested last. Another process's events reach it when the log is followed."""

    def __init__(self, store: Store, app: str, weights: EventWeights, size: int) -> None:
        self._store, self._app, self._weights = store, app, weights
        self._size = size
        self._users: OrderedDict[str, StoredUser] = OrderedDict()
        self._id_of: dict[int, str] = {}
        self._forgotten = 0

    async def get(self, user_id: str) -> StoredUser:
        """What the store knows of the user; an unknown one has no number."""
        found = self._users.get(user_id)
        if found is not None:
            self._users.move_to_end(user_id)
            return found
        before = self._forgotten
        loaded = await self.load(user_id)
        # If anyone was forgotten meanwhile, what was read may be older: use it, do not keep it.
        if self._forgotten == before:
            self._keep(user_id, loaded)
        return loaded

    def forget(self, user_ids: Iterable[str] = (), numbers: Iterable[int] = ()) -> None:
        """Drop users whose events or attributes changed."""
        # A load under way does not know its number yet: none of them may be kept.
        self._forgotten += 1
        for user_id in [*user_ids, *(self._id_of[n] for n in numbers if n in self._id_of)]:
            self._drop(user_id)

    def clear(self) -> None:
        """Drop everyone."""
        self._forgotten += 1
        self._users.clear()
        self._id_of.clear()

    def _keep(self, user_id: str, user: StoredUser) -> None:
        self._users[user_id] = user
        if user.number is not None:
            self._id_of[user.number] = user_id
        if len(self._users) > self._size:
            self._drop(next(iter(self._users)))

    def _drop(self, user_id: str) -> None:
        dropped = self._users.pop(user_id, None)
        if dropped is not None and dropped.number is not None:
            self._id_of.pop(dropped.number, None)

    async def load(self, user_id: str) -> StoredUser:
        """The same, straight from the store."""
        try:
            user, rows = await rows_of_user(self._store, self._app, user_id)
        except NotFoundError:
            return StoredUser(None)
        types, values = log_columns(rows, self._weights)
        return StoredUser(
            user.number,
            user.attributes,
            np.array(rows.items, np.int32),
            types,
            values,
            np.array(rows.times, np.int64),
            max(rows.seqs, default=0),
            _searches(rows),
        )


def _searches(rows: LogRows) -> Searches:
    found = [(text, time) for text, time in zip(rows.queries, rows.times, strict=True) if text is not None]
    if not found:
        return NO_SEARCHES
    texts, times = zip(*found, strict=True)
    return Searches(texts, np.array(times, np.int64))
