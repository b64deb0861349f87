"""The shop contract over HTTP."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Coroutine
from typing import Annotated, Any, Final, TypeAlias

import orjson
from fastapi import Depends, Path, Query, Request, Response
from fastapi.exceptions import RequestValidationError

from homefeed.api.access import UserAt, needs
from homefeed.api.answers import json_response, record_impressions
from homefeed.api.context import InContext, RequestId, ready_made
from homefeed.api.errors import validation_errors
from homefeed.api.intake import build_event, take_event
from homefeed.api.paths import by_id
from homefeed.api.routing import Router, StrictRoute
from homefeed.apps.shop.cards import products
from homefeed.apps.shop.schemas import (
    PRODUCT_ID,
    USER_ID,
    HomeOut,
    InteractionIn,
    InteractionOut,
    InteractionsOut,
    QueryText,
    SearchOut,
    SimilarOut,
)
from homefeed.catalog.columns import CategoryColumn
from homefeed.errors import MalformedError
from homefeed.serving import Answer, FeedRequest, LiveApp
from homefeed.store.events import latest_of_user
from homefeed.times import format_time
from homefeed.types import DAY, Condition, Event

APP: Final = "shop"

_MAX_IN_LIST: Final = 60
_MAX_CATEGORIES: Final = 6
_MAX_RESULTS: Final = 6_000
_MAX_INTERACTIONS: Final = 10_000
_FORMS: Final = frozenset(
    (where, name)
    for where, names in {
        "path": ("user_id", "product_id"),
        "query": ("user_id", "query"),
        "body": ("product_id", "query"),
    }.items()
    for name in names
)
"""What is answered by 400 where it is malformed or missing: ids and queries; anything else wrong is a 422."""


class _Route(StrictRoute):
    """A route on which a malformed id or query is a 400."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Answer 400 where only ids and queries are wrong, else 422."""
        handler = super().get_route_handler()

        async def with_forms(request: Request) -> Response:
            try:
                return await handler(request)
            except RequestValidationError as error:
                if all(tuple(problem["loc"][:2]) in _FORMS for problem in error.errors()):
                    wrong = validation_errors(error.errors())
                    raise MalformedError("; ".join(f"{e['where']}: {e['error']}" for e in wrong)) from None
                raise

        return with_forms


router = Router(tags=[APP], route_class=_Route)

Live: TypeAlias = Annotated[LiveApp, Depends(ready_made(APP))]
Limit: TypeAlias = Annotated[int, Query(description="How many products a list has: 1 to 60, else clamped.")]
Price: TypeAlias = Annotated[float | None, Query(ge=0, allow_inf_nan=False)]


@router.get("/recommendations/home", response_model=HomeOut)
@needs("read", APP, UserAt("query", "user_id"))
async def home(
    context: InContext,
    live: Live,
    request_id: RequestId,
    user_id: Annotated[str, Query(pattern=USER_ID)],
    response_limit: Limit = 20,
) -> Response:
    """The five lists of the home page; `personalized` is empty for users without events in the last 30 days."""
    limit = _clamped(response_limit, _MAX_IN_LIST)
    sizes = {"home": limit, "trending": limit, "best_value": limit}
    sizes["top_categories"] = limit * _MAX_CATEGORIES  # the best of each category, the second of each, ...
    sizes["diverse"] = limit
    requests = [FeedRequest(feed, user_id, n) for feed, n in sizes.items()]
    answers = dict(zip(sizes, await live.recommend_together(requests), strict=True))
    if answers["home"].slate.cold_start:
        del answers["home"]
    record_impressions(context, live, list(answers.values()), request_id)
    return json_response(
        {
            "personalized": _products(answers["home"]) if "home" in answers else [],
            "trending": _products(answers["trending"]),
            "best_value": _products(answers["best_value"]),
            "top_categories": _by_category(answers["top_categories"], limit),
            "diverse_picks": _products(answers["diverse"]),
            "request_id": request_id,
        }
    )


@router.get("/recommendations/product" + by_id("product_id"), response_model=SimilarOut)
@needs("read", APP)
async def product(
    context: InContext,
    live: Live,
    request_id: RequestId,
    product_id: Annotated[str, Path(pattern=PRODUCT_ID)],
    response_limit: Limit = 20,
) -> Response:
    """Products similar to one, and those often viewed with it."""
    request = FeedRequest("similar", n=_clamped(response_limit, _MAX_IN_LIST), item_id=product_id)
    (answer,) = await live.recommend_together([request])
    record_impressions(context, live, [answer], request_id)
    return json_response({"similar": _products(answer), "request_id": request_id})


