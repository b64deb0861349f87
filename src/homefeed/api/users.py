"""Users over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from homefeed.api.context import App
from homefeed.api.paging import Cursor, Limit, after
from homefeed.api.paths import by_id
from homefeed.api.routing import StrictRoute
from homefeed.api.schemas import Erased, EventOut, EventsOut, Id, UserIn, UserOut, UsersOut
from homefeed.store.events import latest_of_user
from homefeed.store.users import get_user, list_users
from homefeed.times import format_time
from homefeed.types import User
from homefeed.validation import check_id, check_user, check_user_id

router = APIRouter(prefix="/v1/apps/{app}/users", tags=["users"], route_class=StrictRoute)

UserId = Annotated[Id, Path(description="Percent-encoded.")]


@router.get("")
async def list_all(app: App, limit: Limit = 100, cursor: Cursor = None) -> UsersOut:
    """A page of the users, in the order they came."""
    found = await list_users(app.store, app.recipe.app, after(cursor), limit + 1)
    more = str(found[limit - 1].number) if len(found) > limit else None
    return UsersOut(users=[_out(user) for user in found[:limit]], next_cursor=more)


@router.get(by_id("user_id"))
async def get_one(app: App, user_id: UserId) -> UserOut:
    """One user."""
    return _out(await get_user(app.store, app.recipe.app, check_id("user_id", user_id)))


@router.put(by_id("user_id"))
async def put_one(app: App, user_id: UserId, body: UserIn) -> UserOut:
    """Create or replace a user; their events stay, and what they refused or blocked unless it is named."""
    attributes = check_user(app.recipe, body.attributes)
    return _out(await app.writes.put_user(check_user_id(app.recipe, user_id), attributes))


@router.patch(by_id("user_id"))
async def patch_one(app: App, user_id: UserId, body: UserIn) -> UserOut:
    """Change the named attributes; null takes one away."""
    attributes = check_user(app.recipe, body.attributes)
    return _out(await app.writes.patch_user(check_id("user_id", user_id), attributes))


@router.delete(by_id("user_id"))
async def erase(app: App, user_id: UserId) -> Erased:
    """Erase a user, all their events, and the impressions of what they were shown."""
    events = await app.writes.erase_user(check_id("user_id", user_id))
    return Erased(user_id=user_id, events=events)


@router.get(by_id("user_id") + "/events")
async def history(app: App, user_id: UserId, limit: Annotated[int, Query(ge=1, le=1_000)] = 50) -> EventsOut:
    """A user's events, newest first; none for an unknown user."""
    found = await latest_of_user(app.store, app.recipe.app, check_id("user_id", user_id), limit)
    return EventsOut(
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


def _out(user: User) -> UserOut:
    return UserOut(user_id=user.user_id, attributes=dict(user.attributes))
