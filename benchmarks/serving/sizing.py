"""How much memory an app takes, by items, users and events: prints a line of JSON for each size.

    python -m benchmarks.serving.sizing                                  # the sizes of docs/operations.md
    python -m benchmarks.serving.sizing --sizes 10000x2000x200000

A size is items x users x events of `homefeed generate streaming`. `import_mb` and `train_mb` are the most that the
commands had resident, `ready_mb` and `serve_mb` what a process has that serves, before requests and after 300 of
different users; `start_cpu_seconds` is what opening the app took before it could answer.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SIZES = ("1000x500x20000", "10000x5000x200000", "100000x20000x1000000")
COMMAND = [sys.executable, "-c", "from homefeed.cli import main; main()"]
SERVED = 300


def measured(home: Path, *args: str) -> tuple[float, float]:
    """The most memory that a command had resident, in MB, and its processor seconds."""
    env = os.environ | {"HOMEFEED_HOME": str(home), "HOMEFEED_APPS": "streaming"}
    running = subprocess.Popen([*COMMAND, *args], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(running.pid, 0)
    running.returncode = os.waitstatus_to_exitcode(status)
    if running.returncode:
        raise RuntimeError(f"homefeed {' '.join(args)} ended with {running.returncode}")
    return round(used.ru_maxrss / 1024, 1), round(used.ru_utime + used.ru_stime, 1)


def served(home: Path) -> dict[str, float]:
    """What a process that serves has resident after some requests."""
    env = os.environ | {"HOMEFEED_HOME": str(home), "HOMEFEED_APPS": "streaming"}
    found = subprocess.run(
        [sys.executable, "-m", "benchmarks.serving.sizing", "--serve"],
        env=env,
        capture_output=True,
        text=True,
        check=True,
    )
    told: dict[str, float] = json.loads(found.stdout)
    return told


async def serve() -> dict[str, float]:
    from homefeed.apps import find_recipe
    from homefeed.serving import FeedRequest, open_app
    from homefeed.settings import load_settings

    began = time.process_time()
    async with open_app(find_recipe("streaming"), load_settings()) as app:
        ready = {"ready_mb": resident(), "start_cpu_seconds": round(time.process_time() - began, 2)}
        for number in range(1, SERVED + 1):
            await app.recommend(FeedRequest("home", f"u{number}", n=20))
        return ready | {"serve_mb": resident()}


def resident() -> float:
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return round(int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) / 1024, 1)


def lines(sizes: list[str]) -> Iterator[dict[str, Any]]:
    for size in sizes:
        items, users, events = map(int, size.split("x"))
        with tempfile.TemporaryDirectory() as name:
            home, sample = Path(name) / "home", Path(name) / "sample"
            how = ["--items", str(items), "--users", str(users), "--events", str(events), "--out", str(sample)]
            measured(home, "generate", "streaming", *how)
            told: dict[str, Any] = {"benchmark": "sizing", "items": items, "users": users, "events": events}
            told["import_mb"], told["import_cpu_seconds"] = measured(home, "import", "streaming", str(sample))
            told["train_mb"], told["train_cpu_seconds"] = measured(home, "train", "streaming")
            told |= served(home)
            yield told | {"store_mb": size_of(home, "*.db*"), "models_mb": size_of(home, "models/**/*")}


def size_of(home: Path, pattern: str) -> float:
    return round(sum(path.stat().st_size for path in home.glob(pattern) if path.is_file()) / 1e6, 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="+", default=list(SIZES), help="ITEMSxUSERSxEVENTS")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        print(json.dumps(asyncio.run(serve())))
        return
    for line in lines(options.sizes):
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
