"""Every operation, asked by everyone who may not: tenants and users learn and change nothing of one another."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import httpx
import orjson
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from tests.api.test_guard import bearer, operations, served

from homefeed.api.access import EVERY_APP, Access
from homefeed.apps import built_in
from homefeed.environment import system_clock
from homefeed.server import create_app
from homefeed.serving.tokens import sign_token
from homefeed.settings import Settings
from homefeed.store import open_store
from homefeed.store.events import append_events
from homefeed.store.items import ItemWrite, put_items
from homefeed.store.keys import create_key
from homefeed.store.users import put_users
from homefeed.types import Event

SECRET: Final = SecretStr("s" * 32)
ANN, BOB = "00000000-0000-0000-0000-00000000000a", "00000000-0000-0000-0000-00000000000b"
MARK: Final = "mark-of-bob"
"""What only answers about Bob hold."""


def settings_of(home: Path) -> Settings:
    return Settings(home=home, apps=tuple(built_in()), token_secrets=dict.fromkeys(built_in(), (SECRET,)))


def token(app: str, user: str = ANN, seconds: float = 60) -> dict[str, str]:
    return bearer(sign_token(SECRET, app, user, system_clock(), seconds))


async def fill(home: Path) -> dict[str, str]:
    """Ann and Bob in every app; a key of each app, by its name."""
    keys = {}
    async with open_store(settings_of(home).store_url) as store:
        for app in built_in():
            await put_items(store, app, [ItemWrite("i", {"title": "I"}), ItemWrite(MARK, {"title": MARK})])
            await put_users(store, app, [(ANN, {"note": "ann"}), (BOB, {"note": MARK})])
            kind = {"shop": "click", "streaming": "play"}.get(app, "click")
            await append_events(store, app, [Event(BOB, MARK, kind, system_clock(), 60.0, MARK)], 1)
            keys[app] = (await create_key(store, app, "admin", app, 1))[1]
    return keys


@pytest.fixture
async def everything(tmp_path: Path) -> AsyncIterator[tuple[httpx.AsyncClient, FastAPI, dict[str, str]]]:
    keys = await fill(tmp_path)
    app = create_app(settings_of(tmp_path))
    async with served(app) as client:
        yield client, app, keys


def asked(method: str, path: str, access: Access, *users: str) -> dict[str, Any]:
    """A request of an operation in the name of users."""
    if access.user is None:
        return {"method": method, "url": path.replace("user_id", users[0])}
    where, name = access.user.where, access.user.name
    if where == "path":
        return {"method": method, "url": path.replace(name, users[0])}
    if where == "query":
        return {"method": method, "url": path, "params": [(name, user) for user in users]}
    told = [{name: user} for user in users]
    return {"method": method, "url": path, "json": told if len(told) > 1 else told[0]}


async def test_no_tenant_reaches_another_by_any_operation(
    everything: tuple[httpx.AsyncClient, FastAPI, dict[str, str]],
) -> None:
    client, app, keys = everything
    tried = 0
    for method, path, access in operations(app):
        if access is None or access.right is None or access.app == "":
            continue
        mine = {"{app}": "streaming", EVERY_APP: None}.get(access.app, access.app)
        for other, key in keys.items():
            if other == mine:
                continue
            for headers in (bearer(key), token(other, BOB)):
                answer = await client.request(**asked(method, path, access, BOB), headers=headers)
                assert answer.status_code == 403, (method, path, other)
                assert MARK not in answer.text
                tried += 1
    assert tried > 300


async def test_no_user_reaches_another_by_any_operation(
    everything: tuple[httpx.AsyncClient, FastAPI, dict[str, str]],
) -> None:
    client, app, _ = everything
    own: set[str] = set()
    for method, path, access in operations(app):
        if access is None or access.right is None:
            continue
        mine = "streaming" if access.app in ("{app}", "", EVERY_APP) else access.app
        for users in ((BOB,), (ANN, BOB), (BOB, ANN), (f" {ANN}",), (ANN.upper(),), ("",)):
            if access.user is not None and access.user.where == "path" and len(users) > 1:
                continue
            request = asked(method, path, access, *users)
            answer = await client.request(**request, headers=token(mine))
            assert answer.status_code in (401, 403), (method, path, users, answer.status_code)
            assert MARK not in answer.text
        answer = await client.request(**asked(method, path, access, ANN), headers=token(mine))
        assert (answer.status_code != 403) == (access.user is not None), (method, path, answer.text)
        if access.user is not None:
            own.add(f"{method} {path}")
            nobody = await client.request(method, path.replace("user_id", "x"), headers=token(mine))
            assert nobody.status_code in (403, 422), (method, path)
    assert own == {
        "GET /v1/apps/streaming/feeds/feed",
        "POST /v1/apps/streaming/events",
        "GET /v1/apps/streaming/users/user_id/events",
        "GET /v1/reco/homefeed",
        "POST /v1/reco/feedback",
        "GET /recommendations",
        "GET /history",
        "POST /events",
        "GET /recommendations/home",
        "POST /api/v1/interactions/interactions",
        "GET /api/v1/interactions/interactions/user_id",
        "POST /v1/scenarios/hometown",
        "POST /v1/scenarios/home_feed",
        "POST /v1/scenarios/category_feed",
        "GET /api/v1/feed",
        "POST /api/v1/feed/interactions/bulk",
        "POST /api/v1/feed/interactions/listing_id",
        "GET /api/v1/feed/preferences",
        "PATCH /api/v1/feed/preferences",
    }


async def test_a_user_is_given_their_feed_and_sends_their_events_also_by_a_beacon(tmp_path: Path) -> None:
    await fill(tmp_path)
    settings = Settings(home=tmp_path, apps=("streaming",), token_secrets={"streaming": (SECRET,)})
    path = "/v1/apps/streaming/events"
    event = {"user_id": ANN, "item_id": "i", "event_type": "play", "value": 60, "event_id": "e"}
    mine = sign_token(SECRET, "streaming", ANN, system_clock(), 60)
    async with served(create_app(settings)) as client:
        page = await client.get("/v1/apps/streaming/feeds/home", params={"user_id": ANN}, headers=bearer(mine))
        assert page.status_code == 200
        assert (await client.post(path, json=event, headers=bearer(mine))).json()["accepted"] == 1
        assert (await client.post(path, json=[event, event], headers=bearer(mine))).json()["duplicates"] == 2

        async def beacon(*events: dict[str, Any], **told: Any) -> httpx.Response:
            body = orjson.dumps({"token": mine, "events": events} | told)
            return await client.post(path, content=body, headers={"Content-Type": "application/json"})

        assert (await beacon(event, event | {"event_id": "f"})).json() == {
            "accepted": 1,
            "duplicates": 1,
            "rejected": [],
        }
        assert (await beacon(event, event | {"user_id": BOB})).status_code == 403
        for wrong in ({"token": mine[:-2]}, {"token": "hf_a_b"}, {"token": 1}, {"more": 1}):
            assert (await beacon(event, **wrong)).status_code == 401
        assert (await client.post(path, json=event)).status_code == 401
        long = await beacon(event, token="x" * 70_000)
        assert long.status_code == 401
        deep: Any = []
        for _ in range(300):
            deep = [deep]
        for named in (mine, "x"):
            body = b'{"token":"%s","events":%s}' % (named.encode(), json.dumps(deep).encode())
            answer = await client.post(path, content=body, headers={"Content-Type": "application/json"})
            assert answer.status_code == 422
            assert "nest too deep" in answer.json()["detail"]
