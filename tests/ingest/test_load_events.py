"""Large, interrupted and concurrent imports of events."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import pytest

from homefeed.errors import DataError
from homefeed.ingest import load_events as module
from homefeed.ingest import table
from homefeed.ingest.tallies import total
from homefeed.store.bulk import Appended, EventColumns, append_rows
from homefeed.store.events import append_events, totals
from homefeed.store.users import erase_user
from homefeed.types import Event

if TYPE_CHECKING:
    from tests.ingest.conftest import World

Counts = Callable[[Mapping[str, Any]], dict[str, int]]

COUNT = 5_000
HEADER = "user_id,item_id,event_type,watch_seconds,timestamp\n"
MANY = HEADER + "".join(f"u{n % 2 + 1},i{n % 2 + 1},play,{n % 7},{1_700_000_000 + n}\n" for n in range(COUNT))


@pytest.fixture
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "BLOCK", 20_000)
    monkeypatch.setattr(module, "_TRANSACTION", 300)


@pytest.mark.usefixtures("small_steps")
async def test_many_batches_give_one_log(world: World, counts: Counts) -> None:
    repeated = "u1,i1,play,0,1700000000\n"
    world.write(events=MANY + repeated + "u1,i1,play,1,bad\n")
    steps: list[int] = []
    report = await world.run(progress=lambda stage, done, _: steps.append(done) if stage == "events" else None)
    events = report.files[-1]
    assert (events.rows, events.loaded) == (COUNT + 2, COUNT)
    assert counts(events.duplicates) == {"the same event is earlier in this file": 1}
    assert events.duplicates["the same event is earlier in this file"].examples[0].row == COUNT + 1
    assert events.rejected["bad timestamp"].examples[0].row == COUNT + 2
    assert [time for *_, time in await world.log()] == [(1_700_000_000 + n) * 1_000_000 for n in range(COUNT)]
    assert steps == sorted(steps)
    assert len(steps) > 5


@pytest.mark.usefixtures("small_steps")
async def test_an_import_cut_short_is_repeated(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.write(events=MANY)
    left = 4

    async def dying(*arguments: Any) -> Appended:
        nonlocal left
        left -= 1
        if left < 0:
            raise ConnectionError("the power went out")
        return await append_rows(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(module, "append_rows", dying)
        with pytest.raises(ConnectionError):
            await world.run()
    written = (await totals(world.store, "streaming", world.now)).events
    assert 0 < written <= 1200
    report = await world.run()
    assert total(report.files[-1].duplicates) == written
    assert report.files[-1].loaded == COUNT - written
    assert len({row[4] for row in await world.log()}) == COUNT
    assert [item.created_at for item in await world.items()] == [None, None]


@pytest.mark.usefixtures("small_steps")
async def test_a_file_damaged_in_the_middle_is_an_error(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "_LONGEST_LINE", 30_000)
    world.write(events=MANY + "x" * 100_000)
    with pytest.raises(DataError, match=r"events\.csv: row 5001 is longer"):
        await world.run()
    assert 0 < (await totals(world.store, "streaming", world.now)).events <= COUNT


@pytest.mark.usefixtures("small_steps")
async def test_a_user_erased_meanwhile_gets_no_more_events(
    world: World, counts: Counts, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.write(events=MANY)
    calls = 0

    async def append(store: Any, app: str, rows: EventColumns, *more: Any) -> Appended:
        nonlocal calls
        calls += 1
        if calls == 3:
            await erase_user(store, app, "u1")
        return await append_rows(store, app, rows, *more)

    monkeypatch.setattr(module, "append_rows", append)
    report = await world.run()
    assert {user for user, *_ in await world.log()} == {"u2"}
    found = await totals(world.store, "streaming", world.now)
    assert (found.users, found.events) == (1, COUNT // 2)
    assert counts(report.files[-1].rejected) == {"unknown user": COUNT // 2 - 300}


@pytest.mark.usefixtures("small_steps")
async def test_an_event_sent_over_http_meanwhile_is_already_in_the_log(
    world: World, counts: Counts, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.write(events=MANY + "u1,i1,play,0,1700000000\n")
    sent = Event("u1", "i1", "play", (1_700_000_000 + COUNT - 2) * 1_000_000, float((COUNT - 2) % 7))
    calls = 0

    async def append(store: Any, app: str, *more: Any) -> Appended:
        nonlocal calls
        calls += 1
        if calls == 3:
            await append_events(store, app, [sent], world.now)
        return await append_rows(store, app, *more)

    monkeypatch.setattr(module, "append_rows", append)
    report = await world.run()
    assert counts(report.files[-1].duplicates) == {
        "the event is already in the log": 1,
        "the same event is earlier in this file": 1,
    }
    assert report.files[-1].duplicates["the event is already in the log"].examples[0].row == COUNT - 1
    assert len(await world.log()) == COUNT
