"""Demonstration: demo."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from homefeed.cli.common import err, on_store, progress, recipe_of, settings_in_force
from homefeed.cli.run import Host, Insecure, Port, free_port, serve_apps, warm_up

if TYPE_CHECKING:
    from homefeed.ingest import DataReport
    from homefeed.recipe import Recipe
    from homefeed.settings import Settings
    from homefeed.store import Store

_LEAST_URGENT: Final = 19


def register(cli: typer.Typer) -> None:
    """Add these commands."""
    cli.command()(demo)


def demo(
    host: Host = None,
    port: Port = None,
    prepare_only: Annotated[
        bool, typer.Option("--prepare-only", help="Generate and train, but do not serve.")
    ] = False,
    insecure: Insecure = False,
    learn_only: Annotated[
        bool, typer.Option("--learn-only", help="Train learned rankers that were not judged yet.", hidden=True)
    ] = False,
) -> None:
    """Generate sample data, import it, train, and serve: all in one.

    Example: `homefeed demo`
    """
    settings = settings_in_force()
    if prepare_only:
        for name in settings.apps:
            _prepare(settings, name)
        warm_up()
        return
    if learn_only:
        _learn(settings)
        return
    free_port(host or settings.host, settings.port if port is None else port)
    _prepare_apart()
    with _learning_beside():
        serve_apps(settings, host, port, 1, insecure)


_APART: Final = (sys.executable, "-P", "-c", "from homefeed.cli import main; main()", "demo")
"""In a process of its own: memory that training took would stay with the server's."""


def _prepare_apart() -> None:
    # It says itself what went wrong.
    status = subprocess.run([*_APART, "--prepare-only"], check=False).returncode  # noqa: S603  # constants, no input
    if status:
        raise typer.Exit(status if status > 0 else 128 - status)


@contextmanager
def _learning_beside() -> Iterator[None]:
    """Have rankers learn while the server answers, which takes them over by itself: nobody need wait for them."""
    command = [*_APART, "--learn-only"]
    learning = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)  # noqa: S603
    try:
        yield
    finally:
        learning.terminate()
        learning.wait()


def _learn(settings: Settings) -> None:
    """Train the learned rankers that were not judged yet, as long as there is a server to take them over."""
    from homefeed.cli.models import trained
    from homefeed.store.verdicts import verdicts_of

    _end_with(os.getppid())
    if hasattr(os, "nice"):
        os.nice(_LEAST_URGENT)
    for name in settings.apps:
        recipe = recipe_of(name)
        rankers = [spec.name for spec in recipe.rankers.values()]
        due = [each for each in rankers if not verdicts_of(settings.models_folder, recipe.app, each)]
        if due:
            trained(settings, recipe, True, models=due)


def _end_with(parent: int) -> None:
    """End this process once that one is gone."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _prepare(settings: Settings, name: str) -> None:
    """Fill an app's empty store with its sample, and train where there are no models."""
    from datetime import UTC, datetime

    from homefeed.cli.data import generated, imported
    from homefeed.cli.models import models_named, trained
    from homefeed.cli.pairs import print_pairs, trained_on_pairs
    from homefeed.ingest import find_files
    from homefeed.recipe import SIGNALS
    from homefeed.store.artifacts import ArtifactStore
    from homefeed.train.pairs import samples_in

    recipe = recipe_of(name)
    counters = on_store(settings, lambda store: store.watermarks(recipe.app))
    folder = settings.home / "sample" / recipe.app
    interrupted = folder.is_dir() and on_store(settings, lambda store: _is_interrupted(store, recipe))
    if counters.item_number and not interrupted:
        err.print(f"{recipe.app}: {counters.item_number:,} items are already there.")
    else:
        if not interrupted:
            with progress(False) as report:
                generated(name, folder, report, end=datetime.now(UTC).replace(microsecond=0), dated=True)
        err.print(
            _in_a_line(imported(settings, recipe, find_files(folder, recipe.sources), False), folder),
            highlight=False,
            markup=False,
            soft_wrap=True,
        )
    if ArtifactStore(settings.models_folder).current(recipe.app, SIGNALS) is None:
        # Rankers learn while the server answers.
        rankers = {spec.name for spec in recipe.rankers.values()}
        trained(settings, recipe, False, models=[name for name in models_named(recipe) if name not in rankers])
        print_pairs(trained_on_pairs(settings, recipe, samples_in(folder, recipe.pair_models), False))


def _in_a_line(report: DataReport, folder: Path) -> str:
    """What a newcomer can use of the data report; the whole is `homefeed import`'s."""
    loaded = [f"{file.loaded:,} {file.kind}" for file in report.files]
    left_out = sum(file.rows - file.loaded for file in report.files)
    told = f"; of {left_out:,} rows left out, homefeed import {report.app} {folder} says why" if left_out else ""
    return f"{report.app}: {', '.join(loaded)}, made up to look at{told}"


async def _is_interrupted(store: Store, recipe: Recipe) -> bool:
    """Whether the app's last import was interrupted: it can be repeated."""
    from homefeed.store.reports import list_reports

    last = await list_reports(store, recipe.app, limit=1)
    return bool(last) and not last[0].report["finished"]
