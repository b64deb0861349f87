"""The requests of a recording: drawn once from the sample data, by a seed, and kept in the recording itself."""

from __future__ import annotations

import csv
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from benchmarks.serving.routes import APPS, AppRoutes

REQUESTS: Final = 2_000
PAUSE_SECONDS: Final = 61
"""Between two groups of requests: longer than any feed may repeat a slate that is the same for all its users."""

_SIZES: Final = ("1", "5", "10", "20", "20", "50")
_READ_SHARE: Final = 0.75

Params: TypeAlias = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Step:
    """A request, a write, or a moment at which the server takes over what was written.

    `at` is in seconds after the first step. `<item>` and `<cursor>` in the path, the parameters and the body stand
    for the item at `place`, and for the next cursor, in the answer to the step `of`.
    """

    kind: Literal["request", "write", "follow"]
    group: str
    at: int
    method: str = "GET"
    path: str = ""
    params: Params = ()
    body: Any = None
    of: int | None = None
    place: int = 0


@dataclass(frozen=True, slots=True)
class Sample:
    """What the requests of an app can name, in the order of the files: users with what the file says of them."""

    users: Mapping[str, Mapping[str, str]]
    active: Sequence[str]
    items: Sequence[str]
    queries: Sequence[str]


@dataclass(slots=True)
class _Draft:
    """The steps so far."""

    steps: list[Step] = field(default_factory=list)
    at: int = 0

    @property
    def requests(self) -> int:
        return sum(step.kind == "request" for step in self.steps)

    def request(
        self, group: str, path: str, params: Mapping[str, str] | Params = (), of: int | None = None, place: int = 0
    ) -> int:
        pairs = tuple(params.items()) if isinstance(params, Mapping) else tuple(params)
        self.steps.append(Step("request", group, self.at, path=path, params=pairs, of=of, place=place))
        return len(self.steps) - 1

    def again(self, index: int, group: str) -> int:
        earlier = self.steps[index]
        return self.request(group, earlier.path, earlier.params, earlier.of, earlier.place)

    def write(self, group: str, method: str, path: str, body: Any, of: int | None = None, place: int = 0) -> None:
        self.steps.append(Step("write", group, self.at, method, path, body=body, of=of, place=place))

    def follow(self) -> None:
        self.steps.append(Step("follow", "follow", self.at))

    def pause(self) -> None:
        self.at += PAUSE_SECONDS


@dataclass(slots=True)
class _Draw:
    """One app's routes and sample, and the chance that picks among them."""

    routes: AppRoutes
    sample: Sample
    draft: _Draft
    chance: random.Random

    def user(self) -> str:
        return self.chance.choice(list(self.sample.users))

    def item(self) -> str:
        return self.chance.choice(self.sample.items)

    def size(self) -> str:
        return self.chance.choice(_SIZES)

    def feed(self) -> str:
        """The home feed every second time, else one of the others."""
        return "home" if self.chance.random() < 0.5 else self.chance.choice(self.routes.feeds)

    def generic(self, route: str) -> str:
        return f"/v1/apps/{self.routes.app}/{route}"

    def group(self, name: str) -> str:
        return f"{self.routes.app}: {name}"

    def filled(self, params: Mapping[str, str], user: str) -> dict[str, str]:
        values = {"user": user, "item": self.item(), "n": self.size(), "query": self.query()}
        return {name: value.format(**values) for name, value in params.items()}

    def query(self) -> str:
        return self.chance.choice(self.sample.queries) if self.sample.queries else ""


