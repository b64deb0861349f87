"""Errors as RFC 9457 problem documents."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import orjson
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.types import Scope

from homefeed.errors import (
    ConflictError,
    HomefeedError,
    InvalidError,
    MalformedError,
    NotFoundError,
    OverloadedError,
    UnavailableError,
)

_log = structlog.get_logger(__name__)

_MAX_ERRORS = 20
_MAX_CHARACTERS = 500

_STATUS: dict[type, int] = {
    MalformedError: 400,
    NotFoundError: 404,
    ConflictError: 409,
    InvalidError: 422,
    OverloadedError: 503,
    UnavailableError: 503,
}


def problem(status: int, detail: str, request_id: str | None, **more: Any) -> Response:
    """A problem document."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "request_id": request_id,
    } | more
    headers = {"Retry-After": "1"} if status == HTTPStatus.SERVICE_UNAVAILABLE else None
    content = orjson.dumps(body, default=str)
    return Response(content, status, headers, media_type="application/problem+json")


def install(app: FastAPI) -> None:
    """Have every expected error of the app answered by a problem document."""
    app.add_exception_handler(HomefeedError, _expected)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)


def validation_errors(errors: Any) -> list[dict[str, str]]:
    """The first of Pydantic's errors, as where and what: a body may hold any number, in names of any length."""
    return [
        {
            "where": shortened(".".join(str(step) for step in error["loc"])) or "body",
            "error": shortened(str(error["msg"])),
        }
        for error in errors[:_MAX_ERRORS]
    ]


def shortened(text: str) -> str:
    """An error as an answer tells it: what was sent, and may be quoted, has any length."""
    return text if len(text) <= _MAX_CHARACTERS else f"{text[:_MAX_CHARACTERS]}..."


def _request_id(request: Request) -> str | None:
    return getattr(request.state, "request_id", None)


async def _expected(request: Request, error: Exception) -> Response:
    return problem(_status_of(type(error)), str(error), _request_id(request))


def _status_of(error: type) -> int:
    """The status of the nearest class that has one; 500 where none does."""
    return next((_STATUS[ancestor] for ancestor in error.__mro__ if ancestor in _STATUS), 500)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    errors = validation_errors(error.errors())
    detail = "; ".join(f"{e['where']}: {e['error']}" for e in errors[:3])
    return problem(422, detail, _request_id(request), errors=errors)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    detail = error.detail
    if error.status_code == HTTPStatus.NOT_FOUND and detail == HTTPStatus.NOT_FOUND.phrase:
        detail = f"no page at {request.url.path}; see /docs"
    response = problem(error.status_code, detail, _request_id(request))
    response.headers.update(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        response.headers.update(_allowed(request))
    return response


def _allowed(request: Request) -> dict[str, str]:
    # Starlette names the methods of one route, where a path may have several.
    path = getattr(request.scope.get("route"), "path_format", None)
    operations = request.app.openapi()["paths"].get(path, {})
    return {"Allow": ", ".join(sorted(method.upper() for method in operations))} if operations else {}


def unexpected(scope: Scope, error: Exception, request_id: str) -> Response:
    """What answers a request that failed by no fault of its own."""
    _log.error("unexpected error", path=scope["path"], error=repr(error), exc_info=error)
    return problem(500, "an internal error; the server's log has it under this request_id", request_id)