@router.get("/recommendations/search", response_model=SearchOut, response_model_exclude_none=True)
@needs("read", APP)
async def search(
    context: InContext,
    live: Live,
    request_id: RequestId,
    query: Annotated[QueryText, Query(description="What to look for.")],
    response_limit: Annotated[
        int, Query(description="How many products at most: 1 to 6,000, else clamped.")
    ] = 2_000,
    category: Annotated[str | None, Query(description="Only products of this main category.")] = None,
    sub_category: Annotated[str | None, Query(description="Only products of this sub-category.")] = None,
    min_price: Price = None,
    max_price: Price = None,
) -> Response:
    """Products that match a query, best first; the trending ones where none does."""
    limit = _clamped(response_limit, _MAX_RESULTS)
    conditions = _conditions(category, sub_category, min_price, max_price)
    request = FeedRequest("search", n=limit, conditions=conditions, context={"query": query})
    answers, fallback = await live.recommend_together([request]), {}
    prices = answers[0].priced
    if not len(answers[0].slate):
        conditions += () if prices is None else prices.conditions("price")
        answers += await live.recommend_together([FeedRequest("trending", n=limit, conditions=conditions)])
        fallback = {"fallback_reason": "no_search_matches"}
    record_impressions(context, live, answers, request_id)
    return json_response(
        {"results": _products(answers[-1]), **answers[0].understood, **fallback, "request_id": request_id}
    )


@router.post("/api/v1/interactions/interactions", response_class=Response)
@needs("write", APP, UserAt("body", "user_id"))
async def post_interaction(context: InContext, live: Live, body: InteractionIn) -> Response:
    """A click or a search; answered, with an empty body, once it is durable, and the next page reflects it."""
    await take_event(context, live, _event(live, body))
    return Response(status_code=200)


@router.get("/api/v1/interactions/interactions" + by_id("user_id"))
@needs("read", APP, UserAt("path", "user_id"))
async def get_interactions(
    live: Live,
    request_id: RequestId,
    user_id: Annotated[str, Path(pattern=USER_ID)],
    days: Annotated[int, Query(ge=1, le=3_650)] = 30,
    limit: Annotated[int, Query(ge=1, le=_MAX_INTERACTIONS)] = _MAX_INTERACTIONS,
) -> InteractionsOut:
    """What a user did in the last days, newest first; an empty list for an unknown user."""
    since = live.environment.clock() - days * DAY
    found = await latest_of_user(live.store, APP, user_id, limit, since)
    interactions = [
        InteractionOut(
            event_type=event.event_type,
            product_id=event.item_id or None,
            query=event.context.get("query"),
            timestamp=format_time(event.time),
        )
        for event, _ in found
    ]
    return InteractionsOut(user_id=user_id, days=days, interactions=interactions, request_id=request_id)


def _clamped(limit: int, max_limit: int) -> int:
    return min(max(limit, 1), max_limit)


def _conditions(
    category: str | None, sub_category: str | None, min_price: float | None, max_price: float | None
) -> tuple[Condition, ...]:
    given = (
        None if category is None else Condition("main_category", ":", category),
        None if sub_category is None else Condition("sub_category", ":", sub_category),
        None if min_price is None else Condition("price", ">=", repr(min_price)),
        None if max_price is None else Condition("price", "<=", repr(max_price)),
    )
    return tuple(one for one in given if one is not None)


def _event(live: LiveApp, body: InteractionIn) -> Event:
    return build_event(
        live,
        user_id=body.user_id,
        item_id=body.product_id,
        event_type=body.event_type,
        time=body.timestamp,
        event_id=body.event_id,
        request_id=body.request_id,
        context={} if body.query is None else {"query": body.query},
    )


def _products(answer: Answer) -> orjson.Fragment:
    slate = answer.slate
    return orjson.Fragment(products(answer.catalog, slate.positions.tolist(), slate.reasons))


def _by_category(answer: Answer, limit: int) -> dict[str, orjson.Fragment]:
    """A list for each main category, in the order in which they come first."""
    catalog, slate = answer.catalog, answer.slate
    column = catalog.column("main_category", CategoryColumn)
    positions, rows = slate.positions.tolist(), defaultdict[int, list[int]](list)
    for row, code in enumerate(column.codes(catalog.size)[slate.positions].tolist()):
        rows[code].append(row)
    return {
        column.value(code): orjson.Fragment(
            products(catalog, [positions[row] for row in own[:limit]], [slate.reasons[row] for row in own[:limit]])
        )
        for code, own in rows.items()
        if code >= 0
    }
