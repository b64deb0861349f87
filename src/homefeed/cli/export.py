"""Export: export."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal, get_args

import typer

from homefeed.cli.common import Json, err, on_store, print_json, progress, recipe_of, settings_in_force
from homefeed.cli.naming import split_app
from homefeed.errors import InvalidError

if TYPE_CHECKING:
    from homefeed.dataset.exporting import Kind

_BY_DAY: Final = "Parquet, events and impressions in folders by day: events/day=2026-11-30/part-00000.parquet."
_ONLY: Final = "What to write, separated by commas: users, items, events, impressions; by default all of them."


def register(cli: typer.Typer) -> None:
    """Add these commands."""
    cli.command()(export)


def export(
    app_and_folder: Annotated[
        list[str],
        typer.Argument(metavar="[APP] DIR", help="The app, as of other commands, and a new folder for its files."),
    ],
    form: Annotated[
        Literal["csv", "jsonl", "parquet"] | None,
        typer.Option("--format", help="The format of the files; csv by default, parquet with --by-day."),
    ] = None,
    by_day: Annotated[bool, typer.Option("--by-day", help=_BY_DAY)] = False,
    only: Annotated[str | None, typer.Option(metavar="KINDS", help=_ONLY)] = None,
    as_json: Json = False,
) -> None:
    """Write an app's users, items, events and impressions to files, which `homefeed import` reads again.

    The folder is there when all of it is written, and not before. The files hold ids of users and what they did;
    they are for you alone to read. Servers may go on: events that come meanwhile are not among them.
    homefeed-export.json beside them lists every file with its SHA-256.

    An import reads again neither which answer an event told of, nor its context, nor the features of impressions:
    for a backup copy the store.

    Example: `homefeed export community backup`

    Example: `homefeed export shop events --only events --format parquet`

    Example: `homefeed export shop days --by-day`
    """
    from homefeed.dataset.export_folder import Export, check_folder, export_app
    from homefeed.environment import system_clock

    app, named = split_app(app_and_folder, "export", "folder")
    folder = Path(named)
    wanted = Export(_kinds(only), form or ("parquet" if by_day else "csv"), by_day)
    check_folder(folder)
    settings, recipe = settings_in_force(), recipe_of(app)
    with progress(as_json) as report:
        manifest = on_store(
            settings,
            lambda store: export_app(store, recipe, folder, wanted, now=system_clock(), progress=report),
        )
    counts = manifest.rows
    files = {kind: str(folder / wanted.place(kind)) for kind in wanted.kinds if counts[kind]}
    if as_json:
        print_json({"app": recipe.app, "folder": str(folder), "rows": counts, "files": files})
        return
    told = ", ".join(
        f"{count:,} {'items shown' if kind == 'impressions' else kind}" for kind, count in counts.items()
    )
    err.print(f"{recipe.app}: {told}:", highlight=False, markup=False, soft_wrap=True)
    for file in files.values():
        typer.echo(file)


def _kinds(only: str | None) -> tuple[Kind, ...]:
    from homefeed.dataset.exporting import KINDS, Kind

    if only is None:
        return KINDS
    named = {name.strip() for name in only.split(",") if name.strip()}
    unknown = sorted(named - set(get_args(Kind)))
    if unknown or not named:
        raise InvalidError(f"--only: expected some of {', '.join(KINDS)}, got {', '.join(unknown) or 'none'}")
    return tuple(kind for kind in KINDS if kind in named)
