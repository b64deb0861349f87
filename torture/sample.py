"""Data to serve while servers are hurt: the sample of streaming, small, and models trained on it."""

from __future__ import annotations

import asyncio
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

from tests.embedded_postgresql import running_postgresql

from homefeed.apps import find_recipe
from homefeed.environment import Environment
from homefeed.ingest import find_files, import_files
from homefeed.samples import END
from homefeed.samples.streaming.generate import generate
from homefeed.store import open_store
from homefeed.store.artifacts import ArtifactStore
from homefeed.train import train_app
from torture.lines import trial_folder, write_line

APP: Final = "streaming"
ITEMS, USERS, EVENTS = 300, 200, 6_000
"""Of the sample: its ids are i1, i2, ... and u1, u2, ..."""
_STORES: Final = ("sqlite", "postgresql")


@contextmanager
def store_of(dialect: str, folder: Path) -> Iterator[str]:
    """The URL of an empty store: a file in the folder, or a PostgreSQL that is started for it."""
    with ExitStack() as stack:
        if dialect == "sqlite":
            yield f"sqlite:///{folder / 'homefeed.db'}"
        else:
            yield stack.enter_context(running_postgresql())


def fill(store_url: str, home: Path, trained: bool = True) -> None:
    """Write the sample to the store, and models trained on it to the home."""

    async def run() -> None:
        recipe, folder = find_recipe(APP), home / "sample"
        generate(folder, users=USERS, items=ITEMS, events=EVENTS, days=30)
        async with open_store(store_url) as store:
            now = int(END.timestamp()) * 1_000_000
            await import_files(store, recipe, find_files(folder, recipe.sources), now=now)
            if trained:
                await train_app(recipe, store, ArtifactStore(home / "models"), Environment())

    asyncio.run(run())


def train(store_url: str, home: Path) -> dict[str, str]:
    """Train and publish anew; the versions made."""

    async def run() -> dict[str, str]:
        async with open_store(store_url) as store:
            trained = await train_app(find_recipe(APP), store, ArtifactStore(home / "models"), Environment())
        return {manifest.model: manifest.version for manifest in trained.manifests}

    return asyncio.run(run())


def print_for_each_store(
    name: str, parser: ArgumentParser, arguments: Sequence[str] | None, trial: Callable[..., dict[str, Any]]
) -> None:
    """A line for each store that the arguments ask for; a trial takes its URL, a folder, and all options."""
    parser.add_argument("--store", action="append", choices=_STORES)
    options = vars(parser.parse_args(arguments))
    for dialect in options.pop("store") or _STORES:
        with trial_folder() as folder, store_of(dialect, folder) as store_url:
            write_line(name, store=dialect, **trial(store_url, folder, **options))
