"""Every error of Homefeed has its status, and so has every kind of it that is added later."""

from __future__ import annotations

import httpx
import pytest
from fastapi import FastAPI

from homefeed.api.errors import install
from homefeed.errors import (
    ArtifactError,
    HomefeedError,
    InvalidError,
    MalformedError,
    NotFoundError,
    OverloadedError,
)


async def answer_to(error: HomefeedError) -> httpx.Response:
    app = FastAPI()
    install(app)

    @app.get("/")
    async def failing() -> None:
        raise error

    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        return await client.get("/")


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (MalformedError, 400),
        (NotFoundError, 404),
        (InvalidError, 422),
        (OverloadedError, 503),
        (ArtifactError, 500),
        (HomefeedError, 500),
    ],
)
async def test_a_subclass_is_answered_as_its_nearest_ancestor(kind: type[HomefeedError], status: int) -> None:
    narrower = type("NarrowerError", (type("NarrowError", (kind,), {}),), {})
    for error in (kind("no such thing"), narrower("no such thing")):
        answer = await answer_to(error)
        assert answer.status_code == status
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert (answer.json()["status"], answer.json()["detail"]) == (status, "no such thing")


async def test_of_several_ancestors_the_first_counts() -> None:
    both = type("GoneError", (NotFoundError, InvalidError), {})
    assert (await answer_to(both("gone"))).status_code == 404
