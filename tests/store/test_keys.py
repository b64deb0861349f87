"""API keys: told once, stored as hashes, revoked for good."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from homefeed.errors import ConflictError, InvalidError, NotFoundError
from homefeed.store import Store
from homefeed.store.keys import create_key, list_keys, note_used, revoke_key, split_key


async def test_a_key_is_told_once_and_the_store_has_its_hash_alone(store: Store) -> None:
    assert await list_keys(store) == []
    key, text = await create_key(store, "site", "read", "shop", 5)
    assert split_key(text) == (key.key_id, key.digest)
    assert (key.name, key.app, key.right, key.created_at) == ("site", "shop", "read", 5)
    assert await list_keys(store) == [key]
    secret = text.rpartition(f"{key.key_id}_")[2]
    assert len(secret) >= 43
    async with store.read() as connection:
        rows = (await connection.execute(sa.text("SELECT * FROM api_keys"))).all()
    assert secret not in str(rows)


async def test_no_two_keys_are_alike(store: Store) -> None:
    made = [await create_key(store, f"k{n}", "admin", None, n) for n in range(3)]
    assert len({text for _, text in made}) == len({key.key_id for key, _ in made}) == 3
    assert [(key.name, key.app) for key in await list_keys(store)] == [("k0", None), ("k1", None), ("k2", None)]


@pytest.mark.parametrize("revoked_by", ["name", "id"])
async def test_a_revoked_key_stays_known_and_its_name_is_free(store: Store, revoked_by: str) -> None:
    key, _ = await create_key(store, "site", "write", None, 1)
    with pytest.raises(ConflictError, match='a key named "site" is there'):
        await create_key(store, "site", "read", None, 2)
    assert (await revoke_key(store, key.name if revoked_by == "name" else key.key_id, 3)).revoked_at == 3
    with pytest.raises(NotFoundError, match="no key"):
        await revoke_key(store, key.name, 4)
    second, _ = await create_key(store, "site", "read", None, 5)
    assert [(each.key_id, each.revoked_at) for each in await list_keys(store)] == [
        (key.key_id, 3),
        (second.key_id, None),
    ]


async def test_when_a_key_was_last_used_never_goes_back(store: Store) -> None:
    key, _ = await create_key(store, "site", "read", None, 1)
    for used in (7, 5):
        await note_used(store, {key.key_id: used, "unknown": 9})
    assert [each.used_at for each in await list_keys(store)] == [7]


@pytest.mark.parametrize("name", ["", "a b", "x" * 64, "a\n", "a/b"])
async def test_a_name_is_a_plain_one(store: Store, name: str) -> None:
    with pytest.raises(InvalidError, match="is no name of a key"):
        await create_key(store, name, "read", None, 1)


@pytest.mark.parametrize("text", ["", "hf_", "hf_abc", "sk_abc_def", "eyJh.eyJz.sig", "hfabc_def"])
def test_what_is_no_key_is_none(text: str) -> None:
    assert split_key(text) is None


def test_any_text_can_be_taken_for_a_key() -> None:
    found = split_key("hf_id_\udcff\x00_x")
    assert found is not None
    assert found != split_key("hf_id_x")
