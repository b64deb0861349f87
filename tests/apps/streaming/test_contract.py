"""The streaming contract over HTTP, line by line, as a client written against it would call."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

import httpx
import polars as pl
import pytest

from homefeed.apps.streaming.schemas import PopularOut, RecommendationsOut
from homefeed.store import open_store
from homefeed.store.items import ItemWrite, put_items

if TYPE_CHECKING:
    from tests.conftest import Served

Eventually: TypeAlias = Callable[[Callable[[], bool]], None]

K_ALLOWED = (1, 1000)
PLAY: dict[str, Any] = {"item_id": "i1", "event_type": "play", "watch_seconds": 30}
TAKEN = {"accepted": 1, "duplicates": 0, "rejected": []}


def popular(api: httpx.Client, **query: Any) -> list[dict[str, Any]]:
    answer = api.get("/popular", params=query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


def recommended(api: httpx.Client, user_id: str, **query: Any) -> dict[str, Any]:
    answer = api.get("/recommendations", params={"user_id": user_id} | query)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def ids(titles: list[dict[str, Any]]) -> list[str]:
    return [title["item_id"] for title in titles]


def send(api: httpx.Client, user_id: str, **play: Any) -> None:
    answer = api.post("/events", json=PLAY | {"user_id": user_id} | play)
    assert (answer.status_code, answer.json()) == (200, TAKEN)


def test_health(api: httpx.Client) -> None:
    answer = api.get("/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_popular_answers_as_promised(api: httpx.Client, served: Served) -> None:
    response = api.get("/popular", params={"k": 5})
    PopularOut.model_validate_json(response.content, strict=True, extra="forbid")
    answer = response.json()
    assert answer["k"] == 5
    assert len(answer["items"]) == 5
    assert answer["request_id"] == response.headers["X-Request-ID"]
    for title in answer["items"]:
        assert title["title"] == served.sample.items[title["item_id"]]["title"]
        assert title["reason"].startswith("Popular: ")


def test_popular_titles_are_those_most_watched(api: httpx.Client, served: Served) -> None:
    viewers = pl.col("user_id").n_unique()
    in_sample = dict(served.sample.events.group_by("item_id").agg(viewers).iter_rows())
    everything = popular(api, k=1000)
    few = "Not played by many yet"
    plays = [1 if title["reason"] == few else int(re.sub(r"\D", "", title["reason"])) for title in everything]
    for title, count in zip(everything, plays, strict=True):
        assert count >= in_sample.get(title["item_id"], 0)
    assert min(plays[:10]) > sum(plays) / len(plays) / 2 > max(plays[-10:])


def test_recommendations_answer_as_promised(api: httpx.Client, served: Served) -> None:
    response = api.get("/recommendations", params={"user_id": "u1", "k": 5})
    RecommendationsOut.model_validate_json(response.content, strict=True, extra="forbid")
    answer = response.json()
    assert (answer["user_id"], answer["k"], answer["fallback_used"]) == ("u1", 5, False)
    assert answer["request_id"] == response.headers["X-Request-ID"]
    assert len(answer["items"]) == 5
    for title in answer["items"]:
        assert title["title"] == served.sample.items[title["item_id"]]["title"]
        assert title["reason"]


def test_they_are_personal(api: httpx.Client) -> None:
    lists = [tuple(ids(recommended(api, f"u{n}")["items"])) for n in range(1, 21)]
    assert len(set(lists)) > 10
    assert ids(popular(api)) not in [list(one) for one in lists]


def test_ten_is_the_default(api: httpx.Client) -> None:
    assert len(popular(api)) == 10
    answer = recommended(api, "u1")
    assert (answer["k"], len(answer["items"])) == (10, 10)
    assert api.get("/popular").json()["k"] == 10


@pytest.mark.parametrize("k", [*K_ALLOWED, 2, 60])
def test_k_titles_are_given_or_all_there_are(api: httpx.Client, served: Served, k: int) -> None:
    answer = api.get("/popular", params={"k": k}).json()
    assert answer["k"] == k
    assert len(answer["items"]) == k or set(served.sample.items) <= set(ids(answer["items"]))
    personal = recommended(api, "u1", k=k)
    assert personal["k"] == k
    if k < 1000:
        assert len(personal["items"]) == k


@pytest.mark.parametrize("k", ["0", "1001", "-1", "x", "", "1.5", "1e3", "null", "9" * 5000])
def test_k_is_one_to_a_thousand(api: httpx.Client, k: str) -> None:
    for path in (f"/popular?k={k}", f"/recommendations?user_id=u1&k={k}", f"/history?user_id=u1&limit={k}"):
        assert api.get(path).status_code == 422


def test_a_user_must_be_named(api: httpx.Client) -> None:
    for path in ("/recommendations", "/history", "/recommendations?user_id=", "/history?user_id="):
        answer = api.get(path)
        assert answer.status_code == 422
        assert "user_id" in answer.json()["detail"]


@pytest.mark.parametrize("query", [{}, {"k": 37}, {"genre": "Drama"}, {"k": 1000, "content_type": "tv"}])
def test_a_stranger_gets_the_popular_titles(
    api: httpx.Client, eventually: Eventually, query: dict[str, Any]
) -> None:
    answer = recommended(api, "never seen", **query)
    assert answer["fallback_used"] is True
    assert answer["user_id"] == "never seen"
    eventually(lambda: recommended(api, "never seen", **query)["items"] == popular(api, **query))


def test_a_known_user_without_history_gets_them_too(
    api: httpx.Client, fresh: Callable[[str], str], eventually: Eventually
) -> None:
    user_id = fresh("cold")
    assert api.put(f"/v1/apps/streaming/users/{user_id}", json={"attributes": {"age": 40}}).status_code == 200
    assert recommended(api, user_id)["fallback_used"] is True
    eventually(lambda: recommended(api, user_id)["items"] == popular(api))


FILTERS: list[dict[str, str]] = [
    {"content_type": "movie"},
    {"content_type": "tv"},
    {"content_type": "series"},
    {"content_type": "microdrama"},
    {"genre": "Drama"},
    {"genre": "Horror"},
    {"genre": "drama", "content_type": "MOVIE"},
]


@pytest.mark.parametrize("query", FILTERS)
def test_filtered_lists_hold_k_titles_whenever_k_match(
    api: httpx.Client, served: Served, query: dict[str, str]
) -> None:
    exact = {name: value.lower() if name == "content_type" else value.title() for name, value in query.items()}
    matching = served.sample.matching(**exact)
    for k in (1, 3, len(matching)):
        assert len(popular(api, k=k, **query)) == k
    everything = set(ids(popular(api, k=1000, **query)))
    assert matching <= everything
    for item_id in everything & served.sample.items.keys():
        assert item_id in matching
    left = set(ids(recommended(api, "u5", k=1000)["items"])) & matching
    for k in (1, 3, len(left)):
        answer = recommended(api, "u5", k=k, **query)
        assert answer["fallback_used"] is False
        assert len(answer["items"]) == k
    personal = set(ids(recommended(api, "u5", k=1000, **query)["items"]))
    assert left <= personal
    assert personal & served.sample.items.keys() <= matching


def test_filters_that_nothing_meets_give_nothing(api: httpx.Client) -> None:
    for query in ({"genre": "Nothing"}, {"content_type": ""}, {"content_type": "movie", "genre": "\0"}):
        assert popular(api, **query) == []
        for user_id in ("u1", "never seen"):
            assert recommended(api, user_id, **query)["items"] == []


def test_what_was_watched_heavily_is_never_recommended(api: httpx.Client, served: Served) -> None:
    per_item = served.sample.events.group_by("user_id", "item_id").agg(seconds=pl.col("watch_seconds").sum())
    heavy = per_item.filter(pl.col("seconds") >= 1800)
    assert len(heavy) > 50
    for user_id in heavy["user_id"].unique().sort().head(15):
        watched = set(heavy.filter(pl.col("user_id") == user_id)["item_id"])
        assert not watched & set(ids(recommended(api, user_id, k=1000)["items"]))


def test_half_a_typical_watch_is_heavy_too(
    api: httpx.Client, new_item: Callable[..., str], fresh: Callable[[str], str], eventually: Callable[..., None]
) -> None:
    # Nobody watched it: its typical full watch is that of other microdramas, far below half an hour.
    item_id, user_id = new_item(content_type="microdrama"), fresh("user")
    send(api, user_id, item_id=item_id, watch_seconds=1)
    eventually(lambda: item_id in ids(recommended(api, user_id, k=1000)["items"]))
    send(api, user_id, item_id=item_id, watch_seconds=1700)
    assert item_id not in ids(recommended(api, user_id, k=1000)["items"])


def test_watches_add_up_to_heavy(
    api: httpx.Client, new_item: Callable[..., str], fresh: Callable[[str], str], eventually: Callable[..., None]
) -> None:
    item_id, user_id = new_item(content_type="movie"), fresh("user")
    eventually(lambda: item_id in ids(recommended(api, user_id, k=1000)["items"]))
    for _ in range(10):
        send(api, user_id, item_id=item_id, watch_seconds=180)
    assert item_id not in ids(recommended(api, user_id, k=1000)["items"])


def test_a_play_changes_the_very_next_request(api: httpx.Client, fresh: Callable[[str], str]) -> None:
    for item_id in [f"i{n}" for n in range(1, 16)]:
        user_id = fresh("user")
        assert recommended(api, user_id)["fallback_used"] is True
        send(api, user_id, item_id=item_id, watch_seconds=1800)
        answer = recommended(api, user_id, k=1000)
        assert answer["fallback_used"] is False
        assert item_id not in ids(answer["items"])
        assert [title["item_id"] for title in history(api, user_id)] == [item_id]


def test_a_new_play_moves_the_list_of_a_known_user(api: httpx.Client, served: Served) -> None:
    user_id = "u8"
    before = recommended(api, user_id, k=20)["items"]
    send(api, user_id, item_id=before[0]["item_id"], watch_seconds=7200)
    after = recommended(api, user_id, k=20)["items"]
    assert before[0]["item_id"] not in ids(after)
    watched = served.sample.items[before[0]["item_id"]]["title"]
    assert any(watched in title["reason"] for title in recommended(api, user_id, k=100)["items"])


def history(api: httpx.Client, user_id: str, **query: Any) -> list[dict[str, Any]]:
    answer = api.get("/history", params={"user_id": user_id} | query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


def test_history_is_what_was_watched_newest_first(api: httpx.Client, served: Served) -> None:
    mine = served.sample.events.filter(pl.col("user_id") == "u2")
    found = history(api, "u2", limit=1000)
    assert len(found) == len(mine)
    times = [title["timestamp"] for title in found]
    assert times == sorted(times, reverse=True)
    watched = {(row["item_id"], row["watch_seconds"], row["timestamp"]) for row in mine.to_dicts()}
    assert {(title["item_id"], title["watch_seconds"], title["timestamp"]) for title in found} == watched
    assert all(title["title"] == served.sample.items[title["item_id"]]["title"] for title in found)
    assert {title["event_type"] for title in found} == {"play"}


def test_history_gives_fifty_by_default(api: httpx.Client, fresh: Callable[[str], str]) -> None:
    user_id = fresh("user")
    plays = [PLAY | {"user_id": user_id, "timestamp": 1_700_000_000 + n} for n in range(60)]
    assert api.post("/events", json=plays).json()["accepted"] == 60
    response = api.get("/history", params={"user_id": user_id})
    answer = response.json()
    assert (answer["user_id"], answer["limit"], len(answer["items"])) == (user_id, 50, 50)
    assert answer["request_id"] == response.headers["X-Request-ID"]
    assert answer["items"][0]["timestamp"] == "2023-11-14T22:14:19Z"
    assert len(history(api, user_id, limit=1)) == 1
    assert len(history(api, user_id, limit=1000)) == 60


def test_the_history_of_a_stranger_is_empty(api: httpx.Client) -> None:
    assert history(api, "never seen") == []


def test_an_event_has_the_shape_of_the_file(api: httpx.Client, fresh: Callable[[str], str]) -> None:
    user_id = fresh("user")
    row = {"user_id": user_id, "item_id": "i1", "event_type": "play", "watch_seconds": 120}
    assert api.post("/events", json=row | {"timestamp": "2026-01-01T10:00:00"}).json() == TAKEN
    least = {"user_id": user_id, "item_id": "i2", "watch_seconds": 0}
    assert api.post("/events", json=least).json() == TAKEN
    newest, oldest = history(api, user_id)
    assert (oldest["timestamp"], oldest["watch_seconds"]) == ("2026-01-01T10:00:00Z", 120)
    assert datetime.now(UTC) - datetime.fromisoformat(newest["timestamp"]) < timedelta(minutes=1)


def test_a_list_of_events_keeps_the_good_ones(api: httpx.Client, fresh: Callable[[str], str]) -> None:
    user_id = fresh("user")
    good = PLAY | {"user_id": user_id, "event_id": fresh("event")}
    answer = api.post(
        "/events",
        json=[
            good | {"item_id": "nowhere"},
            good,
            good | {"watch_seconds": None},
            good | {"watch_seconds": 86_401},
            good | {"event_type": "like"},
            {"user_id": user_id},
            good,
            7,
        ],
    )
    assert answer.status_code == 200
    assert (answer.json()["accepted"], answer.json()["duplicates"]) == (1, 1)
    assert [rejected["index"] for rejected in answer.json()["rejected"]] == [0, 2, 3, 4, 5, 7]
    assert len(history(api, user_id)) == 1


def test_sending_the_same_twice_counts_once(api: httpx.Client, fresh: Callable[[str], str]) -> None:
    user_id = fresh("user")
    play = PLAY | {"user_id": user_id, "timestamp": "2026-01-01T00:00:00Z"}
    assert api.post("/events", json=play).json() == TAKEN
    assert api.post("/events", json=play).json() == {"accepted": 0, "duplicates": 1, "rejected": []}
    named = PLAY | {"user_id": user_id, "event_id": fresh("event")}
    assert api.post("/events", json=[named, named]).json()["duplicates"] == 1
    assert api.post("/events", json=named | {"watch_seconds": 1}).status_code == 409
    assert api.post("/events", json=named | {"user_id": fresh("user")}).json() == TAKEN
    assert len(history(api, user_id)) == 2


@pytest.mark.parametrize(
    ("change", "status", "names"),
    [
        ({"item_id": "nowhere"}, 404, "item_id"),
        ({"event_type": "like"}, 422, "event_type"),
        ({"watch_seconds": None}, 422, "watch_seconds"),
        ({"watch_seconds": -1}, 422, "watch_seconds"),
        ({"watch_seconds": 86_401}, 422, "watch_seconds"),
        ({"watch_seconds": "long"}, 422, "watch_seconds"),
        ({"watch_seconds": True}, 422, "watch_seconds"),
        ({"value": 5}, 422, "value"),
        ({"timestamp": "yesterday"}, 422, "timestamp"),
        ({"timestamp": "2999-01-01"}, 422, "timestamp"),
        ({"timestamp": (datetime.now(UTC) + timedelta(days=30)).isoformat()}, 422, "timestamp"),
        ({"user_id": ""}, 422, "user_id"),
        ({"user_id": None}, 422, "user_id"),
        ({"event_id": "x" * 256}, 422, "event_id"),
    ],
)
def test_a_single_event_that_cannot_be_used_is_an_error(
    api: httpx.Client, fresh: Callable[[str], str], change: dict[str, Any], status: int, names: str
) -> None:
    user_id = fresh("bad")
    answer = api.post("/events", json=PLAY | {"user_id": user_id} | change)
    assert answer.status_code == status
    assert names in answer.json()["detail"]
    assert history(api, user_id) == []


def test_titles_are_texts_whatever_was_stored(
    api: httpx.Client, served: Served, fresh: Callable[[str], str], eventually: Callable[..., None]
) -> None:
    stored: dict[str, Any] = {"long": "🎬" * 3000, "number": 1984, "list": ["a"], "none": None}
    user_id, ids_of = fresh("user"), {name: fresh(name) for name in stored}
    writes = [ItemWrite(ids_of[name], {"title": title, "genre": [user_id]}) for name, title in stored.items()]

    async def write() -> None:
        async with open_store(served.store_url) as store:
            await put_items(store, "streaming", writes)

    asyncio.run(write())
    eventually(lambda: len(popular(api, genre=user_id)) == 4)
    for item_id in ids_of.values():
        send(api, user_id, item_id=item_id, watch_seconds=1)
    shown = {title["item_id"]: title["title"] for title in popular(api, genre=user_id)}
    assert shown[ids_of["long"]] == "🎬" * 3000
    assert all(isinstance(title, str) for title in shown.values())
    assert {title["item_id"]: title["title"] for title in history(api, user_id)} == shown


def test_genres_are_each_a_filter_of_their_own(
    api: httpx.Client, new_item: Callable[..., str], eventually: Eventually
) -> None:
    item_id = new_item(genre=["Mockumentary", "Space opera"])
    eventually(lambda: ids(popular(api, genre="Mockumentary")) == [item_id])
    assert ids(popular(api, genre="space OPERA")) == [item_id]
    assert popular(api, genre="Mockumentary|Space opera") == []
    assert ids(recommended(api, "u1", genre="Space opera")["items"]) == [item_id]
