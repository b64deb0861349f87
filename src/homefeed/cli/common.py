"""What commands share: options, output, progress."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, TypeAlias, TypeVar

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from homefeed.recipe import Recipe
from homefeed.settings import Settings, load_settings
from homefeed.store import Store

T = TypeVar("T")
Report: TypeAlias = Callable[[str, int, int], None]

AppName: TypeAlias = Annotated[
    str, typer.Argument(metavar="APP", help="A ready-made app, or the path of a recipe.toml.")
]
AppOption: TypeAlias = Annotated[
    str, typer.Option("--app", help="A ready-made app, or the path of a recipe.toml.")
]
Json: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
UserId: TypeAlias = Annotated[str, typer.Option("--user_id", "--user-id", help="Whose.")]

out = Console()
err = Console(stderr=True)


def settings_in_force() -> Settings:
    """The settings, with logs kept to warnings: a command prints its own words."""
    from homefeed.log import configure_logging

    settings = load_settings()
    configure_logging("warning", "console")
    return settings


def recipe_of(name: str, mapping: Path | None = None) -> Recipe:
    """The recipe of an app named on the command line."""
    from homefeed.apps.catalogue import find_recipe

    return find_recipe(name, mapping)


def on_store(settings: Settings, work: Callable[[Store], Awaitable[T]]) -> T:
    """Do asynchronous work on the open store."""
    from homefeed.store import open_store

    async def run() -> T:
        async with open_store(settings.store_url) as store:
            return await work(store)

    return asyncio.run(run())


def print_json(value: Any) -> None:
    """Print a value as JSON on standard output."""
    typer.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())


@contextmanager
def progress(quiet: bool) -> Iterator[Report]:
    """A progress bar on standard error: call what it gives with (stage, done, total)."""
    if quiet:
        yield lambda _stage, _done, _total: None
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err) as bar:
        tasks: dict[str, Any] = {}

        def report(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bar.add_task(stage, total=total)
            bar.update(tasks[stage], completed=done, total=total)

        yield report
