"""The live contract over HTTP, line by line, as a client written against it would call."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import polars as pl
import pytest
from tests.apps.answers import ok, refused
from tests.apps.live.live_sample import (
    CATEGORY_FEED,
    GENERIC,
    HOME_FEED,
    HOMETOWN,
    RECIPE,
    STATUSES,
    Live,
    by_hand,
    fill,
    kilometres,
    score,
    serving,
)

from homefeed.apps.live.schemas import HomeFeedOut, HometownOut
from homefeed.serving import FeedRequest, open_app
from homefeed.settings import Settings

if TYPE_CHECKING:
    from tests.conftest import NewStore, StartServer

PARIS = {"latitude": 48.8566, "longitude": 2.3522}
MID_ATLANTIC = {"latitude": 0.0, "longitude": -30.0}


@pytest.fixture(scope="module")
def live(
    tmp_path_factory: pytest.TempPathFactory, new_store: NewStore, start_server: StartServer
) -> Iterator[Live]:
    """One server for all tests: each uses streams and users of its own where it changes anything."""
    home = tmp_path_factory.mktemp("live")
    with new_store("sqlite", home) as url:
        report = asyncio.run(fill(url, home))
        with serving(start_server, url, home) as client:
            yield Live(client, url, home, report)


@pytest.fixture
def api(live: Live) -> httpx.Client:
    return live.api


def test_who_proposes_in_place_of_lightgcn_is_said(api: httpx.Client) -> None:
    told = "item_item (lightgcn is not trained yet: homefeed train live)"
    assert api.get("/readyz").json()["apps"]["live"]["stand_ins"] == {"home_feed": told}
    asked = {"user_id": "user_000001"}
    answers = [api.post(HOME_FEED, json=asked), api.get(f"{GENERIC}/feeds/home_feed", params=asked)]
    assert [answer.headers.get("X-Homefeed-Candidates") for answer in answers] == [told, told]
    assert "X-Homefeed-Candidates" not in api.get(f"{GENERIC}/feeds/popular", params=asked).headers


@pytest.fixture
def user(api: httpx.Client, fresh: Callable[[str], str]) -> Callable[..., str]:
    """Creates users; answers their ids."""

    def create(**attributes: Any) -> str:
        user_id = fresh("someone")
        ok(api.put(f"{GENERIC}/users/{user_id}", json={"attributes": attributes}))
        return user_id

    return create


@pytest.fixture
def stream(api: httpx.Client, fresh: Callable[[str], str]) -> Iterator[Callable[..., str]]:
    """Creates live streams; answers their ids, and deletes them in the end."""
    made = []

    def create(**attributes: Any) -> str:
        made.append(fresh("stream"))
        told = {"is_live": True, "category_id": 3, "viewer_count": 10, "location": [0, 170]} | attributes
        ok(api.put(f"{GENERIC}/items/{made[-1]}", json={"attributes": told}))
        return made[-1]

    yield create
    for stream_id in made:
        api.delete(f"{GENERIC}/items/{stream_id}")


def near(api: httpx.Client, user_id: str, n: int = 10, **more: float) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ok(api.post(HOMETOWN, json={"user_id": user_id, "max_results": n} | more))[
        "streams"
    ]
    return found


def recommended(api: httpx.Client, path: str = HOME_FEED, **body: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ok(api.post(path, json=body))["streams"]
    return found


def ids(streams: list[dict[str, Any]]) -> list[str]:
    return [each["stream_id"] for each in streams]


def put_status(api: httpx.Client, stream_id: str, **status: Any) -> httpx.Response:
    return api.put(f"/v1/scenarios/streams/{stream_id}/status", json=status)


def watched_most(live: Live) -> str:
    """The id of a user with a long history."""
    counts = live.interactions["user_id"].value_counts(sort=True)
    found: str = counts["user_id"][0]
    return found


# The data


def test_what_was_generated_is_imported_without_a_complaint(live: Live) -> None:
    files = {Path(told.path).name: told for told in live.report.files}
    assert {name: told.loaded for name, told in files.items()} == {
        "users.parquet": 60,
        "streams.parquet": 80,
        "interactions.parquet": 1_500,
    }
    assert not any(told.rejected or told.warnings or told.notes for told in files.values())


def test_two_stars_or_fewer_are_a_dislike_and_anything_else_is_a_watch(live: Live) -> None:
    user_id = watched_most(live)
    mine = live.interactions.filter(pl.col("user_id") == user_id)
    told = ok(live.api.get(f"{GENERIC}/users/{user_id}/events", params={"limit": 1_000}))["events"]
    assert len(told) == len(mine) > 20
    expected = {
        (row["stream_id"], row["watch_time"], "dislike" if (row["rating"] or 5) <= 2 else "watch")
        for row in mine.to_dicts()
    }
    assert {(each["item_id"], each["value"], each["event_type"]) for each in told} == expected
    assert {kind for *_, kind in expected} == {"watch", "dislike"}


# Hometown


def test_hometown_is_as_the_contract_says(live: Live) -> None:
    answer = live.api.post(HOMETOWN, json={"user_id": "user_000001", "max_results": 5})
    HometownOut.model_validate_json(answer.content, strict=True, extra="forbid")
    body = ok(answer)
    assert list(body) == ["request_id", "streams"]
    assert body["request_id"] == answer.headers["X-Request-ID"]
    assert len(body["streams"]) == 5
    for each in body["streams"]:
        assert list(each) == ["stream_id", "city", "score", "distance_km", "reason"]
        assert each["city"] == live.streams[each["stream_id"]]["city"]
        assert live.streams[each["stream_id"]]["is_live"]
    scores = [each["score"] for each in body["streams"]]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("user_id", [f"user_{n:06}" for n in (1, 2, 7, 19, 33, 54)])
def test_the_score_is_the_formula(live: Live, user_id: str) -> None:
    user = live.users[user_id]
    shown = {name: row for name, row in live.streams.items() if row["is_live"] and not row["mature_content"]}
    disliked = live.interactions.filter((pl.col("user_id") == user_id) & (pl.col("rating") <= 2))["stream_id"]
    expected = by_hand(user, {name: row for name, row in shown.items() if name not in set(disliked)}, 10)
    found = near(live.api, user_id)
    assert ids(found) == [stream_id for stream_id, _ in expected]
    assert [each["score"] for each in found] == pytest.approx([points for _, points in expected], abs=2e-3)
    for each in found:
        assert each["distance_km"] == pytest.approx(kilometres(user, live.streams[each["stream_id"]]), rel=5e-3)


def test_the_trace_tells_each_term_and_they_sum_to_the_score(live: Live) -> None:
    best, *_ = near(live.api, "user_000002")
    asked = {"feed": "hometown", "user_id": "user_000002", "item_id": best["stream_id"], "n": 10}
    trace = ok(live.api.get(f"{GENERIC}/explain", params=asked))
    added = {term["name"]: term["contribution"] for term in trace["features"]}
    assert sum(added.values()) == pytest.approx(best["score"], abs=1e-5)
    terms = ["local", "stream_quality_score", "language_match", "category_id_match", "viewer_count"]
    assert [name for name in added if name not in ("nearby", "popular")] == [*terms, "click_probability"]
    assert added["nearby"] == added["popular"] == added["click_probability"] == 0
    assert trace["place"] == 1


def test_ten_are_shown_unless_it_says_how_many(live: Live) -> None:
    assert len(ok(live.api.post(HOMETOWN, json={"user_id": "user_000001"}))["streams"]) == 10
    assert len(near(live.api, "user_000001", 1)) == 1
    available = sum(row["is_live"] and not row["mature_content"] for row in live.streams.values())
    assert 20 < len(near(live.api, "user_000001", 100)) <= available


@pytest.mark.parametrize("many", [0, -1, 101, 2.5, "many", True, None])
def test_no_other_number_is_taken(api: httpx.Client, many: Any) -> None:
    refused(api.post(HOMETOWN, json={"user_id": "u", "max_results": many}), 422, "max_results")


@pytest.mark.parametrize("body", [{}, {"user_id": ""}, {"user_id": 5}, {"user_id": "u" * 256}])
def test_a_user_has_an_id(api: httpx.Client, body: dict[str, Any]) -> None:
    for path in (HOMETOWN, HOME_FEED):
        refused(api.post(path, json=body), 422, "user_id")
    refused(api.post(CATEGORY_FEED, json=body | {"category_id": 1}), 422, "user_id")


def test_a_place_of_the_request_counts_instead_of_the_stored_one(
    api: httpx.Client, stream: Callable[..., str], user: Callable[..., str]
) -> None:
    somebody = user(location=PARIS, local_preference_strength=1, language="xx")
    there = stream(location=MID_ATLANTIC, language="xx", stream_quality_score=10)
    first, *_ = near(api, somebody, 10, **MID_ATLANTIC)
    assert (first["stream_id"], first["distance_km"]) == (there, 0)
    # 1.5 x 1 x 2 + quality 1 + language 2 + ln 11 / ln 10,001
    assert first["score"] == pytest.approx(6.26034, abs=1e-4)
    assert first["reason"] == "Less than 1 km from you"
    assert there not in ids(near(api, somebody))


@pytest.mark.parametrize(
    ("place", "word"),
    [
        ({"latitude": 1}, "longitude"),
        ({"longitude": 1}, "latitude"),
        ({"latitude": 91, "longitude": 0}, "latitude"),
        ({"latitude": 0, "longitude": -180.1}, "longitude"),
        ({"latitude": "north", "longitude": 0}, "latitude"),
    ],
)
def test_half_a_place_or_one_off_the_earth_is_refused(api: httpx.Client, place: Any, word: str) -> None:
    refused(api.post(HOMETOWN, json={"user_id": "u"} | place), 422, word)


def test_where_no_place_is_known_there_are_popular_live_streams(live: Live) -> None:
    found = near(live.api, "nobody-knows-me")
    assert len(found) == 10
    assert {each["distance_km"] for each in found} == {None}
    for each in found:
        row = live.streams[each["stream_id"]]
        assert row["is_live"]
        assert not row["mature_content"]
        assert each["score"] == pytest.approx(score({}, row, None), abs=1e-5)
        assert "viewers" in each["reason"] or each["reason"] == "Not watched by many yet"


def test_reasons_are_true(api: httpx.Client, stream: Callable[..., str], user: Callable[..., str]) -> None:
    somebody = user(location=MID_ATLANTIC)
    there = {
        stream(location=[0.018, -30.0], city="Oceanville", stream_quality_score=9): "In Oceanville, 2 km from you",
        stream(location=[0.0, -30.1078], stream_quality_score=5): "12 km from you",
    }
    reasons = {each["stream_id"]: each["reason"] for each in near(api, somebody)}
    assert {name: reasons[name] for name in there} == there


def test_stats_are_those_of_the_catalogue(live: Live) -> None:
    cities = pl.Series([row["city"] for row in live.streams.values()]).value_counts()
    stats = ok(live.api.get(f"{HOMETOWN}/stats"))
    assert list(stats) == ["total_streams", "total_users", "cities_covered", "top_cities", "algorithm"]
    assert stats["total_streams"] == 80
    assert stats["total_users"] >= 60
    assert stats["cities_covered"] == len(cities)
    assert len(stats["top_cities"]) == 10
    assert max(cities["count"]) == next(iter(stats["top_cities"].values()))
    assert stats["top_cities"].items() <= dict(cities.iter_rows()).items()
    assert stats["algorithm"] == "Proximity boost B = 1 / (1 + distance_km)"


# Home feed and category feed


def test_the_home_feed_is_as_the_contract_says(live: Live) -> None:
    told = {"ctx_timestamp": 1640995200, "ctx_device": "mobile", "ctx_locale": "en-US"}
    answer = live.api.post(HOME_FEED, json={"user_id": watched_most(live)} | told)
    HomeFeedOut.model_validate_json(answer.content, strict=True, extra="forbid")
    body = ok(answer)
    assert list(body) == ["request_id", "streams"]
    live_now = [name for name, row in live.streams.items() if row["is_live"] and not row["mature_content"]]
    assert 20 < len(body["streams"]) <= min(30, len(live_now))
    for each in body["streams"]:
        assert list(each) == ["stream_id", "score", "reason"]
        assert each["stream_id"] in live_now
        assert each["reason"]
    scores = [each["score"] for each in body["streams"]]
    assert scores == sorted(scores, reverse=True)
    assert any(each["reason"].startswith("Because you watched a stream from ") for each in body["streams"])


def test_nobody_has_a_home_feed_too(api: httpx.Client) -> None:
    assert len(recommended(api, user_id="nobody-knows-me")) > 20


def test_what_a_user_dislikes_does_not_come_back(live: Live) -> None:
    bad = live.interactions.filter(pl.col("rating") <= 2)
    for user_id, stream_ids in bad.group_by("user_id").agg("stream_id").sort("user_id").head(3).iter_rows():
        assert not set(stream_ids) & {
            *ids(near(live.api, user_id, 100)),
            *ids(recommended(live.api, user_id=user_id)),
        }


def test_a_watch_counts_for_the_next_request(live: Live, user: Callable[..., str]) -> None:
    somebody = user()
    assert not any("Because" in each["reason"] for each in recommended(live.api, user_id=somebody))
    best_known = live.interactions["stream_id"].value_counts(sort=True)["stream_id"]
    popular = next(name for name in best_known if not live.streams[name]["mature_content"])
    watch = {"user_id": somebody, "item_id": popular, "event_type": "watch", "value": 5_000}
    assert ok(live.api.post(f"{GENERIC}/events", json=watch))["accepted"] == 1
    reasons = {each["reason"] for each in recommended(live.api, user_id=somebody)}
    assert f"Because you watched a stream from {live.streams[popular]['city']}" in reasons


def test_the_context_moves_no_clock_but_the_rankers(
    api: httpx.Client, fresh: Callable[[str], str], user: Callable[..., str]
) -> None:
    later = (datetime.now(UTC) + timedelta(days=2)).isoformat()
    tomorrow = fresh("stream")
    attributes = {"is_live": True, "category_id": 3}
    ok(api.put(f"{GENERIC}/items/{tomorrow}", json={"attributes": attributes, "created_at": later}))
    somebody = user()
    for path, body in ((HOME_FEED, {}), (CATEGORY_FEED, {"category_id": 3})):
        asked = {"user_id": somebody, "ctx_timestamp": 4_102_444_800} | body
        assert tomorrow not in ids(recommended(api, path, **asked))
    ok(api.patch(f"{GENERIC}/items/{tomorrow}", json={"attributes": {"is_live": False}}))


@pytest.mark.parametrize(
    ("told", "word"),
    [
        ({"ctx_timestamp": "soon"}, "ctx_timestamp"),
        ({"ctx_timestamp": 1e300}, "ctx_timestamp"),
        ({"ctx_timestamp": True}, "ctx_timestamp"),
        ({"ctx_device": "x" * 256}, "ctx_device"),
        ({"ctx_locale": 5}, "ctx_locale"),
        ({"ctx_weather": "rain"}, "ctx_weather"),
    ],
)
def test_a_context_that_cannot_be_read_is_refused(api: httpx.Client, told: Any, word: str) -> None:
    refused(api.post(HOME_FEED, json={"user_id": "u"} | told), 422, word)


def test_a_category_feed_has_nothing_else(live: Live) -> None:
    category = 0
    expected = {
        name
        for name, row in live.streams.items()
        if row["category_id"] == category and row["is_live"] and not row["mature_content"]
    }
    assert expected
    by_number, by_name, as_text = (
        ids(recommended(live.api, CATEGORY_FEED, user_id="user_000001", category_id=told))
        for told in (category, "tALK", str(category))
    )
    assert by_number == by_name == as_text
    assert set(by_number) <= expected
    assert set(by_number) | disliked_by(live, "user_000001") >= expected


def disliked_by(live: Live, user_id: str) -> set[str]:
    bad = live.interactions.filter((pl.col("user_id") == user_id) & (pl.col("rating") <= 2))
    return set(bad["stream_id"])


def test_a_category_of_no_stream_is_empty_and_a_word_for_none_is_refused(api: httpx.Client) -> None:
    assert recommended(api, CATEGORY_FEED, user_id="u", category_id=4_711) == []
    refused(api.post(CATEGORY_FEED, json={"user_id": "u", "category_id": "Juggling"}), 422, "Juggling", "Talk")
    for bad in (None, True, 1.5, "", [1], "x" * 300):
        refused(api.post(CATEGORY_FEED, json={"user_id": "u", "category_id": bad}), 422, "category_id")
    refused(api.post(CATEGORY_FEED, json={"user_id": "u"}), 422, "category_id")


def test_a_category_of_own_streams_can_be_a_word(
    api: httpx.Client, stream: Callable[..., str], eventually: Callable[[Callable[[], bool]], None]
) -> None:
    juggling = stream(category_id="Juggling with knives")
    found = partial(recommended, api, CATEGORY_FEED, user_id="u")
    eventually(lambda: ids(found(category_id="Juggling with knives")) == [juggling])
    assert ids(found(category_id="juggling WITH knives")) == [juggling]


# What is live, and for whom


def everywhere(api: httpx.Client, user_id: str, **place: float) -> list[str]:
    """All that a user near a place is shown of category 3, in any feed."""
    shown = ids(near(api, user_id, 100, **place))
    shown += ids(recommended(api, user_id=user_id))
    shown += ids(recommended(api, CATEGORY_FEED, user_id=user_id, category_id=3))
    for feed in ("hometown", "home_feed"):
        page = ok(api.get(f"{GENERIC}/feeds/{feed}", params={"user_id": user_id, "n": 100, **place}))
        shown += [each["item_id"] for each in page["items"]]
    return shown


def test_a_stream_that_ends_is_gone_by_the_next_request_and_one_that_begins_is_there(
    api: httpx.Client,
    stream: Callable[..., str],
    user: Callable[..., str],
    eventually: Callable[[Callable[[], bool]], None],
) -> None:
    somebody, here = user(), stream(location=MID_ATLANTIC, viewer_count=5_000)
    # In lists by popularity a new item is within seconds.
    eventually(lambda: everywhere(api, somebody, **MID_ATLANTIC).count(here) >= 3)
    answer = put_status(api, here, is_live=False, viewer_count=0)
    assert ok(answer) == {
        "stream_id": here,
        "is_live": False,
        "viewer_count": 0,
        "request_id": answer.headers["X-Request-ID"],
    }
    assert here not in everywhere(api, somebody, **MID_ATLANTIC)
    assert ok(put_status(api, here, is_live=True))["is_live"] is True
    assert everywhere(api, somebody, **MID_ATLANTIC).count(here) >= 3


def test_the_pages_after_the_first_have_no_stream_that_ended_meanwhile(
    live: Live, stream: Callable[..., str]
) -> None:
    made = {stream(location=[0.001 * n, -30.0], viewer_count=10 * n) for n in range(4)}
    asked: dict[str, Any] = {"n": 2, "user_id": "reader"} | MID_ATLANTIC
    first = ok(live.api.get(f"{GENERIC}/feeds/hometown", params=asked))
    seen = {each["item_id"] for each in first["items"]}
    assert seen < made
    ending, staying = made - seen
    ok(put_status(live.api, ending, is_live=False))
    second = ok(live.api.get(f"{GENERIC}/feeds/hometown", params=asked | {"cursor": first["next_cursor"]}))
    assert staying in [each["item_id"] for each in second["items"]]
    assert ending not in [each["item_id"] for each in second["items"]]


def test_how_many_watch_counts_for_the_next_request(
    api: httpx.Client, stream: Callable[..., str], user: Callable[..., str]
) -> None:
    somebody, here = user(location=MID_ATLANTIC), stream(location=MID_ATLANTIC, viewer_count=0)
    before = {each["stream_id"]: each["score"] for each in near(api, somebody)}[here]
    assert ok(put_status(api, here, viewer_count=99))["is_live"] is True
    after = {each["stream_id"]: each["score"] for each in near(api, somebody)}[here]
    assert after - before == pytest.approx(0.5, abs=1e-3)  # ln 100 / ln 10,001


async def test_another_replica_has_it_once_it_is_acknowledged(live: Live, stream: Callable[..., str]) -> None:
    here = stream(location=MID_ATLANTIC)
    asked = FeedRequest("hometown", "somebody", n=100, place=None)
    async with open_app(RECIPE, Settings(home=live.home, apps=("live",))) as other:

        async def shown() -> bool:
            await other.catch_up()
            answer = await other.recommend(asked)
            return here in [answer.catalog.item_id(position) for position in answer.slate.positions.tolist()]

        assert await shown()
        ok(put_status(live.api, here, is_live=False))
        assert not await shown()


def test_the_status_of_many_is_put_at_once_and_each_that_cannot_be_is_told(
    api: httpx.Client, stream: Callable[..., str], user: Callable[..., str]
) -> None:
    somebody, ended, watched = user(location=MID_ATLANTIC), *(stream(location=MID_ATLANTIC) for _ in range(2))
    told = [
        {"stream_id": ended, "is_live": False, "viewer_count": 0},
        {"stream_id": "no such stream", "is_live": True},
        {"stream_id": watched, "viewer_count": 9},
        {"stream_id": watched},
        {"stream_id": watched, "is_live": "perhaps"},
        {"is_live": True},
        "stream",
    ]
    answer = ok(api.put(STATUSES, json=told))
    assert answer["accepted"] == 2
    wrong = {each["index"]: each["error"] for each in answer["rejected"]}
    assert list(wrong) == [1, 3, 4, 5, 6]
    assert wrong[1] == 'no item "no such stream" in live'
    for index, word in ((3, "is_live, viewer_count or both"), (4, "is_live"), (5, "stream_id")):
        assert word in wrong[index]
    shown = ids(near(api, somebody))
    assert watched in shown
    assert ended not in shown


def test_a_thousand_at_a_time(live: Live) -> None:
    stream_id, row = next((name, row) for name, row in live.streams.items() if row["is_live"])
    same = {"stream_id": stream_id, "viewer_count": row["viewer_count"]}
    assert ok(live.api.put(STATUSES, json=[same] * 1_000)) == {"accepted": 1_000, "rejected": []}
    assert ok(live.api.put(STATUSES, json=[])) == {"accepted": 0, "rejected": []}
    refused(live.api.put(STATUSES, json=[same] * 1_001), 422, "a list of up to 1,000")
    refused(live.api.put(STATUSES, json=same), 422, "a list of up to 1,000")


@pytest.mark.parametrize(
    ("status", "word"),
    [
        ({}, "is_live, viewer_count or both"),
        ({"is_live": "yes"}, "is_live"),
        ({"is_live": None}, "is_live"),
        ({"viewer_count": -1}, "viewer_count"),
        ({"viewer_count": True}, "viewer_count"),
        ({"viewer_count": 10**11}, "viewer_count"),
        ({"is_live": True, "city": "Paris"}, "city"),
    ],
)
def test_a_status_that_is_none_is_refused(api: httpx.Client, status: Any, word: str) -> None:
    refused(put_status(api, "stream_000001", **status), 422, word)


def test_a_stream_that_is_not_known_has_no_status(api: httpx.Client) -> None:
    refused(put_status(api, "no%2Fstream", is_live=True), 404, "no/stream")


def test_what_is_for_adults_is_shown_to_those_who_allow_it(
    api: httpx.Client,
    stream: Callable[..., str],
    user: Callable[..., str],
    eventually: Callable[[Callable[[], bool]], None],
) -> None:
    adult = stream(location=MID_ATLANTIC, mature_content=True, viewer_count=9_000)
    allowing = user(mature_content_allowed=True)
    eventually(lambda: everywhere(api, allowing, **MID_ATLANTIC).count(adult) >= 3)
    for attributes in ({}, {"mature_content_allowed": False}):
        assert adult not in everywhere(api, user(**attributes), **MID_ATLANTIC)
    somebody = user(mature_content_allowed="yes")
    assert adult in everywhere(api, somebody, **MID_ATLANTIC)
    ok(api.patch(f"{GENERIC}/users/{somebody}", json={"attributes": {"mature_content_allowed": "no"}}))
    assert adult not in everywhere(api, somebody, **MID_ATLANTIC)


# The front door


def test_health_is_json_and_a_browser_is_led_to_the_dashboard(api: httpx.Client) -> None:
    assert ok(api.get("/"))["status"] == "ok"
    led = api.get("/", headers={"Accept": "text/html"})
    assert (led.status_code, led.headers["location"]) == (307, "/dashboard")
    paths = ok(api.get("/openapi.json"))["paths"]
    assert {path for path in paths if path.startswith("/v1/scenarios")} == {
        HOMETOWN,
        f"{HOMETOWN}/stats",
        HOME_FEED,
        CATEGORY_FEED,
        STATUSES,
        "/v1/scenarios/streams/{stream_id}/status",
    }
