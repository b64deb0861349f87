"""Who did most lately, counted in the latest events of an app."""

from __future__ import annotations

from homefeed.store import Store
from homefeed.store.active_users import most_active_users
from homefeed.store.events import append_events
from homefeed.store.items import ItemWrite, put_items
from homefeed.store.users import put_users
from homefeed.types import Event


async def test_of_the_latest_events_those_with_most_come_first(store: Store) -> None:
    for app in ("shop", "other"):
        await put_items(store, app, [ItemWrite("a", {})])
        await put_users(store, app, [(user, {"name": user.upper()}) for user in "uvw"])
    told = [Event(user, "a", "click", time, event_id=str(time)) for time, user in enumerate("uuuuvwwv")]
    await append_events(store, "shop", told, 9)
    await append_events(store, "other", told[4:5], 9)

    async def active(app: str, limit: int = 9, latest: int = 100) -> list[tuple[str, str, int]]:
        found = await most_active_users(store, app, limit, latest)
        return [(user.user_id, user.attributes["name"], events) for user, events in found]

    assert await active("shop") == [("u", "U", 4), ("v", "V", 2), ("w", "W", 2)]
    assert await active("shop", latest=4) == [("v", "V", 2), ("w", "W", 2)]
    assert await active("shop", limit=1) == [("u", "U", 4)]
    assert await active("other") == [("v", "V", 1)]
    assert await active("empty") == []
