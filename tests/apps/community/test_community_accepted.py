"""The contract's "Accepted when", line by line. How relevant the feed is, is measured in the tests of truth."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import httpx
import pytest
from tests.apps.community.community_sample import (
    EXPLAIN,
    FEEDBACK,
    Json,
    Town,
    client_of,
    every,
    foreign_to,
    generated,
    get_page,
    send,
    served,
    shown,
    weight_of,
    why,
)

if TYPE_CHECKING:
    from tests.conftest import StartServer

GENERIC: Final = "/v1/apps/community"

Someone: TypeAlias = Callable[[], str]


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Town:
    return asyncio.run(generated(tmp_path_factory.mktemp("town"), users=120, items=300, events=4_000))


@pytest.fixture(scope="module")
def http(town: Town) -> Iterator[httpx.Client]:
    with served(town.home) as client:
        yield client


@pytest.fixture(scope="module")
def someone(town: Town) -> Someone:
    """Residents with a history, one after the other: nobody is in two tests."""
    residents = iter(sorted(town.warm, key=lambda user: (len(user), user)))
    return lambda: next(residents)


def test_load_and_train_work_by_documented_commands(
    store_url: str, tmp_path: Path, start_server: StartServer
) -> None:
    """And what they lead to keeps the contract on each database, and through a power cut."""
    today = datetime.now(UTC).strftime("%Y-%m-%d")
    run = partial(command, tmp_path, store_url)
    run("generate", *["--out", "sample", "--users", "60", "--items", "240", "--events", "1500", "--end"], today)
    run("import", "sample")
    run("train")
    user = Town(tmp_path).warm[0]
    with start_server(store_url, tmp_path, apps="community") as server, client_of(server.url) as http:
        found = every(http, user, limit=9)
        assert len(set(found)) == len(found) > 10
        assert set(found) <= set(Town(tmp_path).neighbours(user))
        trace = why(http, user, found[0])
        assert (trace["place"], trace["reason"]) == (1, get_page(http, user)["items"][0]["reason"])
        send(http, user, found[0], "hide", event_id="once")
        assert found[0] not in every(http, user)
        answer = http.post(
            FEEDBACK, json={"user_id": user, "item_id": foreign_to(Town(tmp_path), user)[0], "event_type": "view"}
        )
        assert answer.status_code == 404
        server.kill()
    with start_server(store_url, tmp_path, apps="community") as server, client_of(server.url) as http:
        assert found[0] not in every(http, user)
        again = {"user_id": user, "item_id": found[0], "event_type": "hide", "event_id": "once"}
        assert http.post(FEEDBACK, json=again).json()["duplicates"] == 1


def test_the_feed_is_relevant_to_the_residents_interests(http: httpx.Client, town: Town) -> None:
    def liked(items: list[str], user: str) -> float:
        return mean(any(topic in town.interests[user] for topic in town.topics(item)) for item in items)

    own = [liked(shown(http, user, limit=10), user) for user in town.users]
    everyones = [liked(generic(http, "popular", user_id=user, n=10), user) for user in town.users]
    assert mean(own) > 1.5 * mean(everyones)


def test_feedback_changes_it_on_the_next_request(http: httpx.Client, town: Town, someone: Someone) -> None:
    for kind in ("like", "comment", "save", "hide"):
        user = someone()
        before = shown(http, user)
        for item in before[5:8]:
            send(http, user, item, kind)
        after = shown(http, user)
        assert not set(before[5:8]) & set(after)
        assert [item for item in before if item not in before[5:8]] != after[:17]


def test_a_resident_without_a_history_gets_a_sensible_feed_for_their_block_and_interests(
    http: httpx.Client, town: Town
) -> None:
    def suits(item: str, user: str) -> bool:
        row, of = town.items[item], town.users[user]
        return row["block"] == of["block"] or bool(
            set(row["tags"].split("|")) & set(of["interests"].split("|")) - {""}
        )

    for user in town.cold[2:]:
        page = shown(http, user)
        assert len(page) == 20
        whole = town.neighbours(user)
        assert mean(suits(item, user) for item in page) > 1.5 * mean(suits(item, user) for item in whole)
        assert len({town.items[item]["creator_id"] for item in page}) >= 6
        assert len({town.items[item]["tags"] for item in page}) >= 4


def test_low_quality_is_filtered_or_ranked_down(http: httpx.Client, town: Town) -> None:
    for user in town.users:
        found = every(http, user, limit=100)
        assert not any(town.unfit(user, item) for item in found)
        assert not set(found) & town.spam
    for user in (*town.cold[:2], *town.warm[:2]):
        for item in shown(http, user):
            quality = float(town.items[item]["quality"] or 0.6)
            trace = why(http, user, item)
            lowered = next(f["contribution"] for f in trace["features"] if f["name"] == "quality")
            weight = weight_of("quality", trace["made_by"])
            assert lowered == pytest.approx(weight * min(quality / 0.7 - 1, 0), abs=1e-5)


def test_what_stops_an_item_is_told_for_every_item(http: httpx.Client, town: Town, someone: Someone) -> None:
    user, stopped = someone(), Counter[str]()
    send(http, user, town.neighbours(user)[-1], "hide")
    done = {event["item_id"] for event in town.events if event["user_id"] == user}
    assert set(foreign_to(town, user)) | set(town.neighbours(user)) == set(town.items)
    for item in town.neighbours(user):
        trace = why(http, user, item)
        by = {filter_["name"]: filter_["why"] for filter_ in trace["filters"] if not filter_["passed"]}
        assert all(by.values())
        assert by.keys() & {"isolation", "expiry", "quality", "reported"} == town.unfit(user, item)
        assert ("own" in by) == (town.items[item]["creator_id"] == user)
        assert by.keys() & {"seen", "blocked"} <= ({"seen", "blocked"} if item in done else {"blocked"})
        assert (trace["place"] is None) == bool(by or trace["dropped_by"])
        assert all(f"{name} ({reason})" in trace["verdict"] for name, reason in by.items())
        stopped.update(by.keys())
    of_residents = {"seen", "blocked", "near_duplicates"}
    assert set(stopped) - {"own"} == {"expiry", "quality", "reported", *of_residents}


def test_isolation_holds_over_every_user_of_the_sample_in_every_endpoint(http: httpx.Client, town: Town) -> None:
    titles = {(row["title"], row["community_id"]) for row in town.items.values()}
    for number, user in enumerate(town.users):
        own, foreign = town.neighbours(user), foreign_to(town, user)
        other, anchor = foreign[number % len(foreign)], own[number % len(own)]
        pages = [get_page(http, user, limit=100)["items"]]
        for feed in ("home", "popular", "fresh", "similar"):
            pages.append(page_of(http, feed, user_id=user, n=200, item_id=anchor))
        assert {entry["item_id"] for page in pages for entry in page} <= set(own)
        named = {title for page in pages for e in page for title in re.findall(r'"(.+?)"', e["reason"])}
        assert {(title, town.users[user]["community_id"]) for title in named} <= titles
        for path, asked in unknown_to(user, other, anchor):
            assert http.get(path, params=asked).status_code == 404
        event = {"user_id": user, "item_id": other, "event_type": "save"}
        assert http.post(FEEDBACK, json=event).status_code == 404
        assert http.post(f"{GENERIC}/events", json=event).status_code == 404
    for feed in ("home", "welcome", "popular", "fresh"):
        assert generic(http, feed) == generic(http, feed, user_id="never seen") == []


def unknown_to(user: str, foreign: str, own: str) -> list[tuple[str, dict[str, str]]]:
    """What asks about an item of another community."""
    explained = {"user_id": user, "feed": "similar", "item_id": own, "anchor": foreign}
    return [
        (f"{GENERIC}/feeds/similar", {"user_id": user, "item_id": foreign}),
        (f"{GENERIC}/explain", explained),
        (f"{GENERIC}/explain", {"user_id": user, "feed": "popular", "item_id": foreign}),
        (EXPLAIN, {"user_id": user, "item_id": foreign}),
        (f"{GENERIC}/feeds/similar", {"item_id": foreign}),
    ]


def page_of(http: httpx.Client, feed: str, **query: Any) -> list[Json]:
    items: list[Json] = http.get(f"{GENERIC}/feeds/{feed}", params=query).json()["items"]
    return items


def generic(http: httpx.Client, feed: str, **query: Any) -> list[str]:
    return [entry["item_id"] for entry in page_of(http, feed, **query)]


def command(home: Path, store_url: str, *arguments: str) -> None:
    """`homefeed` as a user types it, on community."""
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("HOMEFEED_") or name == "HOMEFEED_TEXT_MODEL"
    }
    own = {"HOMEFEED_HOME": str(home), "HOMEFEED_DATABASE_URL": store_url}
    name, *others = arguments
    line = [str(Path(sys.executable).with_name("homefeed")), name, "community", *others]
    subprocess.run(line, check=True, capture_output=True, cwd=home, env=clean | own)
