"""What another service showed, imported: every row accounted for, each page once."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import polars as pl
import pytest
from tests.ingest.conftest import EVENTS, ITEMS, USERS, World

from homefeed.ingest import DataReport, Files, load_impressions, table
from homefeed.ingest.load_impressions import IN_LOG, PLACE_TAKEN
from homefeed.ingest.report import FileReport
from homefeed.recipe import Recipe
from homefeed.store.impressions import Impression, stream_impressions
from homefeed.times import LATEST

pytestmark = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)

HEADER = "request_id,timestamp,user_id,item_id,place,score,propensity\n"
TIME = "2025-01-02T10:00:00"
AT = 1_735_812_000_000_000


@pytest.fixture
async def filled(world: World) -> World:
    world.write(
        users=USERS, items=ITEMS + "".join(f"i{n},Film {n},film,Drama\n" for n in range(3, 8)), events=EVENTS
    )
    await world.run(world.recipe())
    return world


async def load(world: World, rows: str, recipe: Recipe | None = None, header: str = HEADER) -> FileReport:
    (world.folder / "impressions.csv").write_text(header + rows)
    files = Files(impressions=world.folder / "impressions.csv")
    return only(await world.run(world.recipe() if recipe is None else recipe, files))


def only(report: DataReport) -> FileReport:
    found = report.file("impressions")
    assert found is not None
    by_reason = [sum(each.count for each in part.values()) for part in (found.rejected, found.duplicates)]
    assert found.rows == found.loaded + sum(by_reason), "every row is accounted for"
    return found


async def pages(world: World) -> list[Impression]:
    streamed = stream_impressions(world.store, "streaming", 0, LATEST)
    return [page async for group in streamed for page in group]


def counts(tallies: Any) -> dict[str, int]:
    return {reason: tally.count for reason, tally in tallies.items()}


async def test_rows_of_a_request_are_a_page(filled: World) -> None:
    rows = [("i2", 1, "0.5", "0.25"), ("i1", 0, "0.9", ""), ("i3", 2, "", "1")]
    report = await load(filled, "".join(f"r1,{TIME},u1,{i},{p},{s},{c}\n" for i, p, s, c in rows))
    assert (report.rows, report.loaded, report.new) == (3, 3, 3)
    [page] = await pages(filled)
    assert (page.request_id, page.feed, page.user, page.time, page.start) == ("r1", "popular", 1, AT, 0)
    assert page.items.tolist() == [1, 2, 3]
    np.testing.assert_allclose(page.scores, [0.9, 0.5, 0])
    assert page.propensities.tolist() == [1, 0.25, 1]
    assert (page.feature_names, page.features.shape, page.served_by, dict(page.models)) == (
        (),
        (3, 0),
        "imported",
        {},
    )


async def test_without_places_the_order_of_the_rows_counts_and_without_a_user_it_is_nobodys(filled: World) -> None:
    rows = f"r1,{TIME},i3\nr1,{TIME},i1\nr2,{TIME},i2\n"
    report = await load(filled, rows, header="request_id,timestamp,item_id\n")
    assert report.loaded == 3
    assert sorted((page.request_id, page.user, page.items.tolist()) for page in await pages(filled)) == [
        ("r1", None, [3, 1]),
        ("r2", None, [2]),
    ]
    assert any("place" in note for note in report.notes)


async def test_a_request_is_as_old_as_its_first_row_and_gaps_divide_it(filled: World) -> None:
    times = [TIME, "2025-01-02T10:00:05", "2025-01-02T09:59:59", TIME]
    rows = zip(["i1", "i2", "i3", "i4"], [0, 1, 4, 5], times, strict=True)
    await load(filled, "".join(f"r1,{time},u1,{item},{place},,\n" for item, place, time in rows))
    found = [(page.start, page.items.tolist(), page.time) for page in await pages(filled)]
    assert found == [(0, [1, 2], AT - 1_000_000), (4, [3, 4], AT - 1_000_000)]


async def test_bad_rows_are_rejected_with_a_reason_and_the_others_stay(filled: World) -> None:
    rows = [
        f"r1,{TIME},u1,i1,0,,",
        f"r1,{TIME},u1,gone,1,,",
        f"r1,{TIME},u1,i2,2,,",
        f"r2,{TIME},u9,i1,0,,",
        f"r3,{TIME},u2,i1,0,,",
        f"r3,{TIME},u2,i2,0,,",
        f"r4,{TIME},u2,i1,-1,,",
        f"r4,{TIME},u2,i1,1.5,,",
        f"r4,{TIME},u2,i1,x,,",
        f"r4,{TIME},u2,i1,0,x,",
        f"r4,{TIME},u2,i1,0,,0",
        f"r4,{TIME},u2,i1,0,,1.1",
        f",{TIME},u2,i1,0,,",
        "r4,,u2,i1,0,,",
        "r4,soon,u2,i1,0,,",
        "r4,2199-01-01,u2,i1,0,,",
    ]
    report = await load(filled, "\n".join(rows))
    assert report.loaded == 3
    assert counts(report.rejected) == {
        "unknown item": 1,
        "unknown user": 1,
        PLACE_TAKEN: 1,
        "place outside 0 to 2.14748e+09": 1,
        "place is not a whole number": 1,
        "place is not a number": 1,
        "score is not a number": 1,
        "propensity of 0: it was shown": 1,
        "propensity outside 0 to 1": 1,
        "missing request_id": 1,
        "missing timestamp": 1,
        "bad timestamp": 1,
        "timestamp in the future": 1,
    }
    assert [(page.request_id, page.start, page.items.tolist()) for page in await pages(filled)] == [
        ("r1", 0, [1]),
        ("r1", 2, [2]),
        ("r3", 0, [1]),
    ]
    assert report.rejected["unknown item"].examples[0].row == 2


async def test_what_is_there_already_is_counted_and_not_written_again(filled: World) -> None:
    rows = f"r1,{TIME},u1,i1,0,,\nr1,{TIME},u1,i2,1,,\n"
    await load(filled, rows)
    again = await load(filled, rows + f"r2,{TIME},u1,i2,0,,\nr1,{TIME},u1,i3,0,,\n")
    assert (again.loaded, counts(again.duplicates)) == (1, {IN_LOG: 3})
    assert [(page.request_id, page.items.tolist()) for page in await pages(filled)] == [
        ("r1", [1, 2]),
        ("r2", [2]),
    ]


async def test_a_request_that_goes_on_in_the_next_batch_is_one_page(
    filled: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table, "BLOCK", 100)
    rows = "".join(f"r{n // 7},{TIME},u1,i{n % 7 + 1},{n % 7},,\n" for n in range(70))
    report = await load(filled, rows)
    assert report.loaded == 70
    assert [(page.request_id, page.items.tolist()) for page in await pages(filled)] == [
        (f"r{n}", [1, 2, 3, 4, 5, 6, 7]) for n in range(10)
    ]


async def test_a_request_without_end_is_not_waited_for(filled: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "BLOCK", 100)
    monkeypatch.setattr(load_impressions, "_LONGEST", 5)
    report = await load(filled, "".join(f"r,{TIME},u1,i{n % 7 + 1},{n},,\n" for n in range(70)))
    assert report.loaded == 70
    found = await pages(filled)
    assert len(found) > 5
    assert [place for page in found for place in range(page.start, page.start + len(page.items))] == [*range(70)]


async def test_a_feed_of_another_name_is_rejected_unless_it_is_mapped(filled: World) -> None:
    header = "request_id,timestamp,user_id,item_id,list\n"
    mapped = {"columns": {"feed": {"column": "list", "map": {"top": "popular"}}}}
    recipe = filled.recipe(sources={"impressions": mapped})
    report = await load(filled, f"r1,{TIME},u1,i1,top\nr2,{TIME},u1,i1,other\n", recipe, header)
    assert (report.loaded, sum(counts(report.rejected).values())) == (1, 1)
    unmapped = await load(filled, f"r3,{TIME},u1,i1,other\n", header=header.replace("list", "feed"))
    assert counts(unmapped.rejected) == {"the recipe has no such feed": 1}


async def test_unknown_users_can_be_created(filled: World) -> None:
    recipe = filled.recipe(sources={"impressions": {"unknown_users": "create"}})
    report = await load(filled, f"r1,{TIME},new,i1,0,,\n", recipe)
    assert (report.loaded, [page.user for page in await pages(filled)]) == (1, [3])


async def test_users_who_refuse_are_nobody(world: World) -> None:
    fields = {"age": "number", "gender": "category", "region": "category", "no_tracking": "category"}
    recipe = world.recipe(users={"fields": fields}, privacy={"opt_out": "no_tracking"})
    world.write(users="user_id,no_tracking\nu1,yes\nu2,\n", items=ITEMS, events=EVENTS)
    await world.run(recipe)
    await load(world, f"r1,{TIME},u1,i1,0,,\nr2,{TIME},u2,i1,0,,\n", recipe)
    assert [page.user for page in await pages(world)] == [None, 2]


async def test_other_formats_and_the_folder(filled: World) -> None:
    shown = {
        "request_id": ["r1", "r1"],
        "timestamp": [TIME, TIME],
        "user_id": ["u1", "u1"],
        "item_id": ["i1", "i2"],
    }
    pl.DataFrame(shown).write_parquet(filled.folder / "impressions.parquet")
    report = only(await filled.run(filled.recipe()))
    assert report.loaded == 2
    (filled.folder / "impressions.parquet").unlink()
    lines = [json.dumps({"request_id": 7, "timestamp": TIME, "user_id": "u2", "item_id": "i1", "place": 3})]
    (filled.folder / "impressions.jsonl").write_text("\n".join(lines))
    assert only(await filled.run(filled.recipe())).loaded == 1
    assert sorted((page.request_id, page.start) for page in await pages(filled)) == [("7", 3), ("r1", 0)]
