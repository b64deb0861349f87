"""Ids of every kind, in paths, queries and bodies: as they are, distinct if they differ by one code point."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import httpx
import pytest

BASE = "/v1/apps/streaming"
ODD = {
    "slash": "a/b//c/",
    "only a slash": "/",
    "percent": "100%",
    "percent-encoded": "a%2Fb",
    "half encoded": "%zz%",
    "plus": "1+1",
    "question mark": "who?user_id=u1",
    "hash": "no#fragment",
    "space": " a  b ",
    "one space": " ",
    "dot": ".",
    "dots": "..",
    "up": "../../users",
    "encoded dots": "%2e%2e",
    "backslash": "..\\..",
    "ampersand": "a&b=c;d",
    "quotes": "\"'`",
    "sql": "'; DROP TABLE items; --",
    "like": "%_%",
    "line break": "a\r\nb\n",
    "tab": "\t",
    "control": "\x01\x7f\x80",
    "composed": "\u00e9",
    "decomposed": "e\u0301",
    "case": "ABC",
    "lower case": "abc",
    "dotless": "\u0131I\u0130i",
    "sharp s": "\u00df ss \u1e9e",
    "right to left": "\u202eabc\u200f",
    "zero width": "a\u200bb",
    "byte order mark": "\ufeff",
    "no character": "\uffff\U0010ffff",
    "emoji": "👩‍👩‍👧",
    "chinese": "视频/一",
    "longest": "x" * 255,
    "longest of four bytes": "🎬" * 255,
    "json": '{"a": [1]}',
    "number": "1",
    "leading zero": "01",
    "null": "null",
    "keyword": "events",
}


def encoded(text: str) -> str:
    # A client may take "..", but not "%2E%2E", for the folder above.
    return quote(text, safe="").replace(".", "%2E")


@pytest.mark.parametrize("item_id", ODD.values(), ids=ODD)
def test_an_item_id_goes_everywhere_as_it_is(api: httpx.Client, item_id: str) -> None:
    path, user_id = f"{BASE}/items/{encoded(item_id)}", f"watches {item_id}"[:255]
    assert api.put(path, json={"attributes": {"title": "T"}}).json()["item_id"] == item_id
    assert api.get(path).json()["item_id"] == item_id
    assert api.patch(path, json={"attributes": {"title": "U"}}).json()["item_id"] == item_id
    event = {"user_id": user_id, "item_id": item_id, "event_type": "play", "value": 1}
    assert api.post(f"{BASE}/events", json=event).json()["accepted"] == 1
    assert api.get("/history", params={"user_id": user_id}).json()["items"][0]["item_id"] == item_id
    similar = api.get(f"{BASE}/feeds/similar", params={"item_id": item_id, "n": 1000}).json()["items"]
    assert item_id not in {item["item_id"] for item in similar}
    trace = api.get(f"{BASE}/explain", params={"feed": "home", "item_id": item_id, "user_id": user_id})
    assert trace.json()["item_id"] == item_id
    left = api.get(f"{BASE}/feeds/home", params={"exclude": item_id, "n": 1000}).json()["items"]
    assert item_id not in {item["item_id"] for item in left}
    assert api.delete(path).status_code == 204
    assert api.get(path).status_code == 404


@pytest.mark.parametrize("user_id", ODD.values(), ids=ODD)
def test_a_user_id_goes_everywhere_as_it_is(api: httpx.Client, user_id: str) -> None:
    path = f"{BASE}/users/{encoded(user_id)}"
    assert api.put(path, json={"attributes": {"age": 3}}).json() == {"user_id": user_id, "attributes": {"age": 3}}
    assert api.get(path).json()["user_id"] == user_id
    for answer in (
        api.get(f"{BASE}/feeds/home", params={"user_id": user_id}),
        api.get("/recommendations", params={"user_id": user_id}),
    ):
        assert answer.json()["user_id"] == user_id
    payload = {"user_id": user_id, "item_id": "i1", "watch_seconds": 9}
    assert api.post("/events", json=payload).json()["accepted"] == 1
    assert api.get(f"{path}/events").json()["user_id"] == user_id
    assert len(api.get(f"{path}/events").json()["events"]) == 1
    assert len(api.get("/history", params={"user_id": user_id}).json()["items"]) == 1
    assert api.get("/recommendations", params={"user_id": user_id}).json()["fallback_used"] is False
    assert api.delete(path).json() == {"user_id": user_id, "events": 1}
    assert api.get(path).status_code == 404


def test_all_of_them_are_different_items(api: httpx.Client) -> None:
    writes = [{"item_id": item_id, "attributes": {"title": name}} for name, item_id in ODD.items()]
    assert api.post(f"{BASE}/items", json=writes).json() == {"accepted": len(ODD), "rejected": []}
    for name, item_id in ODD.items():
        assert api.get(f"{BASE}/items/{encoded(item_id)}").json()["attributes"] == {"title": name}
        assert api.delete(f"{BASE}/items/{encoded(item_id)}").status_code == 204


def test_all_of_them_are_different_events_and_requests(api: httpx.Client) -> None:
    user_id = "sends odd ids"
    event = {"user_id": user_id, "item_id": "i2", "event_type": "play", "value": 1}
    payload = [event | {"event_id": odd, "request_id": odd} for odd in ODD.values()]
    assert api.post(f"{BASE}/events", json=payload).json() == {
        "accepted": len(ODD),
        "duplicates": 0,
        "rejected": [],
    }
    assert api.post(f"{BASE}/events", json=payload).json()["duplicates"] == len(ODD)
    kept = api.get(f"{BASE}/users/{user_id}/events").json()["events"]
    assert {(event["event_id"], event["request_id"]) for event in kept} == {(odd, odd) for odd in ODD.values()}


@pytest.mark.parametrize("bad", ["%00", "a%00b", "x" * 256, quote("🎬" * 256)])
def test_what_cannot_be_an_id_in_a_path_is_refused(api: httpx.Client, bad: str) -> None:
    for kind in ("items", "users"):
        path = f"{BASE}/{kind}/{bad}"
        answers = [
            api.get(path),
            api.put(path, json={}),
            api.patch(path, json={}),
            api.delete(path),
        ]
        assert [answer.status_code for answer in answers] == [422] * 4
    assert api.get(f"{BASE}/users/{bad}/events").status_code == 422


@pytest.mark.parametrize("bad", ["%ff", "%ED%A0%80", "%C0%AF", "%F5%80%80%80", "a%E2%82"])
def test_a_path_that_is_not_utf8_is_refused(api: httpx.Client, bad: str) -> None:
    for answer in (
        api.get(f"{BASE}/items/{bad}"),
        api.put(f"{BASE}/items/{bad}", json={}),
        api.delete(f"{BASE}/users/{bad}"),
        api.get(f"/{bad}"),
    ):
        assert answer.status_code == 400
        assert "UTF-8" in answer.json()["detail"]


@pytest.mark.parametrize("bad", ["", "\0", "a\0", "x" * 256])
def test_what_cannot_be_an_id_in_a_query_is_refused(api: httpx.Client, bad: str) -> None:
    for path in ("/recommendations", "/history", f"{BASE}/feeds/home"):
        assert api.get(path, params={"user_id": bad}).status_code == 422
    trace = {"feed": "home", "item_id": "i1", "user_id": bad}
    assert api.get(f"{BASE}/explain", params=trace).status_code == 422


@pytest.mark.parametrize(
    "bad", [b'""', b'"\\u0000"', b'"\\ud800"', b'"\\udc00 x"', b'"%s"' % (b"x" * 256), b"7", b"null"]
)
@pytest.mark.parametrize("field", [b"user_id", b"item_id"])
def test_what_cannot_be_an_id_in_a_body_is_refused(api: httpx.Client, field: bytes, bad: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    others = {b"user_id": b'"item_id": "i1"', b"item_id": b'"user_id": "u1"'}[field]
    event = b'{"event_type": "play", "value": 1, %s, "%s": %s}' % (others, field, bad)
    assert api.post(f"{BASE}/events", content=event, headers=headers).status_code == 422
    play = b'{"watch_seconds": 1, %s, "%s": %s}' % (others, field, bad)
    assert api.post("/events", content=play, headers=headers).status_code == 422
    line = b'{"item_id": %s}' % bad
    answer = api.post(f"{BASE}/items", content=line, headers={"Content-Type": "application/x-ndjson"})
    assert answer.json()["accepted"] == 0
    assert [rejected["index"] for rejected in answer.json()["rejected"]] == [0]


def test_ids_among_attributes_keep_every_digit(api: httpx.Client, eventually: Callable[..., None]) -> None:
    big = 2**64
    groups = {"a": big, "b": big + 1, "c": 77, "d": 77.0, "e": f"{big + 1}"}
    texts = {"a": f"{big}", "b": f"{big + 1}", "c": "77", "d": "77", "e": f"{big + 1}"}
    items = [
        {"item_id": f"digits-{name}", "attributes": {"title": "T", "content_type": group, "owner": group}}
        for name, group in groups.items()
    ]
    lines = "\n".join(map(json.dumps, items))
    ways: list[dict[str, Any]] = [
        {"json": items},
        {"content": lines, "headers": {"Content-Type": "application/x-ndjson"}},
    ]
    for sent in ways:
        assert api.post(f"{BASE}/items", **sent).json() == {"accepted": 5, "rejected": []}
        for name, text in texts.items():
            kept = api.get(f"{BASE}/items/digits-{name}").json()["attributes"]
            assert kept == {"title": "T", "content_type": text, "owner": 77 if text == "77" else text}
        for text, names in {f"{big}": "a", f"{big + 1}": "be", "77": "cd"}.items():
            query = {"filter": f"content_type:{text}", "n": 1000}
            expected = {f"digits-{name}" for name in names}

            def shown(query: dict[str, Any] = query, expected: set[str] = expected) -> bool:
                page = api.get(f"{BASE}/feeds/popular", params=query).json()
                return {item["item_id"] for item in page["items"]} == expected

            eventually(shown)
        for name in groups:
            assert api.delete(f"{BASE}/items/digits-{name}").status_code == 204


def test_attributes_of_users_and_contexts_keep_every_digit(api: httpx.Client) -> None:
    path, said = f"{BASE}/users/digits", {"region": 2**64 + 1, "age": 77.0, "score": 7.5}
    kept = {"region": f"{2**64 + 1}", "age": 77, "score": 7.5}
    assert api.put(path, json={"attributes": said}).json()["attributes"] == kept
    assert api.patch(path, json={"attributes": said}).json()["attributes"] == kept
    assert type(api.get(path).json()["attributes"]["age"]) is int
    event = {"user_id": "digits", "item_id": "i1", "event_type": "play", "value": 60.0, "context": said}
    assert api.post(f"{BASE}/events", json=event).json()["accepted"] == 1
    assert api.get(f"{path}/events").json()["events"][0]["context"] == kept
    assert api.post(f"{BASE}/events", json=event | {"value": 10**30}).status_code == 422


def test_a_path_without_an_id_is_nowhere(api: httpx.Client) -> None:
    for path in (f"{BASE}/items/", f"{BASE}/users/", f"{BASE}/users//events", f"{BASE}/items/a/b"):
        assert api.get(path).status_code == 404
        assert api.put(path, json={}).status_code == 404
