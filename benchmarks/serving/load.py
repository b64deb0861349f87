"""Pages under load, as users would request them, from one server process. Prints one JSON line a page.

    python -m benchmarks.serving.load --home bench
    python -m benchmarks.serving.load --page shop --per-minute 10000
    python -m benchmarks.serving.load --page streaming --python ../before/.venv/bin/python --home bench-before

The data of a page is generated, imported and trained once, into the folder HOME-PAGE, and used again where it is
there; without `--home` it is thrown away. The server is that of `--python`, whose checkout may be another than
this one, and works on a copy of the home.

`--connections` connections each send a request when the one before is answered. Users are drawn evenly from all
users of the app, none twice, so that no request finds its user in memory; a phase ends early when they run out.
/healthz of the same server and a bare FastAPI route (`bare.py`) are measured before and after, for the shares.
`again` are further requests of users whose page was computed in the last 30 seconds, nothing having changed.
`requests_per_cpu_second` and `cpu_share_of_healthz` are by the processor time of the server: compare these where
other programs share the machine. `stages_ms` is the time a request spends in each stage, where the server's
/metrics has it. `start_seconds` is until /readyz.

With `--per-minute` the same app follows at a constant rate, whatever the server does: `at_rate`. Of the shop that
is home pages, product pages and searches in turn, and an interaction that is written for every tenth page; of live
the page, and for every tenth how many watch a stream. Times run from when a request was due.
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.serving.homes import CommandError, Python, copy_of, home_of, prepare, root_of
from benchmarks.serving.http_load import Outcome, Request, closed_loop, get, open_loop, quantiles, undisturbed
from benchmarks.serving.pages import (
    BY_NAME_ONLY,
    PAGES,
    RATED,
    Page,
    entries,
    page_names,
    timetable,
    user_ids,
)
from benchmarks.serving.servers import Server, bare_server, homefeed_server

WARM_UP: Final = 200
AGAIN_USERS: Final = 500
_AGAIN_SECONDS: Final = 25.0
"""Of the 30 within which a page is requested again: the rest is for the first request of each user."""
_SEED: Final = 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure the pages; 1 where one could not be measured."""
    options = _options(arguments)
    with root_of(options.home) as root:
        for name in options.page or page_names():
            page = PAGES[name]
            try:
                line = measure(page, home_of(root, name), options)
            except CommandError as error:
                print(f"{name}: {error}", file=sys.stderr)
                return 1
            print(json.dumps(line), flush=True)
    return 0


def measure(page: Page, home: Path, options: argparse.Namespace) -> dict[str, Any]:
    """One page."""
    python = Python(Path(options.python).absolute())
    prepared = prepare(page, home, python)
    users = np.random.default_rng(_SEED).permutation(user_ids(home / "sample")).tolist()
    with bare_server(python) as bare, copy_of(home) as copy, homefeed_server(python, copy, page.app) as server:
        phases = _Phases(page, server, bare, options.connections, options.seconds)
        found = phases.measure(users)
        if options.per_minute and page.app in RATED:
            requests = RATED[page.app](page, home / "sample", np.random.default_rng(_SEED + 1))
            found["at_rate"] = phases.at_rate(requests, options.per_minute)
    return {
        "benchmark": "load",
        "page": page.name,
        "items": page.items,
        "users": page.users,
        "events": page.events,
        "connections": options.connections,
        **found,
        "start_seconds": round(server.start_seconds, 1),
        "prepared": prepared,
    }


