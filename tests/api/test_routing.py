"""An endpoint that is called directly is called as FastAPI would, and refused what FastAPI would refuse."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

import httpx
import orjson
import pytest
from fastapi import APIRouter, Body, Cookie, Depends, FastAPI, Header, Path, Query, Request, Response
from fastapi.routing import APIRoute
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, StringConstraints, WithJsonSchema

from homefeed.api.access import needs
from homefeed.api.guard import Guard
from homefeed.api.queries import query_of
from homefeed.api.routing import Router, StrictRoute, plan_of
from homefeed.serving.keyring import KeyRing
from homefeed.serving.tokens import Tokens

Id = Annotated[str, WithJsonSchema({"type": "string", "minLength": 1})]


async def get_host(request: Request) -> str:
    return request.headers.get("host", "")


async def get_app(app: str, request: Request) -> str:
    return f"{app} at {request.url.path}"


@needs("read")
async def endpoint(
    request: Request,
    host: Annotated[str, Depends(get_host)],
    app: Annotated[str, Depends(get_app)],
    number: Annotated[int, Path(ge=0)],
    word: str,
    user_id: Id,
    text: Annotated[str, StringConstraints(strip_whitespace=True, min_length=2), Query()] = "default",
    n: Annotated[int, Query(ge=1, le=1_000)] = 20,
    share: Annotated[float | None, Query(gt=0, allow_inf_nan=False)] = None,
    kinds: Annotated[list[Literal["a", "b"]] | None, Query(alias="kind")] = None,
    numbers: Annotated[list[int], Query()] = [],  # noqa: B006 - FastAPI's way to say a default list
    yes: bool = False,
    uid: UUID | None = None,
) -> Response:
    arguments = locals() | {"request": request.url.path, "query": query_of(request.scope)}
    return Response(orjson.dumps(arguments), media_type="application/json")


def application(route_class: type[APIRoute]) -> FastAPI:
    router = APIRouter(route_class=route_class)
    router.get("/{app}/{number}/{word}")(endpoint)
    app = FastAPI()
    app.include_router(router)
    keys = KeyRing(lambda: 0)
    keys.required = False
    app.state.guard = Guard(keys, Tokens({}, 1, lambda: 0))
    return app


DIRECT, PLAIN = application(StrictRoute), application(APIRoute)
UIDS = [str(UUID(int=7)), UUID(int=7).hex, f"{{{UUID(int=7)}}}"]
NAMES = st.sampled_from(["user_id", "text", "n", "share", "kind", "numbers", "yes", "uid", "other", ""])
VALUES = st.one_of(
    st.sampled_from(
        ["", "a", "b", "1", "0", "-1", "1e3", "nan", "inf", "true", "off", " x ", "%", "é", "9" * 400, *UIDS]
    ),
    st.text(st.characters(codec="utf-8"), max_size=6),
)


async def get(app: FastAPI, path: str, query: str) -> tuple[int, Any]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
        answer = await client.get(f"{path}?{query}" if query else path)
    return answer.status_code, answer.json()


def test_plain_parameters_are_taken_directly() -> None:
    assert plan_of(endpoint, {"app", "number", "word"}) is not None


@settings(max_examples=300)
@given(
    pairs=st.lists(st.tuples(NAMES, VALUES), max_size=6),
    number=st.sampled_from(["3", "-3", "x"]),
    named=st.booleans(),
)
async def test_a_request_is_answered_as_by_fastapi(pairs: list[tuple[str, str]], number: str, named: bool) -> None:
    query = str(httpx.QueryParams([*([("user_id", "u1")] if named else []), *pairs]))
    answer = await get(DIRECT, f"/films/{number}/word", query)
    assert answer == await get(PLAIN, f"/films/{number}/word", query)


@pytest.mark.parametrize(
    "query", ["", "user_id=u&&n=2&", "user_id", "user_id=a=b&=c", "user_id=%ff&n=+3", "user_id=%zz", "&=&;n=1"]
)
async def test_odd_query_strings_are_read_as_by_fastapi(query: str) -> None:
    assert await get(DIRECT, "/films/1/w", query) == await get(PLAIN, "/films/1/w", query)


async def test_what_cannot_be_used_is_refused_naming_the_parameter() -> None:
    status, body = await get(DIRECT, "/films/1/w", "n=0")
    assert status == 422
    assert {tuple(error["loc"]) for error in body["detail"]} == {("query", "user_id"), ("query", "n")}


class Model(BaseModel):
    word: str


async def get_word(word: str) -> str:
    return word


def get_blocking(request: Request) -> str:
    return request.method


async def with_body(body: Annotated[str, Body()]) -> Response:
    return Response(body)


async def with_model(model: Model) -> Response:
    return Response(model.word)


async def with_header(agent: Annotated[str, Header()]) -> Response:
    return Response(agent)


async def with_cookie(agent: Annotated[str, Cookie()]) -> Response:
    return Response(agent)


async def with_query_of_dependency(word: Annotated[str, Depends(get_word)]) -> Response:
    return Response(word)


async def with_blocking_dependency(word: Annotated[str, Depends(get_blocking)]) -> Response:
    return Response(word)


async def with_response_model(word: str) -> Model:
    return Model(word=word)


def blocking(word: str) -> Response:
    return Response(word)


@pytest.mark.parametrize(
    "other",
    [
        with_body,
        with_model,
        with_header,
        with_cookie,
        with_query_of_dependency,
        with_blocking_dependency,
        with_response_model,
        blocking,
    ],
)
def test_anything_else_is_left_to_fastapi(other: Any) -> None:
    assert plan_of(other, ()) is None


async def test_a_router_is_passed_over_for_paths_that_begin_like_none_of_its_routes() -> None:
    first, second, third = Router(prefix="/v1/apps/{app}"), Router(), Router(prefix="/v1")
    first.get("/feeds")(lambda app: f"feeds of {app}")
    second.get("/popular")(lambda: "popular")
    second.get("/{rest:path}")(lambda rest: f"rest {rest}")
    third.get("/apps")(lambda: "never reached")
    app = FastAPI()
    for router in (first, second, third):
        app.include_router(router)
    assert await get(app, "/v1/apps/films/feeds", "") == (200, "feeds of films")
    assert await get(app, "/popular", "") == (200, "popular")
    assert await get(app, "/v1/apps", "") == (200, "rest v1/apps")
    nowhere = FastAPI()
    nowhere.include_router(first)
    assert (await get(nowhere, "/v1/app/films/feeds", ""))[0] == 404
    assert (await get(nowhere, "/v1/apps/films/feed", ""))[0] == 404


async def test_a_router_is_found_behind_the_prefix_of_a_proxy() -> None:
    router = Router()
    router.get("/popular")(lambda: "popular")
    app = FastAPI()
    app.include_router(router)
    transport = httpx.ASGITransport(app, root_path="/feeds")
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        assert (await client.get("/feeds/popular")).json() == "popular"
        assert (await client.get("/popular")).json() == "popular"
