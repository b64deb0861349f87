"""Export: export."""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, get_args

import typer

from homefeed.cli.common import Json, Report, err, on_store, print_json, progress, recipe_of, settings_in_force
from homefeed.cli.naming import split_app
from homefeed.errors import InvalidError

if TYPE_CHECKING:
    from homefeed.dataset.export_files import Format
    from homefeed.dataset.exporting import Kind
    from homefeed.recipe import Recipe
    from homefeed.store import Store

MARK: Final = "homefeed-export.json"
"""The file that tells a folder of exported files from others."""

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
        Literal["csv", "jsonl", "parquet"], typer.Option("--format", help="The format of the files.")
    ] = "csv",
    only: Annotated[str | None, typer.Option(metavar="KINDS", help=_ONLY)] = None,
    as_json: Json = False,
) -> None:
    """Write an app's users, items, events and impressions to files, which `homefeed import` reads again.

    The folder is there when all of it is written, and not before. The files hold ids of users and what they did;
    they are for you alone to read. Servers may go on: events that come meanwhile are not among them.

    An import reads again neither which answer an event told of, nor its context, nor the features of impressions:
    for a backup copy the store.

    Example: `homefeed export community backup`

    Example: `homefeed export shop events --only events --format parquet`
    """
    app, named = split_app(app_and_folder, "export", "folder")
    folder, kinds = Path(named), _kinds(only)
    _check_folder(folder)
    settings, recipe = settings_in_force(), recipe_of(app)
    folder.absolute().parent.mkdir(parents=True, exist_ok=True)
    draft = Path(mkdtemp(prefix=f".{folder.name}.", dir=folder.absolute().parent))
    try:
        with progress(as_json) as report:
            counts = on_store(settings, lambda store: _write(store, recipe, kinds, form, draft, report))
        _mark(draft, recipe.app, counts)
        if folder.is_dir():
            folder.rmdir()
        draft.replace(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    files = {kind: str(folder / f"{kind}.{form}") for kind, count in counts.items() if count}
    if as_json:
        print_json({"app": recipe.app, "folder": str(folder), "rows": counts, "files": files})
        return
    told = ", ".join(
        f"{count:,} {'items shown' if kind == 'impressions' else kind}" for kind, count in counts.items()
    )
    err.print(f"{recipe.app}: {told}:", highlight=False, markup=False, soft_wrap=True)
    for file in files.values():
        typer.echo(file)


def is_export(folder: Path | None) -> bool:
    """Whether a folder holds what was exported."""
    return folder is not None and (folder / MARK).is_file()


def _kinds(only: str | None) -> tuple[Kind, ...]:
    from homefeed.dataset.exporting import KINDS, Kind

    if only is None:
        return KINDS
    named = {name.strip() for name in only.split(",") if name.strip()}
    unknown = sorted(named - set(get_args(Kind)))
    if unknown or not named:
        raise InvalidError(f"--only: expected some of {', '.join(KINDS)}, got {', '.join(unknown) or 'none'}")
    return tuple(kind for kind in KINDS if kind in named)


def _check_folder(folder: Path) -> None:
    """Fail before the work, not at its end."""
    if folder.exists() and not folder.is_dir():
        raise InvalidError(f"{folder} is a file; name a folder that is yet to be made")
    if folder.is_dir() and any(folder.iterdir()):
        raise InvalidError(f"{folder} is there already; name a folder that is yet to be made, or empty that one")


async def _write(
    store: Store, recipe: Recipe, kinds: tuple[Kind, ...], form: Format, folder: Path, report: Report
) -> dict[str, int]:
    """Write the files; returns how many rows each kind has."""
    from homefeed.dataset.export_files import growing
    from homefeed.dataset.exporting import frames_of

    # Users and items are read after this: every event has its user and its item among them.
    last = (await store.watermarks(recipe.app)).event_seq
    expected = await _expected(store, recipe.app)
    counts: dict[str, int] = {}
    for kind in kinds:
        counts[kind] = 0
        if not expected[kind]:
            continue
        with growing(folder / f"{kind}.{form}", form) as add:
            async for frame in frames_of(store, recipe, kind, last):
                add(frame)
                counts[kind] += frame.height
                report(f"exporting {kind}", counts[kind], max(counts[kind], expected[kind]))
    return counts


async def _expected(store: Store, app: str) -> dict[str, int]:
    """About how many rows there are of each kind."""
    from homefeed.store.events import totals
    from homefeed.store.shown import extent_of_shown
    from homefeed.times import LATEST

    counts = await totals(store, app, 0)
    pages = (await extent_of_shown(store, app, 0, LATEST)).pages
    return {"users": counts.users, "items": counts.items, "events": counts.events, "impressions": pages}


def _mark(folder: Path, app: str, counts: dict[str, int]) -> None:
    import orjson

    from homefeed import __version__
    from homefeed.environment import system_clock
    from homefeed.times import format_time

    told: dict[str, Any] = {"app": app, "exported_at": format_time(system_clock()), "rows": counts}
    text = orjson.dumps({"homefeed": __version__, **told}, option=orjson.OPT_INDENT_2)
    (folder / MARK).write_bytes(text + b"\n")
