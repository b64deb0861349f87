"""A community to test: generated and trained on, or made by hand; and the requests and events of its residents."""

from __future__ import annotations

import csv
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any, TypeAlias

import httpx
import uvicorn

from homefeed.apps import find_recipe
from homefeed.environment import Environment
from homefeed.explain import Trace
from homefeed.ingest import find_files, import_files
from homefeed.samples.community.generate import generate
from homefeed.server import create_app
from homefeed.serving import FeedRequest, LiveApp
from homefeed.settings import Settings
from homefeed.store import Store, open_store
from homefeed.store.artifacts import ArtifactStore
from homefeed.store.events import Outcome
from homefeed.store.items import ItemWrite, delete_item, patch_item, put_items
from homefeed.store.users import put_users
from homefeed.train import train_app
from homefeed.types import SECOND, Event

APP = "community"
RECIPE = find_recipe(APP)
END = datetime(2026, 1, 1, tzinfo=UTC)
NOW = int(END.timestamp()) * SECOND
WEIGHTS = {
    "view": 0.2,
    "click": 0.5,
    "like": 1.0,
    "comment": 1.2,
    "share": 1.4,
    "save": 1.5,
    "hide": -1,
    "report": -1.5,
}
"""What an event says of taste, strongest last, as the recipe documents it."""

FEED = "/v1/reco/homefeed"
FEEDBACK = "/v1/reco/feedback"
EXPLAIN = "/v1/reco/explanations"
TAKEN = {"accepted": 1, "duplicates": 0, "rejected": []}

Row: TypeAlias = Mapping[str, str]
Json: TypeAlias = dict[str, Any]


@dataclass
class Clock:
    """A clock that stands still until it is set."""

    now: int = NOW

    def __call__(self) -> int:
        return self.now


@dataclass(frozen=True)
class Entry:
    """An item as a page shows it."""

    item_id: str
    title: str
    creator: str
    reason: str
    score: float
    sources: tuple[str, ...]
    propensity: float


@dataclass(frozen=True)
class Page:
    """A page of a feed."""

    entries: tuple[Entry, ...]
    cursor: str | None
    cold: bool

    @property
    def ids(self) -> list[str]:
        return [entry.item_id for entry in self.entries]


@dataclass
class Feeds:
    """A live app as residents meet it."""

    app: LiveApp
    clock: Clock
    _numbers: count[int] = field(default_factory=lambda: count(1))

    async def page(self, user: str | None, n: int = 20, feed: str = "home", **more: Any) -> Page:
        answer = await self.app.recommend(FeedRequest(feed, user, n, **more))
        slate, catalog = answer.slate, answer.catalog
        assert slate.failed == {}
        shown = zip(
            slate.positions.tolist(),
            slate.reasons,
            slate.scores.tolist(),
            slate.sources,
            slate.propensities,
            strict=True,
        )
        entries = tuple(
            Entry(
                catalog.item_id(position),
                catalog.title(position),
                next(iter(catalog.terms_at("creator_id", position)), ""),
                reason,
                score,
                sources,
                float(propensity),
            )
            for position, reason, score, sources, propensity in shown
        )
        return Page(entries, answer.next_cursor, slate.cold_start)

    async def ids(self, user: str | None, n: int = 20, feed: str = "home", **more: Any) -> list[str]:
        return (await self.page(user, n, feed, **more)).ids

    async def pages(self, user: str, n: int, most: int = 1_000, feed: str = "home") -> list[Page]:
        """Page after page, to the end or the most."""
        found = [await self.page(user, n, feed)]
        while found[-1].cursor is not None and len(found) < most:
            found.append(await self.page(user, n, feed, cursor=found[-1].cursor))
        return found

    async def every(self, user: str, n: int = 20, most: int = 1_000, feed: str = "home") -> list[str]:
        """The ids of all pages, in their order."""
        return [item for page in await self.pages(user, n, most, feed) for item in page.ids]

    async def trace(self, user: str | None, item: str, n: int = 20, feed: str = "home") -> Trace:
        return await self.app.explain(FeedRequest(feed, user, n), item)

    async def tell(self, user: str, kind: str, *items: str, value: float | None = None) -> None:
        """The user did this to each of the items, now."""
        outcomes = await self.offer(*(Event(user, item, kind, self.clock.now, value) for item in items))
        assert set(outcomes) == {Outcome.ACCEPTED}, outcomes

    async def offer(self, *events: Event) -> list[Outcome]:
        """Events as the app takes them, each with an id of its own."""
        return await self.app.append([replace(event, event_id=f"e{next(self._numbers)}") for event in events])

    async def put(self, item: str, created: int | None = None, **attributes: Any) -> None:
        """Create or replace an item."""
        created = self.clock.now if created is None else created
        await put_items(self.app.store, APP, [ItemWrite(item, attributes, created)])
        await self.catch_up()

    async def patch(self, item: str, hidden: bool | None = None, **attributes: Any) -> None:
        await patch_item(self.app.store, APP, item, attributes, hidden)
        await self.catch_up()

    async def delete(self, item: str) -> None:
        await delete_item(self.app.store, APP, item)
        await self.catch_up()

    async def settle(self, user: str, **attributes: Any) -> None:
        """Create or replace a resident."""
        await put_users(self.app.store, APP, [(user, attributes)])
        await self.catch_up()

    async def catch_up(self) -> None:
        """As a server does every now and then."""
        await self.app.follow()
        await self.app.refresh()

    async def train(self) -> None:
        """Train on what is there, and serve it."""
        await train_app(RECIPE, self.app.store, self.app.artifacts, self.app.environment)
        assert await self.app.reload_models()


