"""How long an app's daily job takes, in how much memory, and whether it survives being killed.

    python -m benchmarks.jobs.daily                               # three sizes, a line of JSON each
    python -m benchmarks.jobs.daily --sizes 4000:200000
    python -m benchmarks.jobs.daily --sizes 100000:5000000 --kills 20
    python -m benchmarks.jobs.daily --app marketplace

A size is USERS:INTERACTIONS, made up and written to a store of its own: SQLite, or a new database on the server of
HOMEFEED_TEST_POSTGRES_URL with `--postgresql`. With `--kills` the job, once done, is started and killed by SIGKILL
at a moment that chance chooses, so many times; after each kill every model must load as the server would load it,
and in the end the job must end by itself.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy.engine import make_url

from benchmarks.jobs.synthetic import fill
from benchmarks.serving.import_rate import on_server
from homefeed.apps import find_recipe
from homefeed.environment import system_clock
from homefeed.recipe import Recipe
from homefeed.serving.models import kinds_of
from homefeed.store.artifacts import ArtifactStore

SIZES: Final = ("4000:200000", "20000:1000000", "100000:5000000")
_MARKET: Final = str(Path(__file__).with_name("market.toml"))
_RUN: Final = "from homefeed.cli import main; main()"


@dataclass(frozen=True)
class Ended:
    """How a run of the job went: `status` is below 0 where it was killed."""

    status: int
    seconds: float
    peak_rss_mb: int
    cpu_seconds: float
    printed: dict[str, Any]


@dataclass(frozen=True)
class Place:
    """Where a job runs."""

    app: str
    job: str
    home: Path
    url: str

    @property
    def artifacts(self) -> ArtifactStore:
        return ArtifactStore(self.home / "models")

    def run(self, kill_after: float | None = None) -> Ended:
        """Run the job in a process of its own, and kill it after so many seconds."""
        own = {"HOMEFEED_HOME": str(self.home), "HOMEFEED_DATABASE_URL": self.url}
        command = [sys.executable, "-c", _RUN, "train", self.app, self.job, "--json"]
        began = time.monotonic()
        with tempfile.TemporaryFile() as out:
            process = subprocess.Popen(command, stdout=out, env=os.environ | own)
            if kill_after is not None:
                try:
                    process.wait(kill_after)
                except subprocess.TimeoutExpired:
                    process.kill()
            # The process may have been waited for: then its usage is known no more, and of no interest.
            usage = None
            if process.returncode is None:
                _, status, usage = os.wait4(process.pid, 0)
                process.returncode = os.waitstatus_to_exitcode(status)
            out.seek(0)
            printed = out.read()
        return Ended(
            process.returncode,
            round(time.monotonic() - began, 2),
            0 if usage is None else usage.ru_maxrss // 1024,
            0.0 if usage is None else round(usage.ru_utime + usage.ru_stime, 2),
            json.loads(printed) if process.returncode == 0 else {},
        )


def models_in_order(recipe: Recipe, job: str, artifacts: ArtifactStore) -> dict[str, str]:
    """The versions of a job's models.

    Raises:
        AssertionError: one is missing, or is not the newest that was published, whole.
    """
    found = {}
    for name in recipe.jobs[job].models:
        if name in (kinds := kinds_of(recipe)):
            part, kind = kinds[name]
            loaded = artifacts.load(recipe.app, name, kind, part)
            if loaded is None and name == "blend":
                continue  # of too few events none is made
            assert loaded is not None, f"{name} is missing"
            assert not loaded.refused, f"{name} is damaged: {loaded.refused}"
            found[name] = loaded.manifest.version
    return found


def measured(place: Place, recipe: Recipe) -> dict[str, Any]:
    """The job from its start to its end."""
    ended = place.run()
    assert ended.status == 0, f"the job ended with {ended.status}"
    models_in_order(recipe, place.job, place.artifacts)
    taken = {each["model"]: each["facts"]["seconds"] for each in ended.printed["manifests"]}
    return {
        "seconds": ended.seconds,
        "cpu_seconds": ended.cpu_seconds,
        "peak_rss_mb": ended.peak_rss_mb,
        "model_seconds": taken,
        "trending_rows": ended.printed["trending"],
    }


def killed(place: Place, recipe: Recipe, kills: int, seconds: float, rng: random.Random) -> dict[str, Any]:
    """Kill the job so many times within the seconds that it takes; then let it end."""
    left, whole, resumed = kills, 0, 0
    before = models_in_order(recipe, place.job, place.artifacts)
    while left:
        ended = place.run(kill_after=rng.uniform(0.02, 1.0) * seconds)
        assert ended.status in (0, -9), f"the job ended with {ended.status}"
        now = models_in_order(recipe, place.job, place.artifacts)
        assert all(now[name] >= version for name, version in before.items()), "a model went back"
        before = now
        left -= ended.status == -9
        whole += ended.status == 0
        resumed += bool(ended.printed.get("resumed"))
    last = place.run()
    assert last.status == 0, f"the job ended with {last.status}"
    after = models_in_order(recipe, place.job, place.artifacts)
    skipped = last.printed["resumed"]
    assert all(after[name] > before[name] or name in skipped for name in before), "a model is missing"
    left_over = [str(path) for path in place.artifacts.root.rglob(".draft-*")]
    assert not left_over, f"drafts are left: {left_over}"
    return {"kills": kills, "done_between": whole, "went_on": resumed, "went_on_at_last": skipped}


@contextmanager
def store_of(folder: Path, postgresql: bool) -> Iterator[str]:
    if not postgresql:
        yield f"sqlite:///{folder / 'homefeed.db'}"
        return
    server, name = make_url(os.environ["HOMEFEED_TEST_POSTGRES_URL"]), f"homefeed_bench_{uuid.uuid4().hex}"
    asyncio.run(on_server(server, f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'"))
    try:
        yield server.set(database=name).render_as_string(hide_password=False)
    finally:
        asyncio.run(on_server(server, f"DROP DATABASE {name} WITH (FORCE)"))


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="+", default=SIZES, metavar="USERS:INTERACTIONS")
    parser.add_argument("--items", type=int, default=20_000)
    parser.add_argument("--app", default=_MARKET, help="an app, or the path of a recipe")
    parser.add_argument("--job", default="daily")
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--postgresql", action="store_true")
    options = parser.parse_args(arguments)
    recipe = find_recipe(options.app)
    for size in options.sizes:
        users, events = map(int, size.split(":"))
        with tempfile.TemporaryDirectory(prefix="homefeed-jobs-") as name:
            folder = Path(name)
            with store_of(folder, options.postgresql) as url:
                asked = {"users": users, "items": options.items, "events": events}
                fill(url, recipe, **asked, now=system_clock(), seed=options.seed)
                place = Place(options.app, options.job, folder, url)
                answer = {"benchmark": "jobs_daily", "app": recipe.app, "store": url.split(":")[0], **asked}
                answer |= measured(place, recipe)
                if options.kills:
                    rng = random.Random(options.seed)
                    answer |= killed(place, recipe, options.kills, answer["seconds"], rng)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
