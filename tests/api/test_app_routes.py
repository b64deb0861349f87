"""The apps served, what each holds, and that none sees another's data."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from homefeed.server import create_app
from homefeed.settings import Settings
from homefeed.store.verdicts import note_verdict

if TYPE_CHECKING:
    from tests.conftest import Served


def stats(api: httpx.Client, app: str) -> dict[str, Any]:
    answer = api.get(f"/v1/apps/{app}/stats")
    assert answer.status_code == 200
    body: dict[str, Any] = answer.json()
    return body


def test_the_apps_are_listed_each_with_its_feeds(api: httpx.Client) -> None:
    apps = {app["app"]: app for app in api.get("/v1/apps").json()["apps"]}
    assert apps.keys() == {"streaming", "shop", "community", "live", "marketplace", "films"}
    feeds = {feed["feed"]: feed for feed in apps["streaming"]["feeds"]}
    assert {"popular", "trending", "fresh", "home", "similar"} <= feeds.keys()
    assert [name for name, feed in feeds.items() if feed["anchored"]] == ["next", "similar"]
    assert apps["streaming"]["event_types"] == ["play", "dislike"]
    assert apps["streaming"]["query_event_types"] == []
    assert apps["streaming"]["title_field"] == "title"
    assert apps["films"]["title"] == "Films"
    assert [feed["feed"] for feed in apps["films"]["feeds"]] == ["best", "new"]
    assert apps["films"]["feeds"][0]["title"] == "Best"


def test_each_feed_says_what_ranks_it(api: httpx.Client) -> None:
    apps = {app["app"]: app for app in api.get("/v1/apps").json()["apps"]}
    feeds = {feed["feed"]: feed for feed in apps["streaming"]["feeds"]}
    learned = feeds["home"]["learned"]
    assert (feeds["home"]["ranked_by"], learned["part"], learned["serving"]) == ("weighted", "lambdamart", False)
    assert "requests are too few to judge it by" in learned["why"]
    assert (feeds["popular"]["ranked_by"], feeds["popular"]["learned"]) == ("weighted", None)
    assert (feeds["home"]["cold_start"], feeds["popular"]["cold_start"]) == ("popular", None)
    (home,) = api.get("/v1/apps/streaming/rankers").json()["rankers"]
    assert (home["feed"], home["ranked_by"], home["versions"]) == ("home", "weighted", [])
    assert api.get("/v1/apps/films/rankers").json() == {"app": "films", "rankers": []}


async def test_a_learned_ranker_says_whether_it_serves_and_why(tmp_path: Path) -> None:
    learned: dict[str, Any] = {"streaming": {"feeds": {"home": {"learned": {"click_model": {}}}}}}
    noted: dict[str, Any] = {
        "judged_at": "2026-01-05T03:15:00Z",
        "why": "not taken: +0.1",
        "finding": "not taken",
        "version": None,
    }
    noted |= {"part": "click_model", "metric": "ndcg@10", "lead": [0.1, -0.1, 0.3]}
    note_verdict(tmp_path / "models", "streaming", "home_ranker", noted)
    app = create_app(Settings(home=tmp_path, apps=("streaming",), recipes=learned))
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            (streaming,) = (await client.get("/v1/apps")).json()["apps"]
            told = (await client.get("/v1/apps/streaming/rankers")).json()
    [home] = [feed for feed in streaming["feeds"] if feed["feed"] == "home"]
    assert home["ranked_by"] == "weighted"
    assert home["learned"] == {
        "model": "home_ranker",
        "part": "click_model",
        "serving": False,
        "why": "not taken: +0.1, judged 2026-01-05",
        "version": None,
        "verdict": noted,
    }
    [history] = told["rankers"]
    assert (history["feed"], history["ranked_by"], history["versions"]) == ("home", "weighted", [])
    assert (history["learned"], history["verdicts"]) == (home["learned"], [noted])


def test_each_app_has_one_feed_to_begin_with(api: httpx.Client) -> None:
    apps = api.get("/v1/apps").json()["apps"]
    home = {app["app"]: [feed["feed"] for feed in app["feeds"] if feed["home"]] for app in apps}
    assert home == {
        "streaming": ["home"],
        "shop": ["home"],
        "community": ["home"],
        "live": ["home_feed"],
        "marketplace": ["feed"],
        "films": ["best"],
    }


async def test_the_event_types_about_a_query_are_named(tmp_path: Path) -> None:
    app = create_app(Settings(home=tmp_path, apps=("shop",)))
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            (shop,) = (await client.get("/v1/apps")).json()["apps"]
    assert shop["event_types"] == ["product_click", "purchase", "search_query"]
    assert shop["query_event_types"] == ["search_query"]


def test_every_feed_that_is_listed_answers(api: httpx.Client) -> None:
    for app in api.get("/v1/apps").json()["apps"]:
        some = api.get(f"/v1/apps/{app['app']}/items", params={"limit": 1}).json()["items"]
        for feed in app["feeds"]:
            anchor = {"item_id": some[0]["item_id"] if some else "none"} if feed["anchored"] else {}
            path = f"/v1/apps/{app['app']}/feeds/{feed['feed']}"
            assert api.get(path, params=anchor).status_code == (200 if some or not anchor else 404)


def test_event_types_say_what_is_a_like_and_what_values_mean(api: httpx.Client) -> None:
    found = api.get("/v1/apps/marketplace/event-types").json()
    weights = {one["event_type"]: one["weight"] for one in found["event_types"]}
    assert (found["main_type"], weights["apply"], weights["dismiss"]) == ("apply", 10, -5)
    assert (found["value_name"], found["value_seconds"]) == ("time_spent_seconds", 1)
    shop = api.get("/v1/apps/shop/event-types").json()
    assert (shop["main_type"], shop["value_seconds"]) == ("purchase", None)
    assert [one["about"] for one in shop["event_types"]] == ["item", "item", "query"]


def test_the_most_active_users_come_with_what_they_did(api: httpx.Client, served: Served) -> None:
    found = api.get("/v1/apps/streaming/active-users", params={"limit": 3}).json()["users"]
    counts = [user["events"] for user in found]
    assert len(found) == 3
    assert counts == sorted(counts, reverse=True)
    assert found[0]["user_id"] in set(served.sample.events["user_id"])
    assert api.get("/v1/apps/streaming/active-users", params={"limit": 101}).status_code == 422


def test_stats_say_what_an_app_holds(api: httpx.Client, served: Served) -> None:
    before = stats(api, "streaming")
    assert before["app"] == "streaming"
    assert before["items"] >= 120
    assert before["users"] >= 60
    assert before["events"] >= 3_000
    assert before["first_event"] <= served.sample.events["timestamp"].min()
    assert before["last_event"] >= served.sample.events["timestamp"].max()
    assert before["models"].keys() == {"signals", "exposures", "item_item", "sequence", "content", "blend"}
    assert before["models"] == api.get("/readyz").json()["apps"]["streaming"]["models"]


def test_stats_follow_every_write(
    api: httpx.Client, new_item: Callable[..., str], fresh: Callable[[str], str]
) -> None:
    before, began = stats(api, "streaming"), time.time()
    item_id, user_id = new_item(), fresh("user")
    api.patch(f"/v1/apps/streaming/items/{item_id}", json={"hidden": True})
    payload = [
        {"user_id": user_id, "item_id": "i1", "watch_seconds": n, "timestamp": 631_152_000 + n} for n in range(7)
    ]
    assert api.post("/events", json=payload).json()["accepted"] == 7
    after = stats(api, "streaming")
    grown = {name: after[name] - before[name] for name in ("items", "hidden_items", "users", "events")}
    assert grown == {"items": 1, "hidden_items": 1, "users": 1, "events": 7}
    assert after["first_event"] <= "1990-01-01T00:00:00Z"
    assert after["events_per_minute"] >= 7 or time.time() - began > 60
    api.delete(f"/v1/apps/streaming/users/{user_id}")
    api.delete(f"/v1/apps/streaming/items/{item_id}")
    gone = stats(api, "streaming")
    assert [gone[name] for name in ("items", "hidden_items", "users", "events")] == [
        before[name] for name in ("items", "hidden_items", "users", "events")
    ]


def test_an_app_without_events_has_no_dates(api: httpx.Client) -> None:
    # Other tests give films some data: only what its stats say of dates and counts must agree.
    films = stats(api, "films")
    assert (films["events"] == 0) == (films["first_event"] is None) == (films["last_event"] is None)
    assert films["models"] == {}


def test_no_app_sees_the_items_or_events_of_another(api: httpx.Client, fresh: Callable[[str], str]) -> None:
    item_id, user_id = fresh("secret"), fresh("user")
    api.put(f"/v1/apps/films/items/{item_id}", json={"attributes": {"title": "Secret"}})
    payload = {"user_id": user_id, "item_id": item_id, "event_type": "like"}
    assert api.post("/v1/apps/films/events", json=payload).json()["accepted"] == 1
    assert api.get(f"/v1/apps/streaming/items/{item_id}").status_code == 404
    assert api.get(f"/v1/apps/streaming/users/{user_id}").status_code == 404
    assert api.get("/history", params={"user_id": user_id}).json()["items"] == []
    assert api.get("/recommendations", params={"user_id": user_id}).json()["fallback_used"] is True
    titles = api.get("/popular", params={"k": 1000}).json()["items"]
    assert item_id not in {title["item_id"] for title in titles}
    assert api.get("/v1/apps/films/items/i1").status_code == 404
    films = api.get("/v1/apps/films/feeds/best", params={"n": 1000}).json()["items"]
    assert "i1" not in {item["item_id"] for item in films}


def test_an_unknown_app_is_not_found_anywhere(api: httpx.Client) -> None:
    base = "/v1/apps/nowhere"
    answers = [
        api.get(f"{base}/stats"),
        api.get(f"{base}/rankers"),
        api.get(f"{base}/items"),
        api.post(f"{base}/items", json=[]),
        api.get(f"{base}/items/i1"),
        api.put(f"{base}/items/i1", json={}),
        api.patch(f"{base}/items/i1", json={}),
        api.delete(f"{base}/items/i1"),
        api.get(f"{base}/users"),
        api.get(f"{base}/users/u1"),
        api.put(f"{base}/users/u1", json={}),
        api.patch(f"{base}/users/u1", json={}),
        api.delete(f"{base}/users/u1"),
        api.get(f"{base}/users/u1/events"),
        api.post(f"{base}/events", json=[]),
        api.get(f"{base}/feeds/home"),
        api.get(f"{base}/explain", params={"feed": "home", "item_id": "i1"}),
    ]
    for answer in answers:
        assert answer.status_code == 404
        assert "nowhere" in answer.json()["detail"]
        assert "streaming" in answer.json()["detail"]
