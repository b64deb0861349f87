"""Feeds over HTTP: what they answer, filters, exclusions, pages, anchors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import TYPE_CHECKING, Any, TypeAlias

import httpx
import polars as pl
import pytest

from homefeed.api.schemas import FeedAnswer

if TYPE_CHECKING:
    from tests.conftest import Served

Eventually: TypeAlias = Callable[[Callable[[], bool]], None]

FEEDS = "/v1/apps/streaming/feeds"
QUERIES: dict[str, dict[str, Any]] = {
    "popular": {},
    "trending": {},
    "fresh": {},
    "home": {"user_id": "u1"},
    "similar": {"item_id": "i1"},
}


def fetch(api: httpx.Client, feed: str, **query: Any) -> dict[str, Any]:
    answer = api.get(f"{FEEDS}/{feed}", params=query)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def ids(answer: dict[str, Any]) -> list[str]:
    return [item["item_id"] for item in answer["items"]]


@pytest.mark.parametrize("feed", QUERIES)
def test_a_feed_answers_what_is_promised(api: httpx.Client, served: Served, feed: str) -> None:
    response = api.get(f"{FEEDS}/{feed}", params=QUERIES[feed])
    FeedAnswer.model_validate_json(response.content, strict=True, extra="forbid")
    answer = response.json()
    promised = {"app", "feed", "user_id", "request_id", "cold_start", "items", "next_cursor"}
    assert promised <= answer.keys()
    assert (answer["app"], answer["feed"]) == ("streaming", feed)
    assert answer["user_id"] == QUERIES[feed].get("user_id")
    assert answer["request_id"] == response.headers["X-Request-ID"]
    assert len(answer["items"]) == 20
    assert len(set(ids(answer))) == 20
    scores = [item["score"] for item in answer["items"]]
    assert scores == sorted(scores, reverse=True)
    for item in answer["items"]:
        assert {"item_id", "score", "reason", "sources", "attributes"} <= item.keys()
        assert item["reason"]
        assert item["sources"]
        if item["item_id"] in served.sample.items:
            assert item["attributes"]["title"] == served.sample.items[item["item_id"]]["title"] == item["title"]


def test_cold_start_parts_a_stranger_from_someone_known(api: httpx.Client, eventually: Eventually) -> None:
    assert fetch(api, "home", user_id="u1")["cold_start"] is False
    for stranger in ({}, {"user_id": "never seen"}):
        cold = fetch(api, "home", **stranger)
        assert cold["cold_start"] is True
        assert cold["feed"] == "home"
    eventually(lambda: fetch(api, "home")["items"] == fetch(api, "popular")["items"])


def test_an_unknown_user_is_no_error_in_any_feed(api: httpx.Client) -> None:
    for feed, query in QUERIES.items():
        assert fetch(api, feed, **query | {"user_id": "never seen"})["items"]


@pytest.mark.parametrize("n", [1, 2, 19, 20, 21, 60])
def test_n_items_are_given(api: httpx.Client, n: int) -> None:
    for feed, query in QUERIES.items():
        assert len(fetch(api, feed, n=n, **query)["items"]) == n


def test_all_are_given_where_n_is_more_than_there_are(api: httpx.Client, served: Served) -> None:
    everything = fetch(api, "popular", n=1000)
    assert set(served.sample.items) <= set(ids(everything))
    assert everything["next_cursor"] is None


REFUSED = {
    "n": ["0", "1001", "-1", "x", "", "1e2", "9" * 5000],
    "latitude": ["91", "-90.1", "x", "nan", "inf"],
    "longitude": ["181", "-180.1", "nan"],
    "radius_km": ["0", "-1", "nan", "inf", "20101", "5"],
    "user_id": ["", "%00", "x" * 256],
    "cursor": ["x", "%00", "eJwD", "A" * 4000, "%F0%9F"],
    "filter": [
        "",
        "genre",
        ":",
        "Genre:Drama",
        "nowhere:1",
        "genre>1",
        "title>=a",
        "genre:Drama&filter=bad",
        "%ff",
    ],
}


@pytest.mark.parametrize("query", [f"{name}={value}" for name, values in REFUSED.items() for value in values])
def test_parameters_that_cannot_be_used_are_refused(api: httpx.Client, query: str) -> None:
    name = query.split("=", 1)[0]
    answer = api.get(f"{FEEDS}/home?{query}")
    assert answer.status_code == 422
    assert name in answer.json()["detail"]


def test_unknown_feeds_apps_and_anchors_are_not_found(api: httpx.Client) -> None:
    for path in (f"{FEEDS}/nowhere", "/v1/apps/nowhere/feeds/home", f"{FEEDS}/HOME"):
        assert api.get(path).status_code == 404
    for anchor in ("nowhere", "", "\0", "x" * 300):
        assert api.get(f"{FEEDS}/similar", params={"item_id": anchor}).status_code == 404


def test_an_anchored_feed_needs_an_anchor(api: httpx.Client) -> None:
    for query in ({}, {"user_id": "u1"}):
        answer = api.get(f"{FEEDS}/similar", params=query)
        assert answer.status_code == 422
        assert "item_id" in answer.json()["detail"]


def test_a_similar_feed_is_about_its_anchor(api: httpx.Client, eventually: Eventually) -> None:
    first, second = (fetch(api, "similar", item_id=anchor) for anchor in ("i1", "i2"))
    assert "i1" not in ids(first)
    assert ids(first) != ids(second)

    sizes = count(5)

    def the_same_for_everyone() -> bool:
        n = next(sizes)  # another each time, or an answer of before a change is given again
        personal = fetch(api, "similar", item_id="i1", user_id="who met nothing yet", n=n)["items"]
        return bool(personal == fetch(api, "similar", item_id="i1", n=n)["items"])

    eventually(the_same_for_everyone)


def test_a_similar_feed_knows_an_item_that_training_never_saw(
    api: httpx.Client, served: Served, new_item: Callable[..., str], eventually: Callable[..., None]
) -> None:
    item_id = new_item(title="All about lighthouses", genre="Horror")
    eventually(
        lambda: any("content" in item["sources"] for item in fetch(api, "similar", item_id=item_id)["items"])
    )
    by_content = [
        item for item in fetch(api, "similar", item_id=item_id)["items"] if item["reason"].startswith("Similar to")
    ]
    assert by_content[0]["reason"] == "Similar to All about lighthouses"


def test_filters_hold_for_every_item_and_never_starve_a_page(api: httpx.Client, served: Served) -> None:
    for wanted in (
        {"content_type": "movie"},
        {"content_type": "microdrama"},
        {"genre": "Horror"},
        {"genre": "Drama", "content_type": "series"},
        {"title": served.sample.items["i7"]["title"]},
    ):
        matching = served.sample.matching(**wanted)
        conditions = [f"{field}:{value}" for field, value in wanted.items()]
        for feed, query in QUERIES.items():
            if feed in {"home", "similar"}:
                continue
            answer = fetch(api, feed, n=1000, filter=conditions, **query)
            assert matching <= set(ids(answer))
            for item in answer["items"]:
                for field, value in wanted.items():
                    held = item["attributes"][field]
                    assert value in (held if isinstance(held, list) else held.split("|"))


@pytest.mark.parametrize(
    ("one", "other"), [("genre:HORROR", "genre:Horror"), ("content_type:Movie", "content_type:movie")]
)
def test_filters_do_not_mind_letter_case_where_values_are_few(
    api: httpx.Client, eventually: Eventually, one: str, other: str
) -> None:
    assert fetch(api, "popular", filter=one)["items"]
    eventually(lambda: ids(fetch(api, "popular", filter=one)) == ids(fetch(api, "popular", filter=other)))


def test_a_filter_that_nothing_meets_gives_nothing(api: httpx.Client) -> None:
    for nothing in ("genre:Nothing", "genre:", "title:\0", "content_type:movie:tv", "title:" + "x" * 249):
        answer = fetch(api, "home", user_id="u1", filter=nothing)
        assert (answer["items"], answer["next_cursor"]) == ([], None)
    assert fetch(api, "home", filter=["content_type:movie", "content_type:tv"])["items"] == []


def test_an_app_of_ones_own_filters_by_number(
    api: httpx.Client, fresh: Callable[[str], str], eventually: Callable[..., None]
) -> None:
    prefix = fresh("number")
    years: dict[str, Any] = {"a": 1999, "b": 2000, "c": "2000.5", "d": 2001, "none": None, "tiny": 1e-300}
    writes = [
        {
            "item_id": f"{prefix}{name}",
            "attributes": {"title": name, "kind": prefix, "year": year, "tags": "x| Y |"},
        }
        for name, year in years.items()
    ]
    assert api.post("/v1/apps/films/items", json=writes).json()["accepted"] == len(years)

    def found(*conditions: str) -> set[str]:
        query: dict[str, Any] = {"n": 1000, "filter": [f"kind:{prefix}", *conditions]}
        items = api.get("/v1/apps/films/feeds/new", params=query).json()["items"]
        return {item["item_id"].removeprefix(prefix) for item in items}

    eventually(lambda: found() == set(years))
    assert found("year>=2000") == {"b", "c", "d"}
    assert found("year>2000") == {"c", "d"}
    assert found("year<2000") == {"a", "tiny"}
    assert found("year<=2000", "year>1") == {"a", "b"}
    assert found("year:2000") == {"b"}
    assert found("year:2e3") == {"b"}
    assert found("year>=2000", "year<2001", "tags:y") == {"b", "c"}
    assert found("tags:Z") == set()
    for bad in ("year>=abc", "year>=nan", "year>=inf", "year:", "year>=1e999"):
        answer = api.get("/v1/apps/films/feeds/best", params={"filter": bad})
        assert answer.status_code == 422
        assert "year" in answer.json()["detail"]


def test_excluded_items_do_not_come(api: httpx.Client, eventually: Eventually) -> None:
    for feed, query in QUERIES.items():
        best = ids(fetch(api, feed, **query))
        out = [best[0], best[3], "nowhere", "\0", ""]
        left = fetch(api, feed, exclude=out, **query)
        assert len(left["items"]) == 20
        assert not set(ids(left)) & set(out)

    def the_others_move_up() -> bool:
        best = ids(fetch(api, "popular", n=30))
        left = fetch(api, "popular", n=28, exclude=[best[0], best[3]])
        return ids(left) == [*best[1:3], *best[4:]]

    eventually(the_others_move_up)


def pages(api: httpx.Client, feed: str, **query: Any) -> Iterator[list[str]]:
    cursor: str | None = ""
    while cursor is not None:
        answer = fetch(api, feed, **query | ({"cursor": cursor} if cursor else {}))
        yield ids(answer)
        cursor = answer["next_cursor"]


@pytest.mark.parametrize("feed", QUERIES)
@pytest.mark.parametrize("n", [7, 40])
def test_pages_never_repeat_an_item_and_leave_none_out(
    api: httpx.Client, eventually: Eventually, feed: str, n: int
) -> None:
    def none_is_left_out() -> bool:
        found = list(pages(api, feed, n=n, **QUERIES[feed]))
        assert all(len(page) == n for page in found[:-1])
        assert 1 <= len(found[-1]) <= n
        every = [item_id for page in found for item_id in page]
        assert len(every) == len(set(every))
        return set(every) == set(ids(fetch(api, feed, n=1000, **QUERIES[feed])))

    eventually(none_is_left_out)


@pytest.mark.parametrize("query", [{}, {"filter": "content_type:movie"}])
def test_the_pages_are_the_list(api: httpx.Client, eventually: Eventually, query: dict[str, str]) -> None:
    def the_same() -> bool:
        found = [item_id for page in pages(api, "popular", n=9, **query) for item_id in page]
        return found == ids(fetch(api, "popular", n=1000, **query))

    eventually(the_same)


def test_pages_do_not_repeat_though_events_arrive_in_between(
    api: httpx.Client, fresh: Callable[[str], str]
) -> None:
    user_id, every = fresh("user"), []
    for page in pages(api, "home", n=10, user_id=user_id):
        every += page
        payload = {"user_id": user_id, "item_id": page[-1], "watch_seconds": 5}
        assert api.post("/events", json=payload).json()["accepted"] == 1
    assert len(every) == len(set(every))


def test_a_cursor_of_one_feed_does_no_harm_in_another(api: httpx.Client) -> None:
    shown = fetch(api, "popular", n=10)
    rest = fetch(api, "home", user_id="u1", n=1000, cursor=shown["next_cursor"])
    assert not set(ids(shown)) & set(ids(rest))
    assert api.get("/v1/apps/films/feeds/best", params={"cursor": shown["next_cursor"]}).status_code == 200


def test_other_parameters_are_context_and_harmless(api: httpx.Client, eventually: Eventually) -> None:
    context = {
        "query": "anything\0",
        "device": "tv",
        "context.device": "tv",
        "context.eligible": "no",
        "context.app": "films",
        "context.now": "0",
        "context.n": "{}",
    }

    sizes = count(5)

    def the_same() -> bool:
        n = next(sizes)  # another each time, or an answer of before a change is given again
        with_context = fetch(api, "home", user_id="u1", n=n, **context)
        return ids(with_context) == ids(fetch(api, "home", user_id="u1", n=n))

    eventually(the_same)


@pytest.mark.parametrize(
    ("query", "instead"),
    [
        ("limit=3", "did you mean n?"),
        ("userId=u1", "did you mean user_id?"),
        ("genre=Drama", "send filter=genre:VALUE"),
        ("genre=Drama", "or context.genre"),
        ("limit=3&n=3", "limit: no parameter of this name"),
    ],
)
@pytest.mark.parametrize("path", ["feeds/home", "explain"])
def test_what_is_no_parameter_is_refused_with_what_is(
    api: httpx.Client, path: str, query: str, instead: str
) -> None:
    rest = "" if path == "feeds/home" else "&feed=home&item_id=i1"
    answer = api.get(f"/v1/apps/streaming/{path}?{query}{rest}")
    assert answer.status_code == 422
    assert instead in answer.json()["detail"]


def test_a_route_of_an_app_says_which_parameter_is_meant(api: httpx.Client) -> None:
    answer = api.get("/popular?limit=3")
    assert answer.status_code == 422
    assert answer.json()["detail"] == "limit: no parameter of this name; did you mean k?"
    assert api.get("/popular?k=3&utm_source=mail").status_code == 200


def test_conditions_of_several_values_of_none_and_of_when_it_came(api: httpx.Client, served: Served) -> None:
    genres = {item_id: set(item["genre"].split("|")) for item_id, item in served.sample.items.items()}
    some = ids(fetch(api, "popular", filter="genre:Drama|Comedy", n=300))
    assert some
    assert all(genres[item] & {"Drama", "Comedy"} for item in some)
    others = ids(fetch(api, "popular", filter="genre!=Drama|Comedy", n=300))
    assert others
    assert not any(genres[item] & {"Drama", "Comedy"} for item in others if item in genres)
    answer = fetch(api, "fresh", n=5)
    newest = answer["items"][0]["created_at"]
    for page in (fetch(api, "fresh", n=5, filter=f"created_at>={newest}"), answer):
        assert page["items"]
        assert all(item["created_at"] is None or item["created_at"].endswith("Z") for item in page["items"])
    assert all(
        item["created_at"] >= newest for item in fetch(api, "fresh", n=5, filter=f"created_at>={newest}")["items"]
    )


def test_the_last_of_a_parameter_given_twice_counts_and_a_bad_one_is_refused(api: httpx.Client) -> None:
    assert len(api.get(f"{FEEDS}/popular?n=2&n=3").json()["items"]) == 3
    assert api.get(f"{FEEDS}/popular?n=3&n=x").status_code == 422


def test_reasons_are_true_of_the_item_and_the_user(api: httpx.Client, served: Served) -> None:
    events, items = served.sample.events, served.sample.items
    watched = {items[item_id]["title"] for item_id in events.filter(user_id="u1")["item_id"]}
    viewers = dict(events.group_by("item_id").agg(pl.col("user_id").n_unique()).iter_rows())
    for item in fetch(api, "home", user_id="u1", n=100)["items"]:
        reason = item["reason"]
        if reason.startswith("Because you watched "):
            assert reason.removeprefix("Because you watched ") in watched
        elif reason.startswith("Similar to "):
            assert reason.removeprefix("Similar to ") in watched
        elif reason.startswith("Popular: "):
            count = int(reason.removeprefix("Popular: ").removesuffix(" viewers").replace(",", ""))
            assert count >= viewers.get(item["item_id"], 0)
        else:
            assert reason == "Not played by many yet" or reason.startswith("New: added ")


def test_an_app_without_data_answers_emptily(api: httpx.Client, fresh: Callable[[str], str]) -> None:
    answer = api.get("/v1/apps/films/feeds/best", params={"user_id": fresh("user"), "filter": "kind:none"}).json()
    assert (answer["app"], answer["items"], answer["next_cursor"]) == ("films", [], None)


@pytest.mark.parametrize("name", ["query", "context.anything", "context." + "n" * 256])
def test_what_a_request_says_besides_has_a_limit(api: httpx.Client, name: str) -> None:
    short, long = ("x" * 200, "x" * 255) if len(name) < 255 else ("", "")
    path = "/v1/apps/streaming/feeds/popular"
    if len(name) < 255:
        assert api.get(path, params={name: short}).status_code == 200
    answer = api.get(path, params={name: f"{long}x"})
    assert answer.status_code == 422
    assert "expected up to 255 characters" in answer.json()["detail"]


def test_a_value_of_a_filter_has_a_limit(api: httpx.Client) -> None:
    path = "/v1/apps/streaming/feeds/popular"
    assert api.get(path, params={"filter": f"genre:{'x' * 255}"}).status_code == 200
    answer = api.get(path, params={"filter": f"genre:{'x' * 256}"})
    assert answer.status_code == 422
    assert "expected up to 255 characters of a field and a value" in answer.json()["detail"]
