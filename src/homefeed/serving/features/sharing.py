"""What replicas of an app tell one another: that something was written, and what they know of users."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from homefeed.serving.features.changes import Changes
from homefeed.serving.features.layout import Moment, UserFeatures, types_code, unpack_user
from homefeed.serving.features.store import FeatureStore
from homefeed.store import Watermarks

_MARK_BYTES: Final = 16
_MOST_WAITING: Final = 2_000


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of an app, which no other app's can be: neither a prefix nor an app's name holds a colon."""

    prefix: str
    app: str

    @property
    def written(self) -> str:
        """Of the mark that whoever writes leaves."""
        return f"{self.prefix}:{self.app}:written"

    def user(self, user_id: str) -> str:
        """Of a user."""
        return f"{self.prefix}:{self.app}:user:{user_id}"

    def item(self, item_id: str) -> str:
        """Of an item."""
        return f"{self.prefix}:{self.app}:item:{item_id}"


@dataclass(frozen=True, slots=True)
class Told:
    """What the store told: the latest writer's mark, None where nobody can tell, and the values asked for."""

    mark: bytes | None
    values: Sequence[bytes | None]


class Sharing:
    """The part in a feature store that replicas share.

    Whoever wrote leaves a mark that nobody left before, once that is durable. Whoever reads another one than the
    last it saw has something to follow, and asks the database for it: so nothing is counted but what is in the
    log, once. What the store forgets, or is late with, is never believed: a missing mark says to ask the database,
    and a user counts only where nothing was followed of them since.

    `users` and `items` are those that wait to be described for others.
    """

    def __init__(self, store: FeatureStore, keys: Keys, event_types: Sequence[str]) -> None:
        self.store, self.keys, self.types = store, keys, types_code(tuple(event_types))
        self.changes = Changes()
        self._seen: bytes | None = None
        self._has_to_tell = True
        self.users: dict[str, None] = {}
        self.items: dict[str, None] = {}

    def note(self, user_ids: Iterable[str] = (), item_ids: Iterable[str] = ()) -> None:
        """Have users and items described for others soon: they changed, or were read from the database.

        While 2,000 wait further ones are passed over: others read them from the database.
        """
        if self.store.shared:
            self.users |= dict.fromkeys(islice(user_ids, max(_MOST_WAITING - len(self.users), 0)))
            self.items |= dict.fromkeys(islice(item_ids, max(_MOST_WAITING - len(self.items), 0)))

    async def told(self, keys: Sequence[str] = ()) -> Told:
        """The mark that others left, and the values of keys: one round trip."""
        mark, *values = await self.store.read([self.keys.written, *keys])
        self._has_to_tell |= mark is None
        return Told(mark, values)

    def unpacked(self, value: bytes) -> UserFeatures | None:
        """A user as packed; None, and counted, where it cannot be used."""
        found = unpack_user(value, self.types)
        self.store.stats.unusable += found is None
        return found

    def is_new(self, mark: bytes | None) -> bool:
        """Whether there is something to follow."""
        return mark != self._seen

    def followed(self, mark: bytes | None) -> None:
        """Note that all is followed that was written before the mark was read."""
        self._seen = mark

    def holds(self, user_id: str, user: UserFeatures, now: Watermarks) -> bool:
        """Whether nothing was followed of a user since."""
        return self.changes.holds(user_id, user, moment_of(now))

    async def tell(self) -> None:
        """Leave a mark: something was written, and is followed here."""
        mine = secrets.token_bytes(_MARK_BYTES)
        before = await self.store.replace(self.keys.written, mine)
        if before is not None and before == self._seen:
            self._seen = mine  # else somebody wrote meanwhile, which is yet to be followed
        self._has_to_tell = self.store.trouble is not None

    async def make_up(self) -> None:
        """Leave the mark that could not be left, or that the store forgot; called every now and then."""
        if self._has_to_tell and self.store.shared:
            await self.tell()

    async def forget(self, user_ids: Iterable[str]) -> None:
        """Take what is known of users out of the store."""
        await self.store.delete([self.keys.user(user_id) for user_id in user_ids])


def moment_of(watermarks: Watermarks) -> Moment:
    """What of an app's watermarks users depend on."""
    return Moment(watermarks.event_seq, watermarks.user_revision, watermarks.erasures)
