"""The apps served here, and what each holds."""

from __future__ import annotations

from homefeed.api.context import App, InContext
from homefeed.api.routing import Router, StrictRoute
from homefeed.api.schemas import AppOut, AppsOut, FeedOut, StatsOut
from homefeed.store.events import totals
from homefeed.times import format_time

router = Router(prefix="/v1/apps", tags=["apps"], route_class=StrictRoute)


@router.get("")
async def list_apps(context: InContext) -> AppsOut:
    """The apps served here, each with its feeds."""
    return AppsOut(
        apps=[
            AppOut(
                app=name,
                title=app.recipe.title,
                feeds=[
                    FeedOut(
                        feed=feed.name,
                        title=feed.settings.title,
                        anchored=feed.settings.anchored,
                        home=feed.name == app.recipe.home,
                    )
                    for feed in app.recipe.feeds.values()
                ],
                event_types=list(app.recipe.events),
                query_event_types=[kind for kind, event in app.recipe.events.items() if event.about == "query"],
            )
            for name, app in context.apps.items()
        ]
    )


@router.get("/{app}/stats")
async def stats(app: App) -> StatsOut:
    """Counts, date range, model versions, events in the last minute."""
    found = await totals(app.store, app.recipe.app, app.environment.clock())
    return StatsOut(
        app=app.recipe.app,
        items=found.items,
        hidden_items=found.hidden_items,
        users=found.users,
        events=found.events,
        first_event=None if found.first_event is None else format_time(found.first_event),
        last_event=None if found.last_event is None else format_time(found.last_event),
        events_per_minute=found.events_per_minute,
        models=app.model_versions,
    )
