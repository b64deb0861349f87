"""What recipes say of their files: times, fields that may be empty, files of other names, users who opted out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from homefeed.dataset.log import read_catalog
from homefeed.errors import DataError
from homefeed.ingest import Files, find_files
from homefeed.recipe import Recipe
from homefeed.store.users import put_users
from homefeed.types import Condition

if TYPE_CHECKING:
    from tests.ingest.conftest import World

Counts = Callable[[Mapping[str, Any]], dict[str, int]]


def with_times(world: World, **sources: Any) -> Recipe:
    return world.recipe(
        items={"fields": {"title": "text", "ends": "time"}},
        users={"fields": {"since": "time"}},
        sources={"items": {"required": ["title"]}, **sources},
    )


class TestTimes:
    async def test_every_way_to_write_one_is_kept_as_one(self, world: World) -> None:
        world.write(
            users="user_id,since\nu1,2025-01-02\nu2,1735776000\nu3,\n",
            items=(
                "item_id,title,ends\na,A,2025-01-02T10:00:00+01:00\n"
                "b,B,2025-01-02 09:00:00.5\nc,C,  \nd,D,1735808400\n"
            ),
        )
        recipe = with_times(world)
        await world.run(recipe, Files(world.folder / "users.csv", world.folder / "items.csv"))
        assert {user.user_id: user.attributes.get("since") for user in await world.users()} == {
            "u1": "2025-01-02T00:00:00Z",
            "u2": "2025-01-02T00:00:00Z",
            "u3": None,
        }
        assert {item.item_id: item.attributes.get("ends") for item in await world.items()} == {
            "a": "2025-01-02T09:00:00Z",
            "b": "2025-01-02T09:00:00.500000Z",
            "c": None,
            "d": "2025-01-02T09:00:00Z",
        }
        catalog = await read_catalog(world.store, recipe)
        assert catalog.mask(Condition("ends", "<=", "2025-01-02T09:00:00Z")).tolist() == [True, False, False, True]

    async def test_what_is_none_is_left_out_with_a_warning(self, world: World, counts: Counts) -> None:
        world.write(items="item_id,title,ends\na,A,soon\nb,B,2025-02-30\nc,C,1969-01-01\nd,D,2025-01-02\n")
        report = (await world.run(with_times(world), Files(items=world.folder / "items.csv"))).files[0]
        assert (report.loaded, counts(report.warnings), counts(report.rejected)) == (4, {"bad ends": 3}, {})
        assert [dict(item.attributes) for item in await world.items()] == [
            {"title": "A"},
            {"title": "B"},
            {"title": "C"},
            {"title": "D", "ends": "2025-01-02T00:00:00Z"},
        ]

    async def test_where_it_is_required_the_row_is_refused(self, world: World, counts: Counts) -> None:
        world.write(items="item_id,title,end\na,A,soon\nb,B,\nc,C,2025-01-02\n")
        recipe = with_times(world, items={"required": ["ends"], "columns": {"ends": "end"}})
        report = (await world.run(recipe, Files(items=world.folder / "items.csv"))).files[0]
        assert counts(report.rejected) == {"bad end": 1, "missing end": 1}
        assert [item.item_id for item in await world.items()] == ["c"]


class TestOptional:
    ITEMS = "item_id,title,content_type\ni1,A,\ni2,B,tv\ni3,C,\n"
    EVENTS = (
        "user_id,item_id,event_type,watch_seconds,timestamp\nu1,i1,play,,1700000005\nu1,i2,play,7,1700000006\n"
    )

    def optional(self, world: World, *names: str, events: tuple[str, ...] = ()) -> Recipe:
        columns = {"value": "watch_seconds"}
        return world.recipe(
            sources={"items": {"optional": names}, "events": {"optional": events, "columns": columns}}
        )

    async def test_what_may_be_empty_or_missing_is_not_worth_a_word(self, world: World, counts: Counts) -> None:
        world.write(items=self.ITEMS, events=self.EVENTS)
        quiet = await world.run(self.optional(world, "content_type", "genre", "year", events=("value",)))
        _, items, events = quiet.files
        assert (counts(items.warnings), items.notes) == ({}, ())
        assert (counts(events.warnings), events.notes, events.loaded) == ({}, (), 2)

    async def test_else_it_is(self, world: World, counts: Counts) -> None:
        world.write(items=self.ITEMS, events=self.EVENTS)
        _, items, events = (await world.run(self.optional(world, "year"))).files
        assert counts(items.warnings) == {"empty content_type": 2}
        assert items.notes == ('no column "genre": rows load without it',)
        assert counts(events.warnings) == {"empty watch_seconds": 1}

    async def test_a_value_that_is_none_is_kept_nevertheless(self, world: World, counts: Counts) -> None:
        world.write(items="item_id,title,year\ni1,A,old\ni2,B,\n", events=self.EVENTS)
        _, items, _ = (
            await world.run(self.optional(world, "content_type", "genre", "year", events=("value",)))
        ).files
        assert counts(items.warnings) == {"year is not a number": 1}

    async def test_a_mapped_column_that_may_be_missing_may_be(self, world: World) -> None:
        world.write(items="item_id,title\ni1,A\n")
        recipe = world.recipe(
            items={"fields": {"title": "text", "year": "number"}},
            sources={"items": {"columns": {"year": "released"}, "optional": ["year"]}},
        )
        assert (await world.run(recipe, Files(items=world.folder / "items.csv"))).files[0].notes == ()


class TestFileNames:
    async def test_files_are_found_by_the_names_of_the_recipe(self, world: World) -> None:
        recipe = world.recipe(
            sources={
                "users": {"file": "people"},
                "events": {"file": "interactions", "columns": {"value": "watch_seconds"}},
            }
        )
        (world.folder / "users.csv").rename(world.folder / "people.csv")
        (world.folder / "events.csv").rename(world.folder / "interactions.csv")
        found = find_files(world.folder, recipe.sources)
        expected = Files(*(world.folder / f"{name}.csv" for name in ("people", "items", "interactions")))
        assert found == expected
        report = await world.run(recipe, found)
        assert [(file.kind, file.loaded) for file in report.files] == [("users", 2), ("items", 2), ("events", 3)]

    def test_files_of_the_usual_names_are_none_of_theirs_then(self, world: World, tmp_path: Path) -> None:
        sources = world.recipe(
            sources={kind: {"file": f"my_{kind}"} for kind in ("users", "items", "events")}
        ).sources
        folder = tmp_path / "other"
        folder.mkdir()
        (folder / "users.csv").touch()
        with pytest.raises(DataError, match="expected files named my_users, my_items or my_events"):
            find_files(folder, sources)
        (folder / "my_items.parquet").touch()
        assert find_files(folder, sources) == Files(items=folder / "my_items.parquet")
        (folder / "my_items.csv").touch()
        with pytest.raises(DataError, match=r"my_items is there twice, as my_items\.csv and my_items\.parquet"):
            find_files(folder, sources)


class TestOptingOut:
    def recipe(self, world: World) -> Recipe:
        users = {"fields": {"age": "number", "silent": "category"}}
        return world.recipe(
            users=users, privacy={"opt_out": "silent"}, sources={"users": {"optional": ["silent"]}}
        )

    async def test_a_file_that_does_not_say_leaves_it_as_it_was(self, world: World) -> None:
        before: list[tuple[str, dict[str, Any]]] = [
            ("u1", {"silent": "true", "age": 1}),
            ("u2", {"silent": "no"}),
            ("u3", {"silent": None}),
            ("u4", {}),
        ]
        await put_users(world.store, "streaming", before)
        world.write(users="user_id,age\n" + "".join(f"u{n},{40 + n}\n" for n in range(1, 6)))
        files = Files(users=world.folder / "users.csv")
        await world.run(self.recipe(world), files)
        assert {user.user_id: dict(user.attributes) for user in await world.users()} == {
            "u1": {"silent": "true", "age": 41},
            "u2": {"silent": "no", "age": 42},
            "u3": {"silent": None, "age": 43},
            "u4": {"age": 44},
            "u5": {"age": 45},
        }

    async def test_a_file_that_says_is_believed_user_by_user(self, world: World) -> None:
        await put_users(world.store, "streaming", [(f"u{n}", {"silent": "true"}) for n in range(1, 4)])
        world.write(users="user_id,age,silent\nu1,41,\nu2,42,no\nu3,43,yes\n")
        await world.run(self.recipe(world), Files(users=world.folder / "users.csv"))
        assert {user.user_id: user.attributes["silent"] for user in await world.users()} == {
            "u1": "true",
            "u2": "no",
            "u3": "yes",
        }

    async def test_where_no_user_can_opt_out_a_file_replaces_everything(self, world: World) -> None:
        await put_users(world.store, "streaming", [("u1", {"silent": "true", "other": 1})])
        world.write(users="user_id,age\nu1,41\n")
        await world.run(world.recipe(), Files(users=world.folder / "users.csv"))
        assert [dict(user.attributes) for user in await world.users()] == [{"age": 41}]


class TestLimits:
    async def test_a_row_beyond_a_limit_is_rejected_by_name_and_the_others_load(
        self, world: World, counts: Counts
    ) -> None:
        rows = [
            "wide,A,tv," + "|".join(f"t{n}" for n in range(1_001)),
            f"long,{'x' * 50_001},tv,War",
            f"odd,A,{'x' * 256},War",
            "good,A,tv,War",
            f"full,{'x' * 50_000},{'x' * 255}," + "|".join(["y" * 200] * 1_000),
            f"over,{'x' * 50_000},{'x' * 255}," + "|".join(["y" * 220] * 1_000),
        ]
        world.write(items="\n".join(["item_id,title,content_type,genre", *rows, ""]))
        report = (await world.run(world.recipe(), Files(items=world.folder / "items.csv"))).files[0]
        assert counts(report.rejected) == {
            "genre: more than 1,000 tags": 1,
            "title: longer than 50,000 characters": 1,
            "content_type: longer than 255 characters": 1,
            "more than 262,144 bytes as JSON": 1,
        }
        assert {item.item_id for item in await world.items()} == {"good", "full"}

    async def test_users_have_limits_too(self, world: World, counts: Counts) -> None:
        world.write(users=f"user_id,region,more\nu1,{'x' * 256},\nu2,North,{'x' * 50_001}\nu3,North,x\n")
        report = (await world.run(world.recipe(), Files(world.folder / "users.csv"))).files[0]
        assert counts(report.rejected) == {
            "region: longer than 255 characters": 1,
            "more: longer than 50,000 characters": 1,
        }
        assert [user.user_id for user in await world.users()] == ["u3"]
