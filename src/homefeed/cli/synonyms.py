"""Synonyms: print a table to start from."""

from __future__ import annotations

from typing import Annotated

import typer


def register(cli: typer.Typer) -> None:
    """Add these commands."""
    cli.command()(synonyms)


def synonyms(
    table: Annotated[str, typer.Argument(help="A table shipped with Homefeed, or a .txt file to check.")] = "shop",
) -> None:
    """Print a table of synonyms, checked: save the shipped one, edit it, and name your file in the recipe.

    Example: `homefeed synonyms shop > synonyms.txt`
    """
    from homefeed.retrieve.search.synonyms import parse_synonyms, table_text

    text = table_text(table)
    found = parse_synonyms(text, table)
    typer.echo(text, nl=False)
    typer.echo(f"{len(found.table):,} phrases have synonyms.", err=True)
