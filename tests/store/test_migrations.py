"""Migrations: they make exactly the tables the code uses, whoever comes first."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from homefeed.errors import HomefeedError
from homefeed.store import Store, migrations, open_store
from homefeed.store.events import Outcome, append_events, rows_after
from homefeed.store.identity import content_key
from homefeed.store.impressions import (
    Impression,
    impressions_of_request,
    prune_impressions,
    write_impressions,
)
from homefeed.store.items import ItemWrite, list_items, put_items
from homefeed.store.tables import metadata, on_postgresql
from homefeed.store.users import erase_user, get_user
from homefeed.types import Event, User

DUPLICATE, CONFLICT = Outcome.DUPLICATE, Outcome.CONFLICT
OPEN = """
import asyncio, sys
from homefeed.store import open_store
async def main():
    print("ready", flush=True)
    sys.stdin.readline()
    async with open_store(sys.argv[1]) as store:
        print(await store.probe(), flush=True)
asyncio.run(main())
"""


def config(connection: sa.Connection | None = None) -> Config:
    made = Config()
    made.set_main_option("script_location", str(Path(migrations.__file__).parent).replace("%", "%%"))
    made.attributes["connection"] = connection
    return made


def of_the_code(connection: sa.Connection) -> sa.MetaData:
    return metadata if connection.dialect.name == "sqlite" else on_postgresql


def is_table(_: object, name: str | None, kind: str, *_others: object) -> bool:
    """Not a partition: these are made when events come."""
    return kind != "table" or not str(name).startswith("events_")


def differences(connection: sa.Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"include_object": is_table})
    return compare_metadata(context, of_the_code(connection))  # type: ignore[no-any-return]


def primary_keys(connection: sa.Connection) -> dict[str, tuple[str | None, list[str]]]:
    found = sa.inspect(connection)
    keys = {
        name: found.get_pk_constraint(name)
        for name in found.get_table_names()
        if name in of_the_code(connection).tables
    }
    return {name: (key["name"], key["constrained_columns"]) for name, key in keys.items()}


async def table_names(store: Store) -> set[str]:
    async with store.read() as connection:
        return set(await connection.run_sync(lambda sync: sa.inspect(sync).get_table_names()))


async def names_of_the_code(store: Store) -> set[str]:
    async with store.read() as connection:
        return set((await connection.run_sync(of_the_code)).tables)


async def downgrade(store: Store, to: str = "base") -> None:
    async with store.write() as connection:
        await connection.run_sync(lambda sync: command.downgrade(config(sync), to))


async def revision(store: Store) -> str:
    async with store.read() as connection:
        found: str = (await connection.execute(sa.text("SELECT version_num FROM alembic_version"))).scalar_one()
    return found


async def test_they_make_exactly_the_tables_of_the_code(store: Store) -> None:
    async with store.read() as connection:
        assert await connection.run_sync(differences) == []
        # What Alembic does not compare:
        code = await connection.run_sync(of_the_code)
        assert await connection.run_sync(primary_keys) == {
            name: (f"pk_{name}", list(table.primary_key.columns.keys())) for name, table in code.tables.items()
        }
        if store.dialect == "sqlite":
            made = sa.text("SELECT sql FROM sqlite_master WHERE name = 'events'")
            assert "WITHOUT ROWID" in (await connection.execute(made)).scalar_one()


def test_there_is_one_newest_revision_and_the_code_names_it() -> None:
    assert ScriptDirectory.from_config(config()).get_heads() == [migrations.HEAD]


async def test_they_can_be_undone_and_done_again(store: Store, store_url: str) -> None:
    await put_items(store, "shop", [ItemWrite("i", {})])
    await downgrade(store)
    assert await table_names(store) == {"alembic_version"}
    async with open_store(store_url) as again:
        assert await table_names(again) == {"alembic_version", *await names_of_the_code(again)}
        assert await list_items(again, "shop", 0, 10) == []


async def test_a_store_of_the_first_version_is_brought_up_to_date_with_all_it_holds(
    store: Store, store_url: str
) -> None:
    await put_items(store, "shop", [ItemWrite("i", {"title": "Tea"}, 5, hidden=True), ItemWrite("j", {})])
    await append_events(store, "shop", [Event("u", "j", "buy", 7, 2.5, "e", "r", {"a": 1})], 9)
    await downgrade(store, "0001")
    assert await table_names(store) == {"alembic_version", "apps", "events", "items", "reports", "users"}
    async with store.write() as connection:  # as that version did: it knew of nothing else that is the user's
        await connection.execute(sa.text("UPDATE users SET attributes = '{\"age\": 40}'"))
    before = await list_items(store, "shop", 0, 10), await rows_after(store, "shop", 0, 10)
    counters = await store.watermarks("shop")
    async with open_store(store_url) as newer:
        assert await revision(newer) == migrations.HEAD
        assert (await list_items(newer, "shop", 0, 10), await rows_after(newer, "shop", 0, 10)) == before
        assert await get_user(newer, "shop", "u") == User("u", 1, {"age": 40})
        assert await newer.watermarks("shop") == counters
        async with newer.read() as connection:
            assert await connection.run_sync(differences) == []
        assert await prune_impressions(newer, "shop", 1) == 0
        assert await erase_user(newer, "shop", "u") == 1


async def test_impressions_of_an_older_store_do_not_say_what_answered(store: Store, store_url: str) -> None:
    one = np.ones(1, np.float32)
    page = Impression("r", "home", None, 7, 0, np.ones(1, np.int32), one, one, ("a",), one[:, None], {})
    await write_impressions(store, "shop", [replace(page, served_by="home/weighted", variant="arm")])
    await downgrade(store, "0005")
    async with open_store(store_url) as newer:
        (found,) = await impressions_of_request(newer, "shop", "r")
    assert (found.served_by, found.variant, found.items.tolist()) == ("", "", [1])


async def test_event_ids_of_an_older_store_are_their_users(store: Store, store_url: str) -> None:
    hide = Event("u", "i", "hide", 7, None, "e", None, {"a": 1})
    for app in ("shop", "films"):
        await put_items(store, app, [ItemWrite("i", {})])
        await append_events(store, app, [hide, Event("u", "i", "hide", 8), replace(hide, event_id="f")], 9)
    await downgrade(store, "0004")
    async with open_store(store_url) as newer:
        assert await append_events(newer, "shop", [hide, replace(hide, time=9)], 9) == [DUPLICATE, CONFLICT]
        assert await append_events(newer, "films", [replace(hide, user_id="v")], 9) == [Outcome.ACCEPTED]
        assert len(await rows_after(newer, "films", 0, 10)) == 4


async def test_going_back_to_common_event_ids_loses_no_event(store: Store, store_url: str) -> None:
    await put_items(store, "shop", [ItemWrite("i", {})])
    told = [Event(user, "i", "hide", 7, None, "e") for user in "uvw"]
    await append_events(store, "shop", told, 9)
    await downgrade(store, "0004")
    async with store.read() as connection:
        keys = sa.text("SELECT key FROM events ORDER BY seq")
        assert bytes((await connection.execute(keys)).scalars().first() or b"") == content_key("id", "e")
    async with open_store(store_url) as newer:
        assert await append_events(newer, "shop", told, 9) == [DUPLICATE] * 3
        assert len(await rows_after(newer, "shop", 0, 10)) == 3


async def test_opening_again_changes_nothing(store: Store, store_url: str) -> None:
    await put_items(store, "shop", [ItemWrite("i", {})])
    async with open_store(store_url) as again:
        assert len(await list_items(again, "shop", 0, 10)) == 1
        async with again.read() as connection:
            assert await connection.run_sync(differences) == []


async def test_a_store_of_a_newer_version_is_refused(store: Store, store_url: str) -> None:
    async with store.write() as connection:
        await connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(HomefeedError, match="revision 9999, this Homefeed knows up to"):
        async with open_store(store_url):
            pass
    assert await table_names(store) == {"alembic_version", *await names_of_the_code(store)}


async def _opened(url: str) -> bool:
    async with open_store(url) as store:
        return await store.probe()


async def test_a_fresh_store_can_be_opened_by_many_tasks_at_once(blank_url: str) -> None:
    assert await asyncio.gather(*(_opened(blank_url) for _ in range(6))) == [True] * 6


def test_a_fresh_store_can_be_opened_by_two_processes_at_once(blank_url: str) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", OPEN, blank_url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    try:
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        for process in processes:
            output, errors = process.communicate(timeout=60)
            assert (output, errors, process.returncode) == ("True\n", "", 0)
    finally:
        for process in processes:
            process.kill()
            process.communicate()


async def test_a_store_that_a_newer_version_only_added_to_is_used_as_it_is(store: Store, store_url: str) -> None:
    newer = f"{migrations.HEAD.partition('.')[0]}.99"
    async with store.write() as connection:
        for added in (
            "ALTER TABLE users ADD COLUMN added BIGINT",
            "ALTER TABLE items ADD COLUMN added TEXT DEFAULT 'x' NOT NULL",
            "CREATE TABLE added (app TEXT PRIMARY KEY)",
            f"UPDATE alembic_version SET version_num = '{newer}'",
        ):
            await connection.execute(sa.text(added))
    async with open_store(store_url) as older:
        await put_items(older, "shop", [ItemWrite("i", {})])
        assert await append_events(older, "shop", [Event("u", "i", "buy", 1)], 9) == [Outcome.ACCEPTED]
        assert (await get_user(older, "shop", "u")).number == 1
        assert await revision(older) == newer


@pytest.mark.parametrize("number", ["0001", "0001.5", "9999.1", "99", "0009x"])
def test_of_other_revisions_nothing_is_taken_for_enough(number: str) -> None:
    assert not migrations._is_enough(number)


ADDED_TO: Final = "0006"
"""Since this revision migrations have only added. One that takes away what the version before needs gets a new
number, and stands here.
"""


def made_up(table: sa.Table) -> dict[str, Any]:
    """A row as a version writes it that knows of no other columns."""
    values = {str: "x", int: 7, float: 7.5, bytes: b"x" * 16, bool: True}
    return {column.name: values[column.type.python_type] for column in table.columns}


async def test_what_versions_before_write_and_read_goes_on_while_the_tables_are_migrated(
    store: Store, store_url: str
) -> None:
    await append_events(store, "x", [Event("u", "", "look", 7, context={"query": "q"})], 9)  # and its partition
    await downgrade(store, ADDED_TO)
    before = sa.MetaData()
    async with store.read() as connection:
        await connection.run_sync(before.reflect)
    known = [table for table in before.sorted_tables if is_table(None, table.name, "table")]
    async with open_store(store_url):
        pass
    assert await revision(store) == migrations.HEAD
    assert {table.name for table in known} > {"apps", "users", "items", "events", "impressions"}
    for table in known:
        async with store.write() as connection:
            await connection.execute(table.delete())
            if table.name == "alembic_version":
                continue
            row = made_up(table)
            await connection.execute(table.insert(), [row])
            (found,) = (await connection.execute(sa.select(table))).all()
            assert dict(found._mapping) == row, table.name
            await connection.execute(table.update().values(row))


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
async def test_a_table_in_use_holds_a_migration_up_and_nobody_else(
    store: Store, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await downgrade(store, "0005")
    monkeypatch.setattr(migrations, "_PATIENCE", "SET LOCAL lock_timeout = '50ms'")
    monkeypatch.setattr(migrations, "_PAUSE", 0.05)
    async with store.read() as reading:
        await reading.execute(sa.text("SELECT count(*) FROM impressions"))
        opening = asyncio.create_task(_opened(store_url))
        await asyncio.sleep(0.5)
        async with store.read() as other:  # it does not wait behind the migration that waits
            await asyncio.wait_for(other.execute(sa.text("SELECT count(*) FROM impressions")), 1)
        assert not opening.done()
    assert await asyncio.wait_for(opening, 10)
    assert await revision(store) == migrations.HEAD
