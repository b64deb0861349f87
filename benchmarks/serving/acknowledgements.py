"""How long an event waits to be acknowledged while feeds are computed. Prints one JSON line a page.

    python -m benchmarks.serving.acknowledgements --home bench
    python -m benchmarks.serving.acknowledgements --home bench --python ../before/.venv/bin/python

One server answers pages, by users of whom none is in memory, and an event of `--events-a-page` for each of them.
`saturated` is the closed loop: `--connections` connections each send a request when the one before is answered.
`at_half_load` is the open loop at half of the requests a second that it reached, whatever the server does: times
run from when a request was due. `page` and `event` are the times of the two. Homes are those of
`benchmarks.serving.load`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson

from benchmarks.serving.homes import CommandError, Python, copy_of, home_of, prepare, root_of
from benchmarks.serving.http_load import Outcome, Request, closed_loop, open_loop, post, quantiles, undisturbed
from benchmarks.serving.pages import PAGES, Page, item_ids, user_ids
from benchmarks.serving.servers import homefeed_server

WARM_UP_SECONDS: Final = 3.0
_SEED: Final = 1
_EVENT_TYPES: Final = {"streaming": "play", "community": "view", "shop": "product_click", "live": "watch"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure the pages; 1 where one could not be measured."""
    options = _options(arguments)
    with root_of(options.home) as root:
        for name in options.page or ["streaming"]:
            try:
                line = measure(PAGES[name], home_of(root, name), options)
            except CommandError as error:
                print(f"{name}: {error}", file=sys.stderr)
                return 1
            print(json.dumps(line), flush=True)
    return 0


def measure(page: Page, home: Path, options: argparse.Namespace) -> dict[str, Any]:
    """One page."""
    python = Python(Path(options.python).absolute())
    prepare(page, home, python)
    requests = interleaved(page, home / "sample", options.events_a_page, np.random.default_rng(_SEED))
    with copy_of(home) as copy, homefeed_server(python, copy, page.app) as server:
        undisturbed(lambda: closed_loop(server.port, requests, options.connections, WARM_UP_SECONDS))
        full = undisturbed(lambda: closed_loop(server.port, requests, options.connections, options.seconds))
        rate = full.per_second / 2
        half = undisturbed(lambda: open_loop(server.port, steadily(requests, rate, options.seconds)))
    return {
        "benchmark": "acknowledgements",
        "page": page.name,
        "connections": options.connections,
        "events_a_page": options.events_a_page,
        "saturated": _times(full),
        "at_half_load": _times(half),
    }


def interleaved(page: Page, sample: Path, events_a_page: int, rng: np.random.Generator) -> Iterator[Request]:
    """Without end: a page of one user, then events of others."""
    users = rng.permutation(user_ids(sample)).tolist()
    items = item_ids(page.app, sample)
    while True:
        for user in users:
            yield page.request(user)
            for _ in range(events_a_page):
                yield event_of(page.app, rng.choice(users), rng.choice(items))


def event_of(app: str, user_id: str, item_id: str) -> Request:
    """An event over the API that every app has."""
    body = {"user_id": user_id, "item_id": item_id, "event_type": _EVENT_TYPES[app], "value": 10}
    return post(f"/v1/apps/{app}/events", orjson.dumps(body), "event")


def steadily(requests: Iterator[Request], per_second: float, seconds: float) -> Iterator[tuple[float, Request]]:
    """When what is due, at a constant rate."""
    for number in range(round(seconds * per_second)):
        yield number / per_second, next(requests)


def _times(outcome: Outcome) -> dict[str, Any]:
    return {
        "requests_per_second": round(outcome.per_second, 1),
        "failed": outcome.failed,
        **{name: quantiles(seconds) for name, seconds in sorted(outcome.seconds.items())},
    }


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--page", action="append", choices=sorted(PAGES), help="May be repeated; streaming.")
    parser.add_argument("--home", type=Path, help="Where data is kept: HOME-PAGE for each page.")
    parser.add_argument("--seconds", type=float, default=10, help="Of load for each phase.")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--events-a-page", type=int, default=1)
    parser.add_argument("--python", default=sys.executable, help="The interpreter of the measured checkout.")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
