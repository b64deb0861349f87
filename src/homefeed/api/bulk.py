"""Many elements at once: a JSON list or NDJSON, the good ones taken, each bad one named."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, Final, TypeAlias, TypeVar

import orjson
from fastapi import Request
from pydantic import BaseModel, ValidationError

from homefeed.api.errors import shortened
from homefeed.api.intake import format_validation_error
from homefeed.api.middleware import allow_any_length
from homefeed.api.openapi import schema_of
from homefeed.api.routing import JSON, body_type
from homefeed.api.schemas import Accepted, Rejected
from homefeed.errors import HomefeedError, InvalidError
from homefeed.numerals import load_json

NDJSON: Final = "application/x-ndjson"
MOST_IN_LIST: Final = 1_000
"""How many elements a JSON list may hold."""
_LONGEST_LINE: Final = 1_000_000
_MOST_NAMED: Final = 1_000

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)

Batches: TypeAlias = AsyncIterator[list[Any]]
Refusals: TypeAlias = Sequence[HomefeedError | None]
"""Why each of the elements was not written; None for one that was."""


def list_body(kind: type[BaseModel], *, lines: bool = False) -> dict[str, Any]:
    """The OpenAPI of a body that is a list of elements or, with `lines`, NDJSON of them."""
    schema = {"type": "array", "maxItems": MOST_IN_LIST, "items": schema_of(kind)}
    content: dict[str, Any] = {JSON: {"schema": schema}}
    if lines:
        content[NDJSON] = {"schema": {"type": "string"}}
    return {"requestBody": {"required": True, "content": content}}


async def take_many(
    batches: Batches, schema: type[M], build: Callable[[M], T], write: Callable[[Sequence[T]], Awaitable[Refusals]]
) -> Accepted:
    """Write all elements of all batches: `build` makes each of what `schema` reads.

    The first 1,000 that cannot be written are named, by their index in the whole.
    """
    count = taken = 0
    rejected: list[Rejected] = []
    async for batch in batches:
        built: dict[int, T] = {}
        refused: dict[int, HomefeedError] = {}
        for index, raw in enumerate(batch, count):
            try:
                built[index] = build(_read(schema, raw))
            except InvalidError as error:
                refused[index] = error
        refusals = await write(list(built.values()))
        refused |= {at: error for at, error in zip(built, refusals, strict=True) if error is not None}
        count += len(batch)
        taken += len(batch) - len(refused)
        # A stream has no end to its errors; an answer has.
        named = sorted(refused)[: _MOST_NAMED - len(rejected)]
        rejected += [Rejected(index=at, error=shortened(str(refused[at]))) for at in named]
    bad = count - taken
    return Accepted(accepted=taken, rejected=rejected, rejected_count=bad if bad > len(rejected) else None)


async def batches_of(request: Request) -> Batches:
    """The elements of a request's body, up to 1,000 at a time.

    Raises:
        InvalidError: a body that is not NDJSON is no list, or too long a one.
    """
    if body_type(request) != NDJSON:
        yield _list(await request.body())
        return
    allow_any_length(request)
    async for batch in _ndjson(request):
        yield batch


def _read(schema: type[M], raw: Any) -> M:
    if isinstance(raw, InvalidError):
        raise raw
    try:
        return schema.model_validate(raw)
    except ValidationError as error:
        raise InvalidError(format_validation_error(error)) from None


def _list(body: bytes) -> list[Any]:
    try:
        loaded = load_json(body)
    except orjson.JSONDecodeError as error:
        raise InvalidError(f"body: not JSON: {error}") from None
    if not isinstance(loaded, list) or len(loaded) > MOST_IN_LIST:
        raise InvalidError(
            f"body: expected a list of up to {MOST_IN_LIST:,} elements; send the others by themselves"
        )
    return loaded


async def _ndjson(request: Request) -> Batches:
    batch: list[Any] = []
    count = 0
    async for line in _lines(request):
        if line.strip():
            batch.append(_loaded(line))
        count += 1
        if count % MOST_IN_LIST == 0:
            # Lines that have arrived are read without a wait: other requests get their turn here.
            await asyncio.sleep(0)
        if len(batch) >= MOST_IN_LIST:
            yield batch
            batch = []
    if batch:
        yield batch


async def _lines(request: Request) -> AsyncIterator[bytes]:
    rest = b""
    async for chunk in request.stream():
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line
        rest = rest[: _LONGEST_LINE + 1]
    yield rest


def _loaded(line: bytes) -> Any:
    if len(line) > _LONGEST_LINE:
        return InvalidError(f"a line of more than {_LONGEST_LINE} bytes")
    try:
        return load_json(line)
    except orjson.JSONDecodeError as error:
        return InvalidError(f"not JSON: {error}")
