"""The users requested last, in memory: packed as columns, in so many megabytes, kept in step with the log."""

from __future__ import annotations

import asyncio
import sys
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import orjson

from homefeed.catalog import EventWeights
from homefeed.dataset.columns import log_columns
from homefeed.errors import UnavailableError
from homefeed.packing import packed_json
from homefeed.privacy import opted_out
from homefeed.recipe import Recipe
from homefeed.serving.users import UNKNOWN, StoredUser, is_unread, load_user
from homefeed.store import Store
from homefeed.store.events import LogRows
from homefeed.store.identity import NO_ITEM
from homefeed.types import Codes, Floats, Numbers, Searches, Times

_BYTES_OF_AN_EVENT: Final = 20
_OVERHEAD: Final = 500
"""About what Python adds to a user: the objects, their places in the dictionaries, the id."""
_TROUBLE_SECONDS: Final = 0.25
"""How long a request of a user in memory waits for a store that is known to be in trouble."""


@dataclass(frozen=True, slots=True)
class _Packed:
    """A known user. `columns` holds times, items, types and values, each for all events, one after the other."""

    number: int
    attributes: bytes
    columns: bytes
    last_seq: int
    searches: Searches
    size: int

    @classmethod
    def of(cls, user: StoredUser, number: int) -> _Packed:
        columns = b"".join(column.tobytes() for column in (user.times, user.items, user.types, user.values))
        attributes = packed_json(user.attributes)
        texts = sum(map(sys.getsizeof, user.searches.texts)) + user.searches.times.nbytes
        size = _OVERHEAD + len(columns) + len(attributes) + texts
        return cls(number, attributes, columns, user.last_seq, user.searches, size)

    def unpacked(self) -> StoredUser:
        attributes: Mapping[str, Any] = orjson.loads(self.attributes)
        count = len(self.columns) // _BYTES_OF_AN_EVENT
        if not count:
            return StoredUser(self.number, attributes)
        return StoredUser(
            self.number,
            attributes,
            np.frombuffer(self.columns, np.int32, count, 8 * count),
            np.frombuffer(self.columns, np.int32, count, 12 * count),
            np.frombuffer(self.columns, np.float32, count, 16 * count),
            np.frombuffer(self.columns, np.int64, count),
            self.last_seq,
            self.searches,
        )


@dataclass(slots=True, eq=False)
class _Load:
    """What changed while a user is being read from the store, so that what was read may be older."""

    everything: bool = False
    user_ids: set[str] = field(default_factory=set)
    numbers: set[int] = field(default_factory=set)

    def concerns(self, user_id: str, number: int | None) -> bool:
        # A user who was unknown may be any of those whose numbers changed.
        changed = bool(self.numbers) if number is None else number in self.numbers
        return self.everything or changed or user_id in self.user_ids


