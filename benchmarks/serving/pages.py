"""The pages under load: which app serves them, from how much sample data, and the requests for them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import numpy as np
import orjson
import polars as pl

from benchmarks.serving.http_load import Request, get, post, put


@dataclass(frozen=True)
class Page:
    """A page of an app. `path` has a place for the user, or `body` names them: of one by POST."""

    name: str
    app: str
    path: str
    items: int
    users: int = 20_000
    events: int = 200_000
    body: Mapping[str, Any] | None = None

    def request(self, user_id: str) -> Request:
        """The request of a user."""
        if self.body is not None:
            return post(self.path, orjson.dumps({"user_id": user_id, **self.body}), "page")
        return get(self.path.format(quote(user_id)))


_PAGES_A_WRITE: Final = 10
_DRAWN: Final = 20_000
_HOME: Final = "/recommendations?user_id={}&k=10"
_LIVE: Final = "/v1/scenarios/"
_CONTEXT: Final = {"ctx_timestamp": 1_640_995_200, "ctx_device": "mobile", "ctx_locale": "en-US"}
PAGES: Final[Mapping[str, Page]] = {
    page.name: page
    for page in (
        Page("community", "community", "/v1/reco/homefeed?user_id={}&limit=10", 10_000),
        Page("streaming", "streaming", _HOME, 10_000),
        Page("streaming-100k", "streaming", _HOME, 100_000, events=2_000_000),
        Page("shop", "shop", "/recommendations/home?user_id={}", 10_000, events=2_000_000),
        Page("hometown", "live", f"{_LIVE}hometown", 50_000, 10_000, 500_000, {"max_results": 10}),
        Page("home_feed", "live", f"{_LIVE}home_feed", 50_000, 10_000, 500_000, _CONTEXT),
        Page("streaming-1m", "streaming", _HOME, 1_000_000, users=200_000, events=5_000_000),
    )
}
BY_NAME_ONLY: Final = frozenset({"streaming-1m", "hometown", "home_feed"})
"""Pages that are measured only where they are named."""


def page_names() -> list[str]:
    """The pages that are measured where none is named."""
    return [name for name in PAGES if name not in BY_NAME_ONLY]


def user_ids(sample: Path) -> list[str]:
    """All users of a sample."""
    users = pl.read_csv(sample / "users.csv", columns=["user_id"], infer_schema=False)
    return users["user_id"].to_list()


def item_ids(app: str, sample: Path) -> list[str]:
    """All items of an app's sample."""
    item = {"shop": "product", "live": "stream"}.get(app, "item")
    items = pl.read_csv(sample / f"{item}s.csv", columns=[f"{item}_id"], infer_schema=False)
    return items[f"{item}_id"].to_list()


def entries(body: bytes) -> int:
    """How many items a page shows, in all of its lists."""
    values = orjson.loads(body).values()
    nested = (value.values() if isinstance(value, dict) else [value] for value in values)
    return sum(len(value) for value in itertools.chain.from_iterable(nested) if isinstance(value, list))


def shop_requests(page: Page, sample: Path, rng: np.random.Generator) -> dict[str, Iterator[Request]]:
    """Without end: home pages, products as often as they were clicked, searches as often as made, and clicks."""
    events = pl.read_csv(sample / "events.csv", infer_schema=False)
    users = rng.permutation(user_ids(sample)).tolist()
    clicked, searched = (
        rng.choice(events[column].drop_nulls().to_numpy(), _DRAWN).tolist() for column in ("product_id", "query")
    )
    clicks = [
        {"user_id": user, "event_type": "product_click", "product_id": product}
        for user, product in zip(itertools.cycle(users), clicked, strict=False)
    ]
    requests = {
        "home": [get(page.path.format(user), "home") for user in users],
        "product": [get(f"/recommendations/product/{quote(product)}", "product") for product in clicked],
        "search": [get(f"/recommendations/search?query={quote(query)}", "search") for query in searched],
        "write": [post("/api/v1/interactions/interactions", orjson.dumps(click), "write") for click in clicks],
    }
    return {name: itertools.cycle(each) for name, each in requests.items()}


def live_requests(page: Page, sample: Path, rng: np.random.Generator) -> dict[str, Iterator[Request]]:
    """Without end: the page, and streams whose number of viewers changes."""
    pages = [page.request(user)._replace(name=page.name) for user in rng.permutation(user_ids(sample)).tolist()]
    drawn = rng.choice(item_ids(page.app, sample), _DRAWN).tolist()
    viewers = [orjson.dumps({"viewer_count": count}) for count in rng.integers(0, 10_000, _DRAWN).tolist()]
    writes = [
        put(f"{_LIVE}streams/{quote(stream)}/status", body, "write")
        for stream, body in zip(drawn, viewers, strict=True)
    ]
    return {page.name: itertools.cycle(pages), "write": itertools.cycle(writes)}


RATED: Final = {"shop": shop_requests, "live": live_requests}
"""By app, its requests at a constant rate."""


def timetable(
    requests: Mapping[str, Iterator[Request]], per_minute: float, seconds: float
) -> Iterator[tuple[float, Request]]:
    """When what is due: the pages in turn at a constant rate, and a write after every tenth page."""
    pages, interval = itertools.cycle(each for name, each in requests.items() if name != "write"), 60 / per_minute
    for number in range(round(seconds / interval)):
        yield number * interval, next(next(pages))
        if number % _PAGES_A_WRITE == _PAGES_A_WRITE - 1:
            yield (number + 0.5) * interval, next(requests["write"])
