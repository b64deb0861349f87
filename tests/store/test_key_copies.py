"""The keys of two stores as one."""

from __future__ import annotations

from pathlib import Path

from homefeed.store import Store, open_store
from homefeed.store.key_copies import keep_keys, keys_of_file, merge_keys
from homefeed.store.keys import ApiKey, create_key, list_keys, revoke_key


def key(key_id: str, used: int | None = None, revoked: int | None = None, name: str = "site") -> ApiKey:
    return ApiKey(key_id, name, None, "read", b"d", 1, used, revoked)


def test_what_either_has_revoked_is_revoked_and_what_is_kept_stays_as_it_is() -> None:
    kept = [key("a", 5), key("b", None, 7), key("c", 3, 9), key("e")]
    added = [key("a", 4, 8, "other"), key("b", 6), key("c", None, 8), key("d")]
    assert merge_keys(kept, added) == [key("a", 5, 8), key("b", 6, 7), key("c", 3, 8), key("d"), key("e")]
    assert merge_keys([], []) == []


async def test_kept_keys_are_added_and_the_valid_ones_that_they_do_not_know_are_told(store: Store) -> None:
    first, _ = await create_key(store, "first", "read", "shop", 1)
    second, _ = await create_key(store, "second", "read", None, 2)
    await create_key(store, "third", "read", None, 3)
    third = await revoke_key(store, "third", 4)
    gone, late = key(first.key_id, revoked=9), key("late")
    assert await keep_keys(store, [gone, late]) == (second,)
    assert sorted(await list_keys(store), key=lambda one: one.name) == sorted(
        [second, gone, late, third], key=lambda one: one.name
    )


async def test_keys_of_a_file_are_those_of_its_store(tmp_path: Path) -> None:
    async with open_store(f"sqlite:///{tmp_path / 'a?b.db'}") as store:
        made = [(await create_key(store, f"k{n}", "write", app, n))[0] for n, app in enumerate(["shop", None])]
        assert keys_of_file(Path(str(store.engine.url.database))) == made


def test_where_no_store_can_be_read_there_are_none(tmp_path: Path) -> None:
    assert keys_of_file(tmp_path / "none.db") == []
    (tmp_path / "damaged.db").write_bytes(b"no database" * 999)
    assert keys_of_file(tmp_path / "damaged.db") == []
    (tmp_path / "empty.db").touch()
    assert keys_of_file(tmp_path / "empty.db") == []
