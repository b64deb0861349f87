"""The routes of the three apps that a recording requests, as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class HomeRoute:
    """The route of an app's own home page, what it calls user and size, and whether it has next pages."""

    path: str
    user: str
    size: str
    paged: bool = False


@dataclass(frozen=True, slots=True)
class AppRoutes:
    """What there is to request of an app.

    `contract` holds paths and parameters in which {user}, {item}, {query} and {n} are filled in; in bodies of
    events {user} and {query} are, in the new item the attributes of a user. `items` and `events` name the files
    of the sample.
    """

    app: str
    items: str
    item_column: str
    events: str
    feeds: Sequence[str]
    fresh: Sequence[str]
    conditions: Sequence[str]
    home: HomeRoute
    contract: Sequence[tuple[str, Mapping[str, str]]]
    events_path: str
    event_bodies: Sequence[Mapping[str, Any]]
    generic_event: Mapping[str, Any]
    new_item: Mapping[str, Any]
    user_changes: Sequence[Mapping[str, Any]]


COMMUNITY: Final = AppRoutes(
    app="community",
    items="items",
    item_column="item_id",
    events="interactions",
    feeds=("welcome", "popular", "fresh"),
    fresh=("fresh", "home"),
    conditions=(
        "item_type:post",
        "item_type:event",
        "tags:choir",
        "tags:cycling",
        "quality>=0.7",
        "quality<0.9",
        "block:Maple Court",
        "community_id:riverside",
    ),
    home=HomeRoute("/v1/reco/homefeed", "user_id", "limit", paged=True),
    contract=(
        ("/v1/reco/homefeed", {"user_id": "{user}", "limit": "{n}"}),
        ("/v1/reco/homefeed", {"user_id": "{user}"}),
        ("/v1/reco/homefeed", {"user_id": "{user}", "limit": "{n}", "types": "event"}),
        ("/v1/reco/homefeed", {"user_id": "{user}", "types": "poll"}),
        ("/v1/reco/explanations", {"user_id": "{user}", "item_id": "{item}"}),
    ),
    events_path="/v1/reco/feedback",
    event_bodies=tuple(
        {"user_id": "{user}", "item_id": "<item>", "event_type": event, **more}
        for event, more in (
            ("view", {"dwell_seconds": 45}),
            ("like", {}),
            ("comment", {}),
            ("hide", {}),
            ("report", {}),
            ("save", {"position": 1}),
        )
    ),
    generic_event={"event_type": "like"},
    new_item={
        "title": "Evening choir in the courtyard",
        "text": "The choir meets in the courtyard every Thursday evening. Singers of all ages are welcome.",
        "community_id": "{community_id}",
        "item_type": "event",
        "creator_id": "u7",
        "tags": ["choir", "music"],
        "quality": 0.9,
    },
    user_changes=(
        {"interests": ["cycling", "tools"]},
        {"opt_out": "all"},
        {"opt_out": "true"},
        {"block": "Maple Court"},
        {"community_id": "oakfield"},
    ),
)

STREAMING: Final = AppRoutes(
    app="streaming",
    items="items",
    item_column="item_id",
    events="events",
    feeds=("popular", "trending", "fresh"),
    fresh=("fresh", "home"),
    conditions=("genre:Drama", "genre:Comedy", "genre:Horror", "content_type:movie", "content_type:microdrama"),
    home=HomeRoute("/recommendations", "user_id", "k"),
    contract=(
        ("/popular", {"k": "{n}"}),
        ("/popular", {"k": "{n}", "content_type": "series"}),
        ("/popular", {"genre": "Comedy"}),
        ("/recommendations", {"user_id": "{user}", "k": "{n}"}),
        ("/recommendations", {"user_id": "{user}"}),
        ("/recommendations", {"user_id": "{user}", "k": "{n}", "genre": "Drama"}),
        ("/recommendations", {"user_id": "{user}", "content_type": "movie", "genre": "Action"}),
        ("/history", {"user_id": "{user}", "limit": "{n}"}),
    ),
    events_path="/events",
    event_bodies=tuple(
        {"user_id": "{user}", "item_id": "<item>", "watch_seconds": seconds} for seconds in (5, 120, 1_900, 6_000)
    ),
    generic_event={"event_type": "play", "value": 2_400},
    new_item={"title": "The Quiet Harbour", "content_type": "movie", "genre": ["Drama", "Crime"]},
    user_changes=({"age": 30}, {"region": "Nordics"}),
)

SHOP: Final = AppRoutes(
    app="shop",
    items="products",
    item_column="id",
    events="events",
    feeds=("trending", "best_value", "top_categories", "diverse", "popular"),
    fresh=("home", "top_categories"),
    conditions=(
        "main_category:Electronics",
        "main_category:Home & Kitchen",
        "sub_category:Camping",
        "price<=30",
        "price>=100",
        "rating>=4",
        "discount_ratio>0.2",
    ),
    home=HomeRoute("/recommendations/home", "user_id", "response_limit"),
    contract=(
        ("/recommendations/home", {"user_id": "{user}"}),
        ("/recommendations/home", {"user_id": "{user}", "response_limit": "{n}"}),
        ("/recommendations/product/{item}", {}),
        ("/recommendations/product/{item}", {"response_limit": "{n}"}),
        ("/recommendations/search", {"query": "{query}", "response_limit": "{n}"}),
        ("/recommendations/search", {"query": "{query}", "response_limit": "20", "category": "Electronics"}),
        ("/recommendations/search", {"query": "{query}", "max_price": "40", "response_limit": "20"}),
        ("/recommendations/search", {"query": "zzzyx qqq", "response_limit": "{n}"}),
        ("/api/v1/interactions/interactions/{user}", {"limit": "{n}"}),
    ),
    events_path="/api/v1/interactions/interactions",
    event_bodies=(
        {"user_id": "{user}", "event_type": "product_click", "product_id": "<item>"},
        {"user_id": "{user}", "event_type": "product_click", "product_id": "<item>", "query": "{query}"},
        {"user_id": "{user}", "event_type": "search_query", "query": "{query}"},
    ),
    generic_event={"event_type": "purchase"},
    new_item={
        "name": "Softdale Wireless Kettle, 1.7 l, Steel",
        "main_category": "Home & Kitchen",
        "sub_category": "Storage",
        "price": 29.5,
        "original_price": 39.5,
        "discount_ratio": 0.25,
        "rating": 4.6,
        "reviews": 250,
    },
    user_changes=({"age": 30},),
)

APPS: Final = (COMMUNITY, STREAMING, SHOP)
