"""A page at constant rates, from one server process. Prints one JSON line a page.

    python -m benchmarks.serving.steady --page hometown --page home_feed --per-second 200 --per-second 100

The data of a page is that of `load`, in HOME-PAGE. `closed` is how many pages a second eight connections get, each
of which waits for its answer. At each rate requests are sent when they are due, whatever the server does: by users
of whom none came before, so that none is in memory (`cold`), and after 31 seconds, when no slate is given again,
by the same users (`in_memory`).
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.serving.homes import Python, copy_of, home_of, prepare, root_of
from benchmarks.serving.http_load import Outcome, Request, closed_loop, open_loop, undisturbed
from benchmarks.serving.pages import PAGES, Page, user_ids
from benchmarks.serving.servers import homefeed_server

_CONNECTIONS: Final = 8
_WARM_UP: Final = 300
_REUSED_SECONDS: Final = 31.0
_SEED: Final = 1


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure the pages."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--page", action="append", choices=sorted(PAGES), required=True, help="May be repeated.")
    parser.add_argument("--home", type=Path, help="Where data is kept: HOME-PAGE for each page.")
    parser.add_argument("--per-second", action="append", type=float, required=True, help="May be repeated.")
    parser.add_argument("--seconds", type=float, default=7, help="Of load for each phase.")
    options = parser.parse_args(arguments)
    with root_of(options.home) as root:
        for name in options.page:
            found = measure(PAGES[name], home_of(root, name), options.per_second, options.seconds)
            print(json.dumps(found), flush=True)


def measure(
    page: Page, home: Path, rates: Sequence[float], seconds: float, reused: float = _REUSED_SECONDS
) -> dict[str, Any]:
    """One page; `reused` is how long to wait until no slate is given again."""
    python = Python(Path(sys.executable))
    prepare(page, home, python)
    users = np.random.default_rng(_SEED).permutation(user_ids(home / "sample")).tolist()
    requests = iter([page.request(user) for user in users])
    with copy_of(home) as copy, homefeed_server(python, copy, page.app) as server:
        warm_up = list(islice(requests, min(_WARM_UP, len(users) // 4)))
        undisturbed(lambda: closed_loop(server.port, warm_up, _CONNECTIONS))
        at = []
        for rate in rates:
            some = list(islice(requests, round(rate * seconds)))
            cold = _at(server.port, some, rate)
            time.sleep(reused)
            at.append({"per_second": rate, "cold": _told(cold), "in_memory": _told(_at(server.port, some, rate))})
        closed = undisturbed(lambda: closed_loop(server.port, requests, _CONNECTIONS, seconds))
    return {
        "benchmark": "steady",
        "page": page.name,
        "items": page.items,
        "users": page.users,
        "events": page.events,
        "closed": {"requests_per_second": round(closed.per_second, 1), "failed": closed.failed},
        "at": at,
    }


def _at(port: int, requests: Iterable[Request], rate: float) -> Outcome:
    due = [(number / rate, request) for number, request in enumerate(requests)]
    return undisturbed(lambda: open_loop(port, due))


def _told(outcome: Outcome) -> dict[str, Any]:
    return {"requests": outcome.count, "failed": outcome.failed, **outcome.quantiles()}


if __name__ == "__main__":
    main()
