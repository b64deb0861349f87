"""The marketplace contract over HTTP: the feed, what users do and prefer, what trends, is near or similar."""

from __future__ import annotations

from typing import Annotated, Any, Final, TypeAlias

from fastapi import Body, Depends, Query, Response, status

from homefeed.api.access import UserAt, needs
from homefeed.api.answers import feed_headers, record_impressions
from homefeed.api.bulk import list_body
from homefeed.api.context import Context, InContext, RequestId, ready_made
from homefeed.api.intake import build_event, take_event, take_events
from homefeed.api.paths import by_id
from homefeed.api.places import Latitude, Longitude
from homefeed.api.routing import JSON, Router, StrictRoute
from homefeed.api.schemas import EventsAccepted, Id
from homefeed.apps.marketplace.listings import near, recommended
from homefeed.apps.marketplace.preferences import change_user, listed, preferences_of, stored_attributes
from homefeed.apps.marketplace.schemas import (
    MOST_LISTINGS,
    BulkListingInteractionIn,
    ListingInteractionIn,
    ListingInteractionOut,
    Near,
    NearbyIn,
    Preferences,
    PreferencesIn,
    Recommended,
    SignUpIn,
    SignUpOut,
    UserUid,
)
from homefeed.catalog.hourly import MAX_HOURS
from homefeed.errors import InvalidError
from homefeed.geo import Place
from homefeed.serving import Answer, FeedRequest, LiveApp, named_place
from homefeed.types import Event
from homefeed.validation import check_id

APP: Final = "marketplace"

_FARTHEST_OFFSET: Final = 1_000_000
_USER: Final = UserAt("query", "user_uid")

router = Router(prefix="/api/v1", tags=[APP], route_class=StrictRoute)

Live: TypeAlias = Annotated[LiveApp, Depends(ready_made(APP))]
Limit: TypeAlias = Annotated[int, Query(ge=1, le=MOST_LISTINGS)]


@router.get("/feed", response_model=list[Recommended])
@needs("read", APP, _USER)
async def feed(
    context: InContext,
    live: Live,
    request_id: RequestId,
    user_uid: UserUid,
    limit: Limit = 50,
    offset: Annotated[int, Query(ge=0, le=_FARTHEST_OFFSET, description="Pages go on as they began.")] = 0,
    exclude_seen: Annotated[bool, Query(description="Nothing they viewed, opened, shared or saved.")] = True,
    exclude_applied: Annotated[bool, Query(description="Nothing they applied to.")] = True,
    latitude: Latitude = None,
    longitude: Longitude = None,
) -> Response:
    """Listings for a user, best first, by the seven scores.

    Pages are stable while the user scrolls, whatever arrives meanwhile: none repeats a listing, none skips one.
    The first page begins anew. A list ends after 2,000 listings.
    """
    switches = {"exclude_seen": exclude_seen, "exclude_applied": exclude_applied}
    told = {name: "false" for name, is_on in switches.items() if not is_on}
    place = named_place(latitude, longitude)
    answer = await live.recommend_at(FeedRequest("feed", str(user_uid), limit, context=told, place=place), offset)
    return _listed(context, live, request_id, answer, recommended(answer))


@router.post(
    "/feed/interactions/bulk",
    status_code=status.HTTP_201_CREATED,
    openapi_extra=list_body(BulkListingInteractionIn),
)
@needs("write", APP, UserAt("body", "user_uid"))
async def interactions(context: InContext, live: Live, payload: Annotated[Any, Body()]) -> EventsAccepted:
    """Up to 1,000 interactions of any users, as a list. The good ones are kept, `rejected` names the others."""
    if not isinstance(payload, list):
        raise InvalidError("body: expected a list of interactions")
    return await take_events(context, live, payload, BulkListingInteractionIn, _bulk_event)


@router.post("/feed/interactions" + by_id("listing_id"), status_code=status.HTTP_201_CREATED)
@needs("write", APP, _USER)
async def interaction(
    context: InContext,
    live: Live,
    request_id: RequestId,
    listing_id: Id,
    user_uid: UserUid,
    body: ListingInteractionIn,
) -> ListingInteractionOut:
    """What a user did with a listing; durable once answered, and the user's next request goes by it."""
    taken = await take_event(context, live, _event(live, user_uid, listing_id, body))
    return ListingInteractionOut(
        user_uid=user_uid,
        listing_id=listing_id,
        interaction_type=body.interaction_type,
        accepted=taken.accepted == 1,
        request_id=request_id,
    )


