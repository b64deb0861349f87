"""Searches in files of events: a text in place of an item, and the same event as over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import TYPE_CHECKING, Any

import orjson
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from homefeed.errors import DataError
from homefeed.ingest import DataReport, Files
from homefeed.ingest.tallies import total
from homefeed.recipe import Recipe
from homefeed.store import Store
from homefeed.store.bulk import EventColumns, append_rows
from homefeed.store.events import Outcome, append_events, rows_of_user
from homefeed.store.identity import row_key
from homefeed.store.items import ItemWrite, put_items
from homefeed.store.tables import events as log
from homefeed.store.users import list_users, put_users
from homefeed.types import Event

if TYPE_CHECKING:
    from tests.ingest.conftest import World

Counts = Callable[[Mapping[str, Any]], dict[str, int]]

NUMBERS = count()
HEADER = "user_id,event_type,item_id,query,timestamp\n"
EVENTS = (
    HEADER
    + "u1,search,,red shoes,1700000000\n"
    + "u1,click,i1,red shoes,1700000001\n"
    + "u1,click,i2,,1700000002\n"
    + 'u2,search,no such item,"  7"" plates, ""flat""  ",1700000003\n'
)
AT = 1_700_000_000_000_000


def with_searches(world: World, **changes: Any) -> Recipe:
    declared = {"events": {"click": {}, "search": {"about": "query"}}, "sources": {}}
    return world.recipe(**{**declared, **changes})


async def load(world: World, content: str = EVENTS, **changes: Any) -> DataReport:
    world.write(events=content)
    return await world.run(with_searches(world, **changes))


async def stored(store: Store, app: str = "streaming") -> list[tuple[Any, ...]]:
    """The log by time: user, item, type, context."""
    columns = (log.c.user, log.c.item, log.c.event_type, log.c.context)
    async with store.read() as connection:
        query = sa.select(*columns).where(log.c.app == app).order_by(log.c.time, log.c.seq)
        return [tuple(row) for row in await connection.execute(query)]


async def test_a_search_is_a_row_without_an_item(world: World) -> None:
    events = (await load(world)).files[-1]
    assert (events.rows, events.loaded, total(events.rejected), total(events.warnings)) == (4, 4, 0, 0)
    assert (events.notes, events.ignored_columns) == ((), ())
    assert await stored(world.store) == [
        (1, 0, "search", '{"query":"red shoes"}'),
        (1, 1, "click", '{"query":"red shoes"}'),
        (1, 2, "click", None),
        (2, 0, "search", '{"query":"7\\" plates, \\"flat\\""}'),
    ]
    user = (await list_users(world.store, "streaming", 0, 1))[0]
    _, rows = await rows_of_user(world.store, "streaming", user.user_id)
    assert list(rows.queries) == ["red shoes", None, None]


async def test_it_counts_for_no_item(world: World) -> None:
    content = (
        HEADER
        + "u1,click,i1,,1700000001\n"
        + "u1,search,,a,1700000002\nu2,search,,a,1700000003\nu2,search,unheard of,b,1700000004\n"
    )
    facts = (await load(world, content)).events
    assert facts is not None
    assert (facts.unknown_items, facts.unknown_users, facts.first, facts.last) == (
        0,
        0,
        AT + 1_000_000,
        AT + 4_000_000,
    )
    matrix = facts.matrix
    assert (matrix.users, matrix.items, matrix.active_users, matrix.active_items, matrix.pairs) == (2, 2, 1, 1, 1)


async def test_nothing_but_searches(world: World) -> None:
    world.write(events="user_id,event_type,query,timestamp\nu1,search,a,1700000001\nu1,click,a,1700000002\n")
    report = await world.run(with_searches(world))
    assert await stored(world.store) == [(1, 0, "search", '{"query":"a"}')]
    assert {reason: tally.count for reason, tally in report.files[-1].rejected.items()} == {"missing item_id": 1}
    assert report.events is not None
    assert report.events.matrix.active_users == 0


class TestTheSameOverHttp:
    @pytest.mark.parametrize("event_id", [None, "e1"])
    async def test_by_a_file_then_over_http(self, world: World, event_id: str | None) -> None:
        await load(world, "user_id,event_type,item_id,query,timestamp,event_id\n"
                   f"u1,search,i1, Größe 38 ,1700000000,{event_id or ''}\n"
                   f"u1,click,i1,Größe 38,1700000000,\n")  # fmt: skip
        sent = [
            Event("u1", "", "search", AT, None, event_id, "request", {"query": "Größe 38", "page": 2}),
            Event("u1", "i1", "click", AT),
            Event("u1", "", "search", AT, None, None, None, {"query": "Größe 39"}),
        ]
        outcomes = await append_events(world.store, "streaming", sent, AT)
        assert outcomes == [Outcome.DUPLICATE, Outcome.DUPLICATE, Outcome.ACCEPTED]

    async def test_over_http_then_by_a_file(self, world: World, counts: Counts) -> None:
        await world.run(with_searches(world), Files(world.folder / "users.csv", world.folder / "items.csv"))
        sent = Event("u1", "", "search", AT, context={"query": "red shoes"})
        assert await append_events(world.store, "streaming", [sent], AT) == [Outcome.ACCEPTED]
        events = (await load(world, EVENTS + "u1,search,,red shoes,1700000000\n")).files[-1]
        assert counts(events.duplicates) == {"the event is already in the log": 2}
        assert events.loaded == 3

    async def test_the_words_make_the_difference(self, world: World, counts: Counts) -> None:
        more = (
            "u1,search,,Red shoes,1700000000\n"
            "u1,search,i1,red shoes ,1700000000\n"
            "u2,search,,red shoes,1700000000\n"
        )
        events = (await load(world, EVENTS + more)).files[-1]
        assert counts(events.duplicates) == {"the same event is earlier in this file": 1}
        assert events.loaded == 6


class TestWords:
    async def test_that_cannot_be_kept(self, world: World, counts: Counts) -> None:
        queries = ["", '"  "', "\u00a0\x1c", "x" * 256, "\0", "a\0b", "x" * 255, f'" {"x" * 255} "']
        rows = [f"u1,search,,{query},{1_700_000_000 + number}\n" for number, query in enumerate(queries)]
        events = (await load(world, HEADER + "".join(rows))).files[-1]
        assert counts(events.rejected) == {
            "missing query": 3,
            "query longer than 255 characters": 1,
            "query with a NUL character": 2,
        }
        assert await stored(world.store) == [(1, 0, "search", f'{{"query":"{"x" * 255}"}}')] * 2
        assert counts(events.warnings) == {}

    async def test_that_led_to_an_item_are_left_out_where_they_cannot_be_kept(
        self, world: World, counts: Counts
    ) -> None:
        rows = [
            f"u1,click,i1,{query},{1_700_000_000 + number}\n"
            for number, query in enumerate(["x" * 256, "\0", " ", "é"])
        ]
        events = (await load(world, HEADER + "".join(rows))).files[-1]
        assert (events.loaded, counts(events.rejected)) == (4, {})
        assert counts(events.warnings) == {
            "query longer than 255 characters": 1,
            "query with a NUL character": 1,
        }
        assert await stored(world.store) == [
            (1, 1, "click", context) for context in (None, None, None, '{"query":"é"}')
        ]

    @pytest.mark.parametrize("white", ["\t", "\x0b", "\x1c", "\x1f", "\x85", "\u00a0", "\u2028", "\u3000"])
    async def test_are_trimmed_as_over_http(self, world: World, white: str) -> None:
        await load(world, HEADER + f"u1,search,,{white}a{white}b{white},1700000001\n")
        ((*_, context),) = await stored(world.store)
        assert orjson.loads(context)["query"] == f"{white}a{white}b{white}".strip() == f"a{white}b"


class TestColumns:
    async def test_may_be_called_otherwise(self, world: World, counts: Counts) -> None:
        rows = "u1,search,,a,1700000001\nu1,click,i1,,1700000002\nu1,search,,,1700000003\nu1,click,,,1700000004\n"
        content = f"who,kind,product,words,when\n{rows}"
        columns = {
            "user_id": "who",
            "event_type": "kind",
            "item_id": "product",
            "query": "words",
            "timestamp": "when",
        }
        events = (await load(world, content, sources={"events": {"columns": columns}})).files[-1]
        assert counts(events.rejected) == {"missing words": 1, "missing product": 1}
        assert [row[3] for row in await stored(world.store)] == ['{"query":"a"}', None]

    async def test_a_file_of_neither_items_nor_queries(self, world: World) -> None:
        world.write(events="user_id,event_type,timestamp\nu1,search,1700000001\n")
        with pytest.raises(
            DataError, match=r'no column "item_id"; its columns are: user_id, event_type, timestamp'
        ):
            await world.run(with_searches(world))

    async def test_a_file_without_queries(self, world: World, counts: Counts) -> None:
        content = "user_id,event_type,item_id,timestamp\nu1,search,i1,1700000001\nu1,click,i1,1700000002\n"
        events = (await load(world, content)).files[-1]
        assert (counts(events.rejected), events.notes) == ({"missing query": 1}, ())
        assert await stored(world.store) == [(1, 1, "click", None)]

    async def test_an_app_without_searches_has_no_query(self, world: World, counts: Counts) -> None:
        events = (await load(world, events={"click": {}, "other": {}})).files[-1]
        assert events.ignored_columns == ("query",)
        assert counts(events.rejected) == {"missing item_id": 1, "unknown event type": 1}
        assert await stored(world.store) == [(1, 1, "click", None), (1, 2, "click", None)]


class TestUsers:
    async def test_who_are_unknown(self, world: World, counts: Counts) -> None:
        report = await load(world, HEADER + "u9,search,,a,1700000001\nu1,search,,a,1700000001\n")
        assert counts(report.files[-1].rejected) == {"unknown user": 1}
        assert await stored(world.store) == [(1, 0, "search", '{"query":"a"}')]

    async def test_can_come_to_be_by_a_search(self, world: World) -> None:
        report = await load(
            world, HEADER + "u9,search,,a,1700000001\n", sources={"events": {"unknown_users": "create"}}
        )
        assert report.events is not None
        assert report.events.created_users == 1
        assert await stored(world.store) == [(3, 0, "search", '{"query":"a"}')]


async def test_undeclared_types_are_about_items(world: World, counts: Counts) -> None:
    content = HEADER + "u1,dance,i1,a,1700000001\nu1,dance,,a,1700000002\n"
    events = (await load(world, content, unknown_event_types="accept")).files[-1]
    assert counts(events.rejected) == {"missing item_id": 1}
    assert await stored(world.store) == [(1, 1, "dance", '{"query":"a"}')]


async def test_many_rows_with_and_without_contexts(store: Store) -> None:
    await put_items(store, "a", [ItemWrite("i", {})])
    await put_users(store, "a", [("u", {})])
    queries = [f"words {number}" if number % 3 else None for number in range(1_000)]
    contexts = [None if query is None else orjson.dumps({"query": query}).decode() for query in queries]
    rows = EventColumns(
        keys=[
            row_key("u", "" if query else "i", "any", None, time, None, query)
            for time, query in enumerate(queries)
        ],
        users=[1] * 1_000,
        items=[0 if query else 1 for query in queries],
        types=["any"] * 1_000,
        values=[None] * 1_000,
        times=range(1_000),
        event_ids=[None] * 1_000,
        contexts=contexts,
    )
    assert (await append_rows(store, "a", rows, 5)).inserted == 1_000
    assert (await append_rows(store, "a", rows, 5)).duplicates == {index: index + 1 for index in range(1_000)}
    assert [row[1::2] for row in await stored(store, "a")] == list(zip(rows.items, contexts, strict=True))


ODD = st.sampled_from(["", " ", "u1", "i1", "search", "click", "\0", '"', "é", "-5", "1e99", "x" * 300]) | st.text(
    max_size=5
)
EVENT = st.tuples(
    st.sampled_from(["u1", "u2", "u3"]) | ODD,
    st.sampled_from(["search", "click", "search", "click"]) | ODD,
    st.sampled_from(["i1", "i2", ""]) | ODD,
    st.sampled_from(["shoes", "red shoes", ""]) | ODD,
    st.sampled_from(["2025-01-01", "1735689600"]) | ODD,
)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(EVENT, min_size=1, max_size=25))
async def test_no_row_of_junk_is_lost(world: World, rows: Sequence[Sequence[str]]) -> None:
    app = f"app_{next(NUMBERS)}"
    names = HEADER.strip().split(",")
    path = world.folder / "events.jsonl"
    path.write_bytes(b"\n".join(orjson.dumps(dict(zip(names, row, strict=True))) for row in rows))
    files = Files(world.folder / "users.csv", world.folder / "items.csv", path)
    once, again = [(await world.run(with_searches(world, app=app), files)).files[-1] for _ in range(2)]
    for events in (once, again):
        assert len(rows) == events.rows == events.loaded + total(events.rejected) + total(events.duplicates)
    assert again.loaded == 0
    for _, item, event_type, context in await stored(world.store, app):
        assert (item == 0) == (event_type == "search")
        assert item or 1 <= len(orjson.loads(context)["query"].strip()) <= 255
