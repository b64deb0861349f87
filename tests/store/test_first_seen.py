"""When users were first seen: by their events and pages."""

from __future__ import annotations

import numpy as np

from homefeed.store import Store
from homefeed.store.events import append_events
from homefeed.store.first_seen import first_seen
from homefeed.store.impressions import Impression, write_impressions
from homefeed.store.items import ItemWrite, count_items, put_items
from homefeed.store.users import put_users
from homefeed.types import Event

NOTHING = np.empty(0, np.float32)


async def test_the_first_event_or_page_counts_of_those_who_were_shown_something(store: Store) -> None:
    await put_items(store, "shop", [ItemWrite("a", {}), ItemWrite("b", {}, hidden=True)])
    await put_users(store, "shop", [(user, {}) for user in "uvwx"])
    await append_events(store, "shop", [Event("u", "a", "click", 5), Event("w", "a", "click", 7)], 9)
    await append_events(store, "other", [Event("u", "a", "click", 1)], 9)
    pages = [(1, 20), (1, 21), (2, 3), (2, 25), (None, 22), (4, 30)]
    shown = [
        Impression(
            request_id=f"r{n}",
            feed="home",
            user=user,
            time=time,
            start=0,
            items=np.array([1], np.int32),
            scores=np.ones(1, np.float32),
            propensities=np.ones(1, np.float32),
            feature_names=(),
            features=NOTHING.reshape(1, 0),
            models={},
        )
        for n, (user, time) in enumerate(pages)
    ]
    await write_impressions(store, "shop", shown)
    assert await first_seen(store, "shop", 20, 30) == {1: 5, 2: 3}
    assert await count_items(store, "shop") == 1