def make_plan(samples: Mapping[str, Sample], requests: int = REQUESTS, seed: int = 0) -> list[Step]:
    """The steps: for each app what only reads, then for each app what also writes; the same for the same seed."""
    draft = _Draft()
    shares = [requests // len(APPS) + (index < requests % len(APPS)) for index in range(len(APPS))]
    draws = [_Draw(routes, samples[routes.app], draft, random.Random(f"{seed} {routes.app}")) for routes in APPS]
    for kinds, wanted in (
        (_READING, [int(share * _READ_SHARE) for share in shares]),
        (_WRITING, [share - int(share * _READ_SHARE) for share in shares]),
    ):
        for draw, count in zip(draws, wanted, strict=True):
            _fill(draft, draw, kinds, count)
    return draft.steps


def read_samples(folder: Path) -> dict[str, Sample]:
    """What the sample files of each app name."""
    return {routes.app: _read_sample(folder / routes.app, routes) for routes in APPS}


def _read_sample(folder: Path, routes: AppRoutes) -> Sample:
    users, items, events = (_rows(folder / f"{name}.csv") for name in ("users", routes.items, routes.events))
    return Sample(
        {row["user_id"]: row for row in users},
        list(dict.fromkeys(row["user_id"] for row in events)),
        [row[routes.item_column] for row in items],
        list(dict.fromkeys(row["query"] for row in events if row.get("query"))),
    )


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _fill(draft: _Draft, draw: _Draw, kinds: Sequence[Callable[[_Draw], None]], wanted: int) -> None:
    target, turn = draft.requests + wanted, 0
    while draft.requests < target:
        kinds[turn % len(kinds)](draw)
        draft.pause()
        turn += 1
    while draft.requests > target:
        draft.steps.pop()


def _known_user(draw: _Draw) -> None:
    feed = draw.feed()
    draw.draft.request(
        draw.group(f"{feed}, known user"),
        draw.generic(f"feeds/{feed}"),
        {"user_id": draw.user(), "n": draw.size()},
    )


def _pages(draw: _Draw) -> None:
    feed, user, size = draw.feed(), draw.user(), draw.chance.choice(("5", "10", "20"))
    path, params = draw.generic(f"feeds/{feed}"), {"user_id": user, "n": size}
    home, group = draw.routes.home, draw.group(f"{feed}, pages")
    if home.paged and draw.chance.random() < 0.5:
        path, params, group = home.path, {home.user: user, home.size: size}, draw.group("contract, pages")
    index = draw.draft.request(group, path, params)
    for _ in range(2):
        index = draw.draft.request(group, path, {**params, "cursor": "<cursor>"}, index)


def _no_user(draw: _Draw) -> None:
    feed = draw.feed()
    draw.draft.request(draw.group(f"{feed}, no user"), draw.generic(f"feeds/{feed}"), {"n": draw.size()})


def _unknown_user(draw: _Draw) -> None:
    feed = draw.feed()
    params = {"user_id": f"stranger{draw.chance.randrange(1_000)}", "n": draw.size()}
    draw.draft.request(draw.group(f"{feed}, unknown user"), draw.generic(f"feeds/{feed}"), params)


def _conditions(draw: _Draw) -> None:
    feed, count = draw.feed(), draw.chance.choice((1, 1, 2))
    conditions = [("filter", text) for text in draw.chance.sample(draw.routes.conditions, count)]
    params = [("user_id", draw.user()), ("n", draw.size()), *conditions]
    draw.draft.request(draw.group(f"{feed}, conditions"), draw.generic(f"feeds/{feed}"), params)


def _excluded(draw: _Draw) -> None:
    feed, user, group = draw.feed(), draw.user(), draw.group("excluded items")
    path = draw.generic(f"feeds/{feed}")
    first = draw.draft.request(group, path, {"user_id": user, "n": "10"})
    for place in (0, 4):
        params = [("user_id", user), ("n", "10"), ("exclude", "<item>"), ("exclude", draw.item())]
        draw.draft.request(group, path, params, first, place)


def _long_page(draw: _Draw) -> None:
    feed, size = draw.feed(), draw.chance.choice(("200", "1000"))
    draw.draft.request(draw.group("long page"), draw.generic(f"feeds/{feed}"), {"user_id": draw.user(), "n": size})


def _anchored(draw: _Draw) -> None:
    """What is similar to some item, and to two items of a user's page."""
    user, path = draw.user(), draw.generic("feeds/similar")
    draw.draft.request(draw.group("similar, no user"), path, {"item_id": draw.item(), "n": draw.size()})
    group = draw.group("similar, known user")
    shown = draw.draft.request(group, draw.generic("feeds/popular"), {"user_id": user, "n": "20"})
    for place in draw.chance.sample(range(10), 2):
        params = {"item_id": "<item>", "n": draw.size(), "user_id": user}
        draw.draft.request(group, path, params, shown, place)


def _search(draw: _Draw) -> None:
    if not draw.sample.queries:
        return
    params = {"query": draw.query(), "n": draw.chance.choice(("5", "10", "20"))}
    first = draw.draft.request(draw.group("search"), draw.generic("feeds/search"), params)
    draw.draft.request(draw.group("search"), draw.generic("feeds/search"), {**params, "cursor": "<cursor>"}, first)


def _contract(draw: _Draw) -> None:
    for path, params in draw.chance.sample(draw.routes.contract, 3):
        user = draw.user() if draw.chance.random() < 0.9 else f"stranger{draw.chance.randrange(1_000)}"
        full = path.format(user=user, item=draw.item())
        draw.draft.request(draw.group(f"contract {path}"), full, draw.filled(params, user))


def _explained(draw: _Draw) -> None:
    feed, user, path = draw.feed(), draw.user(), draw.generic("explain")
    group = draw.group("explanations")
    shown = draw.draft.request(group, draw.generic(f"feeds/{feed}"), {"user_id": user, "n": "10"})
    params = {"feed": feed, "user_id": user, "n": "10"}
    draw.draft.request(group, path, {**params, "item_id": "<item>"}, shown, draw.chance.choice((0, 1, 2, 4, 6, 9)))
    draw.draft.request(group, path, {**params, "item_id": draw.item()})
    anchored = {"feed": "similar", "item_id": draw.item(), "anchor": draw.item()}
    draw.draft.request(group, path, anchored)


def _catalogue(draw: _Draw) -> None:
    routes = (f"items/{draw.item()}", f"users/{draw.user()}", f"users/{draw.user()}/events", "items", "users")
    draw.draft.request(draw.group("items and users"), draw.generic(draw.chance.choice(routes)))


def _refused(draw: _Draw) -> None:
    wrong: tuple[tuple[str, Mapping[str, str]], ...] = (
        ("feeds/missing", {}),
        ("feeds/home", {"filter": "missing:value"}),
        ("feeds/home", {"filter": "no condition"}),
        ("feeds/home", {"n": "0"}),
        ("feeds/home", {"cursor": "broken"}),
        ("feeds/similar", {"item_id": "missing"}),
        ("explain", {"feed": "home", "item_id": "missing"}),
    )
    route, params = draw.chance.choice(wrong)
    draw.draft.request(draw.group("refused"), draw.generic(route), {**params, "user_id": draw.user()})


def _repeated(draw: _Draw) -> None:
    """The same request at the same moment: a slate that is given twice is one slate."""
    feed = draw.feed()
    params = {"user_id": draw.user(), "n": "20"}
    first = draw.draft.request(draw.group("repeated"), draw.generic(f"feeds/{feed}"), params)
    draw.draft.again(first, draw.group("repeated"))


def _events(draw: _Draw) -> None:
    """A page, an event about an item on it, the page again; then from the beginning once the server followed."""
    user, draft, group = draw.chance.choice(draw.sample.active), draw.draft, draw.group("after events")
    home = draw.routes.home
    first = draft.request(group, home.path, {home.user: user, home.size: "20"})
    for event in draw.chance.sample(draw.routes.event_bodies, 2):
        place = draw.chance.choice((0, 1, 3, 7))
        values = {"user": user, "query": draw.query()}
        body = {name: value.format(**values) if isinstance(value, str) else value for name, value in event.items()}
        draft.write(group, "POST", draw.routes.events_path, body, first, place)
        draft.again(first, group)
    draft.request(group, draw.generic("feeds/home"), {"user_id": user, "n": "10"})
    draft.pause()
    draft.follow()
    draft.again(first, draw.group("after events, followed"))
    feed = draw.chance.choice(draw.routes.feeds)
    draft.request(
        draw.group("after events, followed"), draw.generic(f"feeds/{feed}"), {"user_id": user, "n": "20"}
    )


def _first_event(draw: _Draw) -> None:
    """A user without a history, if there is one, and their first event."""
    active = set(draw.sample.active)
    new = [user for user in draw.sample.users if user not in active] or [f"new{draw.chance.randrange(1_000)}"]
    user, draft, group = draw.chance.choice(new), draw.draft, draw.group("first event")
    path, params = draw.generic("feeds/home"), {"user_id": user, "n": "20"}
    first = draft.request(group, path, params)
    event = {"user_id": user, "item_id": "<item>", **draw.routes.generic_event}
    draft.write(group, "POST", draw.generic("events"), event, first, 2)
    draft.again(first, group)


def _hidden(draw: _Draw) -> None:
    """An item of a page hidden, and shown again, and the next one deleted."""
    draft, group = draw.draft, draw.group("hidden items")
    path, params = draw.generic("feeds/home"), {"user_id": draw.user(), "n": "10"}
    first = draft.request(group, path, params)
    item = draw.generic("items/<item>")
    draft.write(group, "PATCH", item, {"hidden": True}, first, 1)
    draft.again(first, group)
    draft.write(group, "PATCH", item, {"hidden": False}, first, 1)
    draft.write(group, "DELETE", item, None, first, 2)
    draft.follow()
    draft.again(first, group)


def _new_item(draw: _Draw) -> None:
    """A new item, from its neighbours to the feed of what is new."""
    draft, group = draw.draft, draw.group("new item")
    user, item_id = draw.user(), f"NEWITEM{draw.chance.randrange(100, 1_000)}"
    about = draw.sample.users[user]
    attributes = {
        name: value.format(**about) if isinstance(value, str) else value
        for name, value in draw.routes.new_item.items()
    }
    draft.write(group, "PUT", draw.generic(f"items/{item_id}"), {"attributes": attributes})
    similar = {"item_id": item_id, "user_id": user, "n": "10"}
    draft.request(group, draw.generic("feeds/similar"), similar)
    draft.follow()
    draft.request(group, draw.generic("feeds/similar"), similar)
    for feed in draw.routes.fresh:
        draft.request(group, draw.generic(f"feeds/{feed}"), {"user_id": user, "n": "20"})


def _changed_user(draw: _Draw) -> None:
    """A user whose attributes change, and who is then erased."""
    user, draft, group = draw.chance.choice(draw.sample.active), draw.draft, draw.group("changed user")
    path, params = draw.generic("feeds/home"), {"user_id": user, "n": "10"}
    first = draft.request(group, path, params)
    draft.write(
        group, "PATCH", draw.generic(f"users/{user}"), {"attributes": draw.chance.choice(draw.routes.user_changes)}
    )
    draft.again(first, group)
    draft.write(group, "DELETE", draw.generic(f"users/{user}"), None)
    draft.again(first, group)


_READING: Final = (
    _known_user,
    _contract,
    _pages,
    _conditions,
    _no_user,
    _explained,
    _unknown_user,
    _excluded,
    _contract,
    _anchored,
    _search,
    _long_page,
    _repeated,
    _catalogue,
    _refused,
)
_WRITING: Final = (_events, _first_event, _events, _hidden, _events, _new_item, _events, _changed_user)
