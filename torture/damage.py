"""Model files that are truncated, flipped, swapped or swollen: each is refused, and the one before serves on.

    python -m torture.damage --files 1000

Each is published as the newest version of a model under a server that is asked for feeds all the while. `signed`
ones have a manifest with the SHA-256 of the damaged file, so that only what is in it can tell. `served` are those
that went live, `growth_mb` is the memory of the server after all of them, less that after the first tenth.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
import shutil
import time
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import orjson
import psutil

from homefeed.store.artifacts import ArtifactStore
from torture.lines import trial_folder, write_line
from torture.sample import APP, fill
from torture.servers import Server, serving
from torture.traffic import Traffic

KINDS: Final = ("truncated", "truncated and signed", "flipped", "swapped", "swollen")
_SWOLLEN_BYTES: Final = 8_000_000
_PATIENCE_SECONDS: Final = 60.0


def damaged_copy(folder: Path, version: str, name: str, kind: str, rng: random.Random) -> None:
    """Copy a version, and damage one of its files."""
    copy = folder / name
    shutil.copytree(folder / version, copy)
    files = sorted(path for path in copy.iterdir() if path.name != "manifest.json")
    victim = rng.choice(files)
    for path in copy.iterdir():
        path.chmod(0o600)  # what is published is read only
    content = bytearray(victim.read_bytes())
    if kind.startswith("truncated"):
        del content[rng.randrange(len(content)) :]
    elif kind == "flipped":
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    elif kind == "swapped":
        others = [path for path in files if path.read_bytes() != content]
        content = bytearray(rng.choice(others).read_bytes() if others else b"another model's")
    else:
        content += bytes(_SWOLLEN_BYTES)
    victim.write_bytes(content)
    manifest = orjson.loads((copy / "manifest.json").read_bytes()) | {"version": name}
    if kind.endswith("signed"):
        manifest["files"][victim.name] = hashlib.sha256(content).hexdigest()
    (copy / "manifest.json").write_bytes(orjson.dumps(manifest))


def publish_damaged(server: Server, home: Path, count: int, found: Counter[str], sizes: list[float]) -> None:
    """One after the other, each until the server has refused it."""
    rng, artifacts = random.Random(11), ArtifactStore(home / "models")
    good: dict[str, str] = server.json("/readyz")["apps"][APP]["models"]
    models = sorted(good)
    process = psutil.Process(server.pid)
    for number in range(count):
        model, kind = models[number % len(models)], KINDS[number // len(models) % len(KINDS)]
        folder, name = home / "models" / APP / model, f"29991231T{number:012d}-torture"
        damaged_copy(folder, good[model], name, kind, rng)
        artifacts.choose(APP, model, name)
        give_up = time.monotonic() + _PATIENCE_SECONDS
        while True:
            now = server.json("/readyz")["apps"][APP]
            if now["models"] != good:
                found[f"served: {kind}, {model}"] += 1
                break
            if name in now["degraded"].get(model, ""):
                found[f"refused: {kind}"] += 1
                break
            assert time.monotonic() < give_up, f"{name} of {model} is neither refused nor served"
            time.sleep(0.02)
        artifacts.choose(APP, model, good[model])
        shutil.rmtree(folder / name)
        sizes.append(process.memory_info().rss / 1e6)


def trial(folder: Path, count: int) -> dict[str, Any]:
    """So many damaged files."""
    url = f"sqlite:///{folder / 'homefeed.db'}"
    fill(url, folder)
    found: Counter[str] = Counter()
    sizes: list[float] = []

    async def run(server: Server) -> Traffic:
        async with Traffic(server.port, connections=1, pause=0.05, prefix="d") as traffic:
            await asyncio.to_thread(publish_damaged, server, folder, count, found, sizes)
        return traffic

    with serving(folder, url, poll_seconds="0.05") as server:
        traffic = asyncio.run(run(server))
    return {
        "files": count,
        **dict(sorted(found.items())),
        "answered": traffic.answered,
        "failed": dict(traffic.failed),
        "growth_mb": round(sizes[-1] - sizes[len(sizes) // 10], 1),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """One line."""
    parser = ArgumentParser()
    parser.add_argument("--files", type=int, default=1_000)
    options = parser.parse_args(arguments)
    with trial_folder() as folder:
        write_line("damage", **trial(folder, options.files))


if __name__ == "__main__":
    main()
