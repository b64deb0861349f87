"""Keys and backups: what was made or revoked since a backup stays so where the store that knows is there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conftest import NewStore
from tests.store.test_backup import APP, MADE, saved

from homefeed.store import Store, open_store
from homefeed.store.backup import restore
from homefeed.store.keys import create_key, list_keys, revoke_key


@pytest.fixture
def home(tmp_path: Path, new_store: NewStore) -> Iterator[str]:
    with new_store("sqlite", tmp_path) as url:
        yield url


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return tmp_path / "models"


def forget(folder: Path) -> None:
    for path in folder.glob("homefeed.db*"):
        path.unlink()


async def test_keys_that_were_made_or_revoked_since_stay_so(home: str, models: Path) -> None:
    async with open_store(home) as store:
        kept, _ = await create_key(store, "kept", "read", APP, 1)
        await create_key(store, "lost", "admin", None, 2)
    folder = await saved(home, models)
    async with open_store(home) as store:
        revoked = await revoke_key(store, "lost", 3)
        made, _ = await create_key(store, "made", "write", None, 4)
    done = await restore(folder, home, models, MADE["progress"])
    assert done.revived == ()
    async with open_store(home) as store:
        assert await list_keys(store) == [kept, revoked, made]


async def test_where_no_store_knows_of_keys_those_that_are_valid_are_told(
    store_url: str, home: str, models: Path, tmp_path: Path
) -> None:
    async with open_store(home) as store:
        valid, _ = await create_key(store, "valid", "read", APP, 1)
        await create_key(store, "gone", "admin", None, 2)
        gone = await revoke_key(store, "gone", 3)
    folder = await saved(home, models)
    forget(tmp_path)
    done = await restore(folder, store_url, models, MADE["progress"])
    assert done.revived == (valid,)
    async with open_store(store_url) as store:
        assert await list_keys(store) == [valid, gone]


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
async def test_keys_of_a_postgresql_database_without_data_stay(
    store: Store, store_url: str, home: str, models: Path
) -> None:
    async with open_store(home) as old:
        theirs, _ = await create_key(old, "theirs", "read", None, 1)
    mine, _ = await create_key(store, "mine", "admin", None, 2)
    done = await restore(await saved(home, models), store_url, models, MADE["progress"])
    assert done.revived == (theirs,)
    assert await list_keys(store) == [theirs, mine]
