"""Features over HTTP: of users and items that are known, many at a time."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

URL = "/v1/apps/streaming/features"


def test_users_and_items_are_described_as_they_are_now(
    api: httpx.Client, new_item: Callable[..., str], fresh: Callable[[str], str]
) -> None:
    item, user = new_item(genre="Drama"), fresh("user")
    asked = {"user_ids": [user, "nobody"], "item_ids": [item, "nowhere"]}
    assert api.post(URL, json=asked).json()["users"] == {}
    for seconds in (60, 90):
        api.post(
            "/events", json={"user_id": user, "item_id": item, "watch_seconds": seconds, "event_id": fresh("e")}
        )
    api.patch(f"/v1/apps/streaming/users/{user}", json={"attributes": {"region": "north"}})
    api.patch(f"/v1/apps/streaming/items/{item}", json={"attributes": {"genre": "Comedy"}, "hidden": True})
    found = api.post(URL, json=asked).json()
    assert (set(found["users"]), set(found["items"])) == ({user}, {item})
    told = found["users"][user]
    assert (told["attributes"], told["embedding"]) == ({"region": "north"}, None)
    assert (told["history"]["events"], told["history"]["latest_items"]) == ({"play": 2}, [item, item])
    assert found["items"][item]["attributes"]["genre"] == ["Comedy"]
    assert found["items"][item]["available"] is False


def test_nothing_asked_is_nothing_answered(api: httpx.Client) -> None:
    assert api.post(URL, json={}).json() == {"users": {}, "items": {}}


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({"user_ids": ["u"] * 600, "item_ids": ["i"] * 600}, "expected up to 1,000 in all"),
        ({"user_ids": ["u"] * 1_001}, "user_ids"),
        ({"user_ids": ["\0"]}, "user_ids"),
        ({"user_ids": [""]}, "user_ids"),
        ({"user_ids": [7]}, "user_ids"),
        ({"users": []}, "users"),
        ([], "body"),
    ],
)
def test_what_cannot_be_asked_is_refused(api: httpx.Client, body: object, detail: str) -> None:
    answer = api.post(URL, json=body)
    assert answer.status_code == 422
    assert detail in answer.text


def test_the_feature_store_is_told_of(api: httpx.Client) -> None:
    assert api.get("/readyz").json()["features"] == {"store": "memory", "trouble": None}
    metrics = api.get("/metrics").text
    assert 'homefeed_feature_store_up{store="memory"} 1.0' in metrics
    assert 'homefeed_feature_store_values_total{outcome="miss",store="memory"}' in metrics
    assert 'homefeed_feature_store_seconds_bucket{le="0.001",store="memory"}' in metrics
