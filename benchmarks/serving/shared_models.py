"""What the models of several processes of one host take of its memory: prints a line of JSON for each way.

    python -m benchmarks.serving.shared_models                          # 4 processes, a million vectors of 64
    python -m benchmarks.serving.shared_models --processes 2 --items 100000

Each process loads the same model and reads all of it. `pss_mb` is what the arrays take of all processes together:
of a page that several map, each counts its part, and `files` how many are mapped.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from homefeed.retrieve.als.model import AlsModel
from homefeed.store.artifacts import ArtifactStore
from homefeed.store.shared_files import SharedFiles

DIMENSIONS = 64


def publish(root: Path, items: int) -> None:
    factors = np.random.default_rng(0).standard_normal((items, DIMENSIONS), dtype=np.float32)
    model = AlsModel(np.arange(items, dtype=np.int32), factors, np.eye(DIMENSIONS), 1.0)
    ArtifactStore(root).publish("shop", "als", "als", model, now=0, watermark=0, config={}, facts={})


def load(root: Path, shared: bool) -> None:
    """Load the model, read all of it, and say what that took once everybody has."""
    began = time.process_time()
    found = ArtifactStore(root, SharedFiles(root) if shared else None).load("shop", "als", AlsModel)
    assert found is not None
    seconds = time.process_time() - began
    total = float(found.model.factors.sum())
    print(json.dumps({"sum": total}), flush=True)
    input()
    print(json.dumps({"cpu_seconds": seconds, "mapped": mapped()}), flush=True)
    input()


def mapped() -> dict[str, float]:
    """MB of this process's share of each file without a name that it maps, by inode."""
    found: dict[str, float] = {}
    inode = ""
    for line in Path("/proc/self/smaps").read_text(encoding="utf-8").splitlines():
        if head := re.match(r"[0-9a-f]+-[0-9a-f]+ \S+ \S+ \S+ (\d+)\s+(.*)", line):
            inode = head[1] if ".npy (deleted)" in head[2] else ""
        elif inode and line.startswith("Pss:"):
            found[inode] = found.get(inode, 0.0) + int(line.split()[1]) / 1024
    return found


def measured(root: Path, processes: int, shared: bool) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.serving.shared_models", "--load", str(root)]
    command += ["--shared"] if shared else []
    running = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(processes)
    ]
    sums = {line_of(one)["sum"] for one in running}
    assert len(sums) == 1
    for one in running:
        tell(one)
    told = [line_of(one) for one in running]
    for one in running:
        tell(one)
        one.wait()
    return {
        "pss_mb": round(sum(sum(one["mapped"].values()) for one in told), 1),
        "files": len({inode for one in told for inode in one["mapped"]}),
        "cpu_seconds": round(sum(one["cpu_seconds"] for one in told), 2),
    }


def line_of(running: subprocess.Popen[str]) -> dict[str, Any]:
    assert running.stdout is not None
    found: dict[str, Any] = json.loads(running.stdout.readline())
    return found


def tell(running: subprocess.Popen[str]) -> None:
    assert running.stdin is not None
    running.stdin.write("\n")
    running.stdin.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--load", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--shared", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.load:
        load(options.load, options.shared)
        return
    with tempfile.TemporaryDirectory() as name:
        publish(Path(name), options.items)
        how = {"benchmark": "shared_models", "items": options.items, "processes": options.processes}
        for shared in (False, True):
            print(
                json.dumps(how | {"shared": shared} | measured(Path(name), options.processes, shared)), flush=True
            )


if __name__ == "__main__":
    main()
