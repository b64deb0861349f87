"""Users over HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request

from homefeed.api.access import UserAt, needs
from homefeed.api.bulk import Refusals, batches_of, list_body, take_many
from homefeed.api.context import App
from homefeed.api.paging import Cursor, Limit, after
from homefeed.api.paths import by_id
from homefeed.api.routing import StrictRoute
from homefeed.api.schemas import (
    Accepted,
    Erased,
    EventOut,
    Id,
    UserEventsOut,
    UserExportOut,
    UserIn,
    UserOut,
    UsersOut,
    UserWithId,
)
from homefeed.store import users
from homefeed.store.events import latest_of_user
from homefeed.store.user_export import MOST_EXPORTED, export_user
from homefeed.times import format_time
from homefeed.types import User
from homefeed.validation import check_id, check_user, check_user_id

router = APIRouter(prefix="/v1/apps/{app}/users", tags=["users"], route_class=StrictRoute)

UserId = Annotated[Id, Path(description="Percent-encoded.")]


@router.get("")
@needs("read")
async def list_users(app: App, limit: Limit = 100, cursor: Cursor = None) -> UsersOut:
    """A page of the users, in the order they came."""
    found = await users.list_users(app.store, app.recipe.app, after(cursor), limit + 1)
    more = str(found[limit - 1].number) if len(found) > limit else None
    return UsersOut(users=[_out(user) for user in found[:limit]], next_cursor=more)


@router.post("", response_model_exclude_none=True, openapi_extra=list_body(UserWithId, lines=True))
@needs("write")
async def put_users(app: App, request: Request) -> Accepted:
    """Create or replace users: a JSON list of up to 1,000, or NDJSON of any length, a user a line.

    The good ones are kept; `rejected` names the others, and why. What a user refused or blocked stays, unless it
    is named.
    """

    def build(body: UserWithId) -> tuple[str, dict[str, Any]]:
        return check_user_id(app.recipe, body.user_id), check_user(app.recipe, body.attributes)

    async def write(writes: Sequence[tuple[str, dict[str, Any]]]) -> Refusals:
        await app.writes.put_users(writes)
        return [None] * len(writes)

    return await take_many(batches_of(request), UserWithId, build, write)


@router.get(by_id("user_id"))
@needs("read")
async def get_user(app: App, user_id: UserId) -> UserOut:
    """One user."""
    return _out(await users.get_user(app.store, app.recipe.app, check_id("user_id", user_id)))


@router.put(by_id("user_id"))
@needs("write")
async def put_user(app: App, user_id: UserId, body: UserIn) -> UserOut:
    """Create or replace a user; their events stay, and what they refused or blocked unless it is named."""
    attributes = check_user(app.recipe, body.attributes)
    return _out(await app.writes.put_user(check_user_id(app.recipe, user_id), attributes))


@router.patch(by_id("user_id"))
@needs("write")
async def patch_user(app: App, user_id: UserId, body: UserIn) -> UserOut:
    """Change the named attributes; null takes one away."""
    attributes = check_user(app.recipe, body.attributes)
    return _out(await app.writes.patch_user(check_id("user_id", user_id), attributes))


@router.delete(by_id("user_id"))
@needs("admin")
async def erase_user(app: App, user_id: UserId) -> Erased:
    """Erase a user, all their events, and the impressions of what they were shown."""
    events = await app.writes.erase_user(check_id("user_id", user_id))
    return Erased(user_id=user_id, events=events)


@router.get(by_id("user_id") + "/events")
@needs("read", user=UserAt("path", "user_id"))
async def list_user_events(
    app: App, user_id: UserId, limit: Annotated[int, Query(ge=1, le=1_000)] = 50
) -> UserEventsOut:
    """A user's events, newest first; none for an unknown user."""
    found = await latest_of_user(app.store, app.recipe.app, check_id("user_id", user_id), limit)
    return UserEventsOut(
        user_id=user_id,
        events=[
            EventOut(
                item_id=event.item_id or None,
                event_type=event.event_type,
                value=event.value,
                timestamp=format_time(event.time),
                event_id=event.event_id,
                request_id=event.request_id,
                context=dict(event.context),
            )
            for event, _ in found
        ],
    )


@router.get(by_id("user_id") + "/export")
@needs("admin")
async def export_user_data(app: App, user_id: UserId) -> UserExportOut:
    """All that is stored of a user: attributes, events and the pages they were shown, oldest first.

    Of up to 100,000 events and pages together; the command `homefeed users export` has no such bound.
    """
    found = await export_user(app.store, app.recipe.app, check_id("user_id", user_id), MOST_EXPORTED)
    return UserExportOut.model_validate(found)


def _out(user: User) -> UserOut:
    return UserOut(user_id=user.user_id, attributes=dict(user.attributes))
