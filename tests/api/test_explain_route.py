"""The trace of one item for one user: it agrees with the feed, and its parts sum to the score."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from tests.conftest import Served

BASE = "/v1/apps/streaming"
QUERIES: dict[str, dict[str, Any]] = {
    "popular": {},
    "trending": {"user_id": "u3"},
    "fresh": {"user_id": "u3"},
    "home": {"user_id": "u3"},
    "similar": {"anchor": "i4"},
}


def explain(api: httpx.Client, **query: Any) -> dict[str, Any]:
    answer = api.get(f"{BASE}/explain", params=query)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    assert body["request_id"] == answer.headers["X-Request-ID"]
    return body


@pytest.mark.parametrize("feed", QUERIES)
def test_the_trace_agrees_with_the_feed_and_sums_to_the_score(api: httpx.Client, feed: str) -> None:
    given = QUERIES[feed]
    query = {("item_id" if name == "anchor" else name): value for name, value in given.items()}
    lengths = itertools.count(30)  # another each time: the same request would be answered as before

    def ask() -> dict[str, Any]:
        answer: dict[str, Any] = api.get(f"{BASE}/feeds/{feed}", params=query | {"n": next(lengths)}).json()
        return answer | {"items": answer["items"][:30]}

    shown, again, traces = None, ask(), []
    # Once more where an order was brought up to date in between.
    while shown is None or shown["items"] != again["items"]:
        shown = again
        traces = [explain(api, feed=feed, item_id=item["item_id"], n=30, **given) for item in shown["items"]]
        again = ask()
    for place, (item, trace) in enumerate(zip(shown["items"], traces, strict=True), 1):
        assert trace["place"] == place
        assert trace["score"] == pytest.approx(item["score"], abs=1e-6)
        assert sum(feature["contribution"] for feature in trace["features"]) == pytest.approx(
            item["score"], abs=1e-5
        )
        assert trace["reason"] == item["reason"]
        assert [part["name"] for part in trace["retrievers"] if part["score"] is not None] == item["sources"]
        assert all(filter_["passed"] for filter_ in trace["filters"])
        assert trace["verdict"] == f"Shown at place {place}"
        assert trace["cold_start"] == shown["cold_start"]
        assert (trace["app"], trace["feed"], trace["failed"]) == ("streaming", feed, [])
        assert trace["dropped_by"] is None
        assert trace["candidates"] >= 30


def test_the_trace_names_the_models_that_serve(api: httpx.Client) -> None:
    ready = api.get("/readyz").json()["apps"]["streaming"]["models"]
    assert explain(api, feed="home", item_id="i1", user_id="u1")["models"] == ready


def test_a_stranger_is_answered_by_the_popular_feed_and_the_trace_says_so(api: httpx.Client) -> None:
    trace = explain(api, feed="home", item_id="i1", user_id="never seen")
    assert (trace["feed"], trace["made_by"], trace["cold_start"]) == ("home", "popular", True)
    assert trace["user_id"] == "never seen"


def test_what_is_not_among_the_first_n_has_its_place_named(api: httpx.Client) -> None:
    last = api.get(f"{BASE}/feeds/popular", params={"n": 50}).json()["items"][-1]
    trace = explain(api, feed="popular", item_id=last["item_id"], n=10)
    assert trace["place"] == 50
    assert trace["verdict"] == "Not among the first 10: place 50"


def test_a_hidden_item_is_stopped_by_availability(api: httpx.Client, new_item: Callable[..., str]) -> None:
    item_id = new_item()
    api.patch(f"{BASE}/items/{item_id}", json={"hidden": True})
    trace = explain(api, feed="home", item_id=item_id, user_id="u1")
    assert "availability" in trace["verdict"]
    assert (trace["place"], trace["score"], trace["reason"], trace["features"]) == (None, None, None, [])
    assert {filter_["name"]: filter_["passed"] for filter_ in trace["filters"]}["availability"] is False


def test_a_filtered_item_is_stopped_by_the_request(api: httpx.Client, served: Served) -> None:
    movie = min(served.sample.matching(content_type="movie"))
    trace = explain(api, feed="popular", item_id=movie, filter="content_type:tv")
    assert "request" in trace["verdict"]
    assert explain(api, feed="popular", item_id=movie, filter="content_type:movie")["place"]


def test_an_anchor_is_not_in_its_own_feed(api: httpx.Client) -> None:
    assert "request" in explain(api, feed="similar", item_id="i4", anchor="i4")["verdict"]


def test_what_was_watched_heavily_is_stopped_by_name(api: httpx.Client, fresh: Callable[[str], str]) -> None:
    user_id = fresh("user")
    api.post("/events", json={"user_id": user_id, "item_id": "i9", "watch_seconds": 1800})
    trace = explain(api, feed="home", item_id="i9", user_id=user_id)
    assert "consumption_limit" in trace["verdict"]


def test_a_later_page_says_the_reasons_of_the_trace(api: httpx.Client, eventually: Callable[..., None]) -> None:
    lengths = itertools.count(9)  # another each time: the same request would be answered as before

    def agree() -> bool:
        shown: list[Any] = []
        n, cursor = next(lengths), None
        for _ in range(3):
            query: dict[str, Any] = {"user_id": "u3", "n": n} | ({} if cursor is None else {"cursor": cursor})
            page = api.get(f"{BASE}/feeds/home", params=query).json()
            shown += page["items"]
            cursor = page["next_cursor"]
        traces = [explain(api, item_id=item["item_id"], user_id="u3", n=n) for item in shown]
        assert {trace["feed"] for trace in traces} == {"home"}, "the feed that the app begins with"
        return [trace["reason"] for trace in traces] == [item["reason"] for item in shown]

    eventually(agree)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({}, 422),
        ({"feed": "home"}, 422),
        ({"n": 5}, 422),
        ({"feed": "nowhere", "item_id": "i1"}, 404),
        ({"feed": "home", "item_id": "nowhere"}, 404),
        ({"feed": "home", "item_id": ""}, 404),
        ({"feed": "home", "item_id": "\0"}, 404),
        ({"feed": "similar", "item_id": "i1"}, 422),
        ({"feed": "similar", "item_id": "i1", "anchor": "nowhere"}, 404),
        ({"feed": "home", "item_id": "i1", "user_id": ""}, 422),
        ({"feed": "home", "item_id": "i1", "n": 0}, 422),
        ({"feed": "home", "item_id": "i1", "n": 1001}, 422),
        ({"feed": "home", "item_id": "i1", "filter": "genre"}, 422),
        ({"feed": "home", "item_id": "i1", "filter": "nowhere:1"}, 422),
    ],
)
def test_what_cannot_be_explained_is_refused(api: httpx.Client, query: dict[str, Any], status: int) -> None:
    assert api.get(f"{BASE}/explain", params=query).status_code == status