@router.get("/feed/preferences")
@needs("read", APP, _USER)
async def get_preferences(live: Live, user_uid: UserUid) -> Preferences:
    """The stored preferences of a user; of one who is not known there are none yet."""
    return preferences_of(live, user_uid, await stored_attributes(live, user_uid) or {})


@router.patch("/feed/preferences")
@needs("write", APP, _USER)
async def patch_preferences(live: Live, user_uid: UserUid, body: PreferencesIn) -> Preferences:
    """Change some preferences; the user's next request obeys them, and the answer tells all."""
    return preferences_of(live, user_uid, await change_user(live, user_uid, body.changes))


@router.post("/users", status_code=status.HTTP_201_CREATED)
@needs("write", APP)
async def sign_up(live: Live, body: SignUpIn) -> SignUpOut:
    """Somebody signs up with the interests they picked, which their first feed goes by; again it changes them."""
    changes: dict[str, Any] = {"interests": body.interests} if "interests" in body.model_fields_set else {}
    if body.latitude is not None and body.longitude is not None:
        changes["location"] = Place(body.latitude, body.longitude).to_json()
    attributes = await change_user(live, body.user_uid, changes)
    place = live.recipe.users.place_of(attributes)
    return SignUpOut(
        user_uid=body.user_uid,
        latitude=None if place is None else place.latitude,
        longitude=None if place is None else place.longitude,
        interests=listed(attributes.get("interests")),
    )


@router.get("/feed/trending", response_model=list[Recommended])
@needs("read", APP)
async def trending(
    context: InContext,
    live: Live,
    request_id: RequestId,
    limit: Limit = 20,
    hours: Annotated[float, Query(ge=1, le=MAX_HOURS, description="How far back it is looked.")] = 24,
) -> Response:
    """What people did most with in the last hours, the same for everyone; empty where nobody did anything."""
    (answer,) = await live.recommend_together([FeedRequest("trending", n=limit, context={"hours": f"{hours:g}"})])
    return _listed(context, live, request_id, answer, recommended(answer))


@router.post("/feed/nearby", response_model=list[Near])
@needs("read", APP)
async def nearby(context: InContext, live: Live, request_id: RequestId, body: NearbyIn) -> Response:
    """Listings within a radius of a place, the nearest first, of those at one place the best."""
    request = FeedRequest(
        "nearby", n=body.limit, place=Place(body.latitude, body.longitude), radius_km=body.radius_km
    )
    answer = await live.recommend(request)
    return _listed(context, live, request_id, answer, near(answer))


@router.get("/feed/similar" + by_id("listing_id"), response_model=list[Recommended])
@needs("read", APP)
async def similar(
    context: InContext, live: Live, request_id: RequestId, listing_id: Id, limit: Limit = 10
) -> Response:
    """Listings similar to one: in words and tags, in who chose both, and in where they are."""
    item_id = check_id("listing_id", listing_id)
    position = live.catalog.position(item_id)
    places = live.catalog.places
    place = None if position is None or places is None else places.place(position)
    request = FeedRequest("similar", n=limit, item_id=item_id, place=place)
    answer = await live.recommend(request)
    return _listed(context, live, request_id, answer, recommended(answer))


def _listed(context: Context, live: LiveApp, request_id: str, answer: Answer, content: bytes) -> Response:
    record_impressions(context, live, [answer], request_id)
    return Response(content, media_type=JSON, headers=feed_headers(live, answer))


def _event(live: LiveApp, user_uid: UserUid, listing_id: str, body: ListingInteractionIn) -> Event:
    metadata = body.metadata.model_dump(exclude_none=True)
    return build_event(
        live,
        user_id=str(user_uid),
        item_id=listing_id,
        event_type=body.interaction_type,
        value=metadata.pop("time_spent_seconds", None),
        time=body.timestamp,
        event_id=body.interaction_id,
        request_id=body.request_id,
        context=metadata,
    )


def _bulk_event(live: LiveApp, body: BulkListingInteractionIn) -> Event:
    return _event(live, body.user_uid, body.listing_id, body)
