"""What is wrong with the database of a backup is told of the backup, and not of a copy that nobody knows."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import orjson
import pytest
from tests.conftest import NewStore
from tests.store.test_backup import APP, MADE, names, saved, served

from homefeed.errors import HomefeedError
from homefeed.store import open_store
from homefeed.store.backup import NOTE, restore
from homefeed.store.copies import sha256_of


@pytest.fixture
def home(tmp_path: Path, new_store: NewStore) -> Iterator[str]:
    with new_store("sqlite", tmp_path) as url:
        yield url


def executing(statement: str) -> Callable[[Path], None]:
    def change(file: Path) -> None:
        with closing(sqlite3.connect(file)) as connection:
            connection.execute(statement)
            connection.commit()

    return change


def garbled(file: Path) -> None:
    file.write_bytes(b"none" * 99)


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:10_000])


FAULTS: dict[str, tuple[Callable[[Path], None], str]] = {
    "no database": (garbled, "is damaged: file is not a database; restore"),
    "cut": (cut, "is damaged: "),
    "a table less": (executing("DROP TABLE api_keys"), "cannot be restored: no such table: api_keys; nothing"),
    "newer": (
        executing("UPDATE alembic_version SET version_num = '9999'"),
        "cannot be restored: the store's tables are of revision 9999",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_it_is_told_and_nothing_is_replaced(home: str, tmp_path: Path, fault: str) -> None:
    models = tmp_path / "models"
    folder = await saved(home, models)
    damage, why = FAULTS[fault]
    damage(folder / "homefeed.db")
    note = orjson.loads((folder / NOTE).read_bytes())
    (folder / NOTE).write_bytes(orjson.dumps(note | {"database": sha256_of(folder / "homefeed.db")}))
    with pytest.raises(HomefeedError) as raised:
        await restore(folder, home, models, MADE["progress"])
    assert str(raised.value).startswith(f"{folder / 'homefeed.db'} {why}")
    assert "restored." not in str(raised.value)
    assert "aiosqlite" not in str(raised.value)
    async with open_store(home) as store:
        assert (await store.watermarks(APP)).event_seq == 5
    assert served(models) == 5
    assert [name for name in names(tmp_path) if name.startswith(".")] == []
