"""kill -9 while a job trains: the models before serve on, and the next run goes on at once where it stopped."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from homefeed.apps import find_recipe
from homefeed.environment import Environment
from homefeed.serving.models import kinds_of
from homefeed.store import open_store
from homefeed.store.artifacts import ArtifactStore
from homefeed.store.events import append_events
from homefeed.store.items import ItemWrite, put_items
from homefeed.store.job_runs import latest_job_runs
from homefeed.train import train_app
from homefeed.types import SECOND, Event

APP, NOW = "market", 1_700_000_000 * SECOND
RECIPE = """
app = "market"
[items.fields]
title = "text"
[events.click]
[models.user_user]
[models.sequence]
[feeds.feed]
retrieve = { user_user = {}, sequence = {} }
rank.weighted = { weights = { user_user = 1.0 } }
[jobs.daily]
every = "1d"
models = ["user_user", "sequence", "signals", "trending"]
"""
JOB = """
import asyncio, sys
from pathlib import Path
from homefeed.apps import find_recipe
from homefeed.environment import Environment
from homefeed.store import open_store
from homefeed.store.artifacts import ArtifactStore
from homefeed.train import train_app

def halt(stage, done, total):
    if (stage, done) == ("training sequence", 0):
        print("halted", flush=True)
        sys.stdin.readline()

async def main(recipe, url, models):
    async with open_store(url) as store:
        artifacts = ArtifactStore(Path(models))
        await train_app(find_recipe(recipe), store, artifacts, Environment(), job="daily", progress=halt)

asyncio.run(main(*sys.argv[1:]))
"""


def killed_while_it_trains(*arguments: str) -> None:
    command = [sys.executable, "-W", "error", "-c", JOB, *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"halted\n"
        process.kill()


async def test_a_job_that_was_killed_leaves_what_serves_and_goes_on(store_url: str, tmp_path: Path) -> None:
    file = tmp_path / "market.toml"
    file.write_text(RECIPE)
    recipe, artifacts = find_recipe(str(file)), ArtifactStore(tmp_path / "models")
    kinds = {name: found for name, found in kinds_of(recipe).items() if name != "blend"}
    async with open_store(store_url) as store:
        await put_items(store, APP, [ItemWrite(f"i{n}", {}) for n in range(9)])
        clicks = [Event(f"u{n % 4}", f"i{n % 9}", "click", NOW + n * SECOND) for n in range(40)]
        await append_events(store, APP, clicks, NOW)
        await train_app(recipe, store, artifacts, Environment(), job="daily")
        before = {name: artifacts.current(APP, name) for name in kinds}

        killed_while_it_trains(str(file), store_url, str(artifacts.root))
        after = {name: artifacts.current(APP, name) for name in kinds}
        assert {name for name in kinds if after[name] != before[name]} == {"user_user"}
        for name, (part, kind) in kinds.items():
            loaded = artifacts.load(APP, name, kind, part)
            assert loaded is not None
            assert (loaded.manifest.version, dict(loaded.refused)) == (after[name], {})

        trained = await train_app(recipe, store, artifacts, Environment(), job="daily")
        assert trained.resumed == ("user_user",)
        assert [manifest.model for manifest in trained.manifests] == ["sequence", "signals"]
        assert trained.trending == 0, "nothing was clicked in the last 7 days"
        outcomes = [run.outcome for run in await latest_job_runs(store, APP, 9)]
        assert outcomes == ["done", "stopped", "done"]
