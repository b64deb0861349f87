"""Whole imports: what lands in the store and what the report says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from homefeed.errors import DataError
from homefeed.ingest import DataReport, Files
from homefeed.ingest.delimited import OTHER_ENCODING
from homefeed.ingest.tallies import total
from homefeed.store.events import append_events
from homefeed.store.items import ItemWrite, get_item, patch_item, put_items
from homefeed.store.reports import list_reports, save_report
from homefeed.types import DAY, Event

if TYPE_CHECKING:
    from tests.ingest.conftest import World

Counts = Callable[[Mapping[str, Any]], dict[str, int]]
Micros = Callable[..., int]

HEADER = "user_id,item_id,event_type,watch_seconds,timestamp\n"


def assert_accounted(report: DataReport) -> None:
    for file in report.files:
        assert file.rows == file.loaded + total(file.rejected) + total(file.duplicates), file
        assert file.loaded == file.new + file.updated


async def test_loads_users_items_and_events(world: World, micros: Micros) -> None:
    report = await world.run()
    assert [(user.user_id, dict(user.attributes)) for user in await world.users()] == [
        ("u1", {"age": 30, "gender": "F", "region": "North"}),
        ("u2", {"age": 41, "gender": "M", "region": "South"}),
    ]
    assert [(item.item_id, dict(item.attributes)) for item in await world.items()] == [
        ("i1", {"title": "Drama Series A", "content_type": "series", "genre": ["Drama", "Crime"]}),
        ("i2", {"title": "Family Show B", "content_type": "tv", "genre": ["Family"]}),
    ]
    assert await world.log() == [
        ("u1", "i1", "play", 120.0, micros(2025, 1, 1, 10)),
        ("u2", "i1", "play", 300.0, micros(2025, 1, 2, 10)),
        ("u1", "i2", "play", 60.0, micros(2025, 1, 3, 9)),
    ]
    assert [(file.kind, file.rows, file.loaded, file.new) for file in report.files] == [
        ("users", 2, 2, 2),
        ("items", 2, 2, 2),
        ("events", 3, 3, 3),
    ]
    assert report.events is not None
    assert (report.events.first, report.events.last) == (micros(2025, 1, 1, 10), micros(2025, 1, 3, 9))
    assert (report.events.matrix.pairs, report.events.matrix.density) == (3, 0.75)
    assert_accounted(report)


async def test_importing_again_changes_nothing(world: World, counts: Counts) -> None:
    first = await world.run()
    before = await world.log(), await world.items(), await world.users()
    again = await world.run()
    assert (await world.log(), await world.items(), await world.users()) == before
    users, items, events = again.files
    assert (users.new, users.updated, items.new, items.updated) == (0, 2, 0, 2)
    assert (events.loaded, counts(events.duplicates)) == (0, {"the event is already in the log": 3})
    assert first.events is not None
    assert again.events is not None
    assert again.events.matrix == first.events.matrix
    assert_accounted(again)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",i1,play,5,2025-01-01", "missing user_id"),
        ("  ,i1,play,5,2025-01-01", "missing user_id"),
        ("u1,,play,5,2025-01-01", "missing item_id"),
        ("u1,i1,,5,2025-01-01", "missing event_type"),
        ("u1,i1,play,,2025-01-01", "missing watch_seconds"),
        ("u1,i1,play,5,", "missing timestamp"),
        ("u1,i1,click,5,2025-01-01", "unknown event type"),
        ("u9,i1,play,5,2025-01-01", "unknown user"),
        ("u1 ,i1,play,5,2025-01-01", "unknown user"),
        ("u1,i9,play,5,2025-01-01", "unknown item"),
        ("u1,i1,play,5,yesterday", "bad timestamp"),
        ("u1,i1,play,5,2025-02-30", "bad timestamp"),
        ("u1,i1,play,5,1969-12-31", "bad timestamp"),
        ("u1,i1,play,5,-1", "bad timestamp"),
        ("u1,i1,play,5,1735689600000", 'bad timestamp: looks like milliseconds, read by unit = "ms"'),
        ("u1,i1,play,5,631151999", "bad timestamp"),
        ("u1,i1,play,5,2026-01-02T00:00:01", "timestamp in the future"),
        ("u1,i1,play,long,2025-01-01", "watch_seconds is not a number"),
        ("u1,i1,play,nan,2025-01-01", "watch_seconds is not a number"),
        ("u1,i1,play,inf,2025-01-01", "watch_seconds is not a number"),
        ("u1,i1,play,-1,2025-01-01", "watch_seconds below 0"),
        ("u1,i1,play,86401,2025-01-01", "watch_seconds above 86400"),
        ("u" * 256 + ",i1,play,5,2025-01-01", "user_id longer than 255 characters"),
        ("u1,i\0,play,5,2025-01-01", "item_id with a NUL character"),
        ("u1,i1,play,5", "wrong number of cells"),
        ("u1,i1,play,5,2025-01-01,more", "wrong number of cells"),
        ('"u1"x,i1,play,5,2025-01-01', "broken quotes"),
        ("u1,i\udcff,play,5,2025-01-01", OTHER_ENCODING),
    ],
)
async def test_a_bad_event_is_counted_with_its_reason(world: World, counts: Counts, row: str, reason: str) -> None:
    good = "u1,i1,play,5,2025-01-01\nu2,i2,play,7,2026-01-02T00:00:00\n"
    world.write(events=f"{HEADER}{good}{row}\nu2,i1,play,6,1735689600\n".encode("utf-8", "surrogateescape"))
    report = await world.run()
    events = report.files[-1]
    assert counts(events.rejected) == {reason: 1}
    assert events.rejected[reason].examples[0].row == 3
    assert (events.rows, events.loaded) == (4, 3)
    assert len(await world.log()) == 3
    assert_accounted(report)


async def test_examples_show_the_row_as_it_stands_and_are_three(world: World) -> None:
    world.write(events=HEADER + "".join(f"u1,i1,play,-{n},2025-01-01\n" for n in range(1, 6)))
    tally = (await world.run()).files[-1].rejected["watch_seconds below 0"]
    assert tally.count == 5
    assert [example.row for example in tally.examples] == [1, 2, 3]
    assert tally.examples[1].values == {
        "user_id": "u1",
        "item_id": "i1",
        "event_type": "play",
        "watch_seconds": "-2",
        "timestamp": "2025-01-01",
    }


async def test_unknown_ids_are_counted_once_each(world: World) -> None:
    world.write(
        events=HEADER
        + "u8,i1,play,1,1700000005\nu8,i2,play,1,1700000005\nu9,i1,play,1,1700000005\nu1,i7,play,1,1700000005\n"
    )
    report = await world.run()
    assert report.events is not None
    assert (report.events.unknown_users, report.events.unknown_items) == (2, 1)
    assert total(report.files[-1].rejected) == 4


async def test_the_same_row_twice_counts_once(world: World, counts: Counts) -> None:
    world.write(
        events=HEADER
        + "u1,i1,play,1,1700000005\nu1,i1,play,2,1700000005\n"
        + "u1,i1,play,1,1700000005\nu1,i1,play,1.0,2023-11-14T22:13:25\n"
    )
    report = await world.run()
    events = report.files[-1]
    assert counts(events.duplicates) == {"the same event is earlier in this file": 2}
    assert [example.row for example in events.duplicates["the same event is earlier in this file"].examples] == [
        3,
        4,
    ]
    assert len(await world.log()) == 2
    assert_accounted(report)


async def test_an_event_sent_over_http_before_is_a_duplicate(world: World, counts: Counts, micros: Micros) -> None:
    await world.run()
    time = micros(2025, 5, 5)
    sent = [
        Event("u1", "i1", "play", time, 33.0),
        Event("u1", "i2", "play", time, 34),
        Event("u2", "i1", "play", time, 35.5, "my-id"),
    ]
    await append_events(world.store, "streaming", sent, world.now)
    header = HEADER.replace("\n", ",event_id\n")
    world.write(
        events=header + "u1,i1,play,33,2025-05-05,\nu1,i2,play,34,2025-05-05,\nu2,i2,play,1,2025-05-06,my-id\n"
    )
    events = (await world.run()).files[-1]
    assert counts(events.duplicates) == {"the event is already in the log": 2}
    assert counts(events.rejected) == {"another event of the user has this event_id": 1}
    assert events.rejected["another event of the user has this event_id"].examples[0].row == 3
    assert len(await world.log()) == 6


async def test_an_event_id_of_a_file_is_its_users(world: World, counts: Counts) -> None:
    first, second = "u1,i1,play,33,2025-05-05,e\n", "u2,i1,play,35,2025-05-06,e\n"
    changed = first.replace("33", "34")
    world.write(events=HEADER.replace("\n", ",event_id\n") + first + second + second + changed)
    events = (await world.run()).files[-1]
    assert (events.rows, events.loaded) == (4, 2)
    assert counts(events.duplicates) == {"the same event is earlier in this file": 1}
    assert counts(events.rejected) == {"another event of the user has this event_id": 1}


async def test_an_event_of_a_file_is_a_duplicate_over_http(world: World, micros: Micros) -> None:
    await world.run()
    again = Event("u1", "i1", "play", micros(2025, 1, 1, 10), 120.0)
    outcomes = await append_events(world.store, "streaming", [again, replace(again, value=121.0)], world.now)
    assert [outcome.value for outcome in outcomes] == ["duplicate", "accepted"]


async def test_an_id_given_twice_the_last_good_row_wins(world: World, counts: Counts) -> None:
    world.write(items="item_id,title\ni1,First\ni2,Two\ni1,Last\ni1,\n", users="user_id,age\nu1,1\nu1,2\nu2,3\n")
    report = await world.run()
    users, items = report.files[:2]
    assert counts(items.duplicates) == {"repeated id; its last row counts": 1}
    assert counts(items.rejected) == {"missing title": 1}
    assert (users.rows, users.loaded, users.new) == (3, 2, 2)
    assert [item.attributes["title"] for item in await world.items()] == ["Last", "Two"]
    assert [user.attributes["age"] for user in await world.users()] == [2, 3]
    assert_accounted(report)


async def test_what_is_empty_but_not_required_is_a_warning(world: World, counts: Counts) -> None:
    world.write(
        items="item_id,title,content_type,genre,year\ni1,A,,Drama, \ni2,B,tv,||,soon\n",
        users="user_id,age,gender,region\nu1,,F,North\nu2,old,M,\n",
    )
    report = await world.run()
    users, items = report.files[:2]
    assert counts(users.warnings) == {"empty age": 1, "age is not a number": 1, "empty region": 1}
    assert counts(items.warnings) == {
        "empty content_type": 1,
        "empty genre": 1,
        "empty year": 1,
        "year is not a number": 1,
    }
    assert items.warnings["empty genre"].examples[0].row == 2
    assert [dict(item.attributes) for item in await world.items()] == [
        {"title": "A", "genre": ["Drama"]},
        {"title": "B", "content_type": "tv"},
    ]


async def test_other_columns_are_attributes_of_users_and_items(world: World) -> None:
    world.write(
        items="item_id,title,studio, code \ni1,A,Z,007\ni2,B,,1.50\n",
        users="user_id,plan\nu1,gold\nu2,\n",
        events=HEADER.replace("\n", ",device\n") + "u1,i1,play,1,5,tv\n",
    )
    report = await world.run()
    assert [dict(item.attributes) for item in await world.items()] == [
        {"title": "A", "studio": "Z", "code": "007"},
        {"title": "B", "code": "1.50"},
    ]
    assert [dict(user.attributes) for user in await world.users()] == [{"plan": "gold"}, {}]
    assert report.files[-1].ignored_columns == ("device",)


async def test_ids_are_taken_exactly(world: World) -> None:
    ids = ["007", "7", "7.0", " 7", "NA", "null", "é", "e\u0301", "#1", "x/y"]
    world.write(
        users="user_id\n" + "".join(f"{user}\n" for user in ids),
        items="item_id,title\n7,A\n",
        events=HEADER + "".join(f"{user},7,play,1,1700000005\n" for user in ids),
    )
    report = await world.run()
    assert sorted(user.user_id for user in await world.users()) == sorted(ids)
    assert [user for user, *_ in await world.log()] == ids
    assert_accounted(report)


async def test_columns_are_mapped_scaled_and_constant(world: World, micros: Micros) -> None:
    world.write(
        users="uid,years\nu1,3\n",
        items="sid,name,tags,premiere,off\ni1,A,x; y;;z,2024-02-03,no\ni2,B,,,TRUE\n",
        events="who,what,minutes,when\nu1,i1,2,1735689600\n",
    )
    sources = {
        "users": {
            "columns": {"user_id": "uid", "age": {"column": "years", "multiply": 10}, "region": {"value": "X"}}
        },
        "items": {
            "columns": {
                "item_id": "sid",
                "title": "name",
                "genre": {"column": "tags", "separator": ";"},
                "created_at": "premiere",
                "hidden": "off",
            }
        },
        "events": {
            "columns": {
                "user_id": "who",
                "item_id": "what",
                "event_type": {"value": "play"},
                "value": {"column": "minutes", "multiply": 60},
                "timestamp": "when",
            }
        },
    }
    report = await world.run(world.recipe(sources=sources))
    assert dict((await world.users())[0].attributes) == {"age": 30, "region": "X"}
    first, second = await world.items()
    assert dict(first.attributes) == {"title": "A", "genre": ["x", "y", "z"]}
    assert (first.created_at, first.hidden) == (micros(2024, 2, 3), False)
    assert (second.created_at, second.hidden) == (None, True)
    assert await world.log() == [("u1", "i1", "play", 120.0, micros(2025, 1, 1))]
    assert_accounted(report)


async def test_white_space_around_a_type_does_not_count(world: World, counts: Counts) -> None:
    world.write(events="user_id,item_id,eventType,watch_seconds,timestamp\nu1,i1, play ,5,1700000006\n"
                "u1,i1,pley ,5,1700000007\n")  # fmt: skip
    report = await world.run(world.recipe(sources={"events": {"columns": {"event_type": "eventType"}}}))
    assert [kind for _, _, kind, _, _ in await world.log()] == ["play"]
    assert counts(report.files[-1].rejected) == {"unknown event type in eventType": 1}


async def test_the_only_event_type_need_not_be_in_the_file(world: World) -> None:
    world.write(events="user_id,item_id,watch_seconds,timestamp\nu1,i1,5,1700000006\n")
    await world.run()
    assert [kind for _, _, kind, _, _ in await world.log()] == ["play"]


async def test_an_optional_value_may_be_missing(world: World, counts: Counts) -> None:
    world.write(
        events="user_id,item_id,event_type,value,timestamp\nu1,i1,play,,1700000005\nu1,i2,play,3,1700000005\n"
    )
    report = await world.run(world.recipe(sources={}))
    assert counts(report.files[-1].warnings) == {"empty value": 1}
    assert [value for *_, value, _ in await world.log()] == [None, 3.0]
    world.write(events="user_id,item_id,event_type,timestamp\nu1,i1,play,1700000007\n")
    report = await world.run(world.recipe(sources={}))
    assert report.files[-1].notes == ()
    assert len(await world.log()) == 3


async def test_unknown_event_types_are_taken_where_the_recipe_says_so(world: World, counts: Counts) -> None:
    long = "x" * 64
    world.write(events=HEADER + f"u1,i1,wink,-5,1700000005\nu1,i1,{long},1,1700000005\nu1,i1,play,-5,1700000005\n")
    report = await world.run(world.recipe(unknown_event_types="accept"))
    assert [kind for _, _, kind, _, _ in await world.log()] == ["wink"]
    assert counts(report.files[-1].rejected) == {
        "event_type longer than 63 characters": 1,
        "watch_seconds below 0": 1,
    }


async def test_unknown_users_are_created_where_the_recipe_says_so(world: World, counts: Counts) -> None:
    sources = {"events": {"unknown_users": "create", "columns": {"value": "watch_seconds"}}}
    world.write(
        events=HEADER
        + "u1,i1,play,1,1700000005\nnew,i1,play,1,1700000005\n"
        + "new,i2,play,1,1700000005\nother,i9,play,1,1700000005\n"
    )
    report = await world.run(world.recipe(sources=sources))
    assert [user.user_id for user in await world.users()] == ["u1", "u2", "new"]
    assert report.events is not None
    assert (report.events.created_users, report.events.unknown_users) == (1, 0)
    assert report.events.matrix.users == 3
    assert counts(report.files[-1].rejected) == {"unknown item": 1}
    assert len(await world.log()) == 3


async def test_the_initial_catalogue_is_not_new_and_what_comes_later_is(world: World) -> None:
    await world.run()
    assert [item.created_at for item in await world.items()] == [None, None]
    world.write(items="item_id,title\ni1,A\ni3,C\n")
    await world.run(now=world.now + DAY)
    await world.run(now=world.now + 2 * DAY)
    assert {item.item_id: item.created_at for item in await world.items()} == {
        "i1": None,
        "i2": None,
        "i3": world.now + DAY,
    }


async def test_an_initial_import_cut_short_stays_initial(world: World) -> None:
    await put_items(world.store, "streaming", [ItemWrite("i1", {"title": "A"})])
    await save_report(world.store, "streaming", world.now, {"finished": False, "initial": True})
    await world.run()
    assert [item.created_at for item in await world.items()] == [None, None]


async def test_a_hidden_item_stays_hidden_unless_the_file_says_otherwise(world: World, counts: Counts) -> None:
    await world.run()
    await patch_item(world.store, "streaming", "i1", {}, hidden=True)
    await world.run()
    assert (await get_item(world.store, "streaming", "i1")).hidden
    world.write(items="item_id,title,hidden\ni1,A,\ni2,B,\n")
    await world.run()
    assert [item.hidden for item in await world.items()] == [True, False]
    world.write(items="item_id,title,hidden\ni1,A,false\ni2,B,perhaps\n")
    report = await world.run()
    assert not (await get_item(world.store, "streaming", "i1")).hidden
    assert counts(report.files[1].rejected) == {"hidden is neither true nor false": 1}


async def test_what_moderation_set_stays_unless_the_file_says_otherwise(world: World) -> None:
    items = {"fields": {"title": "text", "quality": "number", "reports": "number"}}
    recipe = world.recipe(items=items, signals={})
    world.write(items="item_id,title\ni1,A\n")
    await world.run(recipe)
    await patch_item(world.store, "streaming", "i1", {"quality": 0.1, "reports": 7})
    world.write(items="item_id,title,quality\ni1,Edited,\n")
    await world.run(recipe)
    assert (await get_item(world.store, "streaming", "i1")).attributes == {
        "title": "Edited",
        "quality": 0.1,
        "reports": 7,
    }
    world.write(items="item_id,title,quality,reports\ni1,Edited,0.9,0\n")
    await world.run(recipe)
    found = await get_item(world.store, "streaming", "i1")
    assert (found.attributes["quality"], found.attributes["reports"]) == (0.9, 0)


async def test_a_bad_time_of_creation_is_a_warning(world: World, counts: Counts) -> None:
    world.write(items="item_id,title,created_at\ni1,A,soon\ni2,B,\n")
    report = await world.run()
    assert counts(report.files[1].warnings) == {"bad created_at": 1}
    assert [item.created_at for item in await world.items()] == [None, None]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("users", "id,age\n1,2\n", ['users.csv: no column "user_id"', "id, age"]),
        ("items", "item_id,name\n1,2\n", ['items.csv: no column "title"', "item_id, name"]),
        ("events", "user_id,item_id,timestamp\n", ['events.csv: no column "watch_seconds" (the recipe\'s value)']),
        ("events", "user_id,item_id,watch_seconds\n", ['events.csv: no column "timestamp"']),
        ("events", "", ["events.csv: the file is empty"]),
        ("events", "\n \r\n", ["events.csv: the file is empty"]),
        ("events", "a,b,a\n", ['events.csv: column "a" is there twice']),
        ("events", b"\xff\xfeu\0s\0", ["events.csv: the file is in UTF-16"]),
        ("events", b"us\xff,b\n", ["events.csv: the header is not valid UTF-8"]),
        ("events", 'a"b,"c\n', ["events.csv: the header has a quote that does not pair"]),
    ],
)
async def test_an_unusable_file_is_one_sentence_and_nothing_is_written(
    world: World, name: str, content: str | bytes, words: list[str]
) -> None:
    world.write(**{name: content})
    with pytest.raises(DataError) as caught:
        await world.run()
    for step in words:
        assert step in str(caught.value)
    assert "\n" not in str(caught.value)
    assert await world.users() == []
    assert await list_reports(world.store, "streaming") == []


async def test_missing_files_and_folders_are_named(world: World) -> None:
    with pytest.raises(DataError, match=r"nowhere\.csv: no such file"):
        await world.run(files=Files(users=world.folder / "nowhere.csv"))
    with pytest.raises(DataError, match="no file to import"):
        await world.run(files=Files())
    with pytest.raises(DataError, match="or a folder with files such as"):
        await world.run(files=Files(users=world.folder))
    with pytest.raises(DataError, match=r"expected a file ending in \.csv"):
        await world.run(files=Files(users=world.folder / "users.pdf"))


async def test_a_missing_column_that_is_not_required_is_a_note(world: World) -> None:
    world.write(users="user_id,age\nu1,1\n")
    report = await world.run()
    assert report.files[0].notes == (
        'no column "gender": rows load without it',
        'no column "region": rows load without it',
    )
    assert report.files[0].warnings == {}


async def test_a_header_alone_loads_nothing(world: World) -> None:
    world.write(users="user_id", items="item_id,title\r\n", events=HEADER)
    report = await world.run()
    assert [(file.rows, file.loaded) for file in report.files] == [(0, 0)] * 3
    assert report.events is not None
    assert (report.events.first, report.events.matrix.density) == (None, 0.0)


async def test_parquet_and_json_lines_say_what_csv_says(world: World) -> None:
    await world.run()
    expected = await world.log(), await world.users(), await world.items()
    frames = {name: pl.read_csv(world.folder / f"{name}.csv") for name in ("users", "items", "events")}
    frames["items"] = frames["items"].with_columns(pl.col("genre").str.split("|"))
    world.forget("users.csv", "items.csv", "events.csv")
    for name, frame in frames.items():
        frame.write_ndjson(world.folder / f"{name}.jsonl")
    report = await world.run()
    assert (await world.log(), await world.users(), await world.items()) == expected
    assert total(report.files[-1].duplicates) == 3
    world.forget("users.jsonl", "items.jsonl", "events.jsonl")
    zoned = pl.Series(["2025-01-01T10:00", "2025-01-02T10:00", "2025-01-03T09:00"]).str.to_datetime(
        "%Y-%m-%dT%H:%M"
    )
    frames["events"] = frames["events"].with_columns(zoned.dt.replace_time_zone("UTC").alias("timestamp"))
    for name, frame in frames.items():
        frame.write_parquet(world.folder / f"{name}.parquet")
    report = await world.run()
    assert (await world.log(), await world.users(), await world.items()) == expected
    assert total(report.files[-1].duplicates) == 3
    assert_accounted(report)


async def test_the_report_is_kept(world: World) -> None:
    report = await world.run()
    await world.run()
    newest, oldest = await list_reports(world.store, "streaming")
    assert oldest.report == report.to_json()
    assert oldest.created_at == world.now
    assert newest.created_at == world.now + 1
    assert newest.report["finished"]


async def test_progress_is_reported(world: World) -> None:
    steps: list[tuple[str, int, int]] = []
    await world.run(progress=lambda *step: steps.append(step))
    size = (world.folder / "events.csv").stat().st_size
    assert list(dict.fromkeys(stage for stage, _, _ in steps)) == ["users", "items", "events"]
    assert steps[-1] == ("events", size, size)