@asynccontextmanager
async def opened(home: Path, clock: Clock | None = None) -> AsyncIterator[Feeds]:
    """The app on the store and the models of a folder, which may be empty."""
    async with open_store(store_url(home)) as store:
        yield await started(store, home, clock or Clock())


async def started(store: Store, home: Path, clock: Clock) -> Feeds:
    app = LiveApp(RECIPE, store, ArtifactStore(home / "models"), Environment(clock))
    await app.start()
    return Feeds(app, clock)


def store_url(home: Path) -> str:
    return f"sqlite:///{home / 'homefeed.db'}"


@dataclass(frozen=True)
class Town:
    """A generated sample as its files say, read without Homefeed; `home` holds what was made of it.

    Rows are as in the files: all texts, "" for none.
    """

    home: Path

    @property
    def sample(self) -> Path:
        return self.home / "sample"

    @cached_property
    def users(self) -> dict[str, Row]:
        return {row["user_id"]: row for row in _rows(self.sample / "users.csv")}

    @cached_property
    def items(self) -> dict[str, Row]:
        return {row["item_id"]: row for row in _rows(self.sample / "items.csv")}

    @cached_property
    def events(self) -> list[Row]:
        return _rows(self.sample / "interactions.csv")

    @cached_property
    def true_items(self) -> dict[str, Row]:
        return {row["item_id"]: row for row in _rows(self.sample / "truth/items.csv")}

    @cached_property
    def interests(self) -> dict[str, dict[str, float]]:
        """What each resident truly likes, and how much."""
        rows = _rows(self.sample / "truth/users.csv")
        pairs = {row["user_id"]: [pair.rsplit(":", 1) for pair in row["interests"].split("|")] for row in rows}
        return {user: {tag: float(weight) for tag, weight in own} for user, own in pairs.items()}

    @cached_property
    def warm(self) -> list[str]:
        """The residents with a history."""
        active = {event["user_id"] for event in self.events}
        return [user for user in self.users if user in active]

    @cached_property
    def cold(self) -> list[str]:
        return [user for user in self.users if user not in set(self.warm)]

    @cached_property
    def spam(self) -> set[str]:
        return {item for item, row in self.true_items.items() if row["spam"] == "true"}

    def original(self, item: str) -> str:
        """What the item copies: itself unless it was planted as a copy."""
        return self.true_items[item]["duplicate_of"] or item if item in self.true_items else item

    def topics(self, item: str) -> list[str]:
        return [topic for topic in self.true_items[item]["topic"].split("|") if topic]

    def gain(self, user: str, item: str) -> float:
        """How much a resident would like an item."""
        liked = self.interests[user]
        return sum(liked.get(topic, 0.0) for topic in self.topics(item)) * float(self.true_items[item]["quality"])

    def unfit(self, user: str, item: str) -> set[str]:
        """What stops an item for a resident, whatever they did."""
        row = self.items[item]
        if row["community_id"] != self.users[user]["community_id"]:
            return {"isolation"}
        rules = {
            "expiry": row["expires_at"] != "" and row["expires_at"] <= END.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "quality": float(row["quality"] or 1) < 0.3,
            "reported": max(int(row["reports"]), len(self.reporters.get(item, ()))) >= 3,
        }
        return {name for name, stops in rules.items() if stops}

    @cached_property
    def reporters(self) -> dict[str, set[str]]:
        """Who reported each item."""
        told: dict[str, set[str]] = {}
        for event in self.events:
            if event["event_type"] == "report":
                told.setdefault(event["item_id"], set()).add(event["user_id"])
        return told

    def neighbours(self, user: str) -> list[str]:
        """The items of the user's community."""
        return [
            item for item, row in self.items.items() if row["community_id"] == self.users[user]["community_id"]
        ]


