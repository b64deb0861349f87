"""Backup: backup, restore, copy."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from homefeed.cli.common import Json, err, print_json, printable, progress, settings_in_force
from homefeed.errors import InvalidError

if TYPE_CHECKING:
    from homefeed.settings import Settings
    from homefeed.store.backup import Outcome


def register(cli: typer.Typer) -> None:
    """Add these commands."""
    for command in (backup, restore, copy):
        cli.command()(command)


def backup(
    folder: Annotated[Path, typer.Argument(help="A new folder for it.")],
    only: Annotated[
        Literal["store", "models"] | None,
        typer.Option(help="What to save; by default both, which belong together."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Save the store, with everything of every app, and the models; servers and jobs go on.

    The folder is there when all is in it, and not before. It is for its owner alone: it holds what people did.
    It is the same for SQLite and PostgreSQL, and can be restored to either.

    Example: `homefeed backup /backups/monday`
    """
    import asyncio

    from homefeed import __version__
    from homefeed.environment import system_clock
    from homefeed.store.backup import back_up
    from homefeed.times import format_time

    if folder.exists():
        raise InvalidError(f"{folder} is there already; name a folder that is yet to be made")
    settings = settings_in_force()
    url, models, now = settings.store_url, settings.models_folder, format_time(system_clock())
    with progress(as_json) as report:
        saving = back_up(url, models, folder, homefeed=__version__, made_at=now, progress=report, only=only)
        done = asyncio.run(saving)
    _tell(done, as_json, folder)


def restore(
    folder: Annotated[Path, typer.Argument(help="What `homefeed backup` wrote.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before what is there is replaced.")] = False,
    without_models: Annotated[
        bool, typer.Option("--without-models", help="Leave out its models, such as where some are lost.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Put a backup in the place of the store and the models. Stop every server and job first.

    What is there is replaced for good, once all of the backup was read and checked; on PostgreSQL the database
    must be one without data. Nothing needs to be trained where the backup has the models. Keys that were made or
    revoked since stay so, where the store that knows of it is there.

    Example: `homefeed restore /backups/monday`
    """
    import asyncio

    from homefeed.store import backup as backups

    settings = settings_in_force()
    backups.read_note(folder)
    there = _there(settings)
    if there and not yes:
        typer.confirm(f"Replace {' and '.join(there)} for good?", abort=True, err=True)
    with progress(as_json) as report:
        url, models = settings.store_url, settings.models_folder
        done = asyncio.run(backups.restore(folder, url, models, report, without_models=without_models))
    _tell(done, as_json, folder)
    if not done.models and done.note.database and not as_json:
        err.print("There are no models: homefeed train APP, before a server starts.", highlight=False)


def copy(
    target: Annotated[
        str, typer.Option("--to", metavar="URL", help="A store without any data, such as a new database.")
    ],
    source: Annotated[
        str | None,
        typer.Option("--from", metavar="URL", help="The store to read.", show_default="that of the settings"),
    ] = None,
    as_json: Json = False,
) -> None:
    """Copy a whole store to another, from SQLite to PostgreSQL, back, or between two of a kind.

    It is the state at the start: what is told meanwhile is not in it. Both are compared in the end, row by row.
    Cut short, the same command goes on where it stopped. Rows keep their numbers: models go on with the copy.

    Example: `homefeed copy --from sqlite:///homefeed-data/homefeed.db --to postgresql://homefeed@localhost/homefeed`
    """
    import asyncio

    from homefeed.store import open_store
    from homefeed.store.backup import database_file
    from homefeed.store.copying import Progress, copy_store
    from homefeed.store.keys import ApiKey, list_keys

    url = source or settings_in_force().store_url
    file = database_file(url)
    if file is not None and not file.is_file():
        raise InvalidError(f"--from: there is no database at {file}")

    async def work(report: Progress) -> tuple[list[ApiKey], dict[str, int]]:
        async with open_store(url) as read, open_store(target) as written:
            return await list_keys(written), await copy_store(read, written, report)

    with progress(as_json) as report:
        kept, counts = asyncio.run(work(report))
    if as_json:
        print_json({"rows": counts})
        return
    told = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in counts.items() if count)
    typer.echo(f"Copied and compared: {told or 'nothing, there was none'}.")
    if kept:
        names = ", ".join(printable(key.name) for key in kept)
        err.print(f"The keys it had stay beside them: {names}.", highlight=False, markup=False, soft_wrap=True)


def _there(settings: Settings) -> list[str]:
    """What a restore would replace."""
    from homefeed.store.backup import database_file

    file, models = database_file(settings.store_url), settings.models_folder
    found = [file] if file is not None and file.exists() and file.stat().st_size else []
    return [str(path) for path in (*found, *([models] if models.is_dir() and any(models.iterdir()) else []))]


def _tell(done: Outcome, as_json: bool, folder: Path) -> None:
    note = done.note
    if as_json:
        told = {"folder": str(folder), "store": bool(note.database), "models": done.models}
        valid = [{"key_id": key.key_id, "name": key.name} for key in done.revived]
        print_json({**told, "made_at": note.made_at, "refused": dict(done.refused), "revived_keys": valid})
        return
    parts = [*(["the store"] if note.database else []), f"{done.models} versions of models"]
    typer.echo(f"{folder}, of {note.made_at}: {' and '.join(parts)}.")
    for path, why in done.refused.items():
        err.print(f"Left out: {path}: {why}", highlight=False, markup=False, soft_wrap=True)
    if done.revived:
        names = ", ".join(f"{printable(key.name)} ({key.key_id})" for key in done.revived)
        text = (
            f"Valid keys again: {names}. If one was revoked since: homefeed keys revoke ID, before servers start."
        )
        err.print(text, highlight=False, markup=False, soft_wrap=True)
