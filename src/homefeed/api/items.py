"""Items over HTTP: gone from every feed at once when hidden or deleted, eligible within seconds when created."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Body, Path, Request
from pydantic import ValidationError

from homefeed.api.context import App
from homefeed.api.errors import shortened
from homefeed.api.intake import format_validation_error
from homefeed.api.middleware import allow_any_length
from homefeed.api.paging import Cursor, Limit, after
from homefeed.api.paths import by_id
from homefeed.api.routing import JSON, StrictRoute, body_type
from homefeed.api.schemas import Accepted, Id, ItemIn, ItemOut, ItemPatch, ItemsOut, ItemWithId, Rejected
from homefeed.errors import InvalidError
from homefeed.numerals import load_json
from homefeed.serving import LiveApp
from homefeed.store.items import ItemWrite, get_item, list_items
from homefeed.times import format_time, parse_time
from homefeed.types import Item
from homefeed.validation import check_id, check_item_id

router = APIRouter(prefix="/v1/apps/{app}/items", tags=["items"], route_class=StrictRoute)

ItemId = Annotated[Id, Path(description="Percent-encoded.")]

_NDJSON = "application/x-ndjson"
_MOST_IN_LIST = 1_000
_LONGEST_LINE = 1_000_000
_MOST_NAMED = 1_000


@router.get("")
async def list_all(app: App, limit: Limit = 100, cursor: Cursor = None) -> ItemsOut:
    """A page of the catalogue, hidden items included, in the order they came."""
    found = await list_items(app.store, app.recipe.app, after(cursor), limit + 1)
    more = str(found[limit - 1].number) if len(found) > limit else None
    return ItemsOut(items=[_out(item) for item in found[:limit]], next_cursor=more)


@router.post(
    "",
    response_model_exclude_none=True,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                JSON: {
                    "schema": {"type": "array", "maxItems": _MOST_IN_LIST, "items": ItemWithId.model_json_schema()}
                },
                _NDJSON: {"schema": {"type": "string"}},
            },
        }
    },
)
async def put_many(app: App, request: Request) -> Accepted:
    """Create or replace items: a JSON list of up to 1,000, or NDJSON of any length, an item a line."""
    taken, index = 0, 0
    rejected: list[Rejected] = []
    if body_type(request) == _NDJSON:
        allow_any_length(request)
        batches = _ndjson(request)
    else:
        batches = _json_list(await request.body())
    async for batch in batches:
        writes = []
        for raw in batch:
            try:
                writes.append(_parse(app, raw))
            except InvalidError as error:
                # A stream has no end to its errors; an answer has.
                if len(rejected) < _MOST_NAMED:
                    rejected.append(Rejected(index=index, error=shortened(str(error))))
            index += 1
        await app.writes.put_items(writes)
        taken += len(writes)
    refused = index - taken
    more = refused if refused > len(rejected) else None
    return Accepted(accepted=taken, rejected=rejected, rejected_count=more)


@router.get(by_id("item_id"))
async def get_one(app: App, item_id: ItemId) -> ItemOut:
    """One item."""
    return _out(await get_item(app.store, app.recipe.app, check_id("item_id", item_id)))


@router.put(by_id("item_id"))
async def put_one(app: App, item_id: ItemId, body: ItemIn) -> ItemOut:
    """Create or replace an item; what moderation set stays, unless it is named."""
    return _out(await app.writes.put_item(_write(app, item_id, body)))


@router.patch(by_id("item_id"))
async def patch_one(app: App, item_id: ItemId, body: Annotated[ItemPatch, Body()]) -> ItemOut:
    """Change the named attributes, or whether the item is hidden."""
    attributes = app.catalog.check(body.attributes)
    return _out(await app.writes.patch_item(check_id("item_id", item_id), attributes, body.hidden))


@router.delete(by_id("item_id"), status_code=204)
async def delete_one(app: App, item_id: ItemId) -> None:
    """Delete an item."""
    await app.writes.delete_item(check_id("item_id", item_id))


def _out(item: Item) -> ItemOut:
    created_at = None if item.created_at is None else format_time(item.created_at)
    return ItemOut(
        item_id=item.item_id, hidden=item.hidden, created_at=created_at, attributes=dict(item.attributes)
    )


def _parse(app: LiveApp, raw: Any) -> ItemWrite:
    if isinstance(raw, InvalidError):
        raise raw
    try:
        body = ItemWithId.model_validate(raw)
    except ValidationError as error:
        raise InvalidError(format_validation_error(error)) from None
    return _write(app, body.item_id, body)


def _write(app: LiveApp, item_id: str, body: ItemIn) -> ItemWrite:
    known = app.catalog.position(item_id) is not None
    created_at = None if known else app.environment.clock()
    if body.created_at is not None:
        created_at = parse_time("created_at", body.created_at)
    return ItemWrite(
        check_item_id(app.recipe, item_id), app.catalog.check(body.attributes), created_at, body.hidden
    )


async def _json_list(body: bytes) -> AsyncIterator[list[Any]]:
    try:
        loaded = load_json(body)
    except orjson.JSONDecodeError as error:
        raise InvalidError(f"body: not JSON: {error}") from None
    if not isinstance(loaded, list) or len(loaded) > _MOST_IN_LIST:
        raise InvalidError(f"body: expected a list of up to {_MOST_IN_LIST} items, or NDJSON as {_NDJSON}")
    yield loaded


async def _ndjson(request: Request) -> AsyncIterator[list[Any]]:
    batch: list[Any] = []
    count = 0
    async for line in _lines(request):
        if line.strip():
            batch.append(_loaded(line))
        count += 1
        if count % _MOST_IN_LIST == 0:
            # Lines that have arrived are read without a wait: other requests get their turn here.
            await asyncio.sleep(0)
        if len(batch) >= _MOST_IN_LIST:
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
