"""The keys of a server: as of its last look at the store, compared without a hint."""

from __future__ import annotations

import pytest

from homefeed.principals import Principal
from homefeed.serving.keyring import KeyRing
from homefeed.store import Store
from homefeed.store.keys import create_key, list_keys, revoke_key

NOW = 1_700_000_000_000_000


async def test_before_the_first_look_a_key_is_needed_and_none_is_right() -> None:
    ring = KeyRing(lambda: NOW)
    assert ring.required
    assert ring.find("hf_a_b") is None


async def test_keys_are_those_of_the_store_and_none_is_needed_until_one_was_made(store: Store) -> None:
    ring = KeyRing(lambda: NOW)
    await ring.follow(store)
    assert ring.required is False
    key, text = await create_key(store, "site", "write", "shop", 1)
    await ring.follow(store)
    assert ring.find(text) == Principal(key.key_id, "write", "shop")
    assert ring.find(text + "x") is None
    await ring.write_used(store)
    assert [each.used_at for each in await list_keys(store)] == [NOW]
    await revoke_key(store, "site", 2)
    await ring.follow(store)
    assert [ring.required, ring.find(text)] == [True, None]


async def test_every_key_is_compared_in_constant_time_also_an_unknown_one(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[int] = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append(len(one) + len(other))
        return one == other

    ring = KeyRing(lambda: NOW)
    key, text = await create_key(store, "site", "read", None, 1)
    await ring.follow(store)
    monkeypatch.setattr("homefeed.serving.keyring.hmac.compare_digest", compare)
    for tried in (text, f"hf_{key.key_id}_wrong", "hf_unknown_wrong", "hf__"):
        ring.find(tried)
    assert compared == [64] * 4
