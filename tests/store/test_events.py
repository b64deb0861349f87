"""The event log: what is accepted, once, in which order, and how it is read."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import sqlalchemy as sa

from homefeed.store import Store, open_store
from homefeed.store.events import (
    NO_ROWS,
    Outcome,
    append_events,
    latest_of_user,
    rows_after,
    rows_of_user,
    totals,
)
from homefeed.store.identity import content_key, event_key
from homefeed.store.impressions import Impression, write_impressions
from homefeed.store.items import ItemWrite, delete_item, put_items
from homefeed.store.users import get_user, list_users, put_users
from homefeed.types import SECOND, Event

APP = "streaming"
ACCEPTED, DUPLICATE, UNKNOWN = Outcome.ACCEPTED, Outcome.DUPLICATE, Outcome.UNKNOWN_ITEM
CONFLICT, FOREIGN = Outcome.CONFLICT, Outcome.FOREIGN_PAGE


@pytest.fixture(autouse=True)
async def catalogue(store: Store) -> None:
    await put_items(store, APP, [ItemWrite(item_id, {"title": item_id.upper()}) for item_id in "abc"])


def play(user: str = "u", item: str = "a", time: int = 1, **more: object) -> Event:
    return replace(Event(user, item, "play", time), **more)  # type: ignore[arg-type]


async def append(store: Store, *batch: Event, received_at: int = 1000) -> list[Outcome]:
    return await append_events(store, APP, batch, received_at)


async def log(store: Store) -> list[tuple[int, int, int]]:
    rows = await rows_after(store, APP, 0, 10_000)
    return list(zip(rows.users, rows.items, rows.times, strict=True))


async def test_an_event_comes_back_as_it_was_sent(store: Store) -> None:
    context = {"device": "tv", "deep": {"é": [1, None]}}
    event = Event("u", "a", "play", 17, 1.5, "e1", "r1", context)
    assert await append(store, event) == [ACCEPTED]
    assert await latest_of_user(store, APP, "u", 10) == [(event, '{"title":"A"}')]
    rows = await rows_after(store, APP, 0, 10)
    assert (rows.users, rows.items, rows.types, rows.values, rows.times) == ((1,), (1,), ("play",), (1.5,), (17,))


async def test_each_event_of_a_batch_gets_its_own_outcome(store: Store) -> None:
    await append(store, play(time=1))
    batch = [play(time=2), play(time=1), play(item="nowhere", time=3), play(time=2), play(item="b", time=2)]
    assert await append(store, *batch) == [ACCEPTED, DUPLICATE, UNKNOWN, DUPLICATE, ACCEPTED]
    assert sorted(await log(store)) == [(1, 1, 1), (1, 1, 2), (1, 2, 2)]


async def test_an_empty_batch_has_no_outcomes(store: Store) -> None:
    assert await append(store) == []


async def test_events_of_a_deleted_item_are_of_an_unknown_item(store: Store) -> None:
    await append(store, play(item="a"))
    await delete_item(store, APP, "a")
    assert await append(store, play(item="a", time=2), play(item="b", time=3)) == [UNKNOWN, ACCEPTED]
    newest_first = await latest_of_user(store, APP, "u", 10)
    assert [(event.item_id, attributes) for event, attributes in newest_first] == [
        ("b", '{"title":"B"}'),
        ("a", None),
    ]


async def test_an_event_of_an_unknown_item_creates_no_user_and_takes_no_key(store: Store) -> None:
    assert await append(store, play(user="ghost", item="d", event_id="e")) == [UNKNOWN]
    assert await list_users(store, APP, 0, 10) == []
    await put_items(store, APP, [ItemWrite("d", {})])
    assert await append(store, play(user="ghost", item="d", event_id="e")) == [ACCEPTED]


async def test_an_undeclared_user_is_created(store: Store) -> None:
    await append(store, play(user="new"))
    assert (await get_user(store, APP, "new")).attributes == {}


async def test_an_event_id_belongs_to_its_user(store: Store) -> None:
    hides = [play(user, event_id="e", event_type="hide") for user in ("stranger", "u")]
    assert await append(store, hides[0]) == [ACCEPTED]
    assert await append(store, hides[1], play("v", event_id="e")) == [ACCEPTED, ACCEPTED]
    assert await append(store, *hides, play("v", event_id="e"), play("u", event_id="E")) == [
        *[DUPLICATE] * 3,
        ACCEPTED,
    ]
    assert [event.event_type for event, _ in await latest_of_user(store, APP, "u", 10)] == ["play", "hide"]


OTHER = [{"item_id": "b"}, {"event_type": "like"}, {"value": 2.0}, {"value": None}, {"time": 2}]


@pytest.mark.parametrize("change", OTHER, ids=str)
async def test_an_event_id_is_of_one_event(store: Store, change: dict[str, object]) -> None:
    event = play(value=1.0, event_id="e")
    other = replace(event, **change)  # type: ignore[arg-type]
    assert await append(store, event, other, event) == [ACCEPTED, CONFLICT, DUPLICATE]
    assert await append(store, other, event, play(time=9)) == [CONFLICT, DUPLICATE, ACCEPTED]
    assert [told for told, _ in await latest_of_user(store, APP, "u", 10)] == [play(time=9), event]


async def test_an_event_id_told_again_need_not_come_the_same_way(store: Store) -> None:
    event = play(event_id="e", value=3, request_id="r1", context={"device": "tv"})
    assert await append(store, event) == [ACCEPTED]
    again = [replace(event, request_id="r2", context={}), replace(event, time=5, time_told=False)]
    assert await append(store, *again, replace(again[1], value=4)) == [DUPLICATE, DUPLICATE, CONFLICT]


async def test_many_retold_at_once_are_each_what_they_are(store: Store) -> None:
    batch = [play(time=n, event_id=f"e{n}") for n in range(1_500)]
    await append(store, *batch)
    again = [replace(event, value=7.0 if n % 3 else None) for n, event in enumerate(batch)]
    assert await append(store, *again) == [CONFLICT if n % 3 else DUPLICATE for n in range(1_500)]


def page(request_id: str, user: int | None, start: int = 0) -> Impression:
    one = np.ones(1, np.float32)
    return Impression(
        request_id, "home", user, 1, start, np.ones(1, np.int32), one, one, ("popular",), one[:, None], {}
    )


async def test_an_event_names_a_page_of_its_user_only(store: Store) -> None:
    await put_users(store, APP, [("u", {}), ("v", {})])
    pages = [page("mine", 1), page("theirs", 2), page("nobody's", None), page("both", 1), page("both", 2, 20)]
    await write_impressions(store, APP, pages)
    await write_impressions(store, "other", [page("elsewhere", 2)])
    names = ["mine", "nobody's", "both", "elsewhere", "unheard of", None, "theirs"]
    taken = [play(time=n, request_id=name) for n, name in enumerate(names)]
    assert await append(store, *taken) == [ACCEPTED] * 6 + [FOREIGN]
    assert len(await log(store)) == 6
    # Of a page that is not in the log of impressions yet, the process that answered it knows.
    shown = {"mine": 2, "just now": 2, "either's": None}
    told = [play(time=10 + n, request_id=name) for n, name in enumerate(("mine", "just now", "either's"))]
    assert await append_events(store, APP, told, 1, shown) == [ACCEPTED, FOREIGN, ACCEPTED]


async def test_a_refused_page_creates_no_user_and_takes_no_key(store: Store) -> None:
    await put_users(store, APP, [("u", {})])
    await write_impressions(store, APP, [page("r", 1)])
    foreign = play("new", event_id="e", request_id="r")
    assert await append(store, foreign) == [FOREIGN]
    assert [user.user_id for user in await list_users(store, APP, 0, 10)] == ["u"]
    assert await append(store, replace(foreign, request_id=None)) == [ACCEPTED]


async def test_a_request_id_of_very_many_pages_is_of_nobody(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("homefeed.store.impressions._MOST_PAGES", 3)
    await put_users(store, APP, [("u", {}), ("v", {})])
    await write_impressions(store, APP, [page("constant", 2, start) for start in range(3)])
    assert await append(store, play(request_id="constant")) == [ACCEPTED]


async def test_a_search_whose_row_cannot_be_read_stops_no_other_event(store: Store) -> None:
    search = Event("u", "", "search", 1, event_id="s", context={"query": "red"})
    assert await append(store, search) == [ACCEPTED]
    async with store.write() as connection:
        await connection.execute(sa.text("UPDATE events SET context = 'x'"))
    assert await append(store, search, play()) == [CONFLICT, ACCEPTED]


@pytest.mark.parametrize(
    "change",
    [{"user_id": "v"}, {"item_id": "b"}, {"event_type": "like"}, {"time": 2}, {"value": 2.0}, {"value": None}],
    ids=str,
)
async def test_without_an_event_id_all_that_is_said_counts(store: Store, change: dict[str, object]) -> None:
    event = play(value=1.0)
    assert await append(store, event, replace(event, **change)) == [ACCEPTED, ACCEPTED]  # type: ignore[arg-type]
    retold = replace(event, request_id="r2", context={"device": "tv"})
    assert await append(store, event, retold) == [DUPLICATE, DUPLICATE]


def test_a_whole_number_and_its_float_are_the_same_value() -> None:
    assert event_key(play(value=3)) == event_key(play(value=3.0))


def test_parts_of_a_key_never_run_together() -> None:
    keys = [content_key("a", "b"), content_key("ab", ""), content_key("a,b"), content_key("a', 'b"), content_key()]
    assert len(set(keys)) == len(keys)
    assert {len(key) for key in keys} == {16}


async def test_the_sequence_only_rises_in_the_order_of_the_batch(store: Store) -> None:
    await append(store, *(play(time=time) for time in (5, 3, 9)))
    await append(store, play(time=3), play(time=1))
    rows = await rows_after(store, APP, 0, 10)
    assert list(rows.times) == [5, 3, 9, 1]
    assert list(rows.seqs) == sorted(set(rows.seqs))
    assert rows.seqs[-1] <= (await store.watermarks(APP)).event_seq


async def test_a_batch_of_many_events_is_written_whole(store: Store) -> None:
    batch = [play(user=f"u{n % 700}", item="abc"[n % 3], time=n) for n in range(5000)]
    assert Counter(await append(store, *batch)) == {ACCEPTED: 5000}
    assert Counter(await append(store, *batch, play(time=5000))) == {DUPLICATE: 5000, ACCEPTED: 1}
    assert [time for _, _, time in await log(store)] == list(range(5001))


async def test_reading_past_a_watermark_by_pages_gives_every_row_once(store: Store) -> None:
    for start in range(0, 25, 5):
        await append(store, *(play(time=time) for time in range(start, start + 5)))
    seen: list[int] = []
    seq = 0
    while len(rows := await rows_after(store, APP, seq, 7)):
        assert len(rows) <= 7
        seen += rows.times
        seq = rows.seqs[-1]
    assert seen == list(range(25))
    assert await rows_after(store, APP, seq, 7) == NO_ROWS


async def test_the_rows_of_a_user_are_theirs_in_the_order_of_time(store: Store) -> None:
    await append(store, play(time=3), play(user="v", time=2), play(time=1), play(item="b", time=3))
    user, rows = await rows_of_user(store, APP, "u")
    assert user == await get_user(store, APP, "u")
    assert (rows.times, rows.items, set(rows.users)) == ((1, 3, 3), (1, 1, 2), {user.number})


async def test_the_latest_come_first_and_of_one_moment_the_last_sent(store: Store) -> None:
    await append(store, play(time=2, item="a"), play(time=3, item="b"), play(time=2, item="c"), play("v", time=9))
    newest = [event.item_id for event, _ in await latest_of_user(store, APP, "u", 10)]
    assert newest == ["b", "c", "a"]
    assert [event.item_id for event, _ in await latest_of_user(store, APP, "u", 2)] == ["b", "c"]
    assert await latest_of_user(store, APP, "nobody", 2) == []


async def test_totals_of_an_empty_app(store: Store) -> None:
    found = await totals(store, "nothing", 10)
    assert (found.items, found.users, found.events, found.first_event, found.last_event) == (0, 0, 0, None, None)
    assert found.events_per_minute == 0


async def test_totals_count_what_is_there(store: Store) -> None:
    await put_items(store, APP, [ItemWrite("h", {}, hidden=True), ItemWrite("gone", {})])
    await delete_item(store, APP, "gone")
    await append(store, play(time=5), play("v", time=50), received_at=10 * SECOND)
    await append(store, play(time=20), received_at=80 * SECOND)
    found = await totals(store, APP, 100 * SECOND)
    assert (found.items, found.hidden_items, found.users, found.events) == (4, 1, 2, 3)
    assert (found.first_event, found.last_event, found.events_per_minute) == (5, 50, 1.0)


async def test_a_rate_beyond_the_sampled_tail_is_extrapolated(store: Store) -> None:
    await append(store, *(play(time=time) for time in range(10_000)), received_at=100 * SECOND)
    found = await totals(store, APP, 130 * SECOND)
    assert found.events_per_minute == pytest.approx(20_000)


async def _watch(store: Store, done: asyncio.Event) -> list[int]:
    """What a reader sees who never looks back."""
    seen: list[int] = []
    seq = 0
    while True:
        finished = done.is_set()
        rows = await rows_after(store, APP, seq, 50)
        seen += rows.times
        if len(rows):
            seq = rows.seqs[-1]
        elif finished:
            return seen


async def test_many_writers_of_two_stores_lose_nothing_and_double_nothing(store: Store, store_url: str) -> None:
    batches = [[play(user=f"u{n % 7}", time=n * 10 + i) for i in range(10)] for n in range(30)]
    done = asyncio.Event()
    async with open_store(store_url) as other, asyncio.TaskGroup() as readers:
        watching = readers.create_task(_watch(other, done))
        twice: Sequence[list[Outcome]] = await asyncio.gather(
            *(append(writer, *batch) for batch in batches for writer in (store, other))
        )
        done.set()
    for first, second in zip(twice[::2], twice[1::2], strict=True):
        assert {*zip(first, second, strict=True)} <= {(ACCEPTED, DUPLICATE), (DUPLICATE, ACCEPTED)}
    rows = await rows_after(store, APP, 0, 1000)
    assert sorted(rows.times) == list(range(300))
    assert list(rows.seqs) == sorted(set(rows.seqs))
    assert watching.result() == list(rows.times)
    assert sorted(user.user_id for user in await list_users(store, APP, 0, 100)) == [f"u{n}" for n in range(7)]
