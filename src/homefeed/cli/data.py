"""Data: generate, import."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from homefeed.cli.common import (
    AppName,
    Json,
    Report,
    err,
    on_store,
    out,
    print_json,
    progress,
    recipe_of,
    settings_in_force,
)
from homefeed.errors import InvalidError

if TYPE_CHECKING:
    from homefeed.ingest import DataReport, Files
    from homefeed.recipe import Recipe
    from homefeed.samples import Summary
    from homefeed.settings import Settings


def register(cli: typer.Typer) -> None:
    """Add these commands."""
    cli.command()(generate)
    cli.command("import")(import_data)


def generate(
    app: AppName,
    folder: Annotated[Path, typer.Option("--out", help="Where to write the files.")] = Path("sample"),
    users: Annotated[int | None, typer.Option(min=1, help="Number of users.")] = None,
    items: Annotated[
        int | None,
        typer.Option(
            "--items",
            "--streams",
            "--listings",
            min=1,
            help="Number of items: of live, its streams; of marketplace, its listings.",
        ),
    ] = None,
    events: Annotated[
        int | None,
        typer.Option(
            "--events",
            "--interactions",
            min=1,
            help="Number of events: of live and of marketplace, their interactions.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same files.")] = 42,
    end: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="The last day of events; fixed by default."),
    ] = None,
    form: Annotated[
        Literal["csv", "parquet", "jsonl"] | None,
        typer.Option("--format", help="Format of the files: of live parquet by default, else csv."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Write realistic sample data of a ready-made app.

    Example: `homefeed generate streaming --out sample --users 500 --seed 7`

    Example: `homefeed generate live --users 10000 --streams 50000 --interactions 500000`

    Example: `homefeed generate live --out sample --format jsonl`

    Example: `homefeed generate marketplace --users 2000 --listings 3000 --interactions 100000`
    """
    from dataclasses import asdict

    sizes = {"users": users, "items": items, "events": events}
    given = {**sizes, "end": end and end.replace(tzinfo=UTC), "format": form}
    options = {name: value for name, value in given.items() if value is not None}
    with progress(as_json) as report:
        summary = generated(app, folder, report, seed=seed, **options)
    if as_json:
        print_json({k: [str(f) for f in v] if k == "files" else v for k, v in asdict(summary).items()})
        return
    err.print(f"{summary.users:,} users, {summary.items:,} items, {summary.events:,} events:")
    for file in summary.files:
        typer.echo(file)


def import_data(
    app: AppName,
    folder: Annotated[
        Path | None,
        typer.Argument(
            help="Folder or zip file with users, items, events and impressions as .csv, .parquet, .jsonl or .xlsx."
        ),
    ] = None,
    users: Annotated[Path | None, typer.Option(help="A file of users.")] = None,
    items: Annotated[Path | None, typer.Option(help="A file of items.")] = None,
    events: Annotated[Path | None, typer.Option(help="A file of events.")] = None,
    impressions: Annotated[Path | None, typer.Option(help="A file of what another service showed.")] = None,
    mapping: Annotated[Path | None, typer.Option(help="TOML that maps the columns; see docs/data.md.")] = None,
    every_reason: Annotated[
        bool, typer.Option("--all", help="Print every reason and example, not only what fits a screen.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Import users, items, events and impressions, and report on every row.

    Example: `homefeed import streaming sample`

    Example: `homefeed import shop --impressions shown.parquet`

    Example: `homefeed import streaming --items movies.csv --events ratings.csv --mapping movielens.toml`
    """
    from homefeed.dataset.export_manifest import is_export
    from homefeed.dataset.exporting import as_exported
    from homefeed.ingest import Files, find_files, render_report, unpacked

    if folder is None and not (users or items or events or impressions):
        raise InvalidError("nothing to import: name a folder, or --users, --items, --events or --impressions")
    settings, recipe = settings_in_force(), recipe_of(app, mapping)
    with nullcontext() if folder is None else unpacked(folder) as place:
        exported = is_export(place)
        if exported:
            if mapping is not None:
                raise InvalidError(
                    f"{folder} is what homefeed export wrote: it needs no --mapping; leave that out"
                )
            recipe = as_exported(recipe)
        files = Files() if place is None else find_files(place, recipe.sources)
        files = Files(
            users or files.users, items or files.items, events or files.events, impressions or files.impressions
        )
        report = imported(settings, recipe, files, as_json, exported=exported)
    if as_json:
        print_json(report.to_json())
    else:
        out.print(render_report(report, every_reason=every_reason))


def generated(app: str, folder: Path, report: Report, **options: Any) -> Summary:
    """Write the sample of an app with the options of its generator."""
    from homefeed.samples import find_generator

    write = find_generator(app) or find_generator(recipe_of(app).app)
    if write is None:
        raise InvalidError(f"there is no sample of {app}; only the ready-made apps have one")
    return write(folder, progress=partial(report, "generating"), **options)


def imported(
    settings: Settings, recipe: Recipe, files: Files, quiet: bool, *, exported: bool = False
) -> DataReport:
    """Import files with a progress bar; exported ones are not prepared, as an app may have it for its own.

    Raises:
        RecipeError: a server would refuse the recipe.
    """
    from homefeed.apps import find_preparation
    from homefeed.engine import check_feeds
    from homefeed.environment import system_clock
    from homefeed.ingest import import_files

    check_feeds(recipe)
    prepare = None if exported else find_preparation(recipe.app)
    with progress(quiet) as report:
        return on_store(
            settings,
            lambda store: import_files(
                store, recipe, files, now=system_clock(), progress=report, prepare_items=prepare
            ),
        )
