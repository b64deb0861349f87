"""The layout of what is shared of users and items: packed, versioned, checked; docs/operations.md describes it.

All numbers are little-endian. A value begins with two letters of its kind, the version of the layout and the
CRC-32 of what follows: what is damaged, or of another version, is None, and so a miss.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import orjson

from homefeed.serving.features.store import MOST_BYTES
from homefeed.serving.users import StoredUser
from homefeed.types import NO_SEARCHES, Floats, Searches

USER_SECONDS: Final = 3_600
"""How long what is shared of a user is kept."""
ITEM_SECONDS: Final = 1_800
"""The same of an item."""
MAX_EVENTS: Final = 5_000
"""Users with more events are not shared: they are read from the store."""

_VERSION: Final = 1
# Each ends at a multiple of eight bytes, so that the columns behind it lie as numpy likes them.
_HEAD: Final = struct.Struct("<2sHI")
_USER: Final = struct.Struct("<4qi4I3H6x")
_ITEM: Final = struct.Struct("<qiI2HB3x")


NO_VECTOR: Final[Floats] = np.empty(0, np.float32)


@dataclass(frozen=True, slots=True)
class Moment:
    """As of when something of a user is known: the app's watermarks then."""

    event_seq: int
    user_revision: int
    erasures: int


@dataclass(frozen=True, slots=True)
class Embedding:
    """A vector (dimensions,), and the model and version that it is of; empty where there is none."""

    model: str = ""
    vector: Floats = field(default_factory=lambda: NO_VECTOR)


NO_EMBEDDING: Final = Embedding()


@dataclass(frozen=True, slots=True)
class UserFeatures:
    """A user as of a moment: embedding, and in `stored` attributes (demographics, preferences) and history."""

    moment: Moment
    stored: StoredUser
    embedding: Embedding = NO_EMBEDDING


@dataclass(frozen=True, slots=True)
class ItemFeatures:
    """An item as of a time, microseconds since 1970: embedding, attributes (metadata, live counts, creator)."""

    number: int
    time: int
    available: bool
    attributes: bytes
    embedding: Embedding = NO_EMBEDDING

    @property
    def values(self) -> dict[str, Any]:
        """The attributes, read."""
        values: dict[str, Any] = orjson.loads(self.attributes)
        return values


def types_code(names: tuple[str, ...]) -> int:
    """What tells event types from others: a history's types are indices into them."""
    return zlib.crc32("\n".join(names).encode())


def pack_user(features: UserFeatures, types: int) -> bytes | None:
    """A user whose history is by the event types of this code; None where there is too much of it."""
    stored, moment, embedding = features.stored, features.moment, features.embedding
    if stored.number is None or max(len(stored.items), len(stored.searches)) > MAX_EVENTS:
        return None
    attributes, texts = orjson.dumps(stored.attributes), orjson.dumps(stored.searches.texts)
    model = embedding.model.encode()
    head = _USER.pack(
        moment.event_seq,
        moment.user_revision,
        moment.erasures,
        stored.last_seq,
        stored.number,
        types,
        len(stored.items),
        len(attributes),
        len(texts),
        len(stored.searches),
        len(embedding.vector),
        len(model),
    )
    columns = (stored.times, stored.searches.times, stored.items, stored.types, stored.values, embedding.vector)
    value = _sealed(b"HU", head, *(column.tobytes() for column in columns), attributes, texts, model)
    return value if len(value) <= MOST_BYTES else None


def unpack_user(value: bytes, types: int) -> UserFeatures | None:
    """What `pack_user` packed; None where it is damaged, of another version or by other event types."""
    parts = _Parts.of(b"HU", value, _USER)
    if parts is None or parts.head[5] != types:
        return None
    *moment, last_seq, number, _, count, attributes, texts, searches, dimensions, model = parts.head
    try:
        times, searched = parts.array(np.int64, count), parts.array(np.int64, searches)
        items, codes = parts.array(np.int32, count), parts.array(np.int32, count)
        values, vector = parts.array(np.float32, count), parts.array(np.float32, dimensions)
        said: Mapping[str, Any] = orjson.loads(parts.bytes(attributes))
        words = tuple(orjson.loads(parts.bytes(texts)))
        looked_for = Searches(words, searched) if words else NO_SEARCHES
        stored = StoredUser(number, said, items, codes, values, times, last_seq, looked_for)
        return UserFeatures(Moment(*moment), stored, Embedding(parts.bytes(model).decode(), vector))
    except ValueError:
        return None


def pack_item(features: ItemFeatures) -> bytes | None:
    """An item; None where it is too large."""
    embedding, model = features.embedding, features.embedding.model.encode()
    head = _ITEM.pack(
        features.time,
        features.number,
        len(features.attributes),
        len(embedding.vector),
        len(model),
        features.available,
    )
    value = _sealed(b"HI", head, embedding.vector.tobytes(), features.attributes, model)
    return value if len(value) <= MOST_BYTES else None


def unpack_item(value: bytes) -> ItemFeatures | None:
    """What `pack_item` packed; None where it is damaged or of another version."""
    parts = _Parts.of(b"HI", value, _ITEM)
    if parts is None:
        return None
    time, number, attributes, dimensions, model, available = parts.head
    try:
        vector, said = parts.array(np.float32, dimensions), parts.bytes(attributes)
        embedding = Embedding(parts.bytes(model).decode(), vector)
    except ValueError:
        return None
    return ItemFeatures(number, time, bool(available), said, embedding)


def _sealed(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return _HEAD.pack(kind, _VERSION, zlib.crc32(body)) + body


@dataclass(slots=True)
class _Parts:
    """What a value holds, taken from it piece by piece, each of which has to be there."""

    value: bytes
    head: tuple[Any, ...]
    place: int

    @classmethod
    def of(cls, kind: bytes, value: bytes, layout: struct.Struct) -> _Parts | None:
        start = _HEAD.size + layout.size
        if len(value) < start:
            return None
        found, version, check = _HEAD.unpack_from(value)
        if (found, version) != (kind, _VERSION) or zlib.crc32(memoryview(value)[_HEAD.size :]) != check:
            return None
        return cls(value, layout.unpack_from(value, _HEAD.size), start)

    def array(self, of: type[Any], count: int) -> npt.NDArray[Any]:
        """The next `count` numbers.

        Raises:
            ValueError: there are fewer.
        """
        found = np.frombuffer(self.value, of, count, self.place) if count else np.empty(0, of)
        self.place += found.nbytes
        return found

    def bytes(self, count: int) -> bytes:
        """The next `count` bytes.

        Raises:
            ValueError: there are fewer.
        """
        found = self.value[self.place : self.place + count]
        if len(found) != count:
            raise ValueError(f"expected {count} bytes, found {len(found)}")
        self.place += count
        return found
