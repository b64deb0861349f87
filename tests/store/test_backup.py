"""Backups: the whole store and the models, made while others write, and put back as they were or not at all."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson
import pytest
import sqlalchemy as sa
from tests.conftest import NewStore
from tests.store.test_artifacts import Pair

from homefeed.errors import ConflictError, HomefeedError, InvalidError, UnavailableError
from homefeed.store import Store, open_store, tables
from homefeed.store.artifacts import ArtifactStore
from homefeed.store.backup import NOTE, back_up, read_note, restore
from homefeed.store.events import append_events
from homefeed.store.items import ItemWrite, put_items
from homefeed.store.users import erase_user, put_users
from homefeed.types import SECOND, Event

APP = "shop"
MADE: dict[str, Any] = {"homefeed": "1", "made_at": "2026-11-30T00:00:00Z", "progress": lambda *_: None}


async def fill(store: Store) -> None:
    await put_items(store, APP, [ItemWrite("i", {"title": "Tea"})])
    await append_events(store, APP, [Event("u", "i", "buy", n, None, f"e{n}") for n in range(5)], 9)


async def state(store: Store) -> tuple[Any, ...]:
    async with store.read() as connection:
        counts = [
            (await connection.execute(sa.select(sa.func.count()).select_from(table))).scalar_one()
            for table in (tables.users, tables.items, tables.events)
        ]
    return *counts, await store.watermarks(APP)


def publish(models: Path, n: int) -> str:
    how: dict[str, Any] = {"now": n * SECOND, "watermark": n, "config": {}, "facts": {}}
    return ArtifactStore(models).publish(APP, "pair", "pair", Pair(n, n), **how).version


def served(models: Path) -> int | None:
    found = ArtifactStore(models).load(APP, "pair", Pair)
    return None if found is None else found.model.left


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def links(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.is_symlink()}


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return tmp_path / "models"


async def test_a_backup_of_either_database_is_restored_on_the_other_with_its_models(
    store: Store, store_url: str, other_url: str, models: Path, tmp_path: Path
) -> None:
    await fill(store)
    first, second = publish(models, 1), publish(models, 2)
    ArtifactStore(models).choose(APP, "pair", first)
    before = await state(store)
    done = await back_up(store_url, models, tmp_path / "saved", **MADE)
    assert (done.models, done.refused) == (2, {})
    await append_events(store, APP, [Event("w", "i", "buy", 7)], 9)
    publish(models, 3)
    assert await restore(tmp_path / "saved", other_url, models, MADE["progress"]) == done
    async with open_store(other_url) as restored:
        assert await state(restored) == before
    assert served(models) == 1
    assert ArtifactStore(models).versions(APP, "pair") == [second, first]
    assert [name for name in names(tmp_path) if name.startswith(".")] == []


@pytest.fixture
def home(tmp_path: Path, new_store: NewStore) -> Iterator[str]:
    with new_store("sqlite", tmp_path) as url:
        yield url


async def saved(url: str, models: Path, **more: Any) -> Path:
    """A backup of a store with five events and a model that counted them, beside them."""
    async with open_store(url) as store:
        await fill(store)
    publish(models, 5)
    folder = models.parent / "saved"
    await back_up(url, models, folder, **MADE, **more)
    return folder


async def test_it_is_for_its_owner_alone(home: str, models: Path) -> None:
    folder = await saved(home, models)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "homefeed.db").stat().st_mode) == 0o600
    assert len(read_note(folder).models) == 1


async def test_what_was_erased_is_in_no_byte_of_a_later_backup(home: str, models: Path) -> None:
    mark = "a mark that is nowhere else"
    async with open_store(home) as store:
        await put_users(store, APP, [("u", {"about": mark})])
        await erase_user(store, APP, "u")
    folder = await saved(home, models)
    assert [path for path in folder.iterdir() if path.is_file() and mark.encode() in path.read_bytes()] == []


async def test_others_write_while_it_is_made_and_it_is_of_one_moment(home: str, models: Path) -> None:
    async with open_store(home) as store:
        await fill(store)
        making = asyncio.create_task(
            asyncio.to_thread(asyncio.run, back_up(home, models, models.parent / "saved", **MADE))
        )
        told = 5
        while not making.done():
            await append_events(store, APP, [Event("u", "i", "buy", 100 + told)], 9)
            told += 1
        await making
    with closing(sqlite3.connect(models.parent / "saved/homefeed.db")) as connection:
        ((events,),) = connection.execute("SELECT count(*) FROM events").fetchall()
        ((counter,),) = connection.execute("SELECT event_seq FROM apps WHERE app = ?", (APP,)).fetchall()
    assert 5 <= events == counter <= told


async def test_while_a_process_has_the_file_open_nothing_is_replaced(home: str, models: Path) -> None:
    folder = await saved(home, models)
    async with open_store(home) as store:
        await append_events(store, APP, [Event("w", "i", "buy", 7)], 9)
        before = await state(store)
        with pytest.raises(UnavailableError, match="stop the servers"):
            await restore(folder, home, models, MADE["progress"])
        assert await state(store) == before
    assert served(models) == 5


async def test_it_replaces_a_database_that_is_damaged(home: str, models: Path, tmp_path: Path) -> None:
    folder = await saved(home, models)
    (tmp_path / "homefeed.db").write_bytes(b"no database" * 999)
    (tmp_path / "homefeed.db-wal").write_bytes(b"nor a log" * 999)
    await restore(folder, home, models, MADE["progress"])
    async with open_store(home) as store:
        assert (await state(store))[2] == 5


def swapped(folder: Path) -> str:
    (folder / "homefeed.db").write_bytes(b"another")
    return "is damaged: its SHA-256"


def without_database(folder: Path) -> str:
    (folder / "homefeed.db").unlink()
    return r"is not whole: homefeed\.db is missing"


def without_note(folder: Path) -> str:
    (folder / NOTE).unlink()
    return f"is no backup: there is no {NOTE} in it"


def with_half_a_note(folder: Path) -> str:
    (folder / NOTE).write_text('{"homefeed": "1"}')
    return "is damaged: made_at: Field required; use another backup"


def with_a_note_of_no_database(folder: Path) -> str:
    told = orjson.loads((folder / NOTE).read_bytes())
    (folder / NOTE).write_bytes(orjson.dumps(told | {"database": ""}))
    return r"it tells of no database, and homefeed\.db is there"


def without_models(folder: Path) -> str:
    shutil.rmtree(folder / "models")
    return f"not whole: {APP}/pair/.* is missing"


def without_a_file_of_a_model(folder: Path) -> str:
    next(folder.glob("models/*/*/*/left.json")).unlink()
    return f"not whole: {APP}/pair/[^ ]*: left.json is missing"


def without_what_serves(folder: Path) -> str:
    (folder / "models" / APP / "pair" / "CURRENT").unlink()
    return f"not whole: the versions named to serve are not {APP}/pair/"


def with_a_version_more(folder: Path) -> str:
    publish(folder / "models", 6)
    return f"not whole: {APP}/pair/.* is not of this backup"


def with_a_link_among_models(folder: Path) -> str:
    (folder / "models" / APP / "evil").symlink_to(folder.parent)
    return f"not whole: {APP}/evil: it is a symbolic link"


def with_a_link_among_apps(folder: Path) -> str:
    (folder / "models" / "evil").symlink_to(folder / "models" / APP)
    return "not whole: evil: it is a symbolic link"


def with_models_elsewhere(folder: Path) -> str:
    return moved_behind_a_link(folder / "models") + ", which a backup never holds"


def with_a_database_elsewhere(folder: Path) -> str:
    return moved_behind_a_link(folder / "homefeed.db")


def with_a_note_elsewhere(folder: Path) -> str:
    return moved_behind_a_link(folder / NOTE)


def moved_behind_a_link(path: Path) -> str:
    path.symlink_to(path.rename(path.with_name("moved")))
    return f"{path.name} is a symbolic link"


DAMAGES = [
    with_a_link_among_models,
    with_a_link_among_apps,
    with_models_elsewhere,
    with_a_database_elsewhere,
    with_a_note_elsewhere,
    swapped,
    without_database,
    without_note,
    with_half_a_note,
    with_a_note_of_no_database,
    without_models,
    without_a_file_of_a_model,
    without_what_serves,
    with_a_version_more,
]


@pytest.mark.parametrize("damage", DAMAGES)
async def test_of_what_is_no_whole_backup_nothing_is_restored(home: str, models: Path, damage: Any) -> None:
    folder = await saved(home, models)
    with pytest.raises(InvalidError, match=damage(folder)):
        await restore(folder, home, models, MADE["progress"])
    async with open_store(home) as store:
        assert (await state(store))[2] == 5
    assert served(models) == 5


def everything(folder: Path) -> dict[str, float]:
    return {str(path): path.lstat().st_mtime_ns for path in (folder, *folder.rglob("*"))}


async def test_nothing_is_written_to_a_backup_nor_where_its_links_lead(home: str, models: Path) -> None:
    folder, other = await saved(home, models), models.parent / "etc"
    other.mkdir()
    before = everything(folder)
    await restore(folder, home, models, MADE["progress"])
    assert everything(folder) == before
    (folder / "models" / APP / "evil").symlink_to(other)
    with pytest.raises(InvalidError):
        await restore(folder, home, models, MADE["progress"])
    assert names(other) == []


async def test_of_models_behind_a_link_none_are_saved_and_that_is_told(home: str, models: Path) -> None:
    await saved(home, models)
    other = models.parent / "other"
    (models / APP).rename(other)
    (models / "linked").symlink_to(other)
    (models / APP).mkdir()
    (models / APP / "pair").symlink_to(other / "pair")
    done = await back_up(home, models, models.parent / "again", **MADE)
    told = dict.fromkeys(("linked", f"{APP}/pair"), "it is a symbolic link")
    assert (done.models, done.refused) == (0, told)


async def test_where_the_store_and_the_models_are_links_what_they_lead_to_is_replaced(
    home: str, models: Path, tmp_path: Path
) -> None:
    folder = await saved(home, models)
    publish(models, 6)
    disk = tmp_path / "disk"
    disk.mkdir()
    for path in (tmp_path / "homefeed.db", models):
        path.symlink_to(path.rename(disk / path.name))
    await restore(folder, home, models, MADE["progress"])
    assert served(disk / "models") == 5
    assert sorted(names(disk)) == ["homefeed.db", "models"]
    assert links(tmp_path) == {"homefeed.db", "models"}


async def test_the_store_of_a_backup_that_lost_models_can_be_restored_without_any(home: str, models: Path) -> None:
    folder = await saved(home, models)
    shutil.rmtree(folder / "models")
    done = await restore(folder, home, models, MADE["progress"], without_models=True)
    assert (done.models, served(models)) == (0, None)
    async with open_store(home) as store:
        assert (await state(store))[2] == 5


async def test_of_models_alone_nothing_is_left_without_them(home: str, models: Path) -> None:
    folder = await saved(home, models, only="models")
    with pytest.raises(InvalidError, match="has models alone"):
        await restore(folder, home, models, MADE["progress"], without_models=True)
    assert served(models) == 5


async def test_a_damaged_version_is_left_out_and_told(home: str, models: Path) -> None:
    folder = await saved(home, models)
    version = publish(models, 6)
    file = models / APP / "pair" / version / "left.json"
    file.unlink()
    file.write_text("7")
    done = await back_up(home, models, models.parent / "again", **MADE)
    assert done.models == 1
    assert list(done.refused) == [f"{APP}/pair/{version}"]
    shutil.rmtree(folder)
    await restore(models.parent / "again", home, models, MADE["progress"])
    assert served(models) == 5


async def test_one_of_the_two_can_be_saved_alone(home: str, models: Path) -> None:
    folder = await saved(home, models, only="models")
    assert not (folder / "homefeed.db").exists()
    async with open_store(home) as store:
        await append_events(store, APP, [Event("w", "i", "buy", 7)], 9)
    publish(models, 6)
    await restore(folder, home, models, MADE["progress"])
    async with open_store(home) as store:
        assert (await state(store))[2] == 6
    assert served(models) == 5
    alone = models.parent / "alone"
    await back_up(home, models, alone, **MADE, only="store")
    await restore(alone, home, models, MADE["progress"])
    assert served(models) is None


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
async def test_a_database_with_data_is_not_restored_over(
    store: Store, store_url: str, home: str, models: Path
) -> None:
    folder = await saved(home, models)
    await put_users(store, APP, [("mine", {})])
    with pytest.raises(ConflictError, match="holds data of its own"):
        await restore(folder, store_url, models, MADE["progress"])
    assert served(models) == 5


async def test_where_there_is_no_store_nothing_is_saved(models: Path, tmp_path: Path) -> None:
    with pytest.raises(HomefeedError, match="there is no database at"):
        await back_up(f"sqlite:///{tmp_path}/none.db", models, tmp_path / "saved", **MADE)
    assert names(tmp_path) == []
