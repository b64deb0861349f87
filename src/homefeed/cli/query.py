"""Queries: popular, recommend, search, history, explain."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, TypeVar

import typer

from homefeed.cli.common import (
    AppName,
    Json,
    UserId,
    on_store,
    print_json,
    printable,
    recipe_of,
    settings_in_force,
)
from homefeed.cli.naming import complete_feed, split_app
from homefeed.errors import InvalidError

if TYPE_CHECKING:
    from homefeed.explain import Trace
    from homefeed.recipe import Recipe
    from homefeed.serving import Answer, LiveApp
    from homefeed.types import Condition

T = TypeVar("T")

K: TypeAlias = Annotated[int, typer.Option("--k", help="How many, 1 or more.")]
Filters: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--filter",
        metavar="CONDITION",
        help="Only items with genre:Drama, year>=2000 and so on, as over HTTP; of several all must hold.",
    ),
]
ContentType: TypeAlias = Annotated[
    str | None,
    typer.Option("--content_type", "--content-type", help="Of streaming: the same as --filter content_type:TYPE."),
]
Genre: TypeAlias = Annotated[
    str | None, typer.Option("--genre", help="Of streaming: the same as --filter genre:GENRE.")
]
Reason: TypeAlias = Annotated[bool, typer.Option("--reason", help="Print the reason under each line.")]


Latitude: TypeAlias = Annotated[
    float | None, typer.Option("--latitude", help="Where the user is now, with --longitude.")
]
Longitude: TypeAlias = Annotated[float | None, typer.Option("--longitude", help="Goes with --latitude.")]
RadiusKm: TypeAlias = Annotated[
    float | None, typer.Option("--radius_km", "--radius-km", help="Only items so near to that place.")
]


FeedName: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--feed", help="The feed; by default the one that people see first.", autocompletion=complete_feed
    ),
]


def register(cli: typer.Typer) -> None:
    """Add these commands."""
    for command in (popular, recommend, search, history, explain):
        cli.command()(command)


def popular(
    app: AppName,
    k: K = 10,
    filters: Filters = None,
    content_type: ContentType = None,
    genre: Genre = None,
    reason: Reason = False,
    user_id: Annotated[
        str | None,
        typer.Option("--user_id", "--user-id", help="The user, for an app with isolated groups."),
    ] = None,
    as_json: Json = False,
) -> None:
    """The most popular items.

    Example: `homefeed popular --k 5 --filter genre:Drama`

    Example: `homefeed popular community --user_id u42`
    """
    from homefeed.serving import FeedRequest
    from homefeed.validation import check_id

    recipe = recipe_of(app)
    isolation = recipe.isolation
    if user_id is not None:
        check_id("user_id", user_id)
    elif isolation is not None:
        raise InvalidError(f"{app} shows users items of their own {isolation.user} only; add --user_id USER")
    conditions = _conditions(filters, content_type, genre)
    request = FeedRequest("popular", user_id, n=_one_or_more("k", k), conditions=conditions)
    answer = _on_app(app, recipe, lambda live: live.recommend(request))
    if as_json:
        print_json({"k": k, "items": _items(answer)})
        return
    typer.echo(f"Top {k} Popular Items:")
    _print_items(answer, reason)


def recommend(
    app: AppName,
    user_id: UserId,
    k: K = 10,
    filters: Filters = None,
    content_type: ContentType = None,
    genre: Genre = None,
    reason: Reason = False,
    feed: FeedName = None,
    item_id: Annotated[
        str | None,
        typer.Option("--item_id", "--item-id", help="The item for a feed such as similar."),
    ] = None,
    latitude: Latitude = None,
    longitude: Longitude = None,
    radius_km: RadiusKm = None,
    as_json: Json = False,
) -> None:
    """Recommendations for a user.

    Example: `homefeed recommend --user_id u1 --k 5 --reason`

    Example: `homefeed recommend news --user_id u1 --filter "section:politics"`

    Example: `homefeed recommend live --user_id u1 --latitude 48.85 --longitude 2.35 --radius_km 50`
    """
    from homefeed.serving import FeedRequest, named_place
    from homefeed.validation import check_id

    check_id("user_id", user_id)
    recipe = recipe_of(app)
    feed = feed or _home_of(recipe)
    request = FeedRequest(
        feed,
        user_id,
        n=_one_or_more("k", k),
        item_id=item_id,
        conditions=_conditions(filters, content_type, genre),
        place=named_place(latitude, longitude),
        radius_km=radius_km,
    )

    async def answered(live: LiveApp) -> tuple[Answer, str | None]:
        if not live.model_versions:
            typer.echo(f"Not trained yet; for better recommendations: homefeed train {app}", err=True)
        found = await live.recommend(request)
        return found, live.recipe.feeds[feed].settings.cold_start if found.slate.cold_start else None

    answer, instead = _on_app(app, recipe, answered)
    if as_json:
        told = {"fallback_used": instead is not None} | ({"all_seen": True} if answer.slate.all_seen else {})
        print_json({"user_id": user_id, "k": k, "items": _items(answer), **told})
        return
    if instead is not None:
        typer.echo(f"User {printable(user_id)} has no usable history: this is the {instead} list.")
    if answer.slate.all_seen:
        typer.echo(f"User {printable(user_id)} has seen all that there is for them.")
    typer.echo(f"Recommendations for user {printable(user_id)}:")
    _print_items(answer, reason)


def search(
    app_and_query: Annotated[
        list[str],
        typer.Argument(
            metavar="[APP] QUERY", help="The app, as of other commands, and the search query in quotes."
        ),
    ],
    k: K = 10,
    filters: Filters = None,
    reason: Reason = False,
    as_json: Json = False,
) -> None:
    """Items that match a query, of an app with a feed `search`.

    Example: `homefeed search "red running shoes" --k 5 --reason`

    Example: `homefeed search news "rent control" --filter "section:politics"`
    """
    from homefeed.serving import FeedRequest
    from homefeed.validation import check_query

    app, query = split_app(app_and_query, "search", "query")
    text = check_query(query)
    conditions = _conditions(filters)
    request = FeedRequest("search", n=_one_or_more("k", k), conditions=conditions, context={"query": text})
    answer = _on_app(app, recipe_of(app), lambda live: live.recommend(request))
    if as_json:
        print_json({"query": text, "k": k, **answer.understood, "items": _items(answer)})
        return
    typer.echo(f"Results for {printable(text if answer.priced is None else answer.priced.said)}:")
    _print_items(answer, reason)


def history(
    app: AppName,
    user_id: UserId,
    limit: Annotated[int, typer.Option("--limit", help="How many events, 1 or more.")] = 50,
    as_json: Json = False,
) -> None:
    """The events of a user, newest first.

    Example: `homefeed history --user_id u1 --limit 10`
    """
    import orjson

    from homefeed.store.events import latest_of_user
    from homefeed.times import format_time
    from homefeed.validation import check_id

    check_id("user_id", user_id)
    _one_or_more("limit", limit)
    recipe = recipe_of(app)
    found = on_store(settings_in_force(), lambda store: latest_of_user(store, recipe.app, user_id, limit))
    rows: list[dict[str, Any]] = [
        {
            "item_id": event.item_id or None,
            "title": None if attributes is None else orjson.loads(attributes).get(recipe.items.title),
            "event_type": event.event_type,
            "value": event.value,
            "timestamp": format_time(event.time),
            **({"query": event.context["query"]} if "query" in event.context else {}),
        }
        for event, attributes in found
    ]
    if as_json:
        print_json({"user_id": user_id, "items": rows})
        return
    shown = printable(user_id)
    typer.echo(f"History of user {shown}:" if rows else f"User {shown} has no history yet.")
    for place, row in enumerate(rows, 1):
        value = "" if row["value"] is None else f", {row['value']:g}"
        about = f"{row['item_id']} - {row['title'] or '(deleted)'}" if row["item_id"] else f'"{row["query"]}"'
        shown_item = printable(about)
        typer.echo(f"{place}. {shown_item} ({printable(row['event_type'])}{value}, {row['timestamp']})")


def explain(
    app: AppName,
    user_id: UserId,
    item_id: Annotated[str, typer.Option("--item_id", "--item-id", help="The item's id.")],
    feed: FeedName = None,
    filters: Filters = None,
    as_json: Json = False,
) -> None:
    """Why an item is, or is not, recommended to a user.

    Example: `homefeed explain --user_id u1 --item_id i3`
    """
    from homefeed.cli.trace import print_trace
    from homefeed.serving import FeedRequest
    from homefeed.validation import check_id

    recipe = recipe_of(app)
    request = FeedRequest(feed or _home_of(recipe), check_id("user_id", user_id), conditions=_conditions(filters))

    async def answered(live: LiveApp) -> tuple[Trace, dict[str, str], dict[str, str]]:
        return await live.explain(request, item_id), live.model_versions, live.text_models

    trace, models, text_models = _on_app(app, recipe, answered)
    if as_json:
        from dataclasses import asdict

        print_json(asdict(trace) | {"models": models, "text_models": text_models})
        return
    models |= {name: f"{models[name]} ({made_with})" for name, made_with in text_models.items()}
    print_trace(trace, models, user_id, item_id)


def _on_app(name: str, recipe: Recipe, work: Callable[[LiveApp], Awaitable[T]]) -> T:
    import asyncio

    from homefeed.serving import open_app

    settings = settings_in_force()

    async def run() -> T:
        async with open_app(recipe, settings) as live:
            if not live.catalog.size:
                raise InvalidError(
                    f"{recipe.app} has no items yet in {settings.home}; "
                    f"import some: homefeed import {name} FOLDER, or try: homefeed demo"
                )
            return await work(live)

    return asyncio.run(run())


def _conditions(
    filters: list[str] | None, content_type: str | None = None, genre: str | None = None
) -> tuple[Condition, ...]:
    """What `--filter` says, and the two options that streaming has beside it."""
    from homefeed.conditions import parse_conditions
    from homefeed.types import Condition

    given = {"content_type": content_type, "genre": genre}
    named = (Condition(field, ":", value) for field, value in given.items() if value is not None)
    return (*parse_conditions(filters or ()), *named)


def _home_of(recipe: Recipe) -> str:
    """The feed that people see first."""
    return recipe.home or "home"


def _one_or_more(name: str, count: int) -> int:
    if count < 1:
        raise InvalidError(f"{name}: expected 1 or more, got {count}")
    return count


def _items(answer: Answer) -> list[dict[str, Any]]:
    catalog, slate = answer.catalog, answer.slate
    return [
        {"item_id": catalog.item_id(position), "title": catalog.title(position), "reason": reason, "score": score}
        for position, reason, score in zip(
            slate.positions.tolist(), slate.reasons, slate.scores.tolist(), strict=True
        )
    ]


def _print_items(answer: Answer, with_reason: bool) -> None:
    for place, item in enumerate(_items(answer), 1):
        typer.echo(printable(f"{place}. {item['item_id']} - {item['title']}"))
        if with_reason:
            typer.echo(printable(f"   {item['reason']}"))
    if not len(answer.slate):
        typer.echo("Nothing matches.")
