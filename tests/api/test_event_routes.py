"""Events over HTTP: what is taken, counted once, refused; and that the next request knows of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

EVENTS, FILMS = "/v1/apps/streaming/events", "/v1/apps/films/events"
TAKEN = {"accepted": 1, "duplicates": 0, "rejected": []}
AGAIN = {"accepted": 0, "duplicates": 1, "rejected": []}
PLAY: dict[str, Any] = {"user_id": "plays", "item_id": "i1", "event_type": "play", "value": 10}


def history(api: httpx.Client, user_id: str, app: str = "streaming") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.get(f"/v1/apps/{app}/users/{user_id}/events").json()["events"]
    return found


def test_an_event_comes_back_as_it_was_sent(api: httpx.Client, fresh: Callable[[str], str]) -> None:
    user_id, event_id = fresh("user"), fresh("event")
    payload = {
        "user_id": user_id,
        "item_id": "i1",
        "event_type": "play",
        "value": 12.5,
        "timestamp": "2026-01-02T03:04:05.678901+02:00",
        "event_id": event_id,
        "request_id": "some request",
        "context": {"device": "tv", "deep": {"é": [1, None, True]}},
    }
    answer = api.post(EVENTS, json=payload)
    assert (answer.status_code, answer.json()) == (200, TAKEN)
    kept = payload | {"timestamp": "2026-01-02T01:04:05.678901Z"}
    del kept["user_id"]
    assert history(api, user_id) == [kept]


def test_the_least_an_event_says(api: httpx.Client, fresh: Callable[[str], str]) -> None:
    user_id = fresh("user")
    assert api.post(EVENTS, json=PLAY | {"user_id": user_id}).json() == TAKEN
    event = history(api, user_id)[0]
    assert timedelta(0) <= datetime.now(UTC) - datetime.fromisoformat(event["timestamp"]) < timedelta(minutes=1)
    assert (event["context"], event["request_id"]) == ({}, None)


def test_without_time_and_id_the_same_may_be_sent_twice(api: httpx.Client, fresh: Callable[[str], str]) -> None:
    payload = PLAY | {"user_id": fresh("user")}
    assert [api.post(EVENTS, json=payload).json() for _ in range(2)] == [TAKEN, TAKEN]
    assert len(history(api, payload["user_id"])) == 2


def test_the_same_event_id_counts_once(api: httpx.Client, fresh: Callable[[str], str]) -> None:
    payload = PLAY | {"user_id": fresh("user"), "event_id": fresh("event")}
    assert api.post(EVENTS, json=payload).json() == TAKEN
    assert api.post(EVENTS, json=payload).json() == AGAIN
    assert api.post(EVENTS, json=[payload, payload]).json() == {"accepted": 0, "duplicates": 2, "rejected": []}
    assert [event["value"] for event in history(api, payload["user_id"])] == [10.0]


@pytest.mark.parametrize(
    "change",
    [{"value": 99}, {"value": 0}, {"item_id": "i2"}, {"timestamp": "2026-01-01T00:00:00Z"}],
    ids=str,
)
def test_the_same_event_id_of_another_event_is_a_conflict(
    api: httpx.Client, fresh: Callable[[str], str], change: dict[str, Any]
) -> None:
    payload = PLAY | {"user_id": fresh("user"), "event_id": fresh("event")}
    assert api.post(EVENTS, json=payload).json() == TAKEN
    told = f'event_id: "{payload["event_id"]}" is that of another event of this user; '
    answer = api.post(EVENTS, json=payload | change)
    assert (answer.status_code, answer.json()["title"]) == (409, "Conflict")
    assert answer.json()["detail"] == told + "send a new one, or the same event again"
    others = [payload, payload | change, payload | {"event_id": fresh("event")} | change]
    body = api.post(EVENTS, json=others).json()
    assert (body["accepted"], body["duplicates"]) == (1, 1)
    assert body["rejected"] == [{"index": 1, "error": answer.json()["detail"]}]


def test_an_event_id_is_the_users_own(api: httpx.Client, fresh: Callable[[str], str]) -> None:
    event_id, users = fresh("event"), [fresh("user"), fresh("user")]
    for number, user_id in enumerate(users):
        payload = PLAY | {"user_id": user_id, "event_id": event_id, "value": number}
        assert [api.post(EVENTS, json=payload).json() for _ in range(2)] == [TAKEN, AGAIN]
    assert [history(api, user_id)[0]["value"] for user_id in users] == [0.0, 1.0]


def test_a_page_that_an_event_names_is_of_its_user(api: httpx.Client, fresh: Callable[[str], str]) -> None:
    users = [fresh("user"), fresh("user")]
    for user_id in users:
        assert api.put(f"/v1/apps/streaming/users/{user_id}", json={}).status_code == 200
    theirs, own, nobodys = (
        api.get("/v1/apps/streaming/feeds/home", params=params).json()["request_id"]
        for params in ({"user_id": users[0]}, {"user_id": users[1]}, {})
    )
    event = PLAY | {"user_id": users[1]}
    answer = api.post(EVENTS, json=event | {"request_id": theirs})
    assert (answer.status_code, "request_id" in answer.json()["detail"]) == (422, True)
    named = [event | {"request_id": request_id} for request_id in (own, nobodys, "unheard of", theirs)]
    body = api.post(EVENTS, json=named).json()
    assert (body["accepted"], [one["index"] for one in body["rejected"]]) == (3, [3])
    assert theirs not in {event["request_id"] for event in history(api, users[1])}


def test_the_same_content_counts_once(api: httpx.Client, fresh: Callable[[str], str]) -> None:
    payload = PLAY | {"user_id": fresh("user"), "timestamp": "2026-01-01T00:00:00Z"}
    assert api.post(EVENTS, json=payload).json() == TAKEN
    same: list[dict[str, Any]] = [
        {},
        {"timestamp": "2026-01-01T00:00:00"},
        {"timestamp": "2026-01-01T02:00:00+02:00"},
        {"timestamp": 1_767_225_600},
        {"timestamp": "1767225600"},
        {"value": 10.0},
        {"request_id": "another", "context": {"a": 1}},
    ]
    for change in same:
        assert api.post(EVENTS, json=payload | change).json() == AGAIN
    different: list[dict[str, Any]] = [
        {"item_id": "i2"},
        {"timestamp": "2026-01-01T00:00:01Z"},
        {"timestamp": "2026-01-01T00:00:00.000001Z"},
        {"value": 10.5},
        {"value": 0},
        {"event_id": fresh("event")},
        {"user_id": fresh("user")},
    ]
    for change in different:
        assert api.post(EVENTS, json=payload | change).json() == TAKEN


def test_both_apis_of_an_app_know_the_same_events(api: httpx.Client, fresh: Callable[[str], str]) -> None:
    user_id, time = fresh("user"), "2026-01-05T10:00:00"
    play = {"user_id": user_id, "item_id": "i1", "watch_seconds": 10, "timestamp": time}
    assert api.post(EVENTS, json=PLAY | {"user_id": user_id, "timestamp": time}).json() == TAKEN
    assert api.post("/events", json=play).json() == AGAIN


def test_a_list_keeps_the_good_ones_and_names_the_others(api: httpx.Client, fresh: Callable[[str], str]) -> None:
    good = PLAY | {"user_id": fresh("user"), "event_id": fresh("event")}
    bad: list[Any] = [
        PLAY | {"item_id": "nowhere"},
        PLAY | {"event_type": "like"},
        PLAY | {"value": -1},
        PLAY | {"timestamp": "soon"},
        PLAY | {"unheard": 1},
        {"user_id": "u1", "event_type": "play"},
        "text",
        None,
        [],
    ]
    answer = api.post(EVENTS, json=[good, *bad, good, good | {"event_id": fresh("event")}])
    assert answer.status_code == 200
    body = answer.json()
    assert (body["accepted"], body["duplicates"]) == (2, 1)
    assert [rejected["index"] for rejected in body["rejected"]] == list(range(1, 10))
    errors = [rejected["error"] for rejected in body["rejected"]]
    for error, names in zip(
        errors[:6], ["nowhere", "event_type", "watch_seconds", "timestamp", "unheard", "item_id"], strict=True
    ):
        assert names in error
    assert len(history(api, good["user_id"])) == 2


def test_a_list_holds_up_to_a_thousand(api: httpx.Client, fresh: Callable[[str], str]) -> None:
    user_id = fresh("user")
    payload = [PLAY | {"user_id": user_id, "event_id": f"{user_id}-{n}"} for n in range(1001)]
    assert api.post(EVENTS, json=payload).status_code == 422
    assert history(api, user_id) == []
    assert api.post(EVENTS, json=payload[:1000]).json() == {"accepted": 1000, "duplicates": 0, "rejected": []}
    assert api.post(EVENTS, json=[]).json() == {"accepted": 0, "duplicates": 0, "rejected": []}


def test_a_single_event_of_an_unknown_item_is_not_found(api: httpx.Client, fresh: Callable[[str], str]) -> None:
    user_id = fresh("user")
    answer = api.post(EVENTS, json=PLAY | {"user_id": user_id, "item_id": "nowhere"})
    assert answer.status_code == 404
    assert "nowhere" in answer.json()["detail"]
    assert api.get(f"/v1/apps/streaming/users/{user_id}").status_code == 404


def test_an_event_of_a_deleted_item_is_not_found_one_of_a_hidden_item_is_taken(
    api: httpx.Client, fresh: Callable[[str], str], new_item: Callable[..., str]
) -> None:
    item_id, user_id = new_item(), fresh("user")
    payload = PLAY | {"user_id": user_id, "item_id": item_id}
    api.patch(f"/v1/apps/streaming/items/{item_id}", json={"hidden": True})
    assert api.post(EVENTS, json=payload).json() == TAKEN
    api.delete(f"/v1/apps/streaming/items/{item_id}")
    assert api.post(EVENTS, json=payload).status_code == 404
    assert len(history(api, user_id)) == 1
    watched = api.get("/history", params={"user_id": user_id}).json()["items"]
    assert [(title["item_id"], title["title"]) for title in watched] == [(item_id, None)]


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ({"event_type": "like"}, "event_type"),
        ({"event_type": ""}, "event_type"),
        ({"event_type": "play\0"}, "event_type"),
        ({"event_type": "x" * 10_000}, "event_type"),
        ({"event_type": None}, "event_type"),
        ({"value": None}, "watch_seconds"),
        ({"value": -0.001}, "watch_seconds"),
        ({"value": 86_401}, "watch_seconds"),
        ({"value": 1e308}, "watch_seconds"),
        ({"value": "many"}, "value"),
        ({"value": [1]}, "value"),
        ({"value": True}, "value"),
        ({"timestamp": ""}, "timestamp"),
        ({"timestamp": "2026-02-30T00:00:00Z"}, "timestamp"),
        ({"timestamp": "1969-12-31T23:59:59Z"}, "timestamp"),
        ({"timestamp": -1}, "timestamp"),
        ({"timestamp": 1e300}, "timestamp"),
        ({"timestamp": 99_999_999_999_999_999}, "timestamp"),
        ({"timestamp": "9" * 5000}, "timestamp"),
        ({"timestamp": [2026]}, "timestamp"),
        ({"timestamp": True}, "timestamp"),
        ({"timestamp": "9999-12-31T23:59:59-23:59"}, "timestamp"),
        ({"timestamp": "0001-01-01T00:00:00+23:59"}, "timestamp"),
        ({"event_id": ""}, "event_id"),
        ({"event_id": "x" * 256}, "event_id"),
        ({"event_id": "\0"}, "event_id"),
        ({"request_id": "x" * 256}, "request_id"),
        ({"context": []}, "context"),
        ({"context": None}, "context"),
        ({"watch_seconds": 5}, "watch_seconds"),
    ],
)
def test_a_single_event_that_cannot_be_used_is_refused_naming_the_field(
    api: httpx.Client, fresh: Callable[[str], str], change: dict[str, Any], names: str
) -> None:
    user_id = fresh("bad")
    answer = api.post(EVENTS, json=PLAY | {"user_id": user_id} | change)
    assert answer.status_code == 422
    assert names in answer.json()["detail"]
    assert len(answer.json()["detail"]) < 500
    assert history(api, user_id) == []


def test_an_event_may_be_up_to_a_day_ahead_of_its_time(api: httpx.Client, fresh: Callable[[str], str]) -> None:
    now = datetime.now(UTC)
    payload = PLAY | {"user_id": fresh("user")}
    soon = (now + timedelta(hours=23)).isoformat()
    assert api.post(EVENTS, json=payload | {"timestamp": soon}).json() == TAKEN
    late = (now + timedelta(hours=25)).isoformat()
    assert api.post(EVENTS, json=payload | {"timestamp": late}).status_code == 422


def test_values_may_be_at_the_limits(api: httpx.Client, fresh: Callable[[str], str]) -> None:
    user_id = fresh("user")
    for value in (0, -0.0, 86_400, 0.1, 1e-300):
        assert api.post(EVENTS, json=PLAY | {"user_id": user_id, "value": value}).json() == TAKEN
    assert sorted(event["value"] for event in history(api, user_id)) == [0, 0, 1e-300, 0.1, 86_400]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"null", b"5", b'"play"', b"[NaN]", b'{"user_id": "\xff"}', b"{'a': 1}", b"[" * 100_000]
)
def test_what_is_no_event_is_refused(api: httpx.Client, body: bytes) -> None:
    for path in (EVENTS, "/events"):
        assert api.post(path, content=body, headers={"Content-Type": "application/json"}).status_code == 422


@pytest.mark.parametrize("depth", [31, 33, 200, 255, 300, 1000, 50_000])
def test_nesting_is_taken_whole_or_refused(api: httpx.Client, fresh: Callable[[str], str], depth: int) -> None:
    """What can be read as JSON but not be written again, or not be answered, must not come in."""
    name = fresh("deep")
    deep = '{"a": ' + "[" * depth + "]" * depth + "}"
    json = {"Content-Type": "application/json"}
    event = f'{{"user_id": "{name}", "item_id": "i1", "event_type": "play", "value": 1, "context": {deep}}}'
    requests = [
        ("POST", EVENTS, event),
        ("PUT", f"/v1/apps/streaming/items/{name}", f'{{"hidden": true, "attributes": {deep}}}'),
        ("PATCH", "/v1/apps/streaming/items/i1", f'{{"attributes": {deep}}}'),
        ("PUT", f"/v1/apps/streaming/users/{name}", f'{{"attributes": {deep}}}'),
        ("PATCH", "/v1/apps/streaming/users/u1", f'{{"attributes": {deep}}}'),
    ]
    expected = 200 if depth < 32 else 422
    for method, path, body in requests:
        assert api.request(method, path, content=body, headers=json).status_code == expected
    items = f'[{{"item_id": "{name}", "hidden": true, "attributes": {deep}}}]'
    listed = api.post("/v1/apps/streaming/items", content=items, headers=json)
    assert listed.status_code == (200 if depth < 1020 else 422)
    if depth < 1020:
        assert listed.json()["accepted"] == (1 if depth < 32 else 0)
    assert api.get("/v1/apps/streaming/items/i1").status_code == 200
    assert len(history(api, name)) == (1 if depth < 32 else 0)
    for path in ("items/i1", "users/u1"):
        api.patch(f"/v1/apps/streaming/{path}", json={"attributes": {"a": None}})


def test_an_app_of_ones_own_may_take_any_event_type(api: httpx.Client, fresh: Callable[[str], str]) -> None:
    item_id, user_id = fresh("film"), fresh("user")
    api.put(f"/v1/apps/films/items/{item_id}", json={"attributes": {"title": "A"}})
    payload: dict[str, Any] = {"user_id": user_id, "item_id": item_id}
    assert api.post(FILMS, json=payload | {"event_type": "like"}).json() == TAKEN
    assert api.post(FILMS, json=payload | {"event_type": "rate", "value": -5}).json() == TAKEN
    assert api.post(FILMS, json=payload | {"event_type": "rate", "value": -6}).status_code == 422
    assert api.post(FILMS, json=payload | {"event_type": "sang along 🎵", "value": 1e308}).json() == TAKEN
    assert api.post(FILMS, json=payload | {"event_type": "x" * 63}).json() == TAKEN
    for bad in ("", "x" * 64, "a\0b", "a\0" * 200):
        assert api.post(FILMS, json=payload | {"event_type": bad}).status_code == 422
    assert len(history(api, user_id, "films")) == 4
    feed = api.get("/v1/apps/films/feeds/best", params={"user_id": user_id, "n": 1000}).json()
    assert feed["cold_start"] is False


def test_an_app_does_not_know_the_items_of_another(api: httpx.Client) -> None:
    assert api.post(FILMS, json={"user_id": "u1", "item_id": "i1", "event_type": "like"}).status_code == 404


def test_an_event_changes_the_very_next_request(api: httpx.Client, fresh: Callable[[str], str]) -> None:
    for _ in range(20):
        user_id = fresh("user")
        params: dict[str, str | int] = {"user_id": user_id, "n": 5}
        assert api.get("/v1/apps/streaming/feeds/home", params=params).json()["cold_start"] is True
        assert api.post(EVENTS, json=PLAY | {"user_id": user_id, "value": 300}).json() == TAKEN
        warm = api.get("/v1/apps/streaming/feeds/home", params=params).json()
        assert warm["cold_start"] is False
        assert any("item_item" in item["sources"] for item in warm["items"])


def test_a_context_beyond_a_limit_is_refused(api: httpx.Client, fresh: Callable[[str], str]) -> None:
    user_id = fresh("user")
    within, beyond = ({"context": {"any": ["x" * 1_000] * count}} for count in (16, 17))
    answer = api.post(EVENTS, json=PLAY | {"user_id": user_id} | beyond)
    assert (answer.status_code, answer.json()["detail"]) == (
        422,
        "context: more than 16,384 bytes as JSON; send less",
    )
    sent = [PLAY | {"user_id": user_id, "event_id": fresh("event")} | each for each in (beyond, within)]
    answer = api.post(EVENTS, json=sent)
    assert answer.json() == {
        "accepted": 1,
        "duplicates": 0,
        "rejected": [{"index": 0, "error": "context: more than 16,384 bytes as JSON; send less"}],
    }
    assert len(history(api, user_id)) == 1


def test_an_answer_to_many_events_of_many_mistakes_is_short(
    api: httpx.Client, fresh: Callable[[str], str]
) -> None:
    wrong = {f"{n}{'x' * 700}": n for n in range(20)}
    answer = api.post(EVENTS, json=[PLAY | {"user_id": fresh("user")} | wrong] * 60)
    assert answer.status_code == 200
    assert [len(each["error"]) for each in answer.json()["rejected"]] == [503] * 60
