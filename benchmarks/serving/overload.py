"""One server process at multiples of what it can do. Prints one JSON line a multiple.

    python -m benchmarks.serving.overload --page streaming
    python -m benchmarks.serving.overload --page streaming --max-queue-seconds 60    # as without a limit

The data of a page is that of `load`, in HOME-PAGE. Its capacity is how many pages a second eight connections get,
each of which waits for its answer. Then pages are requested at each multiple of that, whatever the server does, by
users of whom none came in the last seconds; every tenth request is an event of the page's user, and ten times a
second /healthz is asked. `goodput` is how many pages a second were answered by 200, `refused` by 503; times run
from when a request was due, so that waiting for a connection counts. `pages` are those of pages answered by 200.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson

from benchmarks.serving.homes import Python, copy_of, home_of, prepare, root_of
from benchmarks.serving.http_load import (
    Outcome,
    Request,
    closed_loop,
    get,
    open_loop,
    post,
    quantiles,
    undisturbed,
)
from benchmarks.serving.pages import PAGES, item_ids, user_ids
from benchmarks.serving.servers import Server, homefeed_server

_PAGES: Final = tuple(name for name, page in PAGES.items() if page.app == "streaming")
_CONNECTIONS: Final = 8
_WARM_UP: Final = 300
_PAGES_AN_EVENT: Final = 10
_HEALTHZ_SECONDS: Final = 0.1
_SEED: Final = 1


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure a page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--page", default="streaming", choices=_PAGES)
    parser.add_argument("--home", type=Path, help="Where data is kept: HOME-PAGE.")
    parser.add_argument(
        "--times", type=float, nargs="+", default=[0.5, 1, 2, 4], help="Multiples of the capacity."
    )
    parser.add_argument("--seconds", type=float, default=10, help="Of load for each multiple.")
    parser.add_argument("--max-queue-seconds", type=float, help="The setting; without it its default.")
    options = parser.parse_args(arguments)
    page = PAGES[options.page]
    asked = {} if options.max_queue_seconds is None else {"max_queue_seconds": str(options.max_queue_seconds)}
    with root_of(options.home) as root:
        home = home_of(root, page.name)
        python = Python(Path(sys.executable))
        prepare(page, home, python)
        load = _Load(page.name, home)
        with copy_of(home) as copy, homefeed_server(python, copy, page.app, **asked) as server:
            undisturbed(lambda: closed_loop(server.port, load.pages(_WARM_UP), _CONNECTIONS))
            capacity = undisturbed(
                lambda: closed_loop(server.port, load.pages(), _CONNECTIONS, options.seconds)
            ).per_second
            for times in options.times:
                found = _at(server, load, capacity * times, options.seconds)
                line = {"benchmark": "overload", "page": page.name, "capacity": round(capacity), "times": times}
                print(json.dumps(line | found), flush=True)


class _Load:
    """Pages and events of users who come one after the other."""

    def __init__(self, name: str, home: Path) -> None:
        self._page, rng = PAGES[name], np.random.default_rng(_SEED)
        self._users = itertools.cycle(rng.permutation(user_ids(home / "sample")).tolist())
        self._items = itertools.cycle(rng.permutation(item_ids(self._page.app, home / "sample")).tolist())

    def pages(self, count: int | None = None) -> Iterator[Request]:
        """Pages of so many users; of all without end where it is not said."""
        return (self._page.request(user) for user in itertools.islice(self._users, count))

    def timetable(self, per_second: float, seconds: float) -> Iterator[tuple[float, Request]]:
        """When what is due."""
        next_check = 0.0
        for number in range(round(per_second * seconds)):
            due = number / per_second
            if due >= next_check:
                next_check += _HEALTHZ_SECONDS
                yield due, get("/healthz", "healthz")
            yield due, self._event() if number % _PAGES_AN_EVENT == 0 else next(self.pages())

    def _event(self) -> Request:
        event = {
            "user_id": next(self._users),
            "item_id": next(self._items),
            "event_type": "play",
            "value": 30,
        }
        return post(f"/v1/apps/{self._page.app}/events", orjson.dumps(event), "event")


def _at(server: Server, load: _Load, per_second: float, seconds: float) -> dict[str, Any]:
    """What becomes of a rate."""
    cpu = server.cpu_seconds()
    outcome = undisturbed(lambda: open_loop(server.port, load.timetable(per_second, seconds), by_status=True))
    cpu = server.cpu_seconds() - cpu
    by_name = defaultdict[str, dict[str, list[float]]](dict)
    for name, times in outcome.seconds.items():
        kind, _, status = name.partition(" ")
        by_name[kind][status] = times
    pages = by_name["page"]
    answered, asked = pages.get("200", []), sum(map(len, pages.values()))
    return {
        "asked_per_second": round(asked / outcome.wall),
        "goodput": round(len(answered) / outcome.wall),
        "refused_per_second": round(len(pages.get("503", [])) / outcome.wall),
        "pages": quantiles(answered),
        "refusals": quantiles(pages.get("503", [])),
        "events": {**quantiles(by_name["event"].get("200", [])), **_others(by_name["event"])},
        "healthz": {**quantiles(by_name["healthz"].get("200", [])), **_others(by_name["healthz"])},
        "cut_off": _cut_off(outcome),
        "server_cpu_share": round(cpu / outcome.wall, 2),
        "client_cpu_share": round(outcome.client_cpu / outcome.wall, 2),
    }


def _others(by_status: dict[str, list[float]]) -> dict[str, int]:
    return {status: len(times) for status, times in by_status.items() if status != "200"}


def _cut_off(outcome: Outcome) -> int:
    """Requests whose connection was closed instead of an answer."""
    wrong = sum(len(times) for name, times in outcome.seconds.items() if not name.endswith(" 200"))
    return outcome.failed - wrong


if __name__ == "__main__":
    main()
