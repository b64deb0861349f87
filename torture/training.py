"""A trainer killed at each stage, twenty times each: what is current is whole, and the next run goes on.

    python -m torture.training --stages 10 --times 20

The stages are told by an undisturbed run; each kill comes a moment, drawn at random, after a stage was reached.
`broken` counts models that could not be loaded after a kill, `unfinished` runs after the kills that failed.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
import threading
import time
from argparse import ArgumentParser
from collections import Counter
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
_TRIES: Final = 3
Reached = Callable[[str, int, int], None]


def run_job(store_url: str, home: Path, reached: Reached) -> None:
    """Train in this process."""

    async def run() -> None:
        async with open_store(store_url) as store:
            artifacts = ArtifactStore(home / "models")
            await train_app(find_recipe(APP), store, artifacts, Environment(), job=JOB, progress=reached)

    asyncio.run(run())


def killed(store_url: str, home: Path, at: str, after: float) -> None:
    """Train until a stage was reached, and a moment longer."""

    def reached(stage: str, done: int, total: int) -> None:
        if f"{stage} {done}/{total}" == at:
            threading.Timer(after, os.kill, (os.getpid(), signal.SIGKILL)).start()

    run_job(store_url, home, reached)
    time.sleep(after + 1)  # where it ends before its time


def list_stages(store_url: str, home: Path, path: Path) -> None:
    """Write down where each stage of a whole run begins."""
    begun: dict[str, str] = {}

    def reached(stage: str, done: int, total: int) -> None:
        begun.setdefault(stage, f"{stage} {done}/{total}")

    run_job(store_url, home, reached)
    path.write_text("\n".join(begun.values()))


def check_models(_store_url: str, home: Path) -> None:
    """End the process with how many models are not served as they were published."""
    artifacts, broken = ArtifactStore(home / "models"), 0
    for name, (part, kind) in kinds_of(find_recipe(APP)).items():
        current = artifacts.current(APP, name)
        loaded = None if current is None else artifacts.load(APP, name, kind, part)
        whole = loaded is not None and not loaded.refused and loaded.manifest.version == current
        broken += current is not None and not whole
    sys.exit(broken)


def trial(folder: Path, stages: int, times: int) -> dict[str, Any]:
    """Kill it at so many stages, so often each."""
    url = f"sqlite:///{folder / 'homefeed.db'}"
    fork, rng = get_context("fork"), random.Random(2)

    def in_child(target: Callable[..., None], *arguments: Any) -> int:
        """Nothing runs in this process: what has threads cannot be forked."""
        process = fork.Process(target=target, args=(url, folder, *arguments))
        process.start()
        process.join()
        assert process.exitcode is not None
        return process.exitcode

    assert in_child(fill) == 0
    listed = folder / "stages"
    assert in_child(list_stages, listed) == 0
    names = listed.read_text().splitlines()
    chosen = [names[number * len(names) // stages] for number in range(min(stages, len(names)))]
    kills, broken, unfinished = Counter[str](), 0, 0
    for at in chosen:
        for _ in range(_TRIES * times):
            if kills[at] < times:
                # One that went on behind the stage ends in good order; the next begins anew.
                kills[at] += in_child(killed, at, rng.uniform(0, 0.05)) == -signal.SIGKILL
                broken += in_child(check_models)
        unfinished += in_child(list_stages, folder / "again") != 0
        broken += in_child(check_models)
    return {
        "kills": dict(kills),
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