async def generated(home: Path, *, users: int, items: int, events: int, seed: int = 42) -> Town:
    """A sample that ends at NOW, imported into `home` and trained on."""
    town = Town(home)
    generate(town.sample, users=users, items=items, events=events, seed=seed, end=END)
    async with open_store(store_url(home)) as store:
        report = await import_files(store, RECIPE, find_files(town.sample, RECIPE.sources), now=NOW)
        assert report.to_json()["files"]["events"]["loaded"] == events
        await train_app(RECIPE, store, ArtifactStore(home / "models"), Environment(Clock()))
    return town


def weight_of(feature: str, feed: str = "home") -> float:
    """What a feature counts in a feed, by the recipe."""
    return float(RECIPE.feeds[feed].rank.config.model_dump()["weights"][feature])


def crowded(creators: Sequence[str], most: int = 2, window: int = 10) -> list[str]:
    """The creators with too many of so many places in a row."""
    starts = range(max(len(creators) - window + 1, 1))
    return [
        c for s in starts for c in {*creators[s : s + window]} if c and creators[s : s + window].count(c) > most
    ]


def _rows(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@contextmanager
def served(home: Path) -> Iterator[httpx.Client]:
    """A client of a server whose clock stands still at NOW."""
    app = create_app(Settings(home=home, apps=(APP,)), Environment(Clock()))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    host, port = server.servers[0].sockets[0].getsockname()
    try:
        with client_of(f"http://{host}:{port}") as client:
            yield client
    finally:
        server.should_exit = True
        thread.join()


def client_of(url: str) -> httpx.Client:
    """A client that sees to what all answers promise."""
    return httpx.Client(base_url=url, event_hooks={"response": [_keeps_promises]}, timeout=20)


def _keeps_promises(response: httpx.Response) -> None:
    response.read()
    assert response.status_code < 500, response.text
    assert response.headers["X-Request-ID"]
    if response.status_code >= 400:
        assert response.headers["Content-Type"] == "application/problem+json"
        assert response.json()["status"] == response.status_code
        assert response.json()["detail"]


def get_page(http: httpx.Client, user: str, **query: Any) -> Json:
    answer = http.get(FEED, params={"user_id": user} | query)
    assert answer.status_code == 200, answer.text
    body: Json = answer.json()
    return body


def shown(http: httpx.Client, user: str, **query: Any) -> list[str]:
    return [entry["item_id"] for entry in get_page(http, user, **query)["items"]]


def every(
    http: httpx.Client, user: str, between: Callable[[Json], None] = lambda page: None, **query: Any
) -> list[str]:
    """The ids of all pages; something may happen after each."""
    page = get_page(http, user, **query)
    found = [page]
    while page["next_cursor"] is not None:
        between(page)
        page = get_page(http, user, cursor=page["next_cursor"], **query)
        found.append(page)
    return [entry["item_id"] for page in found for entry in page["items"]]


def send(http: httpx.Client, user: str, item: str, kind: str = "like", **more: Any) -> None:
    answer = http.post(FEEDBACK, json={"user_id": user, "item_id": item, "event_type": kind} | more)
    assert (answer.status_code, answer.json()) == (200, TAKEN), answer.text


def why(http: httpx.Client, user: str, item: str) -> Json:
    answer = http.get(EXPLAIN, params={"user_id": user, "item_id": item})
    assert answer.status_code == 200, answer.text
    body: Json = answer.json()
    return body


def foreign_to(town: Town, user: str) -> list[str]:
    own = town.users[user]["community_id"]
    return [item for item, row in town.items.items() if row["community_id"] != own]
