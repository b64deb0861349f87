"""No request reaches a route, or learns that there is one, unless the guard admits it."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from pydantic import SecretStr
from starlette.exceptions import HTTPException

from homefeed.api import guard
from homefeed.api.access import EVERY_APP, IN_PATH, NO_APP, Access, UserAt, authorise, declared, needs
from homefeed.api.guard import Guard, GuardedRoute
from homefeed.apps import built_in
from homefeed.environment import system_clock
from homefeed.principals import RIGHTS, Principal, Right
from homefeed.server import create_app
from homefeed.serving.keyring import KeyRing
from homefeed.serving.tokens import Tokens, sign_token
from homefeed.settings import Settings
from homefeed.store import open_store
from homefeed.store.keys import create_key, revoke_key

SECRET = SecretStr("s" * 32)
OPEN: Final = {"/healthz", "/readyz", "/health", "/v1/homefeed.js", "/v1/homefeed.mjs"}
EVENTS: Final = "/v1/apps/streaming/events"


def settings_of(home: Path, **others: Any) -> Settings:
    return Settings(home=home, token_secrets={"streaming": (SECRET,)}, poll_seconds=0.01, **others)


async def made(home: Path, right: Right = "admin", app: str | None = None) -> str:
    """A new key in the store of a home."""
    async with open_store(settings_of(home).store_url) as store:
        return (await create_key(store, f"{right}-{app}", right, app, system_clock()))[1]


def token(user: str, app: str = "streaming") -> str:
    return sign_token(SECRET, app, user, system_clock(), 600)


def bearer(credentials: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {credentials}"}


@asynccontextmanager
async def served(app: FastAPI, host: str = "localhost") -> AsyncIterator[httpx.AsyncClient]:
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{host}") as client:
            yield client


def operations(app: FastAPI) -> list[tuple[str, str, Access | None]]:
    """Method, path and what it asks, of every route of every kind."""
    return [
        (
            method,
            str(route.path)
            .replace("{app}", "streaming")
            .replace(":encoded", "")
            .replace("{", "")
            .replace("}", ""),
            declared(route.endpoint) if route.endpoint else None,
        )
        for route in iter_route_contexts(app.routes)
        for method in sorted(route.methods or {"GET"})
    ]


async def test_every_route_asks_for_a_key_and_those_that_do_not_are_these(tmp_path: Path) -> None:
    await made(tmp_path)
    app = create_app(settings_of(tmp_path, apps=tuple(built_in())))
    every = operations(app)
    assert len(every) > 60
    described = set(app.openapi()["paths"])
    assert described <= {str(route.path_format) for route in iter_route_contexts(app.routes)}
    async with served(app) as client:
        for method, path, _ in every:
            answer = await client.request(method, path)
            assert (answer.status_code == 401) != (path in OPEN), (method, path, answer.status_code)
            if path not in OPEN:
                assert answer.headers["WWW-Authenticate"].startswith("Bearer")
                assert method == "HEAD" or answer.json()["request_id"] == answer.headers["X-Request-ID"]
        for path in (
            "/nothing",
            "/v1/apps/nothing/stats",
            "/static-offline-docs/nothing",
            "/dashboard/static/nothing",
        ):
            assert (await client.get(path)).status_code == 401
        assert (await client.post("/metrics")).status_code == 401  # nor that there is one of another method


async def test_nobody_does_more_than_a_key_has_the_right_to(tmp_path: Path) -> None:
    keys = {right: await made(tmp_path, right) for right in RIGHTS}
    other = await made(tmp_path, "admin", "films")
    app = create_app(settings_of(tmp_path, apps=("streaming",)))
    async with served(app) as client:
        for method, path, access in operations(app):
            asked = access.right if access is not None else "read"
            for right, key in keys.items():
                refused = asked is not None and RIGHTS.index(asked) > RIGHTS.index(right)
                status = (await client.request(method, path, headers=bearer(key))).status_code
                assert (status == 403) == refused, (method, path, right, status)
            of_another = await client.request(method, path, headers=bearer(other))
            is_free = path in OPEN or access is None or access.app == NO_APP
            assert (of_another.status_code == 403) != is_free, (method, path, of_another.status_code)


@pytest.mark.parametrize("carried", ["bearer", "x-api-key", "basic"])
async def test_a_key_comes_in_whichever_header(tmp_path: Path, carried: str) -> None:
    key = await made(tmp_path)
    basic = b64encode(f"me:{key}".encode()).decode()
    headers = {
        "bearer": bearer(key),
        "x-api-key": {"X-API-Key": key},
        "basic": {"Authorization": f"Basic {basic}"},
    }[carried]
    async with served(create_app(settings_of(tmp_path, apps=("streaming",)))) as client:
        assert (await client.get("/v1/apps", headers=headers)).status_code == 200
        for wrong in (key[:-1], key + "x", "", "hf_x_y", "x.y.z", "é", f"hf_{key.split('_')[1]}_"):
            given = {name.encode(): value.replace(key, wrong).encode() for name, value in headers.items()}
            if carried == "basic":
                given = {b"Authorization": f"Basic {b64encode(f'me:{wrong}'.encode()).decode()}".encode()}
            answer = await client.get("/v1/apps", headers=list(given.items()))
            assert answer.status_code == 401
            assert key not in answer.text


async def test_what_browsers_send_by_themselves_counts_for_own_pages_alone(tmp_path: Path) -> None:
    basic = {"Authorization": f"Basic {b64encode(f':{await made(tmp_path)}'.encode()).decode()}"}
    async with served(create_app(settings_of(tmp_path, apps=("streaming",)))) as client:
        for own in (
            {},
            {"Sec-Fetch-Site": "none"},
            {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"},
        ):
            assert (await client.get("/v1/apps", headers=basic | own)).status_code == 200
        for other in (
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
            {"Origin": "http://evil"},
        ):
            assert (await client.get("/v1/apps", headers=basic | other)).status_code == 401
        page = await client.get("/dashboard", headers={"Accept": "text/html"})
        assert (page.status_code, page.headers["WWW-Authenticate"].split()[0]) == (401, "Basic")
        assert (await client.get("/dashboard", headers=basic)).status_code == 200


async def test_keys_are_followed_while_serving_and_a_store_that_had_one_stays_closed(tmp_path: Path) -> None:
    app = create_app(settings_of(tmp_path, apps=("streaming",)))
    async with served(app) as client, open_store(settings_of(tmp_path).store_url) as store:
        assert (await client.get("/v1/apps")).status_code == 200
        key, text = await create_key(store, "k", "read", None, 1)
        ring: KeyRing = app.state.guard.keys
        await ring.follow(store)
        assert (await client.get("/v1/apps")).status_code == 401
        assert (await client.get("/v1/apps", headers=bearer(text))).status_code == 200
        await revoke_key(store, key.key_id, 2)
        await ring.follow(store)
        assert (await client.get("/v1/apps", headers=bearer(text))).status_code == 401
        assert (await client.get("/v1/apps")).status_code == 401


@pytest.mark.parametrize(
    ("asked", "insecure", "status"),
    [("127.0.0.1", False, 200), ("[::1]", False, 200), ("192.0.2.7", False, 403), ("192.0.2.7", True, 200)],
)
async def test_without_a_key_the_machine_itself_is_answered_alone(
    tmp_path: Path, asked: str, insecure: bool, status: int
) -> None:
    settings = settings_of(tmp_path, apps=("streaming",), host="192.0.2.7", insecure=insecure)
    async with served(create_app(settings), asked) as client:
        assert (await client.get("/v1/apps")).status_code == status
        assert (await client.get("/healthz")).status_code == 200


@pytest.mark.parametrize(("client", "status"), [("127.0.0.1", 200), ("::1", 200), ("198.51.100.9", 403)])
async def test_without_a_key_what_a_proxy_brings_from_elsewhere_is_refused(
    tmp_path: Path, client: str, status: int
) -> None:
    app = create_app(settings_of(tmp_path, apps=("streaming",)))
    async with app.router.lifespan_context(app):
        # As uvicorn tells the client that X-Forwarded-For names.
        transport = httpx.ASGITransport(app, client=(client, 1234))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as asking:
            assert (await asking.get("/v1/apps")).status_code == status


async def test_each_sees_the_apps_of_their_key(tmp_path: Path) -> None:
    one, every = await made(tmp_path, "read", "shop"), await made(tmp_path, "read")
    async with served(create_app(settings_of(tmp_path, apps=("streaming", "shop")))) as client:

        async def seen(headers: dict[str, str]) -> list[list[str]]:
            listed = (await client.get("/v1/apps", headers=headers)).json()["apps"]
            front = (await client.get("/", headers=headers)).json()["apps"]
            ready = (await client.get("/readyz", headers=headers)).json()["apps"]
            return [[each["app"] for each in listed], front, list(ready)]

        assert await seen(bearer(one)) == [["shop"]] * 3
        assert await seen(bearer(every)) == [["streaming", "shop"]] * 3
        for headers in ({}, bearer(token("u")), bearer("hf_wrong_key")):
            assert (await client.get("/readyz", headers=headers)).json() == {"status": "ready"}


def test_a_server_does_not_start_with_a_route_that_says_nothing() -> None:
    async def endpoint() -> None: ...

    def app_with(route_class: type[APIRoute], path: str = "/x", access: Access | None = None) -> FastAPI:
        app = FastAPI(openapi_url=None)
        app.router.route_class = route_class
        told = endpoint if access is None else needs(access.right or "read", access.app, access.user)(lambda: None)
        app.get(path)(told)
        return app

    gate = Guard(KeyRing(system_clock), Tokens({}, 1, system_clock))
    wrong = (
        (app_with(APIRoute), "is not guarded"),
        (app_with(GuardedRoute), "says nothing"),
        (app_with(GuardedRoute, access=Access("read", IN_PATH)), "names no app"),
        (app_with(GuardedRoute, "/{app}/x", Access("read", "shop")), "names no app"),
        (app_with(GuardedRoute, "/{app}/x", Access("read", user=UserAt("path", "u"))), "not in its path"),
    )
    for app, why in wrong:
        with pytest.raises(TypeError, match=why):
            guard.install(app, gate, ())
    guard.install(app_with(GuardedRoute, "/{app}/{u}", Access("read", user=UserAt("path", "u"))), gate, ())


@pytest.mark.parametrize(
    ("principal", "app", "users", "admitted"),
    [
        (Principal("k", "read"), "shop", (), True),
        (Principal("k", "read"), EVERY_APP, (), True),
        (Principal("k", "read", "shop"), EVERY_APP, (), False),
        (Principal("k", "read", "shop"), NO_APP, (), True),
        (Principal("k", "read", "shop"), "*", (), False),
        (Principal("k", "read", "shop"), "films", (), False),
        (Principal("t", "write", "shop", "u"), "shop", ("u", "u"), True),
        (Principal("t", "write", "shop", "u"), "shop", ("u", "v"), False),
        (Principal("t", "write", "shop", "u"), "shop", (None,), False),
        (Principal("t", "write", "shop", "u"), "shop", (), False),
        (Principal("t", "write", "shop", "u"), NO_APP, (), False),
    ],
)
def test_authorise(principal: Principal, app: str, users: tuple[object, ...], admitted: bool) -> None:
    expected: AbstractContextManager[object] = (
        nullcontext() if admitted else pytest.raises(HTTPException, match="403")
    )
    with expected:
        authorise(principal, app, "read", users)


async def test_requests_are_charged_to_the_user_whom_they_name_and_to_nobody_without_a_right(
    tmp_path: Path,
) -> None:
    key = await made(tmp_path, "read")
    app = create_app(settings_of(tmp_path, apps=("streaming",), rate_limit_user="2/hour"))
    async with served(app) as client:

        async def status(path: str, credentials: str) -> int:
            answer = await client.get(path, headers=bearer(credentials))
            return answer.status_code

        home, own = "/v1/apps/streaming/feeds/home?user_id=u1", "/v1/apps/streaming/users/u1"
        assert [await status(home, "hf_no_key") for _ in range(3)] == [401] * 3
        assert await status(home, key) == 200
        assert await status(own, key) == 404, "what a back end looks up of a user is not the user's request"
        assert await status(home, key) == 200
        assert await status(home, key) == 429
        assert await status(home, token("u1")) == 429, "whoever asks for the user"
        refused = await client.get(home, headers=bearer(key))
        assert refused.status_code == 429
        assert refused.json()["detail"].startswith("more than 2 requests of this user in 3600 s; wait ")
        assert int(refused.headers["Retry-After"]) > 0
        assert await status("/v1/apps/streaming/feeds/home?user_id=u2", key) == 200
        assert await status("/metrics", key) == 200
        twice = "/v1/apps/streaming/feeds/home?user_id=u3&user_id="
        assert [await status(f"{twice}{user}", key) for user in ("u1", "u4")] == [429, 200], "whoever is answered"
        assert await status("/v1/apps/streaming/feeds/home?user_id=u3", key) == 200


async def test_of_a_tokens_body_little_is_read_and_nothing_once_it_asks_too_often(tmp_path: Path) -> None:
    await made(tmp_path)
    market, ann = "marketplace", "00000000-0000-0000-0000-00000000000a"
    secrets = dict.fromkeys(("streaming", market), (SECRET,))
    settings = Settings(home=tmp_path, apps=("streaming", market), token_secrets=secrets, rate_limit_user="4/hour")
    read = 0

    async def body(size: int) -> AsyncIterator[bytes]:
        nonlocal read
        for _ in range(0, size, 1024):
            read += 1024
            yield b" " * 1024

    async with served(create_app(settings)) as client:

        async def post(path: str, app: str, size: int, **announced: str) -> int:
            headers = bearer(token(ann, app)) | {"Content-Type": "application/json"} | announced
            return (await client.post(path, content=body(size), headers=headers)).status_code

        huge = {"Content-Length": "15999999"}
        about_i = f"/api/v1/feed/interactions/{ann}?user_uid={ann}"
        assert await post(EVENTS, "streaming", 15_999_999, **huge) == 413
        assert await post(about_i, market, 15_999_999, **huge) == 413
        assert read == 0
        assert await post(about_i, market, 15_999_999) == 413
        assert await post(EVENTS, "streaming", 15_999_999) == 413
        assert read == 2 * (guard.TOKEN_BYTES + 1024)
        assert await post(EVENTS, "streaming", guard.TOKEN_BYTES) == 422
        assert read == 3 * guard.TOKEN_BYTES + 2048
        assert await post(EVENTS, "streaming", 1024) == 422
        assert await post(EVENTS, "streaming", 1024) == 429
        assert read == 3 * guard.TOKEN_BYTES + 3 * 1024


async def test_a_key_learns_of_no_other_app_where_its_own_is_not_served(tmp_path: Path) -> None:
    shop, every = await made(tmp_path, "read", "shop"), await made(tmp_path, "read")
    settings = Settings(home=tmp_path, apps=("streaming",), token_secrets={"shop": (SECRET,)})
    async with served(create_app(settings)) as client:
        feed = "/v1/apps/shop/feeds/home?user_id=u"
        for credentials in (shop, token("u", "shop")):
            answer = await client.get(feed, headers=bearer(credentials))
            assert (answer.status_code, answer.json()["detail"]) == (404, 'no app "shop" is served here')
        told = (await client.get(feed, headers=bearer(every))).json()["detail"]
        assert told == 'no app "shop"; served here: streaming'
        for name in ("*", "%2F", "%2A", "streaming", "nothing"):
            answer = await client.get(f"/v1/apps/{name}/stats", headers=bearer(shop))
            assert (answer.status_code, answer.json()["detail"]) == (403, "the key is for another app")


async def test_a_key_or_token_that_is_too_long_is_not_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await made(tmp_path)

    def decode(*_: object) -> Principal:
        raise AssertionError("decoded")

    app = create_app(settings_of(tmp_path, apps=("streaming",)))
    async with served(app) as client:
        monkeypatch.setattr(Tokens, "principal", decode)
        monkeypatch.setattr(KeyRing, "find", decode)
        for wrong in ("." * 4_097, "x" * 40_000):
            answer = await client.get("/v1/apps", headers=bearer(wrong))
            assert (answer.status_code, "at most 4,096" in answer.json()["detail"]) == (401, True)
            told = {"token": wrong, "events": []}
            assert (await client.post(EVENTS, json=told)).status_code == 401
        with pytest.raises(AssertionError, match="decoded"):
            app.state.guard._principal({"headers": []}, "." * 4_096)
