"""backup, restore and copy."""

import asyncio
import json
from pathlib import Path

import pytest
from tests.cli.running import done, run

from homefeed.store import open_store
from homefeed.store.events import append_events, totals
from homefeed.store.items import ItemWrite, put_items
from homefeed.types import Event

APP = "streaming"


def tell(home: Path, *users: str) -> None:
    async def write() -> None:
        async with open_store(f"sqlite:///{home / 'homefeed.db'}") as store:
            await put_items(store, APP, [ItemWrite("i", {"title": "Tea"})])
            await append_events(store, APP, [Event(user, "i", "play", 1) for user in users], 1)

    asyncio.run(write())


def events(file: Path) -> int:
    async def count() -> int:
        async with open_store(f"sqlite:///{file}") as store:
            return (await totals(store, APP, 0)).events

    return asyncio.run(count())


@pytest.fixture
def small(tmp_path: Path) -> Path:
    tell(tmp_path / "home", "u", "v")
    return tmp_path / "home"


def test_what_was_saved_is_restored_once_that_is_confirmed(small: Path, tmp_path: Path) -> None:
    saved = tmp_path / "saved"
    assert "the store and 0 versions of models." in done(small, "backup", str(saved))
    tell(small, "w")
    refused = run(small, "restore", str(saved), answer="n\n")
    assert refused.exit_code == 1
    assert refused.stderr.startswith(f"Replace {small / 'homefeed.db'} for good?")
    assert events(small / "homefeed.db") == 3
    restored = run(small, "restore", str(saved), "--yes")
    assert restored.exit_code == 0, restored.exception
    assert "homefeed train APP" in restored.stderr
    assert events(small / "homefeed.db") == 2


def test_into_an_empty_home_nothing_is_asked(small: Path, tmp_path: Path) -> None:
    told = json.loads(done(small, "backup", str(tmp_path / "saved"), "--json"))
    assert (told["store"], told["models"], told["refused"]) == (True, 0, {})
    assert json.loads(done(tmp_path / "new/home", "restore", str(tmp_path / "saved"), "--json")) == told
    assert events(tmp_path / "new/home/homefeed.db") == 2


def test_restored_where_no_store_knows_of_them_keys_are_named(small: Path, tmp_path: Path) -> None:
    done(small, "keys", "create", "site", "--right", "read")
    done(small, "backup", str(tmp_path / "saved"))
    told = run(tmp_path / "new", "restore", str(tmp_path / "saved")).stderr
    key_id = done(small, "keys", "list").split()[0]
    assert f"Valid keys again: site ({key_id}). If one was revoked since: homefeed keys revoke ID" in told
    done(small, "keys", "revoke", "site")
    assert "Valid keys" not in run(small, "restore", str(tmp_path / "saved"), "--yes").stderr
    assert "revoked" in done(small, "keys", "list")


def test_a_folder_that_is_there_is_not_written_over(small: Path, tmp_path: Path) -> None:
    result = run(small, "backup", str(tmp_path))
    assert "is there already; name a folder that is yet to be made" in str(result.exception)


def test_what_is_no_backup_is_refused_before_anything_is_asked(small: Path, tmp_path: Path) -> None:
    result = run(small, "restore", str(tmp_path))
    assert "is no backup" in str(result.exception)
    assert not result.stderr


def test_a_store_is_copied_to_another_and_never_over_one_with_data(small: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'copy.db'}"
    assert done(small, "copy", "--to", url) == "Copied and compared: 2 users, 1 items, 2 events.\n"
    assert events(tmp_path / "copy.db") == 2
    assert "holds data of its own" in str(run(small, "copy", "--to", url).exception)
    done(tmp_path / "keyed", "keys", "create", "mine", "--right", "read")
    keyed = run(small, "copy", "--to", f"sqlite:///{tmp_path / 'keyed/homefeed.db'}")
    assert keyed.stderr.endswith("The keys it had stay beside them: mine.\n")
    assert "1 api keys" in keyed.stdout
    missing = run(small, "copy", "--from", f"sqlite:///{tmp_path / 'none.db'}", "--to", url)
    assert "there is no database at" in str(missing.exception)
