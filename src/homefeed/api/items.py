"""Items over HTTP: gone from every feed at once when hidden or deleted, eligible within seconds when created."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Body, Path, Request

from homefeed.api.access import needs
from homefeed.api.bulk import Refusals, batches_of, list_body, take_many
from homefeed.api.context import App
from homefeed.api.paging import Cursor, Limit, after
from homefeed.api.paths import by_id
from homefeed.api.routing import StrictRoute
from homefeed.api.schemas import Accepted, Id, ItemIn, ItemOut, ItemPatch, ItemPatchWithId, ItemsOut, ItemWithId
from homefeed.serving import LiveApp
from homefeed.store import items
from homefeed.store.items import ItemChange, ItemWrite
from homefeed.times import format_time, parse_time
from homefeed.types import Item
from homefeed.validation import check_id, check_item_id

router = APIRouter(prefix="/v1/apps/{app}/items", tags=["items"], route_class=StrictRoute)

ItemId = Annotated[Id, Path(description="Percent-encoded.")]


@router.get("")
@needs("read")
async def list_items(app: App, limit: Limit = 100, cursor: Cursor = None) -> ItemsOut:
    """A page of the catalogue, hidden items included, in the order they came."""
    found = await items.list_items(app.store, app.recipe.app, after(cursor), limit + 1)
    more = str(found[limit - 1].number) if len(found) > limit else None
    return ItemsOut(items=[_out(item) for item in found[:limit]], next_cursor=more)


@router.post("", response_model_exclude_none=True, openapi_extra=list_body(ItemWithId, lines=True))
@needs("write")
async def put_items(app: App, request: Request) -> Accepted:
    """Create or replace items: a JSON list of up to 1,000, or NDJSON of any length, an item a line.

    The good ones are kept; `rejected` names the others, and why.
    """

    async def write(writes: Sequence[ItemWrite]) -> Refusals:
        await app.writes.put_items(writes)
        return [None] * len(writes)

    return await take_many(batches_of(request), ItemWithId, lambda body: _write(app, body.item_id, body), write)


@router.patch("", response_model_exclude_none=True, openapi_extra=list_body(ItemPatchWithId))
@needs("write")
async def patch_items(app: App, request: Request) -> Accepted:
    """Change the named attributes of up to 1,000 items, or whether they are hidden; null takes an attribute away.

    Each is changed like one by itself: `rejected` names those that are not there or may not be so, and why; the
    others are changed. Of one named twice both changes are made, in their order.
    """

    def change(body: ItemPatchWithId) -> ItemChange:
        return ItemChange(check_id("item_id", body.item_id), app.catalog.check(body.attributes), body.hidden)

    return await take_many(batches_of(request), ItemPatchWithId, change, app.writes.patch_items)


@router.get(by_id("item_id"))
@needs("read")
async def get_item(app: App, item_id: ItemId) -> ItemOut:
    """One item."""
    return _out(await items.get_item(app.store, app.recipe.app, check_id("item_id", item_id)))


@router.put(by_id("item_id"))
@needs("write")
async def put_item(app: App, item_id: ItemId, body: ItemIn) -> ItemOut:
    """Create or replace an item; what moderation set stays, unless it is named."""
    return _out(await app.writes.put_item(_write(app, item_id, body)))


@router.patch(by_id("item_id"))
@needs("write")
async def patch_item(app: App, item_id: ItemId, body: Annotated[ItemPatch, Body()]) -> ItemOut:
    """Change the named attributes, or whether the item is hidden."""
    attributes = app.catalog.check(body.attributes)
    return _out(await app.writes.patch_item(check_id("item_id", item_id), attributes, body.hidden))


@router.delete(by_id("item_id"), status_code=204)
@needs("write")
async def delete_item(app: App, item_id: ItemId) -> None:
    """Delete an item."""
    await app.writes.delete_item(check_id("item_id", item_id))


def _out(item: Item) -> ItemOut:
    created_at = None if item.created_at is None else format_time(item.created_at)
    return ItemOut(
        item_id=item.item_id, hidden=item.hidden, created_at=created_at, attributes=dict(item.attributes)
    )


def _write(app: LiveApp, item_id: str, body: ItemIn) -> ItemWrite:
    known = app.catalog.position(item_id) is not None
    created_at = None if known else app.environment.clock()
    if body.created_at is not None:
        created_at = parse_time("created_at", body.created_at)
    return ItemWrite(
        check_item_id(app.recipe, item_id), app.catalog.check(body.attributes), created_at, body.hidden
    )
