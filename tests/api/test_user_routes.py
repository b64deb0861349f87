"""Users over HTTP: every method, the listing, and erasure of all that is theirs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import httpx
import orjson
import pytest

if TYPE_CHECKING:
    from tests.conftest import Served

USERS, FILMS = "/v1/apps/streaming/users", "/v1/apps/films/users"
NDJSON = {"Content-Type": "application/x-ndjson"}


def test_put_creates_and_replaces(api: httpx.Client, fresh: Callable[[str], str]) -> None:
    user_id = fresh("user")
    attributes = {"age": 30, "gender": "F", "deep": {"er": [None, 1.5, "é\u0000"]}}
    created = api.put(f"{USERS}/{user_id}", json={"attributes": attributes})
    assert (created.status_code, created.json()) == (200, {"user_id": user_id, "attributes": attributes})
    assert api.get(f"{USERS}/{user_id}").json() == created.json()
    assert api.put(f"{USERS}/{user_id}", json={"attributes": {"region": "Iberia"}}).status_code == 200
    assert api.get(f"{USERS}/{user_id}").json()["attributes"] == {"region": "Iberia"}
    assert api.put(f"{USERS}/{user_id}", json={}).json()["attributes"] == {}


@pytest.mark.parametrize("how", ["list", "stream"])
def test_many_are_created_and_replaced_at_once(api: httpx.Client, fresh: Callable[[str], str], how: str) -> None:
    first, second, bad = fresh("user"), fresh("user"), fresh("user")
    api.put(f"{USERS}/{first}", json={"attributes": {"age": 30, "gender": "F"}})
    many: list[Any] = [
        {"user_id": first, "attributes": {"age": 31}},
        {"user_id": bad, "age": 3},
        {"user_id": second},
        {"user_id": bad, "attributes": {"text": "x" * 60_000}},
        {"attributes": {}},
        5,
    ]
    if how == "list":
        answer = api.post(USERS, json=many)
    else:
        answer = api.post(USERS, content=b"\n".join(map(orjson.dumps, many)), headers=NDJSON)
    assert (answer.status_code, answer.json()["accepted"]) == (200, 2)
    assert [rejected["index"] for rejected in answer.json()["rejected"]] == [1, 3, 4, 5]
    assert answer.json()["rejected"][1]["error"] == "attributes: text: longer than 50,000 characters; send less"
    assert api.get(f"{USERS}/{first}").json()["attributes"] == {"age": 31}
    assert api.get(f"{USERS}/{second}").json()["attributes"] == {}
    assert api.get(f"{USERS}/{bad}").status_code == 404


def test_a_list_holds_up_to_a_thousand_users(api: httpx.Client, fresh: Callable[[str], str]) -> None:
    prefix = fresh("many")
    many = [{"user_id": f"{prefix}-{n}"} for n in range(1_001)]
    assert api.post(FILMS, json=many).status_code == 422
    assert api.post(FILMS, json=many[:1_000]).json() == {"accepted": 1_000, "rejected": []}
    assert api.get(f"{FILMS}/{prefix}-999").status_code == 200


def test_patch_changes_the_named_attributes_only(api: httpx.Client, fresh: Callable[[str], str]) -> None:
    user_id = fresh("user")
    api.put(f"{USERS}/{user_id}", json={"attributes": {"age": 30, "gender": "F", "region": "Iberia"}})
    patched = api.patch(f"{USERS}/{user_id}", json={"attributes": {"age": 31, "gender": None, "new": "x"}})
    assert (patched.status_code, patched.json()) == (
        200,
        {"user_id": user_id, "attributes": {"age": 31, "region": "Iberia", "new": "x"}},
    )
    assert api.get(f"{USERS}/{user_id}").json() == patched.json()


def test_the_users_of_the_sample_are_there(api: httpx.Client) -> None:
    answer = api.get(f"{USERS}/u1").json()
    assert answer["user_id"] == "u1"
    assert answer["attributes"].keys() == {"age", "gender", "region"}


@pytest.mark.parametrize(
    "body", [{"attributes": 1}, {"attributes": None}, {"age": 3}, [], None, "x", {"user_id": "u"}]
)
def test_what_is_no_user_is_refused(api: httpx.Client, fresh: Callable[[str], str], body: Any) -> None:
    user_id = fresh("bad")
    assert api.put(f"{USERS}/{user_id}", json=body).status_code == 422
    assert api.get(f"{USERS}/{user_id}").status_code == 404
    before = api.get(f"{USERS}/u1").json()
    assert api.patch(f"{USERS}/u1", json=body).status_code == 422
    assert api.get(f"{USERS}/u1").json() == before


def test_an_unknown_user_is_not_found_but_has_an_empty_history(api: httpx.Client) -> None:
    path = f"{USERS}/unknown"
    for answer in (api.get(path), api.patch(path, json={}), api.delete(path)):
        assert answer.status_code == 404
        assert "unknown" in answer.json()["detail"]
    assert api.get(f"{path}/events").json() == {"user_id": "unknown", "events": []}


def test_the_listing_pages_through_every_user_once(api: httpx.Client, fresh: Callable[[str], str]) -> None:
    first = api.get(USERS).json()
    assert len(first["users"]) <= 100
    assert first["users"][0].keys() == {"user_id", "attributes"}
    erased, created = fresh("user"), fresh("user")
    for user_id in (erased, created):
        api.put(f"{USERS}/{user_id}", json={})
    api.delete(f"{USERS}/{erased}")
    ids, cursor = [], None
    while True:
        page = api.get(USERS, params={"limit": 17} | ({"cursor": cursor} if cursor else {})).json()
        ids += [user["user_id"] for user in page["users"]]
        cursor = page["next_cursor"]
        assert len(page["users"]) == 17 or cursor is None
        if cursor is None:
            break
    assert len(ids) == len(set(ids))
    assert {f"u{n}" for n in range(1, 61)} | {created} <= set(ids)
    assert erased not in ids


def test_users_are_listed_a_hundred_at_a_time_by_default(api: httpx.Client) -> None:
    api.put("/v1/apps/films/items/listed", json={"hidden": True})
    events = [{"user_id": f"listed-{n}", "item_id": "listed", "event_type": "like"} for n in range(101)]
    api.post("/v1/apps/films/events", json=events)
    answer = api.get(FILMS).json()
    assert len(answer["users"]) == 100
    assert answer["next_cursor"]


def test_an_event_makes_its_user_known(api: httpx.Client, fresh: Callable[[str], str]) -> None:
    user_id = fresh("user")
    api.post("/events", json={"user_id": user_id, "item_id": "i1", "watch_seconds": 60})
    assert api.get(f"{USERS}/{user_id}").json() == {"user_id": user_id, "attributes": {}}
    api.put(f"{USERS}/{user_id}", json={"attributes": {"age": 9}})
    assert len(api.get(f"{USERS}/{user_id}/events").json()["events"]) == 1


def test_the_history_is_newest_first_and_fifty_by_default(api: httpx.Client, fresh: Callable[[str], str]) -> None:
    user_id = fresh("user")
    payload = [
        {
            "user_id": user_id,
            "item_id": "i3",
            "event_type": "play",
            "value": n,
            "timestamp": 1_700_000_000 + (n * 37) % 60,
            "context": {"n": n},
        }
        for n in range(60)
    ]
    assert api.post("/v1/apps/streaming/events", json=payload).json()["accepted"] == 60
    newest = api.get(f"{USERS}/{user_id}/events").json()["events"]
    assert len(newest) == 50
    everything = api.get(f"{USERS}/{user_id}/events", params={"limit": 1000}).json()["events"]
    assert len(everything) == 60
    assert newest == everything[:50]
    times = [event["timestamp"] for event in everything]
    assert times == sorted(times, reverse=True)
    assert api.get(f"{USERS}/{user_id}/events", params={"limit": 1}).json()["events"] == everything[:1]
    assert everything[0] == {
        "item_id": "i3",
        "event_type": "play",
        "value": 47.0,
        "timestamp": "2023-11-14T22:14:19Z",
        "event_id": None,
        "request_id": None,
        "context": {"n": 47},
    }


def test_erasure_takes_the_user_and_the_events(api: httpx.Client, fresh: Callable[[str], str]) -> None:
    user_id = fresh("user")
    payload = {"user_id": user_id, "item_id": "i5", "watch_seconds": 60, "event_id": fresh("event")}
    api.post("/events", json=payload)
    api.post("/events", json=payload | {"item_id": "i6", "event_id": fresh("event")})
    params: dict[str, str | int] = {"user_id": user_id, "k": 1000}
    assert api.get("/recommendations", params=params).json()["fallback_used"] is False
    erased = api.delete(f"{USERS}/{user_id}")
    assert (erased.status_code, erased.json()) == (200, {"user_id": user_id, "events": 2})
    assert api.get("/recommendations", params=params).json()["fallback_used"] is True
    assert api.get("/history", params={"user_id": user_id}).json()["items"] == []
    assert api.get(f"{USERS}/{user_id}/events").json()["events"] == []
    feed = api.get("/v1/apps/streaming/feeds/home", params={"user_id": user_id}).json()
    assert feed["cold_start"] is True
    assert api.get(f"{USERS}/{user_id}").status_code == 404
    assert api.delete(f"{USERS}/{user_id}").status_code == 404


def test_an_erased_user_may_come_again_as_a_stranger(api: httpx.Client, fresh: Callable[[str], str]) -> None:
    user_id = fresh("user")
    payload = {"user_id": user_id, "item_id": "i5", "watch_seconds": 60, "event_id": fresh("event")}
    api.put(f"{USERS}/{user_id}", json={"attributes": {"age": 77}})
    api.post("/events", json=payload)
    api.delete(f"{USERS}/{user_id}")
    assert api.post("/events", json=payload).json() == {"accepted": 1, "duplicates": 0, "rejected": []}
    assert len(api.get("/history", params={"user_id": user_id}).json()["items"]) == 1
    assert api.get(f"{USERS}/{user_id}").json()["attributes"] == {}
    assert api.get("/recommendations", params={"user_id": user_id}).json()["fallback_used"] is False


def test_an_app_cannot_see_the_users_of_another(api: httpx.Client, served: Served) -> None:
    assert api.get(f"{FILMS}/u1").status_code == 404
    assert api.delete(f"{FILMS}/u1").status_code == 404
    assert api.get(f"{FILMS}/u1/events").json()["events"] == []
    assert api.get(f"{USERS}/u1").status_code == 200


def test_a_user_beyond_a_limit_is_refused(api: httpx.Client, fresh: Callable[[str], str]) -> None:
    user_id = fresh("user")
    wide = {"attributes": {"any": ["x" * 1_000] * 150}}
    answer = api.put(f"{USERS}/{user_id}", json=wide)
    assert (answer.status_code, answer.json()["detail"]) == (
        422,
        "attributes: more than 65,536 bytes as JSON; send less",
    )
    assert api.get(f"{USERS}/{user_id}").status_code == 404
    half = {"attributes": {"one": "x" * 40_000}}
    assert api.put(f"{USERS}/{user_id}", json=half).status_code == 200
    assert api.patch(f"{USERS}/{user_id}", json=wide).status_code == 422
    assert api.patch(f"{USERS}/{user_id}", json={"attributes": {"two": "x" * 40_000}}).status_code == 422
    assert api.get(f"{USERS}/{user_id}").json()["attributes"] == half["attributes"]
    assert api.patch(f"{USERS}/{user_id}", json={"attributes": {"one": None}}).json()["attributes"] == {}


def test_an_edit_of_a_user_does_not_take_back_what_they_refused_or_blocked(
    api: httpx.Client, fresh: Callable[[str], str]
) -> None:
    resident = f"/v1/apps/community/users/{fresh('resident')}"
    api.put(resident, json={"attributes": {"community_id": "c1"}})
    api.patch(resident, json={"attributes": {"opt_out": True, "blocked_creators": ["u7"]}})
    moved = api.put(resident, json={"attributes": {"community_id": "c2"}}).json()
    assert moved["attributes"] == {"community_id": "c2", "opt_out": True, "blocked_creators": ["u7"]}
    named = {"community_id": "c2", "opt_out": False, "blocked_creators": []}
    assert api.put(resident, json={"attributes": named}).json()["attributes"] == named


def test_all_that_is_stored_of_a_user_is_exported(
    api: httpx.Client, fresh: Callable[[str], str], new_item: Callable[..., str]
) -> None:
    user_id, item_id = fresh("user"), new_item()
    api.put(f"{USERS}/{user_id}", json={"attributes": {"age": 30}})
    event = {"user_id": user_id, "item_id": item_id, "event_type": "play", "value": 60, "event_id": "e"}
    assert api.post("/v1/apps/streaming/events", json=event).status_code == 200
    told = api.get(f"{USERS}/{user_id}/export").json()
    assert (told["user_id"], told["attributes"], told["impressions"]) == (user_id, {"age": 30}, [])
    assert [(row["item_id"], row["event_id"], row["value"]) for row in told["events"]] == [(item_id, "e", 60)]
    assert api.get(f"{USERS}/{fresh('nobody')}/export").status_code == 404
