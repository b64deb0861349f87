"""The bytes of users and items: what was packed is unpacked, anything else is a miss."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from homefeed.serving.features.layout import (
    MAX_EVENTS,
    Embedding,
    ItemFeatures,
    Moment,
    UserFeatures,
    pack_item,
    pack_user,
    types_code,
    unpack_item,
    unpack_user,
)
from homefeed.serving.users import StoredUser
from homefeed.types import Searches

TYPES = types_code(("watch", "like"))
MOMENT = Moment(2**40, 7, 3)


def user(events: int = 3, searches: int = 2, dimensions: int = 128) -> UserFeatures:
    stored = StoredUser(
        9,
        {"city": "Zürich", "preferred_categories": [1, 2]},
        np.arange(events, dtype=np.int32),
        np.full(events, -1, np.int32),
        np.linspace(0, 1, events, dtype=np.float32),
        np.arange(events, dtype=np.int64) * 10**15,
        2**40 - 1,
        Searches(tuple(f"Wörter {n}" for n in range(searches)), np.arange(searches, dtype=np.int64)),
    )
    return UserFeatures(MOMENT, stored, Embedding("als/v1", np.linspace(-1, 1, dimensions, dtype=np.float32)))


def item(dimensions: int = 128) -> ItemFeatures:
    vector = np.linspace(-1, 1, dimensions, dtype=np.float32)
    return ItemFeatures(
        4, 1_700_000_000_000_000, True, b'{"is_live":true,"viewer_count":7}', Embedding("m", vector)
    )


def packed(features: UserFeatures) -> bytes:
    value = pack_user(features, TYPES)
    assert value is not None
    return value


@given(st.integers(0, 50), st.integers(0, 5), st.integers(0, 200))
def test_a_user_is_unpacked_as_packed(events: int, searches: int, dimensions: int) -> None:
    wanted = user(events, searches, dimensions)
    found = unpack_user(packed(wanted), TYPES)
    assert found is not None
    assert (found.moment, found.embedding.model) == (MOMENT, "als/v1")
    assert found.embedding.vector.tobytes() == wanted.embedding.vector.tobytes()
    assert (found.stored.number, found.stored.attributes) == (9, wanted.stored.attributes)
    assert (found.stored.last_seq, found.stored.searches.texts) == (2**40 - 1, wanted.stored.searches.texts)
    assert found.stored.searches.times.tolist() == wanted.stored.searches.times.tolist()
    for name in ("items", "types", "values", "times"):
        column, expected = getattr(found.stored, name), getattr(wanted.stored, name)
        assert (column.dtype, column.tolist()) == (expected.dtype, expected.tolist())
        assert column.flags.aligned


def test_a_user_takes_few_bytes() -> None:
    assert len(packed(user(50, 0))) < 50 * 20 + 128 * 4 + 160


def test_an_item_is_unpacked_as_packed() -> None:
    value = pack_item(item())
    assert value is not None
    found = unpack_item(value)
    assert found is not None
    assert (found.number, found.time, found.available) == (4, 1_700_000_000_000_000, True)
    assert found.values == {"is_live": True, "viewer_count": 7}
    assert found.embedding.vector.tobytes() == item().embedding.vector.tobytes()


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_a_bit_that_flipped_makes_it_a_miss(place: int, flipped: int) -> None:
    for value, unpack in (
        (packed(user()), lambda v: unpack_user(v, TYPES)),
        (pack_item(item()) or b"", unpack_item),
    ):
        damaged = bytearray(value)
        damaged[place % len(value)] ^= flipped
        assert unpack(bytes(damaged)) is None


@given(st.binary(max_size=200))
def test_what_is_something_else_is_a_miss(value: bytes) -> None:
    assert unpack_user(value, TYPES) is None
    assert unpack_item(value) is None


@given(st.integers(0, 400))
def test_what_is_cut_short_is_a_miss(length: int) -> None:
    assert unpack_user(packed(user())[:length], TYPES) is None


def test_lengths_that_lie_under_a_right_checksum_are_a_miss() -> None:
    import struct
    import zlib

    value = bytearray(packed(user()))
    struct.pack_into("<I", value, 8 + 40, 2**31)  # the events
    struct.pack_into("<I", value, 4, zlib.crc32(bytes(value[8:])))
    assert unpack_user(bytes(value), TYPES) is None


def test_another_version_kind_or_recipe_is_a_miss() -> None:
    value = bytearray(packed(user()))
    value[2] += 1
    assert unpack_user(bytes(value), TYPES) is None
    assert unpack_item(packed(user())) is None
    assert unpack_user(packed(user()), types_code(("like", "watch"))) is None


@pytest.mark.parametrize("features", [user(MAX_EVENTS + 1), UserFeatures(MOMENT, StoredUser(None))])
def test_who_is_unknown_or_did_too_much_is_not_packed(features: UserFeatures) -> None:
    assert pack_user(features, TYPES) is None
