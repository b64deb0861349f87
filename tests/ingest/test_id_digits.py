"""Ids keep every digit, and 77.0 is 77, in every kind of file."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

if TYPE_CHECKING:
    from tests.ingest.conftest import World

Counts = Callable[[Mapping[str, Any]], dict[str, int]]
Rows = Sequence[Mapping[str, Any]]

BIG = 2**64
HUGE = [BIG - 1, BIG, BIG + 1, 10**30, 10**30 + 1]
READ_SO = "item_id ends in .0: read as a whole number"


def write(world: World, kind: str, name: str, rows: Rows) -> None:
    world.forget(f"{name}.csv")
    path = world.folder / f"{name}.{kind}"
    if kind == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    elif kind == "csv":
        lines = [",".join(rows[0]), *(",".join(str(cell) for cell in row.values()) for row in rows)]
        path.write_text("\n".join(lines) + "\n")
    else:
        pl.DataFrame(list(rows)).write_parquet(path)


def items(*ids: Any) -> Rows:
    return [{"item_id": item_id, "title": f"T{n}"} for n, item_id in enumerate(ids)]


def plays(*pairs: tuple[Any, Any]) -> Rows:
    rest = {"event_type": "play", "watch_seconds": 9, "timestamp": "2025-01-01"}
    return [{"user_id": user, "item_id": item, **rest} for user, item in pairs]


@pytest.mark.parametrize("kind", ["jsonl", "csv"])
async def test_large_numbers_are_as_many_items(world: World, kind: str) -> None:
    write(world, kind, "users", [{"user_id": number} for number in HUGE])
    write(world, kind, "items", items(*HUGE))
    write(world, kind, "events", plays(*zip(HUGE, reversed(HUGE), strict=True)))
    report = await world.run()
    assert [file.loaded for file in report.files] == [5, 5, 5]
    ids = [str(number) for number in HUGE]
    assert {user.user_id for user in await world.users()} == set(ids)
    assert [item.item_id for item in await world.items()] == ids
    assert [item.attributes["title"] for item in await world.items()] == [f"T{n}" for n in range(5)]
    assert [row[:2] for row in await world.log()] == list(zip(ids, reversed(ids), strict=True))


@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet"])
async def test_whole_numbers_with_a_fraction_are_whole_numbers(world: World, kind: str) -> None:
    write(world, kind, "users", [{"user_id": 5}, {"user_id": 77}])
    write(world, kind, "items", items(77, 100, 2**53 - 1))
    write(world, kind, "events", plays((5.0, 77.0), (77.0, 100.0), (77.0, float(2**53 - 1))))
    events = (await world.run()).files[-1]
    assert (events.loaded, events.rejected) == (3, {})
    assert [row[:2] for row in await world.log()] == [("5", "77"), ("77", "100"), ("77", str(2**53 - 1))]
    assert len(await world.users()) == 2


async def test_a_csv_column_of_whole_numbers_says_that_it_is_read_so(world: World, counts: Counts) -> None:
    world.write(items="item_id,title\n77,A\n78,B\n")
    write(world, "csv", "events", plays(("u1", 77.0), ("u2", 78)))
    events = (await world.run()).files[-1]
    assert (events.loaded, counts(events.warnings)) == (2, {READ_SO: 1})
    assert events.warnings[READ_SO].examples[0].values["item_id"] == "77.0"


async def test_among_other_ids_a_fraction_is_part_of_the_id(world: World) -> None:
    ids = ["1.0", "1.1", "2.0", "1", "v2.0"]
    write(world, "csv", "items", items(*ids))
    report = (await world.run()).files[1]
    assert (report.loaded, READ_SO in report.warnings) == (5, False)
    assert [item.item_id for item in await world.items()] == ids


@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet"])
async def test_categories_that_are_ids_of_others_are_read_as_ids(world: World, kind: str) -> None:
    write(world, kind, "users", [{"user_id": "u1", "region": 7}, {"user_id": "u2", "region": 8}])
    rows = [{"item_id": name, "title": "T", "content_type": kind} for name, kind in (("a", 7.0), ("b", 8.0))]
    write(world, kind, "items", rows)
    world.forget("events.csv")
    await world.run()
    assert [user.attributes["region"] for user in await world.users()] == ["7", "8"]
    assert [item.attributes["content_type"] for item in await world.items()] == ["7", "8"]


async def test_tags_that_are_numbers_keep_their_digits(world: World) -> None:
    genres = [[7, 7.5, BIG + 1], [7.0, BIG]]
    rows = [{"item_id": f"i{n}", "title": "T", "genre": genre} for n, genre in enumerate(genres)]
    write(world, "jsonl", "items", rows)
    world.forget("events.csv")
    await world.run()
    tags = [item.attributes["genre"] for item in await world.items()]
    assert tags == [["7", "7.5", str(BIG + 1)], ["7", str(BIG)]]


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        (HUGE[:1], pl.UInt64), ([2**63 - 1, -(2**63)], pl.Int64), ([2.0**53, 77.0], pl.Float64),
        ([16777216.0], pl.Float32), ([Decimal(10**30 + 1), Decimal(77)], pl.Decimal(38, 0)),
        ([Decimal("77.00"), Decimal("78.00")], pl.Decimal(10, 2)),
    ],
)  # fmt: skip
async def test_numbers_of_parquet_are_their_digits(world: World, values: list[Any], dtype: pl.DataType) -> None:
    world.forget("items.csv", "events.csv")
    titles = ["T"] * len(values)
    frame = pl.DataFrame({"item_id": pl.Series(values, dtype=dtype), "title": titles})
    frame.write_parquet(world.folder / "items.parquet")
    await world.run()
    assert [item.item_id for item in await world.items()] == [str(int(value)) for value in values]
