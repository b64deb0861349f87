"""An app at a glance: what was shown and clicked, what changed, models, jobs, imports."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from homefeed.cli.common import (
    AppName,
    Days,
    Json,
    Report,
    on_store,
    printable,
    progress,
    recipe_of,
    settings_in_force,
)

if TYPE_CHECKING:
    from homefeed.api.overview import OverviewOut
    from homefeed.recipe import Recipe
    from homefeed.settings import Settings
    from homefeed.store import Store

_MOST_CHANGES = 8


def register(cli: typer.Typer) -> None:
    """Add these commands."""
    cli.command()(overview)


def overview(
    app: AppName,
    days: Days = 7,
    as_json: Json = False,
) -> None:
    """Show an app at a glance: what was shown and clicked, what changed, models, jobs, imports.

    It is computed from the store's latest 100,000 pages and their events. `homefeed results` has all rates.

    Example: `homefeed overview community`

    Example: `homefeed overview live --days 28 --json`
    """
    settings, recipe = settings_in_force(), recipe_of(app)
    with progress(as_json) as report:
        found = on_store(settings, lambda store: _read(store, settings, recipe, days, report))
    if as_json:
        typer.echo(found.model_dump_json(indent=2))
    else:
        _show(found)


async def _read(store: Store, settings: Settings, recipe: Recipe, days: int, report: Report) -> OverviewOut:
    from homefeed.api.overview import with_state
    from homefeed.dataset.overview import read_overview
    from homefeed.environment import Environment
    from homefeed.store.artifacts import ArtifactStore

    artifacts, now = ArtifactStore(settings.models_folder), Environment().clock()
    names = dict.fromkeys(name for job in recipe.jobs.values() for name in job.models)
    current = {name: artifacts.current(recipe.app, name) for name in names}
    versions = {name: version for name, version in current.items() if version is not None}
    found = await read_overview(
        store, recipe, now, days, lambda done, total: report("reading what was shown", done, total)
    )
    return await with_state(store, recipe, found, versions, now)


def _show(found: OverviewOut) -> None:
    if found.total is None:
        typer.echo(f"{found.app}: nothing shown since {found.since}. Ask for feeds: homefeed serve")
    else:
        total = found.total.total
        typer.echo(
            f"{found.app} since {found.read_from}: {total.items_shown:,} items on {total.pages:,} pages, "
            f"click-through {_share(total.click_through_rate)} ({', '.join(found.click_types) or 'no event'}), "
            f"{total.distinct_items:,} different items, {total.users:,} known users"
        )
        if found.read_from != found.since:
            typer.echo(f"There was more since {found.since}: the latest pages are told")
        if found.main_type is not None and found.click_types != [found.main_type]:
            typer.echo(f"{found.main_type.capitalize()}: {_share(total.rates.get(found.main_type))}")
        if any(one.total.coverage is not None for one in found.feeds):
            typer.echo(f"Coverage, users with answers of their own: {_share(total.coverage)}")
        typer.echo(f"By feed, retriever, version, day or users: homefeed results {found.app}")
    for change in found.changes[-_MOST_CHANGES:]:
        of_feed = f" of {change.feed}" if change.feed else ""
        typer.echo(
            printable(f"{change.time}  {change.kind} {change.name}{of_feed} {change.version or ''}".rstrip())
        )
    _show_state(found)


def _show_state(found: OverviewOut) -> None:
    for model in found.models:
        typer.echo(printable(f"Model {model.model}: trained {model.trained_at or 'at an unknown time'}"))
    if not found.models:
        typer.echo(f"No model trained yet: homefeed train {found.app}")
    for job in found.jobs:
        if not job.runs:
            typer.echo(printable(f"Job {job.job}: no run yet; homefeed schedule runs it every {job.every}"))
            continue
        last = job.runs[0]
        detail = f": {last.detail}" if last.detail else ""
        typer.echo(
            printable(f"Job {job.job}: {last.outcome} after {last.seconds:.1f} s, begun {last.started}{detail}")
        )
    for report in found.reports[:1]:
        rows, rejected = (sum(getattr(file, name) for file in report.files) for name in ("rows", "rejected"))
        state = "" if report.finished else ", not finished"
        typer.echo(f"Last import {report.created_at}: {rows:,} rows, {rejected:,} rejected{state}")


def _share(share: float | None) -> str:
    return "" if share is None else f"{share:.1%}"
