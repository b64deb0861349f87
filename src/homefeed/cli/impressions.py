"""Impressions: what was shown, and what followed."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from homefeed.cli.common import (
    AppName,
    Json,
    Report,
    on_store,
    out,
    print_json,
    printable,
    progress,
    recipe_of,
    settings_in_force,
)
from homefeed.errors import InvalidError, NotFoundError

if TYPE_CHECKING:
    from rich.table import Table

    from homefeed.dataset.shown_summary import Counts, Summary
    from homefeed.recipe import Recipe
    from homefeed.store import Store

_PARQUET = "Also write a file with a row for each item shown; it holds ids of users, and is for you alone to read."
_SINCE = "Only what was shown from this date or time on, in UTC."
_UNTIL = "Only what was shown before this date or time."
_LIMIT = "Only so many of the items shown, the first ones."
_MOST_TYPES = 5


def register(cli: typer.Typer) -> None:
    """Add these commands."""
    cli.command()(impressions)


def impressions(
    app: AppName,
    parquet: Annotated[Path | None, typer.Option(metavar="FILE", help=_PARQUET)] = None,
    since: Annotated[str | None, typer.Option(metavar="TIME", help=_SINCE)] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help=_UNTIL)] = None,
    limit: Annotated[int | None, typer.Option(min=1, help=_LIMIT)] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
    as_json: Json = False,
) -> None:
    """Sum up what feeds have shown and what followed: clicks by feed and by place, and where events come from.

    Each event counts for one showing: that of the request it names, else the latest of its item to its user.

    Example: `homefeed impressions streaming`

    Example: `homefeed impressions shop --since 2026-03-01 --until 2026-04-01 --json`

    Example: `homefeed impressions community --parquet shown.parquet`
    """
    from homefeed.times import LATEST, parse_time

    period = _Period(
        0 if since is None else parse_time("--since", since),
        LATEST if until is None else parse_time("--until", until),
        limit,
    )
    if period.since >= period.until:
        raise InvalidError(f"--until {until}: expected a time after --since {since}")
    if parquet is not None:
        _check_file(parquet, force)
    settings, recipe = settings_in_force(), recipe_of(app)
    with progress(as_json) as report:
        summary = on_store(settings, lambda store: _read(store, recipe, period, parquet, report))
    if as_json:
        print_json({"app": recipe.app, **_as_json(summary), "file": None if parquet is None else str(parquet)})
        return
    _show(recipe.app, summary)
    if parquet is not None:
        typer.echo(f"Written: {parquet}")


@dataclass(frozen=True, slots=True)
class _Period:
    """From `since` to before `until`, and of that the first `limit` items."""

    since: int
    until: int
    limit: int | None


async def _read(store: Store, recipe: Recipe, period: _Period, parquet: Path | None, report: Report) -> Summary:
    """Sum up what was shown, and write it to the file."""
    from homefeed.dataset.followed import find_followed
    from homefeed.dataset.impressions import stream_shown_items
    from homefeed.dataset.shown_parquet import frame_of, new_parquet
    from homefeed.dataset.shown_summary import Summing

    def attributing(done: int, total: int) -> None:
        report("finding what followed", done, total)

    followed = await find_followed(store, recipe, period.since, period.until, attributing)
    summing = Summing(followed.event_types)
    left, pages = period.limit, 0
    known_items: dict[int, str] = {}
    with ExitStack() as stack:
        add = None if parquet is None else stack.enter_context(new_parquet(parquet))
        async for group in stream_shown_items(store, recipe, followed):
            shown = group if left is None else group.first(left)
            summing.add(shown)
            if add is not None:
                add(await frame_of(store, recipe.app, shown, known_items))
            pages += len(group.feeds)
            report("reading impressions", min(pages, followed.pages), followed.pages)
            left = None if left is None else left - len(shown)
            if left == 0:
                break
        if add is not None and not pages:
            raise NotFoundError(
                f"no impressions of {recipe.app} in that time: there is nothing to write to {parquet}"
            )
    return summing.summary(followed.tally)


def _check_file(file: Path, force: bool) -> None:
    """Fail before the work, not at its end."""
    if not file.parent.is_dir():
        raise InvalidError(f"--parquet: no such folder: {file.parent}")
    if file.is_dir():
        raise InvalidError(f"--parquet: {file} is a folder; name a file")
    if file.exists() and not force:
        raise InvalidError(f"--parquet: {file} is there already; --force writes over it")


def _as_json(summary: Summary) -> dict[str, Any]:
    return {
        "pages": summary.pages,
        "reused_pages": summary.reused,
        "users": summary.users,
        **asdict(summary.counts),
        "events": asdict(summary.tally),
        "feeds": [
            {"feed": feed, "served_by": served_by, "pages": pages, **asdict(counts)}
            for (feed, served_by), (pages, counts) in summary.feeds.items()
        ],
        "places": [{"place": place, **asdict(counts)} for place, counts in summary.places.items()],
    }


def _show(app: str, summary: Summary) -> None:
    again = f", and {summary.reused:,} shown again" if summary.reused else ""
    shown, pages = _many(summary.counts.shown, "item"), _many(summary.pages, "page")
    typer.echo(f"{app}: {shown} shown on {pages}{again}, to {_many(summary.users, 'known user')}")
    if not summary.pages:
        return
    types = sorted(summary.counts.followed, key=lambda name: -summary.counts.followed[name])[:_MOST_TYPES]
    by_feed = _table(["feed", "served by"], ["pages", "shown", *types])
    for (feed, served_by), (of_feed, counts) in summary.feeds.items():
        by_feed.add_row(printable(feed), printable(served_by), f"{of_feed:,}", *_cells(counts, types))
    out.print(by_feed)
    by_place = _table(["place, from 0"], ["shown", *types])
    for place, counts in summary.places.items():
        by_place.add_row(str(place), *_cells(counts, types))
    out.print(by_place)
    told = summary.tally
    events = _many(told.by_request + told.by_time + told.to_none, "event")
    typer.echo(
        f"{events}: {told.by_request:,} put down to a page by the request they name, {told.by_time:,} by time, "
        f"{told.to_none:,} to none"
    )


def _many(count: int, name: str) -> str:
    return f"{count:,} {name}{'' if count == 1 else 's'}"


def _table(texts: list[str], numbers: list[str]) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    for name in texts:
        table.add_column(name)
    for name in numbers:
        table.add_column(name, justify="right")
    return table


def _cells(counts: Counts, types: list[str]) -> list[str]:
    """How many were shown, and what share of them each type of event followed."""
    return [f"{counts.shown:,}", *(f"{counts.followed[name] / max(counts.shown, 1):.1%}" for name in types)]
