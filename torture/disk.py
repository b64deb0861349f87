"""A disk that is full: nothing is acknowledged that is not there, reads go on, room brings all back.

    sudo python -m torture.disk --rounds 20

SQLite lies on a small tmpfs, which only root can mount. In each round a file takes the room that is left, but for
some kilobytes drawn at random; events are told until 20 lists were refused, and told again once there is room.
"""

from __future__ import annotations

import os
import random
import subprocess
import time
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx

from torture.counted import logged_events
from torture.lines import trial_folder, write_line
from torture.sample import APP, fill
from torture.servers import HOST, serving

_MEGABYTES: Final = 48
_ROUND_MEGABYTES: Final = 6
_LIST: Final = 100
_REFUSALS: Final = 20
_API: Final = f"/v1/apps/{APP}"


@contextmanager
def small_disk(folder: Path, megabytes: int = _MEGABYTES) -> Iterator[Path]:
    """A tmpfs."""
    place = folder / "disk"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "homefeed", str(place)], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


def trial(folder: Path, rounds: int, trained: bool = True) -> dict[str, Any]:
    """Fill the disk so often under a server that takes events."""
    rng, numbers = random.Random(5), iter(range(10_000_000))
    acknowledged: set[str] = set()
    found: Counter[str] = Counter()
    slowest = recovery = 0.0
    # What a round writes stays, in the file and for a while in SQLite's log.
    with small_disk(folder, _MEGABYTES + _ROUND_MEGABYTES * rounds) as disk:
        url = f"sqlite:///{disk / 'homefeed.db'}"
        fill(url, folder, trained)
        with (
            serving(folder, url, max_store_wait_seconds="2") as server,
            httpx.Client(base_url=f"http://{HOST}:{server.port}", timeout=30) as client,
        ):
            for _ in range(rounds):
                filler = disk / "filler"
                _take_room(filler, spare=rng.randrange(0, 400_000))
                waiting: list[list[str]] = []
                while len(waiting) < _REFUSALS:
                    ids = [f"full-{next(numbers)}" for _ in range(_LIST)]
                    began = time.monotonic()
                    if _tell(client, ids, found):
                        acknowledged.update(ids)
                    else:
                        waiting.append(ids)
                    user = f"u{rng.randrange(200) + 1}"
                    read = client.get(f"{_API}/feeds/home", params={"user_id": user, "n": 10})
                    found[f"reads answered {read.status_code}"] += 1
                    slowest = max(slowest, time.monotonic() - began)
                filler.unlink()
                began = time.monotonic()
                for ids in waiting:
                    while not _tell(client, ids, found):
                        assert time.monotonic() - began < 30, (
                            f"it takes no events, with {_free(disk):,} bytes free"
                        )
                        time.sleep(0.05)
                    acknowledged.update(ids)
                recovery = max(recovery, time.monotonic() - began)
            assert server.process is not None
            assert server.process.poll() is None, "it ended"
        logged = logged_events(url, "full-")
    return {
        "rounds": rounds,
        **found,
        "acknowledged": len(acknowledged),
        "lost": len(acknowledged - logged.keys()),
        "doubled": sum(times > 1 for times in logged.values()),
        "slowest_seconds": round(slowest, 2),
        "recovery_seconds": round(recovery, 2),
    }


def _free(place: Path) -> int:
    found = os.statvfs(place)
    return found.f_bavail * found.f_frsize


def _take_room(file: Path, spare: int) -> None:
    free = _free(file.parent)
    with file.open("wb") as filler:
        os.posix_fallocate(filler.fileno(), 0, max(free - spare, 4_096))


def _tell(client: httpx.Client, ids: Sequence[str], found: Counter[str]) -> bool:
    events = [
        {"user_id": f"u{n % 50}", "item_id": "i1", "event_type": "play", "value": 9, "event_id": event_id}
        for n, event_id in enumerate(ids)
    ]
    answer = client.post(f"{_API}/events", json=events)
    found[f"lists answered {answer.status_code}"] += 1
    if answer.status_code == 503:
        assert answer.headers["Retry-After"], answer.text
        return False
    told = answer.json()
    return bool(answer.status_code == 200 and told["accepted"] + told["duplicates"] == len(ids))


def main(arguments: Sequence[str] | None = None) -> None:
    """One line."""
    parser = ArgumentParser()
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args(arguments)
    with trial_folder() as folder:
        write_line("disk", **trial(folder, options.rounds))


if __name__ == "__main__":
    main()
