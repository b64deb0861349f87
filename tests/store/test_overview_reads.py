"""What an overview reads: where in the log to begin, the latest pages, who has an attribute."""

from __future__ import annotations

import numpy as np

from homefeed.store import Store
from homefeed.store.event_stream import received_before, stream_events
from homefeed.store.events import append_events
from homefeed.store.impressions import Impression, write_impressions
from homefeed.store.items import ItemWrite, put_items
from homefeed.store.shown import earliest_of_latest, stream_served
from homefeed.store.users import list_users, put_users
from homefeed.types import DAY, Event

APP = "shop"


async def test_the_log_is_read_from_what_was_received_a_day_before(store: Store) -> None:
    await put_items(store, APP, [ItemWrite("a", {})])
    assert await received_before(store, APP, 9 * DAY) == 0
    for day in (1, 1, 2, 5, 5, 6):
        context = {"time_spent_seconds": day} if day == 5 else {"note": "time_spent"}
        told = [Event("u", "a", "click", day * DAY + n, event_id=f"{day} {n}", context=context) for n in range(3)]
        await append_events(store, APP, told, day * DAY)
    seqs = {time: await received_before(store, APP, time * DAY) for time in (1, 2, 3, 6, 7, 8)}
    # Events told twice take places in the log and leave them empty, as the second three of days 1 and 5 do.
    assert [seqs[time] for time in (1, 2)] == [0, 0]
    read = {
        time: [
            time // DAY async for rows in stream_events(store, APP, 0, 9 * DAY, after=seq) for time in rows.times
        ]
        for time, seq in seqs.items()
    }
    assert read[3] == [2, 2, 2, 5, 5, 5, 6, 6, 6]
    assert read[6] == read[3][3:]
    assert read[7] == read[3][6:]
    assert read[8] == []
    spent = [seconds async for rows in stream_events(store, APP, 0, 9 * DAY) for seconds in rows.seconds]
    assert spent == [None] * 6 + [5.0] * 3 + [None] * 3


async def test_the_latest_pages_are_no_more_than_asked_for(store: Store) -> None:
    pages = [_page(f"r{n}", time) for n, time in enumerate((10, 20, 20, 30))]
    await write_impressions(store, APP, pages)
    since = [await earliest_of_latest(store, APP, 5, 40, most) for most in (4, 3, 2, 1)]
    assert since == [5, 11, 21, 21]
    served = [one async for one in stream_served(store, APP, 11, 40)]
    assert [by for one in served for by in one.served_by] == ["home/20", "home/20", "home/30"]
    assert [one.scores.tolist() for one in served] == [[1.0, 0.5] * 3]
    assert served[0].models == ['{"als":"v1"}'] * 3


async def test_users_are_found_by_an_attribute_that_they_have(store: Store) -> None:
    await put_users(
        store, APP, [("u", {"opt_out": True}), ("v", {"optXout": True}), ("w", {}), ("x", {"opt_out": 0})]
    )
    assert [user.user_id for user in await list_users(store, APP, 0, 10, naming="opt_out")] == ["u", "x"]


def _page(request: str, time: int) -> Impression:
    items, scores = np.array([1, 2], np.int32), np.array([1.0, 0.5], np.float32)
    features, by = np.zeros((2, 0), np.float32), f"home/{time}"
    return Impression(
        request, "home", None, time, 0, items, scores, scores, (), features, {"als": "v1"}, served_by=by
    )
