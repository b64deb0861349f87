"""The events of a period, and what later ones say of it."""

from __future__ import annotations

from homefeed.store import Store
from homefeed.store.event_stream import stream_events
from homefeed.store.events import append_events
from homefeed.store.items import ItemWrite, put_items
from homefeed.types import Event


async def test_those_of_the_period_and_later_ones_that_name_a_request(store: Store) -> None:
    await put_items(store, "shop", [ItemWrite("i", {})])
    times = {7: None, 2: "early", 5: "r", 3: None, 9: "late", 8: None}
    told = [Event("u", "i", "buy", time, request_id=request) for time, request in times.items()]
    await append_events(store, "shop", told, 0)
    await append_events(store, "other", told, 0)
    pages = [rows async for rows in stream_events(store, "shop", 3, 8, page=3)]
    assert [list(rows.times) for rows in pages] == [[7, 5, 3], [9]]
    assert [list(rows.request_ids) for rows in pages] == [[None, "r", None], ["late"]]
    assert [list(rows.types) for rows in pages] == [["buy"] * 3, ["buy"]]
