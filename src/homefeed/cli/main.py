"""The commands together, and how their errors look."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from homefeed.cli import ask, data, models, run
from homefeed.errors import HomefeedError

cli = typer.Typer(
    name="homefeed",
    help="Recommendations of your own: import data, train, serve.\n\nStart with: homefeed demo",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)

for module in (run, data, models, ask):
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
    try:
        cli()
    except HomefeedError as error:
        typer.echo(f"homefeed: {error}", err=True)
        sys.exit(1)
