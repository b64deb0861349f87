"""All commands, and how their errors are printed."""

from __future__ import annotations

import sys
from io import TextIOWrapper
from typing import Annotated, NoReturn

import typer

from homefeed.cli import (
    backup,
    data,
    demo,
    doctor,
    evaluate,
    export,
    impressions,
    init,
    keys,
    maps,
    models,
    overview,
    privacy,
    query,
    results,
    run,
    schedule,
    size,
    synonyms,
    users,
    versions,
)
from homefeed.cli.naming import Commands
from homefeed.errors import HomefeedError

cli = Commands(
    name="homefeed",
    help="Recommendations of your own: import data, train, serve.\n\nStart with: homefeed demo",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)

for module in (
    demo,
    run,
    doctor,
    init,
    data,
    export,
    backup,
    models,
    versions,
    schedule,
    size,
    overview,
    results,
    impressions,
    evaluate,
    maps,
    query,
    synonyms,
    privacy,
    keys,
    users,
):
    module.register(cli)


@cli.callback(invoke_without_command=True)
def version(show: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    """Recommendations of your own: import data, train, serve. Start with: `homefeed demo`."""
    if show:
        from homefeed import __version__

        typer.echo(f"homefeed {__version__}")
        raise typer.Exit


def main() -> None:
    """Run a command; an expected error is one sentence on standard error and exit status 1."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # the terminal's encoding may lack characters of a title
    try:
        cli(prog_name="homefeed")
    except HomefeedError as error:
        _fail(str(error))
    except OSError as error:
        _fail(f"{error.filename}: {error.strerror}" if error.filename else str(error) or repr(error))


def _fail(what: str) -> NoReturn:
    typer.echo(f"homefeed: {what}", err=True)
    sys.exit(1)
