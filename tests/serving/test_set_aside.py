"""Rows of the store that cannot be read or applied: the server starts and goes on without them, and names them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from homefeed.api import background
from homefeed.api.metrics import Metrics
from homefeed.apps import find_recipe
from homefeed.catalog.columns import TextColumn
from homefeed.dataset.log import find_set_aside, read_log
from homefeed.environment import Environment
from homefeed.serving import FeedRequest, LiveApp, follower
from homefeed.store import Store
from homefeed.store.artifacts import ArtifactStore
from homefeed.store.events import Outcome
from homefeed.store.items import ItemWrite, list_items, put_items
from homefeed.store.users import put_users
from homefeed.types import DAY, SECOND, Event, Positions

pytestmark = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)

APP = "streaming"
RECIPE = find_recipe(APP)
NOW = 1_700_000_000 * SECOND
Damage = Callable[..., Awaitable[None]]


def film(item_id: str, **attributes: Any) -> ItemWrite:
    return ItemWrite(item_id, {"title": f"Film {item_id}", "content_type": "movie", **attributes}, NOW - 5 * DAY)


def play(user: str = "u", item: str = "a") -> Event:
    return Event(user, item, "play", NOW - 60 * SECOND, 60.0)


async def shown(app: LiveApp, user: str | None = None) -> set[str]:
    await app.refresh()
    answer = await app.recommend(FeedRequest("popular", user))
    return {answer.catalog.item_id(position) for position in answer.slate.positions.tolist()}


async def opened(store: Store, folder: Path) -> LiveApp:
    app = LiveApp(RECIPE, store, ArtifactStore(folder), Environment(lambda: NOW))
    await app.start()
    return app


@pytest.fixture
async def app(store: Store, tmp_path: Path) -> LiveApp:
    await put_items(store, APP, [film(item_id) for item_id in "abcd"])
    await put_users(store, APP, [("u", {"age": 30}), ("v", {})])
    return await opened(store, tmp_path)


@pytest.fixture
def damage(store: Store) -> Damage:
    async def damaged(table: str, change: str, where: str, revision: str = "item_revision") -> None:
        async with store.write() as connection:
            now = await store.advance(connection, APP, **{revision: 1})
            also = f", revision = {getattr(now, revision)}" if table != "events" else ""
            await connection.execute(sa.text(f"UPDATE {table} SET {change}{also} WHERE {where}"))

    return damaged


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("attributes = '{\"title\": '", "not JSON"),
        ("attributes = '[1, 2]'", "not a JSON object: [1, 2]"),
        ("attributes = x'ff00'", "not JSON"),
        ("created_at = 'yesterday'", "cannot be applied"),
    ],
)
async def test_an_item_is_set_aside_and_repaired(
    app: LiveApp, store: Store, damage: Damage, tmp_path: Path, change: str, why: str
) -> None:
    await damage("items", change, "item_id = 'b'")
    await put_items(store, APP, [film("e")])
    await app.follow()
    again = await opened(store, tmp_path)
    for one in (app, again):
        assert await shown(one) == {"a", "c", "d", "e"}
        assert one.set_aside["items"].keys() == {"b"}
        assert why in one.set_aside["items"]["b"]
    assert (await find_set_aside(store, RECIPE))["items"].keys() == {"b"}
    await app.writes.put_items([film("b")])
    assert await shown(app) == {"a", "b", "c", "d", "e"}
    assert not app.set_aside["items"]


async def test_such_an_item_can_be_listed_changed_and_deleted(app: LiveApp, store: Store, damage: Damage) -> None:
    await damage("items", "attributes = '{'", "item_id IN ('a', 'b')")
    assert [item.item_id for item in await list_items(store, APP, 0, 10)] == ["a", "b", "c", "d"]
    assert (await app.writes.patch_item("a", {"title": "New"}, hidden=False)).attributes == {"title": "New"}
    await app.writes.delete_item("b")
    assert await shown(app) == {"a", "c", "d"}
    assert not app.set_aside["items"]


async def test_an_item_that_no_part_can_take_is_hidden_and_the_others_of_its_page_are_not(
    app: LiveApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = TextColumn.set_many

    def too_much(self: TextColumn, positions: Positions, values: Sequence[Any]) -> None:
        if "poison" in values:
            raise MemoryError("on purpose")
        write(self, positions, values)

    monkeypatch.setattr(TextColumn, "set_many", too_much)
    writes = [film(f"n{n}") for n in range(9)]
    await app.writes.put_items([*writes[:4], film("c", title="poison"), film("bad", title="poison"), *writes[4:]])
    assert await shown(app) == {"a", "b", "d"} | {write.item_id for write in writes}
    assert app.set_aside["items"].keys() == {"c", "bad"}
    assert app.catalog.size == 14
    assert {app.catalog.item_id(position) for position in range(14)} >= {"c", "bad"}


async def test_a_user_is_as_unknown_until_they_are_written_anew(app: LiveApp, damage: Damage) -> None:
    await app.append([play()])
    assert (await app.user_state("u")).attributes == {"age": 30}
    await damage("users", "attributes = 'x'", "user_id = 'u'", "user_revision")
    await app.follow()
    for _ in range(2):
        state = await app.user_state("u")
        assert (state.attributes, len(state.history)) == ({}, 0)
        assert app.set_aside["users"].keys() == {"u"}
    assert len((await app.recommend(FeedRequest("home", "u"))).slate) > 0
    await app.writes.put_user("u", {"age": 31})
    assert (await app.user_state("u")).attributes == {"age": 31}
    assert not app.set_aside["users"]


async def test_an_event_is_left_out_and_those_around_it_count(
    app: LiveApp, store: Store, damage: Damage, tmp_path: Path
) -> None:
    await app.append([play(item=item) for item in "abcd"])
    await damage("events", "value = 'much'", "seq = 2", "event_seq")
    again = await opened(store, tmp_path)
    assert again.follower.parts.counters.events.tolist() == [1.0, 0.0, 1.0, 1.0]
    assert again.set_aside["events"].keys() == {"2"}
    assert (await again.append([play("v")])) == [Outcome.ACCEPTED]
    assert again.follower.parts.counters.events.tolist() == [2.0, 0.0, 1.0, 1.0]
    data = (await read_log(store, RECIPE, now=NOW, seed=0)).data
    assert len(data.interactions) == 4


async def test_metrics_count_them(app: LiveApp, damage: Damage) -> None:
    await damage("items", "attributes = '{'", "item_id IN ('a', 'b')")
    measured = Metrics()
    await background._follow(app, measured)
    value = measured.registry.get_sample_value
    assert value("homefeed_rows_set_aside", {"app": APP, "kind": "items"}) == 2
    assert value("homefeed_rows_set_aside", {"app": APP, "kind": "events"}) == 0


@pytest.mark.parametrize("part", ["changed_items", "changed_users"])
async def test_what_is_committed_is_never_an_error(
    app: LiveApp, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    async def fail(*_: object) -> None:
        raise OSError("on purpose")

    with monkeypatch.context() as patched:
        patched.setattr(follower, part, fail)
        assert (await app.writes.put_item(film("e"))).item_id == "e"
        assert await app.writes.put_items([film("f"), film("g")]) == 2
        assert (await app.writes.patch_item("a", {}, hidden=True)).hidden
        await app.writes.delete_item("b")
        assert (await app.writes.put_user("w", {})).user_id == "w"
        assert (await app.writes.patch_user("u", {"age": 1})).attributes == {"age": 1}
        assert await app.writes.erase_user("v") == 0
    await app.follow()
    assert await shown(app) == {"c", "d", "e", "f", "g"}
