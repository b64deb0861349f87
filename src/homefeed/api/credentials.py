"""What a request says of who sends it: a key or a token, in a header or with a beacon."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive, Scope

from homefeed.numerals import load_json

_BEACON_BYTES: Final = 65_536
"""Browsers send no larger beacons."""
_TOKEN_FIRST: Final = b'{"token":'
_OTHERS: Final = frozenset((b"cross-site", b"same-site"))


def header_credentials(scope: Scope) -> str | None:
    """The key or token of `Authorization: Bearer` or `X-API-Key`, or the key that is the password of `Basic`.

    The latter is what browsers ask people for, and then send by themselves: only for pages of the server's own.
    """
    headers: Mapping[bytes, bytes] = dict(reversed(scope["headers"]))
    given = headers.get(b"authorization")
    if given is None:
        key = headers.get(b"x-api-key")
        return None if key is None else key.decode("latin-1").strip()
    scheme, _, rest = given.decode("latin-1").partition(" ")
    match scheme.lower():
        case "bearer":
            return rest.strip()
        case "basic" if _is_own_page(headers):
            return _password(rest)
        case _:
            return ""


def wants_page(scope: Scope) -> bool:
    """Whether a person asks by a browser, not a script of a page: one who can be asked for a key."""
    return any(name == b"accept" and b"text/html" in value for name, value in scope["headers"])


async def beacon_credentials(scope: Scope, receive: Receive) -> tuple[str | None, Receive]:
    """The token of a beacon `{"token": ..., "events": ...}`, and what gives the events alone.

    `navigator.sendBeacon` sends no headers. A token in the URL would be in the logs of every proxy.

    Raises:
        HTTPException: 422, it is not JSON, or nests deeper than any event may.
    """
    length = next((value for name, value in scope["headers"] if name == b"content-length"), b"")
    if not length.isdigit() or int(length) > _BEACON_BYTES:
        return None, receive
    body = await read_body(receive)
    if not body.startswith(_TOKEN_FIRST):
        return None, replayed(body, receive)
    told = parsed(body)
    if not isinstance(told, dict) or told.keys() != {"token", "events"} or not isinstance(told["token"], str):
        return None, replayed(body, receive)
    try:
        events = orjson.dumps(told["events"])
    except orjson.JSONEncodeError:  # it writes less deep than it reads
        raise HTTPException(422, "body: the events nest too deep; an event's context may by 32 levels") from None
    return told["token"], replayed(events, receive)


async def read_body(receive: Receive) -> bytes:
    """The whole body of a request.

    Raises:
        ClientDisconnect: its sender is gone.
    """
    parts: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


def bounded(scope: Scope, receive: Receive, most: int) -> Receive:
    """Gives a body of at most so many bytes; of one that is announced to be larger nothing is read."""
    length = next((value for name, value in scope["headers"] if name == b"content-length"), b"")
    left = most

    def check(*, is_more: bool) -> None:
        if is_more:
            raise HTTPException(413, f"with a user token a body has at most {most:,} bytes; send less at a time")

    async def receive_some() -> Message:
        nonlocal left
        check(is_more=length.isdigit() and int(length[:20]) > most)
        message = await receive()
        left -= len(message.get("body", b""))
        check(is_more=left < 0)
        return message

    return receive_some


def replayed(body: bytes, receive: Receive) -> Receive:
    """Gives a body that was read, and then what comes after it."""
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


def parsed(body: bytes) -> Any:
    """A body as its route will read it.

    Raises:
        HTTPException: 422, it is not JSON.
    """
    try:
        return load_json(body)
    except orjson.JSONDecodeError as error:
        raise HTTPException(422, f"body: not JSON: {error}") from None


def _is_own_page(headers: Mapping[bytes, bytes]) -> bool:
    origin, host = headers.get(b"origin"), headers.get(b"host", b"")
    is_same = origin is None or urlsplit(origin.decode("latin-1")).netloc == host.decode("latin-1")
    return is_same and headers.get(b"sec-fetch-site") not in _OTHERS


def _password(text: str) -> str:
    try:
        return b64decode(text.strip(), validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""
