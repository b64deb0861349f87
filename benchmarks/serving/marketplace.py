"""The marketplace's lists at a constant rate, from one server process. Prints one JSON line a list.

    python -m benchmarks.serving.marketplace --files nyc --home data --per-second 100

`--home` is a home into which the files of a folder (users.csv, listings.csv) were imported, and that was trained:
see examples/airbnb-nyc. Requests are sent when they are due, whatever the server does. `feed` is asked for by
users of whom none came before, so that none is in memory (`cold`), the default 50 listings each; then, after 31
seconds, when no answer is given again, by the same users (`in_memory`). `nearby` is around the places of users,
within 10 km; `similar` is of listings drawn evenly.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
import polars as pl

from benchmarks.serving.homes import Python, copy_of
from benchmarks.serving.http_load import Outcome, Request, closed_loop, get, open_loop, post, undisturbed
from benchmarks.serving.servers import homefeed_server

_API: Final = "/api/v1/feed"
_CONNECTIONS: Final = 8
_WARM_UP: Final = 300
_REUSED_SECONDS: Final = 31.0
_SEED: Final = 1


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure the lists."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=Path, required=True, help="The folder of users.csv and listings.csv.")
    parser.add_argument("--home", type=Path, required=True, help="The home that serves them.")
    parser.add_argument("--per-second", type=float, default=100)
    parser.add_argument("--seconds", type=float, default=10, help="Of load for each list.")
    options = parser.parse_args(arguments)
    for found in measure(options.files, options.home, options.per_second, options.seconds):
        print(json.dumps(found), flush=True)


def measure(
    files: Path, home: Path, per_second: float, seconds: float, reused: float = _REUSED_SECONDS
) -> list[dict[str, Any]]:
    """Each list; `reused` is how long to wait until no answer is given again."""
    count = round(per_second * seconds)
    by_list = _requests(files, _WARM_UP + count)
    found = []
    with copy_of(home) as copy, homefeed_server(Python(Path(sys.executable)), copy, "marketplace") as server:
        for name, requests in by_list.items():
            warm_up = requests[: max(min(_WARM_UP, len(requests) - count), 1)]
            undisturbed(partial(closed_loop, server.port, warm_up, _CONNECTIONS))
            measured = requests[len(warm_up) :]
            cold = _at(server.port, measured, per_second)
            told: dict[str, Any] = {"benchmark": "marketplace", "list": name, "per_second": per_second}
            told["cold"] = _told(cold)
            if name == "feed":
                time.sleep(reused)
                told["in_memory"] = _told(_at(server.port, measured, per_second))
            found.append(told)
    return found


def _requests(files: Path, count: int) -> dict[str, list[Request]]:
    """By list, up to `count` requests, none twice."""
    rng = np.random.default_rng(_SEED)
    users = pl.read_csv(files / "users.csv", columns=["user_uid", "latitude", "longitude"])
    users = users.sample(min(count, len(users)), shuffle=True, seed=_SEED)
    listings = pl.read_csv(files / "listings.csv", columns=[0], infer_schema=False).to_series()
    places = [
        {"latitude": row["latitude"], "longitude": row["longitude"]} for row in users.drop_nulls().to_dicts()
    ]
    return {
        "feed": [get(f"{_API}?user_uid={user}", "feed") for user in users["user_uid"]],
        "nearby": [post(f"{_API}/nearby", orjson.dumps(place), "nearby") for place in places],
        "similar": [
            get(f"{_API}/similar/{listings[row]}", "similar")
            for row in rng.permutation(len(listings))[:count].tolist()
        ],
    }


def _at(port: int, requests: Sequence[Request], rate: float) -> Outcome:
    return undisturbed(lambda: open_loop(port, [(number / rate, each) for number, each in enumerate(requests)]))


def _told(outcome: Outcome) -> dict[str, Any]:
    return {"requests": outcome.count, "failed": outcome.failed, **outcome.quantiles()}


if __name__ == "__main__":
    main()
