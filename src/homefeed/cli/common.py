"""What commands share: options, output, progress."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, TypeVar

import typer
from rich.console import Console

from homefeed.cli.naming import complete_app

if TYPE_CHECKING:
    from homefeed.recipe import Recipe
    from homefeed.settings import Settings
    from homefeed.store import Store
    from homefeed.train import Budget

T = TypeVar("T")
Report: TypeAlias = Callable[[str, int, int], None]

AppName: TypeAlias = Annotated[
    str,
    typer.Argument(
        metavar="APP",
        help="An app of the settings, a ready-made one, or the path of a recipe.toml.",
        default_factory=lambda: None,
        show_default="the only one of the settings",
        autocompletion=complete_app,
    ),
]
Days: TypeAlias = Annotated[
    int,
    typer.Option(min=1, max=90, help="How many days, today included; up to 2 are told by the hour. At most 90."),
]
Json: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
UserId: TypeAlias = Annotated[str, typer.Option("--user_id", "--user-id", help="The user's id.")]

out = Console()
err = Console(stderr=True)

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def settings_in_force() -> Settings:
    """The settings, with logs kept to warnings: a command prints its own output."""
    from homefeed.log import configure_logging
    from homefeed.settings import load_settings

    settings = load_settings()
    configure_logging("warning", "console")
    return settings


def recipe_of(name: str, mapping: Path | None = None) -> Recipe:
    """The recipe of an app named on the command line, with the changes that the settings make."""
    from homefeed.apps import find_recipe
    from homefeed.settings import load_settings

    settings = load_settings()
    return find_recipe(name, mapping, changes=settings.recipes, configured=settings.apps)


def on_store(settings: Settings, work: Callable[[Store], Awaitable[T]]) -> T:
    """Do asynchronous work on the open store."""
    import asyncio

    from homefeed.store import open_store

    async def run() -> T:
        async with open_store(settings.store_url) as store:
            return await work(store)

    return asyncio.run(run())


def print_written(path: Path) -> None:
    """Say which file was written, beside what is printed on standard output."""
    err.print(f"Written: {path}", highlight=False, markup=False)


def print_json(value: Any) -> None:
    """Print a value as JSON on standard output."""
    import orjson

    typer.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())


def budget_of(duration: str, trials: int | None = None) -> Budget:
    """The budget for tuning, as given on the command line."""
    import time

    from homefeed.train import Budget

    return Budget(seconds_of(duration), time.monotonic, trials)


def seconds_of(duration: str) -> float:
    """A duration such as 90s, 10m or 1.5h in seconds.

    Raises:
        InvalidError: it is not a duration.
    """
    from homefeed.times import parse_duration
    from homefeed.types import SECOND

    return parse_duration(duration) / SECOND


def printable(text: str) -> str:
    """Text on one line: control characters, which could steer the terminal, are shown as their escapes."""
    return _CONTROL.sub(lambda found: repr(found[0])[1:-1], text)


@contextmanager
def progress(quiet: bool) -> Iterator[Report]:
    """A progress bar on standard error: call the function it yields with (stage, done, total)."""
    if quiet:
        yield lambda _stage, _done, _total: None
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
    )

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    bar = Progress(*columns, console=err)
    tasks: dict[str, Any] = {}

    def report(stage: str, done: int, total: int) -> None:
        if stage not in tasks:
            bar.start()  # only now: an error before any work is printed alone
            tasks[stage] = bar.add_task(stage, total=total)
        bar.update(tasks[stage], completed=done, total=total)

    try:
        yield report
    finally:
        if tasks:
            bar.stop()
