"""What happened online: rates of clicks and other events, with intervals."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from homefeed.cli.common import (
    AppName,
    Days,
    Json,
    on_store,
    out,
    print_json,
    printable,
    progress,
    recipe_of,
    settings_in_force,
)
from homefeed.errors import InvalidError

if TYPE_CHECKING:
    from rich.table import Table

    from homefeed.dataset.intervals import Interval
    from homefeed.dataset.measures import Rates
    from homefeed.dataset.overview import Overview
    from homefeed.dataset.results import Row

_FEED = "Only what this feed showed."
_BY = "What a row is of: feed, retriever, ranker, version, day or users (new or returning)."
_EVENT = "Also show the rate of this event type; can be given several times."
_CSV = "Also write all rates as CSV; - writes nothing but that, to standard output."
_MOST_CHANGES = 8


def register(cli: typer.Typer) -> None:
    """Add these commands."""
    cli.command()(results)


def results(
    app: AppName,
    days: Days = 7,
    feed: Annotated[str | None, typer.Option(metavar="FEED", help=_FEED)] = None,
    by: Annotated[str, typer.Option(metavar="WAY", help=_BY)] = "feed",
    event: Annotated[list[str] | None, typer.Option(metavar="TYPE", help=_EVENT)] = None,
    table: Annotated[str | None, typer.Option("--csv", metavar="FILE", help=_CSV)] = None,
    as_json: Json = False,
) -> None:
    """Show what happened online: how much of what was shown was clicked, saved, bought, with 95% intervals.

    Rates are shares of the items shown, by feed, retriever, ranker, model version, day, or new and returning
    users. It is computed from the store's latest 100,000 pages. Intervals are for other users like these: they are
    wider where few users did most.

    Example: `homefeed results community`

    Example: `homefeed results shop --by retriever --feed home --event purchase --days 28`

    Example: `homefeed results streaming --by day --csv days.csv`
    """
    from homefeed.dataset.overview import read_overview
    from homefeed.dataset.results import WAYS, results_by
    from homefeed.environment import Environment

    way = next((one for one in WAYS if one == by), None)
    if way is None:
        raise InvalidError(f"--by {by}: expected one of {', '.join(WAYS)}")
    settings, recipe = settings_in_force(), recipe_of(app)
    about_items = [name for name, declared in recipe.events.items() if declared.about == "item"]
    for name in event or ():
        if name not in about_items:
            raise InvalidError(f"--event {name}: expected one of {', '.join(about_items)}")
    now = Environment().clock()
    with progress(as_json or table == "-") as report:
        found = on_store(
            settings,
            lambda store: read_overview(
                store, recipe, now, days, lambda done, total: report("reading what was shown", done, total)
            ),
        )
    rows = results_by(found, way, feed) if found.total is not None else []
    if table is not None:
        _write(table, found, rows)
    if as_json:
        print_json(_as_json(found, by, feed, rows))
    elif table != "-":
        _show(found, feed, rows, event or [])
        if table is not None:
            typer.echo(f"Written: {table}")


def _as_json(found: Overview, by: str, feed: str | None, rows: Sequence[Row]) -> dict[str, Any]:
    from homefeed.dataset.intervals import CONFIDENCE
    from homefeed.times import format_time

    return {
        "app": found.app,
        **{name: format_time(getattr(found, name)) for name in ("since", "until", "read_from")},
        "confidence": CONFIDENCE,
        "main_type": found.main_type,
        "click_types": found.click_types,
        "catalogue_items": found.catalogue_items,
        "by": by,
        "feed": feed,
        "rows": [asdict(row) for row in rows],
        "changes": [asdict(change) | {"time": format_time(change.time)} for change in found.changes],
    }


def _write(file: str, found: Overview, rows: Sequence[Row]) -> None:
    if file != "-" and not Path(file).parent.is_dir():
        raise InvalidError(f"--csv: no such folder: {Path(file).parent}")
    text = StringIO()
    _write_rows(text, found, rows)
    if file == "-":
        typer.echo(text.getvalue(), nl=False)
    else:
        Path(file).write_text(text.getvalue(), encoding="utf-8")


def _write_rows(stream: TextIO, found: Overview, rows: Sequence[Row]) -> None:
    labels = list(rows[0].labels) if rows else []
    counts = ("pages", "users", "items", "alone")
    names = ("clicks", *found.event_types)
    rates = [f"{name}{part}" for name in names for part in ("", "_rate", "_low", "_high")]
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([*labels, *counts, "shown", *rates, "changed"])
    for row in rows:
        told = [getattr(row, name) for name in counts]
        numbers = [value for name in names for value in _numbers(row.rates, name)]
        writer.writerow([*row.labels.values(), *told, row.rates.shown, *numbers, "; ".join(row.changed)])


def _numbers(rates: Rates, name: str) -> Iterable[float | None]:
    count, interval = _rate(rates, name)
    return count, count / rates.shown if rates.shown else None, *(interval or (None, None))


def _rate(rates: Rates, name: str) -> tuple[int, Interval | None]:
    if name == "clicks":
        return rates.clicked, rates.click_interval
    return rates.followed[name], rates.intervals[name]


def _show(found: Overview, feed: str | None, rows: Sequence[Row], events: Sequence[str]) -> None:
    from homefeed.dataset.results import described
    from homefeed.times import format_time

    since = format_time(found.read_from)
    if found.total is None:
        typer.echo(f"{found.app}: nothing shown since {since}. Ask for feeds: homefeed serve")
        return
    whole = [found.total] if feed is None else [one for one in found.feeds if one.group.feed == feed]
    total, of_feed = whole[0].total, "" if feed is None else f", feed {feed}"
    counts = f"{total.shown:,} items on {total.pages:,} pages to {total.users:,} known users"
    typer.echo(f"{found.app}{of_feed} since {since}: {counts}")
    if found.read_from != found.since:
        typer.echo(f"There was more since {format_time(found.since)}: the latest pages are told")
    names = _told(found, events)
    for name in names:
        typer.echo(f"{_heading(found, name)}: {_share(total, name)}")
    if found.catalogue_items:
        share = min(total.distinct_items / found.catalogue_items, 1)
        typer.echo(f"Shown of the catalogue: {share:.1%}, {total.distinct_items:,} items")
    if total.open_users:
        typer.echo(f"Known users with answers of their own: {total.personal_users / total.open_users:.1%}")
    out.print(_table(rows, names))
    if not found.tally.by_request + found.tally.by_time:
        typer.echo("No event was put down to what was shown: send request_id with events")
    for change in found.changes[-_MOST_CHANGES:]:
        typer.echo(printable(f"{format_time(change.time)}  first served: {described(change)}"))


def _told(found: Overview, events: Sequence[str]) -> list[str]:
    """The rates that are told: the one that the app is for, clicks where they are others, and those asked for."""
    main = [] if found.main_type is None else [found.main_type]
    clicks = [] if found.click_types in ((), tuple(main)) else ["clicks"]
    return list(dict.fromkeys([*main, *clicks, *events]))


def _heading(found: Overview, name: str) -> str:
    return f"Click-through ({', '.join(found.click_types)})" if name == "clicks" else name.capitalize()


def _table(rows: Sequence[Row], names: Sequence[str]) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    for label in rows[0].labels if rows else ("feed",):
        table.add_column(label)
    counts = [name for name in ("pages", "users", "alone") if rows and getattr(rows[0], name) is not None]
    for name in (*counts, "shown", *names):
        table.add_column(name, justify="right")
    has_changes = any(row.changed for row in rows)
    if has_changes:
        table.add_column("changed")
    for row in rows:
        told = [f"{getattr(row, name):,}" for name in counts]
        rates = (_share(row.rates, name) for name in names)
        changed = [printable("; ".join(row.changed))] if has_changes else []
        table.add_row(*map(printable, row.labels.values()), *told, f"{row.rates.shown:,}", *rates, *changed)
    return table


def _share(rates: Rates, name: str) -> str:
    """A rate with its interval, which is 95% sure."""
    count, interval = _rate(rates, name)
    share = f"{count / max(rates.shown, 1):.1%}"
    return share if interval is None else f"{share} ({100 * interval[0]:.1f}-{100 * interval[1]:.1f})"
