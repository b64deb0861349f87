"""Who does not consent is not read: neither from the store nor into memory, until they consent again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event as listening
from sqlalchemy.engine import Engine

from homefeed.environment import Environment
from homefeed.errors import RecipeError
from homefeed.privacy import opted_out
from homefeed.recipe import Recipe, parse_recipe
from homefeed.serving import Answer, FeedRequest, LiveApp
from homefeed.store import Store
from homefeed.store.artifacts import ArtifactStore
from homefeed.store.direct import _Sqlite
from homefeed.store.items import ItemWrite, put_items
from homefeed.store.users import put_users
from homefeed.types import SECOND, Event

APP = "market"
NOW = 1_700_000_000 * SECOND
DECLARED: dict[str, Any] = {
    "app": APP,
    "items": {"fields": {"title": "text", "tags": "tags"}},
    "users": {
        "fields": {"likes": "tags", "never": "tags", "reach": "number", "personal": "category"},
        "blocks": {"never": "tags"},
    },
    "events": {"save": {"verb": "saved"}, "hide": {"weight": -1.0}},
    "privacy": {"consent": "personal", "dislikes": False, "kept": ["reach"]},
    "feeds": {
        "home": {
            "cold_start": "welcome",
            "retrieve": {"popular": {}},
            "features": {"tag_jaccard": {"user_fields": ["likes"]}},
            "rank": {"weighted": {"weights": {"popular": 0.1, "tag_jaccard": 1.0}}},
        },
        "welcome": {"retrieve": {"popular": {}}, "rank": {"weighted": {"weights": {"popular": 1.0}}}},
    },
}
RECIPE = parse_recipe(DECLARED, "a test")

# What is tested here is the same on every database.
pytestmark = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)


@contextmanager
def watched(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Every statement that the store is sent meanwhile, by either way."""
    seen: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        seen.append(statement)

    fetch = _Sqlite.fetch

    async def noted(self: _Sqlite, query: sa.Select[Any], values: Any) -> Any:
        seen.append(str(query))
        return await fetch(self, query, values)

    listening.listen(Engine, "before_cursor_execute", note)
    monkeypatch.setattr(_Sqlite, "fetch", noted)
    try:
        yield seen
    finally:
        listening.remove(Engine, "before_cursor_execute", note)
        monkeypatch.undo()


@pytest.fixture
async def app(store: Store, tmp_path: Path) -> LiveApp:
    """Ten items; u saved the first, hid the second, likes and blocks tags, and does not consent."""
    await put_items(
        store, APP, [ItemWrite(f"i{n}", {"title": f"Item {n}", "tags": [f"t{n % 3}"]}, 1) for n in range(10)]
    )
    told = {"likes": ["t1"], "never": ["t2"], "reach": 5, "age": 40}
    await put_users(store, APP, [("u", told | {"personal": False}), ("v", told)])
    app = LiveApp(RECIPE, store, ArtifactStore(tmp_path), Environment(lambda: NOW))
    await app.start()
    await app.append(
        [Event(user, item, kind, NOW) for user in "uv" for item, kind in (("i0", "save"), ("i1", "hide"))]
    )
    app.follower.forget_users()
    return app


def ids(answer: Answer) -> list[str]:
    return [answer.catalog.item_id(position) for position in answer.slate.positions.tolist()]


async def test_nothing_of_what_they_did_is_read(app: LiveApp, monkeypatch: pytest.MonkeyPatch) -> None:
    with watched(monkeypatch) as seen:
        answer = await app.recommend(FeedRequest("home", "u", 10))
        paged = await app.recommend_at(FeedRequest("home", "u", 5), 5)
    assert [statement for statement in seen if "FROM users" in statement or "users.user_id" in statement]
    assert not [statement for statement in seen if "events" in statement]
    assert answer.slate.cold_start
    assert answer.user is None
    # What they saved and hid is like all else; what they block is not shown.
    assert {"i0", "i1"} <= set(ids(answer))
    assert not {"i2", "i5", "i8"} & set(ids(answer))
    assert len(ids(paged)) == 2
    with watched(monkeypatch) as seen:
        await app.recommend(FeedRequest("home", "v", 10))
    assert [statement for statement in seen if "events" in statement]


async def test_nothing_of_them_is_kept_in_memory_whatever_they_do(app: LiveApp) -> None:
    await app.recommend(FeedRequest("home", "u", 10))
    await app.append([Event("u", "i3", "save", NOW)])
    stored = await app.follower.stored_user("u")
    assert not len(stored.items)
    assert stored.attributes == {"personal": False, "never": ["t2"], "reach": 5}
    state = await app.user_state("u")
    assert state.opted_out
    assert state.attributes == {"never": ["t2"], "reach": 5}
    assert len((await app.follower.stored_user("v")).items) == 2


async def test_once_they_consent_the_next_request_is_theirs(app: LiveApp) -> None:
    assert (await app.recommend(FeedRequest("home", "u", 10))).slate.cold_start
    await app.writes.patch_user("u", {"personal": True})
    answer = await app.recommend(FeedRequest("home", "u", 10))
    assert not answer.slate.cold_start
    assert "i1" not in ids(answer)
    await app.writes.patch_user("u", {"personal": False})
    assert (await app.recommend(FeedRequest("home", "u", 10))).slate.cold_start
    assert not len((await app.follower.stored_user("u")).items)


@pytest.mark.parametrize(
    ("value", "refuses"),
    [
        (None, False),
        (True, False),
        ("Yes", False),
        ("t", False),
        (1, False),
        (False, True),
        (0, True),
        ("no", True),
        ("", True),
        ("perhaps", True),
        ([True], True),
    ],
)
def test_whatever_is_no_consent_refuses(store_url: str, value: Any, refuses: bool) -> None:
    attributes = {} if value is None else {"personal": value}
    assert opted_out(attributes, RECIPE) is refuses


def test_it_is_said_by_one_field(store_url: str) -> None:
    def declared(**privacy: Any) -> Recipe:
        return parse_recipe({**DECLARED, "privacy": privacy}, "a test")

    for privacy in ({}, {"opt_out": "personal", "consent": "personal"}):
        with pytest.raises(RecipeError, match="expected one of opt_out and consent"):
            declared(**privacy)
    with pytest.raises(RecipeError, match=r'privacy\.consent names "nothing"'):
        declared(consent="nothing")
