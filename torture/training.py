"""A trainer killed at ten stages, twenty times each: what is current is whole, and the next run goes on.

    python -m torture.training --stages 10 --times 20

The stages are told by an undisturbed run; each kill comes a moment, drawn at random, after a stage was reached.
`broken` are models that could not be loaded after a kill, `unfinished` runs after it that failed.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import threading
import time
from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

from homefeed.apps import find_recipe
from homefeed.environment import Environment
from homefeed.serving.models import kinds_of
from homefeed.store import open_store
from homefeed.store.artifacts import ArtifactStore
from homefeed.train import train_app
from torture.lines import trial_folder, write_line
from torture.sample import APP, fill

JOB: Final = "daily"
Stage = tuple[str, int]
Reached = Callable[[str, int, int], None]


def run_job(store_url: str, home: Path, reached: Reached) -> None:
    """Train in this process."""

    async def run() -> None:
        async with open_store(store_url) as store:
            artifacts = ArtifactStore(home / "models")
            await train_app(find_recipe(APP), store, artifacts, Environment(), job=JOB, progress=reached)

    asyncio.run(run())


def killed(store_url: str, home: Path, at: int, after: float) -> None:
    """Train until so many stages were reached, and a moment longer."""
    count = 0

    def reached(_stage: str, _done: int, _total: int) -> None:
        nonlocal count
        if count == at:
            threading.Timer(after, os.kill, (os.getpid(), signal.SIGKILL)).start()
        count += 1

    run_job(store_url, home, reached)
    time.sleep(after + 1)  # where it ends before its time


def stages_of(store_url: str, home: Path, path: Path) -> None:
    """Write down which stages a whole run reaches."""
    with path.open("w") as file:
        run_job(store_url, home, lambda stage, done, total: print(f"{stage} {done}/{total}", file=file))


def broken_models(home: Path) -> list[str]:
    """The models that are not served as they were published."""
    artifacts, found = ArtifactStore(home / "models"), []
    for name, (part, kind) in kinds_of(find_recipe(APP)).items():
        current = artifacts.current(APP, name)
        loaded = None if current is None else artifacts.load(APP, name, kind, part)
        if current is not None and (loaded is None or loaded.refused or loaded.manifest.version != current):
            found.append(name)
    return found


def trial(folder: Path, stages: int, times: int) -> dict[str, Any]:
    """Kill it at so many stages, so often each."""
    url = f"sqlite:///{folder / 'homefeed.db'}"
    fork = get_context("fork")
    rng = random.Random(2)

    def in_child(target: Callable[..., None], *arguments: Any) -> int | None:
        process = fork.Process(target=target, args=(url, folder, *arguments))
        process.start()
        process.join()
        return process.exitcode

    filled = fork.Process(target=fill, args=(url, folder))
    filled.start()
    filled.join()
    assert filled.exitcode == 0
    listed = folder / "stages"
    assert in_child(stages_of, listed) == 0
    names = listed.read_text().splitlines()
    chosen = [round(number * (len(names) - 1) / max(stages - 1, 1)) for number in range(stages)]
    broken: list[str] = []
    kills = unfinished = 0
    for at in chosen:
        for _ in range(times):
            kills += in_child(killed, at, rng.uniform(0, 0.05)) == -signal.SIGKILL
            broken += broken_models(folder)
        unfinished += in_child(stages_of, folder / "again") != 0
        broken += broken_models(folder)
    return {
        "stages": [names[at] for at in chosen],
        "kills": kills,
        "broken": broken,
        "unfinished": unfinished,
        "left_drafts": len(list((folder / "models").glob("*/*/.draft-*"))),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """One line."""
    parser = ArgumentParser()
    parser.add_argument("--stages", type=int, default=10)
    parser.add_argument("--times", type=int, default=20, help="At each stage.")
    options = parser.parse_args(arguments)
    with trial_folder() as folder:
        write_line("training", **trial(folder, options.stages, options.times))


if __name__ == "__main__":
    main()
