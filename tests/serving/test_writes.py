"""Writes of items and users are in force for the very next request, without anyone following by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from homefeed.apps import find_recipe
from homefeed.environment import Environment
from homefeed.errors import NotFoundError
from homefeed.serving import FeedRequest, LiveApp
from homefeed.store import Store
from homefeed.store.artifacts import ArtifactStore
from homefeed.store.items import ItemChange, ItemWrite
from homefeed.types import DAY, SECOND, Event

NOW = 1_700_000_000 * SECOND


@pytest.fixture
async def app(store: Store, tmp_path: Path) -> LiveApp:
    app = LiveApp(find_recipe("streaming"), store, ArtifactStore(tmp_path), Environment(lambda: NOW))
    await app.start()
    return app


def film(item_id: str, **more: object) -> ItemWrite:
    return ItemWrite(item_id, {"title": f"Film {item_id}", "content_type": "movie"} | more, NOW - DAY)


async def shown(app: LiveApp) -> set[str]:
    await app.refresh()
    answer = await app.recommend(FeedRequest("home", "u"))
    return {answer.catalog.item_id(position) for position in answer.slate.positions.tolist()}


async def test_items_are_shown_as_they_were_last_written(app: LiveApp) -> None:
    assert await app.writes.put_items([film("a"), film("b")]) == 2
    assert await shown(app) == {"a", "b"}
    assert await app.writes.put_items([film("b", genre="Drama"), film("c")]) == 1
    assert await shown(app) == {"a", "b", "c"}
    assert (await app.writes.patch_item("a", {}, hidden=True)).hidden
    assert await shown(app) == {"b", "c"}
    await app.writes.delete_item("c")
    assert await shown(app) == {"b"}
    position = app.catalog.position("b")
    assert position is not None
    assert (await app.writes.patch_item("b", {"genre": None})).attributes == app.catalog.attributes(position)


async def test_many_are_changed_at_once(app: LiveApp) -> None:
    await app.writes.put_items([film("a"), film("b")])
    changes = [ItemChange(item_id, {"genre": "Drama"}) for item_id in ("a", "c")]
    none, unknown = await app.writes.patch_items(changes)
    assert none is None
    assert isinstance(unknown, NotFoundError)
    position = app.catalog.position("a")
    assert position is not None
    assert app.catalog.attributes(position)["genre"] == "Drama"


async def test_many_users_are_known_as_they_were_written(app: LiveApp) -> None:
    assert (await app.user_state("u")).attributes == {}
    assert await app.writes.put_users([("u", {"age": 1}), ("v", {}), ("u", {"age": 2})]) == 2
    assert (await app.user_state("u")).attributes == {"age": 2}


async def test_users_are_known_as_they_were_last_written(app: LiveApp) -> None:
    await app.writes.put_items([film("a")])
    assert (await app.user_state("u")).attributes == {}
    put = await app.writes.put_user("u", {"age": 40, "region": "north"})
    assert (put.user_id, put.attributes) == ("u", {"age": 40, "region": "north"})
    assert (await app.user_state("u")).attributes == {"age": 40, "region": "north"}
    assert (await app.writes.patch_user("u", {"age": None})).attributes == {"region": "north"}
    assert (await app.user_state("u")).attributes == {"region": "north"}
    await app.append([Event("u", "a", "play", NOW, 60.0)])
    assert len((await app.user_state("u")).history) == 1
    assert await app.writes.erase_user("u") == 1
    state = await app.user_state("u")
    assert (len(state.history), state.attributes) == (0, {})


async def test_what_is_not_there_cannot_be_changed(app: LiveApp) -> None:
    with pytest.raises(NotFoundError, match='no item "a"'):
        await app.writes.patch_item("a", {})
    with pytest.raises(NotFoundError, match='no item "a"'):
        await app.writes.delete_item("a")
    with pytest.raises(NotFoundError, match='no user "u"'):
        await app.writes.patch_user("u", {})
    with pytest.raises(NotFoundError, match='no user "u"'):
        await app.writes.erase_user("u")
