"""Three of one product in a basket are three events, and still three after the file is imported again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from homefeed.ingest import load_events as module
from homefeed.ingest.equal_rows import EqualRows
from homefeed.ingest.tallies import total
from homefeed.store.bulk import EventColumns

if TYPE_CHECKING:
    from tests.ingest.conftest import World

HEADER = "user_id,item_id,event_type,watch_seconds,timestamp,event_id\n"
ROW = "u1,i1,play,1,2025-01-01T10:00:00,\n"
WITH_ID = "u1,i1,play,1,2025-01-01T10:00:00,e1\n"


@pytest.mark.parametrize(("equal_rows", "written"), [("once", 2), ("each", 4)])
async def test_equal_rows_count_as_the_recipe_says(
    world: World, monkeypatch: pytest.MonkeyPatch, equal_rows: str, written: int
) -> None:
    monkeypatch.setattr(module, "_TRANSACTION", 2)
    recipe = world.recipe(sources={"events": {"columns": {"value": "watch_seconds"}, "equal_rows": equal_rows}})
    world.write(events=HEADER + ROW * 3 + WITH_ID * 2)
    for loaded in (written, 0):
        report = await world.run(recipe)
        assert (report.files[-1].loaded, total(report.files[-1].duplicates)) == (loaded, 5 - loaded)
    assert len(await world.log()) == written
    world.write(events=HEADER + ROW * 4 + WITH_ID)
    assert (await world.run(recipe)).files[-1].loaded == (equal_rows == "each")


def test_rows_that_were_not_written_are_taken_back() -> None:
    row = b"0123456789abcdef"
    one = EventColumns([row], [1], [1], ["play"], [None], [0], [None])
    rows = EqualRows()
    rows.told_apart(one)
    rows.take_back(one)
    assert rows.told_apart(one).keys == [row]
    again = rows.told_apart(one).keys[0]
    assert again != row
    assert again[:6] == row[:6]
