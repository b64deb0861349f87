"""The script for web pages, `/v1/homefeed.js`, and the same with a named export, `/v1/homefeed.mjs`."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import resources
from typing import Final

from fastapi import APIRouter, Request, Response

from homefeed.api.access import open_to_all
from homefeed.api.guard import GuardedRoute

router = APIRouter(include_in_schema=False, route_class=GuardedRoute)

_EXPORT: Final = b"export const Homefeed = globalThis.Homefeed;\n"
_MEDIA_TYPE: Final = "text/javascript; charset=utf-8"
_CACHE: Final = "public, max-age=3600"


@router.get("/v1/homefeed.js")
@open_to_all
async def script(request: Request) -> Response:
    """The script, to be included by `<script src>` or imported for what it does: it makes `Homefeed`."""
    return _answer(request, _source())


@router.get("/v1/homefeed.mjs")
@open_to_all
async def module(request: Request) -> Response:
    """The same for `import { Homefeed } from`."""
    return _answer(request, _source() + _EXPORT)


def _answer(request: Request, content: bytes) -> Response:
    etag = f'"{hashlib.sha256(content).hexdigest()[:24]}"'
    headers = {"ETag": etag, "Cache-Control": _CACHE}
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(content, headers=headers, media_type=_MEDIA_TYPE)


@cache
def _source() -> bytes:
    return (resources.files(__package__) / "homefeed.js").read_bytes()
