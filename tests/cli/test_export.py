"""export: what is written is read again, as it was."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import polars as pl
import pytest
from tests.cli.running import done, run

from homefeed.dataset import exporting
from homefeed.store import Store, open_store
from homefeed.store.events import append_events
from homefeed.store.impressions import Impression, write_impressions
from homefeed.store.items import ItemWrite, delete_item, put_items
from homefeed.store.rows import event_rows, item_rows, user_rows
from homefeed.store.users import put_users
from homefeed.types import SECOND, Event

RECIPE = """app = "town"
[items.fields]
title = "text"
section = "category"
words = "tags"
price = "number"
opens = "time"
place = "location"
[users.fields]
age = "number"
[events.read]
[events.look]
about = "query"
[sources.items]
file = "listings"
required = ["title"]
[sources.items.columns]
item_id = "listing"
words = { column = "tags", separator = ";" }
price = { column = "price", multiply = 100 }
[feeds.home]
retrieve.popular = {}
rank.weighted.weights.popular = 1
"""
ITEMS: list[dict[str, Any]] = [
    {
        "title": 'Two\nlines, "quoted" | barred',
        "section": "city",
        "words": ["a", "b c"],
        "price": 12.5,
        "extra": "x",
    },
    {"title": "B", "words": ["x|y", "[z]"], "price": 7, "opens": "2026-01-02T03:04:05Z", "wheels": 4},
    {"title": "C", "place": {"latitude": 48.85, "longitude": -2.35}},
    {"title": "gone"},
]
NOW = 1_760_000_000 * SECOND


async def fill(store: Store) -> None:
    await put_users(store, "town", [("u1", {"age": 30, "name": "Ann"}), ("u2", {})])
    writes = [ItemWrite(f"i{n}", item, NOW + n, n == 1) for n, item in enumerate(ITEMS)]
    await put_items(store, "town", writes)
    events = [
        Event("u1", "i0", "read", NOW + 1, 0.1, "e1", "r1", {"from": "mail"}),
        Event("u2", "i1", "read", NOW + 2),
        Event("u2", "", "look", NOW + 3, context={"query": "café"}),
    ]
    await append_events(store, "town", events, NOW + 9)
    shown = Impression(
        request_id="r1",
        feed="home",
        user=1,
        time=NOW,
        start=2,
        items=np.array([2, 1], np.int32),
        scores=np.array([0.5, 0.25], np.float32),
        propensities=np.array([1, 0.5], np.float32),
        feature_names=(),
        features=np.zeros((2, 0), np.float32),
        models={},
    )
    await write_impressions(store, "town", [shown])
    await delete_item(store, "town", "i3")


async def rows_of(store: Store) -> dict[str, list[Any]]:
    async def every(pages: AsyncIterator[Sequence[Any]]) -> list[Any]:
        return [row for page in [page async for page in pages] for row in page]

    users = [(row.user_id, orjson.loads(row.attributes)) for row in await every(user_rows(store, "town", 1))]
    items = [
        (row.item_id, orjson.loads(row.attributes), row.created_at, row.hidden)
        for row in await every(item_rows(store, "town"))
    ]
    events = [
        (row.event_type, row.value, row.time, row.event_id, row.context if row.event_type == "look" else None)
        for row in await every(event_rows(store, "town", 99, 2))
    ]
    return {"users": users, "items": items, "events": events}


def stored(home: Path, work: Any) -> Any:
    async def opened() -> Any:
        async with open_store(f"sqlite:///{home / 'homefeed.db'}") as store:
            return await work(store)

    return asyncio.run(opened())


@pytest.fixture
def town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "town.toml").write_text(RECIPE)
    (tmp_path / "homefeed.toml").write_text('apps = ["town.toml"]\n')
    monkeypatch.chdir(tmp_path)
    stored(tmp_path / "one", fill)
    return tmp_path


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_what_is_exported_is_imported_as_it_was(town: Path, form: str) -> None:
    shown = run(town / "one", "export", "town", "out", "--format", form)
    assert shown.stderr.splitlines()[-1] == "town: 2 users, 3 items, 3 events, 2 items shown:"
    assert shown.stdout.splitlines() == [f"out/{kind}.{form}" for kind in exporting.KINDS]
    report = json.loads(done(town / "two", "import", "town", "out", "--json"))
    assert {kind: (file["loaded"], file["rejected"]["total"]) for kind, file in report["files"].items()} == {
        "users": (2, 0),
        "items": (3, 0),
        "events": (3, 0),
        "impressions": (2, 0),
    }
    before, after = stored(town / "one", rows_of), stored(town / "two", rows_of)
    before["items"][1][1]["wheels"] = "4"  # what the recipe does not declare is text in a file
    assert after == before
    done(town / "two", "export", "again", "--format", form)
    for kind in ("users", "items", "impressions"):
        assert (town / "again" / f"{kind}.{form}").read_bytes() == (town / "out" / f"{kind}.{form}").read_bytes()


def test_files_by_day_are_imported_too_and_listed_with_what_they_hold(town: Path) -> None:
    shown = run(town / "one", "export", "town", "out", "--by-day")
    assert shown.stdout.splitlines() == ["out/users.parquet", "out/items.parquet", "out/events", "out/impressions"]
    day = "events/day=2025-10-09/part-00000.parquet"
    assert pl.read_parquet(f"out/{day}", hive_partitioning=False)["seq"].to_list() == [1, 2, 3]
    told = orjson.loads((town / "out" / "homefeed-export.json").read_bytes())
    assert (told["app"], told["event_seq"], told["rows"]["events"]) == ("town", 3, 3)
    assert (told["first_day"], told["last_day"]) == ("2025-10-09", "2025-10-09")
    content = (town / "out" / day).read_bytes()
    assert told["files"][day] == {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    report = json.loads(done(town / "two", "import", "town", "out", "--json"))
    loaded = {kind: (file["loaded"], file["rejected"]["total"]) for kind, file in report["files"].items()}
    assert loaded == {"users": (2, 0), "items": (3, 0), "events": (3, 0), "impressions": (2, 0)}
    assert stored(town / "one", rows_of)["events"] == stored(town / "two", rows_of)["events"]
    refused = run(town / "one", "export", "town", "more", "--by-day", "--format", "csv")
    assert str(refused.exception) == "by day files are Parquet, not csv; leave the format out"


def test_only_some_kinds_are_written_for_their_owner_alone(town: Path) -> None:
    told = json.loads(done(town / "one", "export", "out", "--only", "events, users", "--json"))
    assert told == {
        "app": "town",
        "folder": "out",
        "rows": {"users": 2, "events": 3},
        "files": {"users": "out/users.csv", "events": "out/events.csv"},
    }
    assert sorted(path.name for path in (town / "out").iterdir()) == [
        "events.csv",
        "homefeed-export.json",
        "users.csv",
    ]
    assert [oct(path.stat().st_mode)[-3:] for path in (town / "out", town / "out" / "users.csv")] == ["700", "600"]
    assert "r1" in pl.read_csv("out/events.csv")["request_id"].to_list()


def test_what_is_there_is_not_touched_and_a_failure_leaves_nothing(
    town: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (town / "out").mkdir()
    (town / "out" / "mine.txt").touch()
    assert "out is there already" in str(run(town / "one", "export", "out").exception)
    assert "is a file" in str(run(town / "one", "export", "town.toml").exception)
    assert str(run(town / "one", "export", "new", "--only", "user").exception) == (
        "--only: expected some of users, items, events, impressions, got user"
    )
    monkeypatch.setattr(exporting, "MAX_COLUMNS", 0)
    assert "the recipe does not declare" in str(run(town / "one", "export", "new").exception)
    assert sorted(path.name for path in town.iterdir()) == ["homefeed.toml", "one", "out", "town.toml"]


def test_an_export_needs_no_mapping(town: Path) -> None:
    done(town / "one", "export", "out")
    mapped = run(town / "two", "import", "town", "out", "--mapping", "town.toml")
    assert "it needs no --mapping" in str(mapped.exception)
