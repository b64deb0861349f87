"""Half load for half an hour: memory, files and threads stay flat, no request fails.

    python -m torture.soak --minutes 30

The rate is half of what one process answers in a closed loop. `growth_mb` is the median memory of the last fifth,
less that of the second: the first is for caches to fill. Files and threads are the most that were open in each.
"""

from __future__ import annotations

import threading
import time
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Final

import numpy as np
import psutil

from benchmarks.serving.acknowledgements import steadily
from benchmarks.serving.http_load import Request, closed_loop, get, open_loop, quantiles, undisturbed
from torture.lines import trial_folder, write_line
from torture.sample import APP, ITEMS, fill
from torture.servers import serving
from torture.traffic import event_request

_USERS: Final = 2_000
_CONNECTIONS: Final = 16
_MEASURE_SECONDS: Final = 10.0
_PAGES_AN_EVENT: Final = 4


@dataclass
class Watch:
    """Looks at a process again and again."""

    process: psutil.Process
    every: float
    memory: list[float] = field(default_factory=list)
    files: list[int] = field(default_factory=list)
    threads: list[int] = field(default_factory=list)
    _ending: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Until `end`."""
        while not self._ending.wait(self.every):
            self.memory.append(self.process.memory_info().rss / 1e6)
            self.files.append(self.process.num_fds())
            self.threads.append(self.process.num_threads())

    def end(self) -> None:
        """Look no more."""
        self._ending.set()

    def told(self) -> dict[str, Any]:
        """As the line has it."""
        fifth = max(len(self.memory) // 5, 1)
        second, last = slice(fifth, 2 * fifth), slice(-fifth, None)
        begun, ended = float(np.median(self.memory[second])), float(np.median(self.memory[last]))
        return {
            "memory_mb": [round(begun, 1), round(ended, 1)],
            "growth_mb": round(ended - begun, 1),
            "files": [max(self.files[second]), max(self.files[last])],
            "threads": [max(self.threads[second]), max(self.threads[last])],
        }


def mixed(rng: np.random.Generator) -> Iterator[Request]:
    """Without end: pages of users drawn at random, an event after some of them."""
    for number in count():
        user, item = f"u{rng.integers(_USERS) + 1}", f"i{rng.integers(ITEMS) + 1}"
        if number % (_PAGES_AN_EVENT + 1) == 0:
            yield event_request(user, item, f"s{number}-{time.monotonic_ns()}")
        else:
            yield get(f"/v1/apps/{APP}/feeds/home?user_id={user}&n=20")


def trial(folder: Path, minutes: float) -> dict[str, Any]:
    """So many minutes."""
    url = f"sqlite:///{folder / 'homefeed.db'}"
    fill(url, folder)
    requests = mixed(np.random.default_rng(1))
    with serving(folder, url) as server:
        full = undisturbed(lambda: closed_loop(server.port, requests, _CONNECTIONS, _MEASURE_SECONDS))
        rate = full.per_second / 2
        watch = Watch(psutil.Process(server.pid), every=max(minutes / 5, 0.2))
        thread = threading.Thread(target=watch.run)
        thread.start()
        half = undisturbed(lambda: open_loop(server.port, steadily(requests, rate, minutes * 60)))
        watch.end()
        thread.join()
        log = server.log.read_text()
    return {
        "minutes": minutes,
        "capacity_per_second": round(full.per_second),
        "rate_per_second": round(rate),
        "answered": half.count,
        "failed": half.failed,
        **half_times(half.seconds),
        **watch.told(),
        "tracebacks": log.count("Traceback"),
    }


def half_times(seconds: dict[str, list[float]]) -> dict[str, Any]:
    """Of pages and of events."""
    return {name: quantiles(times) for name, times in sorted(seconds.items())}


def main(arguments: Sequence[str] | None = None) -> None:
    """One line."""
    parser = ArgumentParser()
    parser.add_argument("--minutes", type=float, default=30)
    options = parser.parse_args(arguments)
    with trial_folder() as folder:
        write_line("soak", **trial(folder, options.minutes))


if __name__ == "__main__":
    main()