class UserCache:
    """The users requested last. What is written of them reaches it when the log is followed."""

    def __init__(self, store: Store, recipe: Recipe, weights: EventWeights, max_bytes: float) -> None:
        self._store, self._recipe, self._weights = store, recipe, weights
        self._max_bytes, self._bytes = max_bytes, 0
        self._users: OrderedDict[str, _Packed | None] = OrderedDict()
        self._id_of: dict[int, str] = {}
        self._loads: list[_Load] = []

    def __len__(self) -> int:
        return len(self._users)

    def __contains__(self, user_id: str) -> bool:
        return user_id in self._users

    @property
    def size(self) -> int:
        """About how many bytes the users take."""
        return self._bytes

    async def get(self, user_id: str) -> StoredUser:
        """What the store knows of the user; an unknown one has no number."""
        if user_id in self._users:
            self._users.move_to_end(user_id)
            found = self._users[user_id]
            return UNKNOWN if found is None else found.unpacked()
        load = _Load()
        self._loads.append(load)
        try:
            loaded = await self.load(user_id)
        finally:
            self._loads.remove(load)
        if loaded.flaw is None and not load.concerns(user_id, loaded.number):
            self._keep(user_id, None if loaded.number is None else _Packed.of(loaded, loaded.number))
        return loaded

    async def load(self, user_id: str) -> StoredUser:
        """The same, straight from the store."""
        return await load_user(self._store, self._recipe, user_id, self._weights)

    async def latest(self, user_id: str) -> StoredUser:
        """The same; where the store is away, as the user was when last heard of.

        Raises:
            UnavailableError: it is away, and the user is not in memory.
        """
        known_to_fail = user_id in self._users and not self._store.health.ok
        try:
            async with asyncio.timeout(_TROUBLE_SECONDS if known_to_fail else None):
                return await self.load(user_id)
        except (TimeoutError, UnavailableError):
            if user_id not in self._users:
                raise UnavailableError("the store does not answer; try again in a second") from None
            return await self.get(user_id)

    def keep(self, user_id: str, user: StoredUser) -> None:
        """Take over a user as somebody else read them, who knew all that was followed here."""
        self._keep(user_id, None if user.number is None else _Packed.of(user, user.number))

    def append(self, rows: LogRows) -> None:
        """Take over rows of the log that came after all that was followed before."""
        for load in self._loads:
            load.numbers.update(rows.users)
        by_user: dict[str, list[int]] = {}
        for row, number in enumerate(rows.users):
            user_id = self._id_of.get(number)
            if user_id is not None:
                by_user.setdefault(user_id, []).append(row)
        for user_id, indices in by_user.items():
            known = self._users[user_id]
            assert known is not None  # noqa: S101  # it has a number
            new = [row for row in indices if rows.seqs[row] > known.last_seq]
            if is_unread(self._recipe) and opted_out(orjson.loads(known.attributes), self._recipe):
                continue  # of them nothing is known but that they refuse
            if any(rows.items[row] == NO_ITEM for row in new):
                self._drop(user_id)  # the words of a query are only read with all rows of its user
            elif new:
                self._replace(user_id, _Packed.of(self._with(known.unpacked(), rows, new), known.number))
        self._make_room()

    def forget(self, user_ids: Iterable[str] = (), numbers: Iterable[int] = ()) -> None:
        """Drop users whose attributes changed, or whose events are to be read anew."""
        user_ids, numbers = list(user_ids), list(numbers)
        for load in self._loads:
            load.user_ids.update(user_ids)
            load.numbers.update(numbers)
        for user_id in [*user_ids, *(self._id_of[n] for n in numbers if n in self._id_of)]:
            self._drop(user_id)

    def clear(self) -> None:
        """Drop everyone."""
        for load in self._loads:
            load.everything = True
        self._users.clear()
        self._id_of.clear()
        self._bytes = 0

    def _with(self, user: StoredUser, rows: LogRows, new: list[int]) -> StoredUser:
        """The user with further rows, in the order of time and, of one moment, of the log."""
        columns = (rows.seqs, rows.users, rows.items, rows.types, rows.values, rows.times)
        more = LogRows(*([column[row] for row in new] for column in columns))  # type: ignore[arg-type]
        types, values = log_columns(more, self._weights)
        items: Numbers = np.concatenate([user.items, np.array(more.items, np.int32)])
        all_types: Codes = np.concatenate([user.types, types])
        all_values: Floats = np.concatenate([user.values, values])
        times: Times = np.concatenate([user.times, np.array(more.times, np.int64)])
        order = np.argsort(times, kind="stable")
        return StoredUser(
            user.number,
            user.attributes,
            items[order],
            all_types[order],
            all_values[order],
            times[order],
            max(user.last_seq, *more.seqs),
            user.searches,
        )

    def _keep(self, user_id: str, user: _Packed | None) -> None:
        self._replace(user_id, user)
        self._make_room()

    def _replace(self, user_id: str, user: _Packed | None) -> None:
        self._drop(user_id)
        self._users[user_id] = user
        self._bytes += _OVERHEAD if user is None else user.size
        if user is not None:
            self._id_of[user.number] = user_id

    def _make_room(self) -> None:
        while self._bytes > self._max_bytes and self._users:
            self._drop(next(iter(self._users)))

    def _drop(self, user_id: str) -> None:
        if user_id not in self._users:
            return
        dropped = self._users.pop(user_id)
        self._bytes -= _OVERHEAD if dropped is None else dropped.size
        if dropped is not None:
            self._id_of.pop(dropped.number, None)
