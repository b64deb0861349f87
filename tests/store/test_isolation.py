"""No app ever sees or changes another's rows, whatever is done in whichever order."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from homefeed.errors import NotFoundError
from homefeed.store import Store
from homefeed.store.events import append_events, latest_of_user, rows_after, rows_of_user, totals
from homefeed.store.identity import event_key
from homefeed.store.items import ItemWrite, changed_items, delete_item, get_item, list_items, patch_item, put_items
from homefeed.store.users import changed_users, erase_user, get_user, list_users, patch_user, put_users
from homefeed.types import Event, Item, User

IDS = st.sampled_from(["x", "y", "z"])
ATTRIBUTES = st.dictionaries(st.sampled_from("pq"), st.none() | st.integers(0, 3), max_size=2)
MAYBE_TIME = st.none() | st.integers(0, 3)
EVENTS = st.builds(
    Event,
    user_id=IDS,
    item_id=IDS,
    event_type=st.just("play"),
    time=st.integers(0, 4),
    value=st.none(),
    event_id=st.none() | st.sampled_from("ef"),
    request_id=st.none(),
    context=st.just({}),
)
WRITES = st.builds(ItemWrite, IDS, ATTRIBUTES, MAYBE_TIME, st.booleans())


@dataclass
class Model:
    """What one app must hold: the same operations on plain dictionaries."""

    items: dict[str, Item] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)
    user_number: int = 0
    events: list[tuple[int, Event]] = field(default_factory=list)

    def put_items(self, writes: list[ItemWrite]) -> None:
        stated: dict[str, ItemWrite] = {}
        for write in writes:
            before = stated.get(write.item_id, write)
            created_at = before.created_at if write.created_at is None else write.created_at
            stated[write.item_id] = replace(write, created_at=created_at)
        for write in stated.values():
            old = self.items.get(write.item_id)
            number = old.number if old else len(self.items) + 1
            created_at = old.created_at if old and write.created_at is None else write.created_at
            stays = bool(old and not old.deleted and old.hidden)
            hidden = stays if write.hidden is None else write.hidden
            self.items[write.item_id] = Item(write.item_id, number, write.attributes, created_at, hidden)

    def patch_item(self, item_id: str, attributes: dict[str, Any], hidden: bool | None) -> None:
        if (old := self.items.get(item_id)) is None or old.deleted:
            raise NotFoundError
        merged = {k: v for k, v in {**old.attributes, **attributes}.items() if v is not None}
        self.items[item_id] = replace(old, attributes=merged, hidden=old.hidden if hidden is None else hidden)

    def delete_item(self, item_id: str) -> None:
        if (old := self.items.get(item_id)) is None or old.deleted:
            raise NotFoundError
        self.items[item_id] = Item(item_id, old.number, {}, None, hidden=True, deleted=True)

    def _ensure(self, user_ids: set[str]) -> None:
        for user_id in sorted(user_ids - self.users.keys()):
            self.user_number += 1
            self.users[user_id] = User(user_id, self.user_number, {})

    def put_users(self, writes: list[tuple[str, dict[str, Any]]]) -> None:
        self._ensure({user_id for user_id, _ in writes})
        for user_id, attributes in writes:
            self.users[user_id] = replace(self.users[user_id], attributes=attributes)

    def patch_user(self, user_id: str, attributes: dict[str, Any]) -> None:
        if user_id not in self.users:
            raise NotFoundError
        merged = {**self.users[user_id].attributes, **attributes}
        kept = {k: v for k, v in merged.items() if v is not None}
        self.users[user_id] = replace(self.users[user_id], attributes=kept)

    def erase_user(self, user_id: str) -> None:
        if user_id not in self.users:
            raise NotFoundError
        number = self.users.pop(user_id).number
        self.events = [(user, event) for user, event in self.events if user != number]

    def append_events(self, batch: list[Event]) -> None:
        live = {item.item_id for item in self.items.values() if not item.deleted}
        good = [event for event in batch if event.item_id in live]
        self._ensure({event.user_id for event in good})
        keys = {event_key(event) for _, event in self.events}
        for event in good:
            if event_key(event) not in keys:
                keys.add(event_key(event))
                self.events.append((self.users[event.user_id].number, event))


Operation: TypeAlias = tuple[Callable[..., Awaitable[object]], Callable[..., None], tuple[Any, ...]]


def operation(
    real: Callable[..., Awaitable[object]], *arguments: st.SearchStrategy[Any]
) -> st.SearchStrategy[Operation]:
    modelled: Callable[..., None] = getattr(Model, real.__name__)
    return st.tuples(st.just(real), st.just(modelled), st.tuples(*arguments))


async def append(store: Store, app: str, batch: list[Event]) -> object:
    return await append_events(store, app, batch, 0)


append.__name__ = "append_events"

OPERATIONS = st.one_of(
    operation(put_items, st.lists(WRITES, max_size=3)),
    operation(patch_item, IDS, ATTRIBUTES, st.none() | st.booleans()),
    operation(delete_item, IDS),
    operation(put_users, st.lists(st.tuples(IDS, ATTRIBUTES), max_size=3)),
    operation(patch_user, IDS, ATTRIBUTES),
    operation(erase_user, IDS),
    operation(append, st.lists(EVENTS, max_size=4)),
)


async def outcome(call: Awaitable[object]) -> str:
    try:
        await call
    except NotFoundError:
        return "not found"
    return "done"


async def check_items(store: Store, app: str, model: Model) -> None:
    everything = sorted(model.items.values(), key=lambda item: item.number)
    live = [item for item in everything if not item.deleted]
    assert await list_items(store, app, 0, 100) == live
    changed = [item for _, item in await changed_items(store, app, (0, 0), 100)]
    assert sorted(changed, key=lambda item: item.number) == everything
    for item_id in ("x", "y", "z"):
        found = await outcome(get_item(store, app, item_id))
        assert (found == "done") == any(item.item_id == item_id for item in live)


async def check_users(store: Store, app: str, model: Model) -> None:
    assert await list_users(store, app, 0, 100) == sorted(model.users.values(), key=lambda user: user.number)
    changed = {(number, user_id) for _, number, user_id in await changed_users(store, app, (0, 0), 100)}
    assert changed == {(user.number, user.user_id) for user in model.users.values()}
    for user_id in ("x", "y", "z"):
        assert (await outcome(get_user(store, app, user_id)) == "done") == (user_id in model.users)


async def check_events(store: Store, app: str, model: Model) -> None:
    rows = await rows_after(store, app, 0, 1000)
    assert list(zip(rows.users, rows.items, rows.times, strict=True)) == [
        (user, model.items[event.item_id].number, event.time) for user, event in model.events
    ]
    for user in model.users.values():
        mine = [event for number, event in reversed(model.events) if number == user.number]
        _, rows = await rows_of_user(store, app, user.user_id)
        assert list(rows.times) == sorted(event.time for event in mine)
        newest = [event for event, _ in await latest_of_user(store, app, user.user_id, 100)]
        assert newest == sorted(mine, key=lambda event: -event.time)
    found = await totals(store, app, 0)
    assert (found.items, found.users, found.events) == (
        sum(not item.deleted for item in model.items.values()),
        len(model.users),
        len(model.events),
    )


@pytest.mark.usefixtures("store")
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(steps=st.lists(st.tuples(st.sampled_from("ab"), OPERATIONS), max_size=20))
async def test_each_app_holds_what_was_done_to_it_and_nothing_else(
    store: Store, steps: list[tuple[str, Operation]]
) -> None:
    run = uuid.uuid4().hex
    models = {"a": Model(), "b": Model()}
    catalogue = [ItemWrite(item_id, {}) for item_id in "xyz"]
    for app, model in models.items():
        model.put_items(catalogue)
        await put_items(store, f"{app}{run}", catalogue)
    for app, (real, modelled, arguments) in steps:
        expected = "done"
        try:
            modelled(models[app], *arguments)
        except NotFoundError:
            expected = "not found"
        assert await outcome(real(store, f"{app}{run}", *arguments)) == expected
    for app, model in models.items():
        await check_items(store, f"{app}{run}", model)
        await check_users(store, f"{app}{run}", model)
        await check_events(store, f"{app}{run}", model)