class _Phases:
    """The phases of load on the server of a page."""

    def __init__(self, page: Page, server: Server, bare: Server, connections: int, seconds: float) -> None:
        self._page, self._server, self._bare = page, server, bare
        self._connections, self._seconds = connections, seconds

    def measure(self, users: Sequence[str]) -> dict[str, Any]:
        """The page by users of whom none comes twice, and then again by some of them."""
        requests = [self._page.request(user) for user in users]
        first = min(WARM_UP, len(requests) // 2)
        shown = self._closed(self._server, requests[:first], keep_bodies=True).bodies
        before = self._floors()
        stages = self._server.stage_seconds()
        cold, per_cpu = self._by_cpu(requests[first:], self._seconds)
        spent = self._server.stage_seconds()
        resident = self._server.resident_mb()
        again = self._again(requests[: first + cold.count])
        healthz, healthz_per_cpu, bare = map(statistics.fmean, zip(before, self._floors(), strict=True))
        line = {
            **_rates(cold, healthz, bare),
            "healthz_per_second": round(healthz),
            "bare_per_second": round(bare),
            **cold.quantiles(),
            "requests": cold.count,
            "failed": cold.failed,
            "items_a_page": round(statistics.fmean(map(entries, shown)), 1),
            "requests_per_cpu_second": round(per_cpu),
            "cpu_share_of_healthz": round(per_cpu / healthz_per_cpu, 3),
            "client_cpu_share": round(cold.client_cpu / cold.wall, 2),
            "resident_mb": round(resident),
            "again": {**_rates(again, healthz, bare), **again.quantiles(), "failed": again.failed},
        }
        if spent:
            line["stages_ms"] = {
                stage: round((seconds - stages.get(stage, 0)) / cold.count * 1e3, 3)
                for stage, seconds in spent.items()
            }
        return line

    def at_rate(self, requests: Mapping[str, Iterator[Request]], per_minute: float) -> dict[str, Any]:
        """The pages of an app at a constant rate."""
        undisturbed(lambda: open_loop(self._server.port, timetable(requests, per_minute, min(5, self._seconds))))
        done = undisturbed(lambda: open_loop(self._server.port, timetable(requests, per_minute, self._seconds)))
        pages = Outcome({name: seconds for name, seconds in done.seconds.items() if name != "write"})
        return {
            "per_minute": per_minute,
            "pages_per_minute": round(pages.count / done.wall * 60),
            "failed": done.failed,
            **pages.quantiles(),
            **{name: quantiles(done.seconds.get(name, [])) for name in requests},
            "megabytes_per_second": round(done.received / done.wall / 1e6, 1),
            "client_cpu_share": round(done.client_cpu / done.wall, 2),
        }

    def _again(self, requests: Sequence[Request]) -> Outcome:
        chosen = requests[-AGAIN_USERS:]
        self._closed(self._server, chosen)
        return self._closed(self._server, itertools.cycle(chosen), min(self._seconds, _AGAIN_SECONDS))

    def _floors(self) -> tuple[float, float, float]:
        """Requests a second of /healthz, of the same a second of processor time, and of the bare route."""
        healthz, per_cpu = self._by_cpu(itertools.repeat(get("/healthz")), self._seconds / 4)
        bare = self._closed(self._bare, itertools.repeat(get("/page?user_id=u1&k=10")), self._seconds / 4)
        return healthz.per_second, per_cpu, bare.per_second

    def _by_cpu(self, requests: Iterable[Request], seconds: float) -> tuple[Outcome, float]:
        """What became of the requests, and how many are answered in a second of the server's processor time."""
        before = self._server.cpu_seconds()
        outcome = self._closed(self._server, requests, seconds)
        return outcome, outcome.count / max(self._server.cpu_seconds() - before, 0.01)

    def _closed(
        self,
        server: Server,
        requests: Iterable[Request],
        seconds: float = np.inf,
        **keep: bool,
    ) -> Outcome:
        return undisturbed(lambda: closed_loop(server.port, requests, self._connections, seconds, **keep))


def _rates(outcome: Outcome, healthz: float, bare: float) -> dict[str, float]:
    rate = outcome.per_second
    return {
        "requests_per_second": round(rate, 1),
        "share_of_healthz": round(rate / healthz, 3),
        "share_of_bare": round(rate / bare, 3),
    }


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--page",
        action="append",
        choices=sorted(PAGES),
        help=f"May be repeated; all by default, but {', '.join(BY_NAME_ONLY)} only where named.",
    )
    parser.add_argument("--home", type=Path, help="Where data is kept: HOME-PAGE for each page.")
    parser.add_argument("--seconds", type=float, default=10, help="Of load for each page.")
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--python", default=sys.executable, help="The interpreter of the measured checkout.")
    parser.add_argument("--per-minute", type=float, help="Of the shop and live: at this rate, too.")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
