"""The marketplace contract over HTTP, line by line, as a client written against it would call."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
import polars as pl
import pytest
from pydantic import TypeAdapter
from tests.apps.answers import ok, refused
from tests.apps.marketplace.marketplace_sample import (
    API,
    GENERIC,
    POINTS,
    RECIPE,
    Marketplace,
    engagement,
    fill,
    haversine_km,
    location,
    poster_quality,
    recency,
    serving,
    tags,
)

from homefeed.apps.marketplace.schemas import Near, Recommended
from homefeed.environment import system_clock
from homefeed.ingest import Files, import_files
from homefeed.store import open_store

if TYPE_CHECKING:
    from tests.conftest import NewStore, StartServer

SEVEN = {
    "distance_decay": 0.25,
    "tag_jaccard": 0.20,
    "engagement": 0.15,
    "recency": 0.10,
    "creator_quality": 0.10,
    "collaborative_score": 0.10,
    "content_taste": 0.10,
}
HERE = {"latitude": -41.3, "longitude": 174.8}
"""Where the sample has no listings."""


@pytest.fixture(scope="module")
def market(
    tmp_path_factory: pytest.TempPathFactory, new_store: NewStore, start_server: StartServer
) -> Iterator[Marketplace]:
    """One server for all tests: each uses users and listings of its own where it changes anything."""
    home = tmp_path_factory.mktemp("marketplace")
    with new_store("sqlite", home) as url:
        report = asyncio.run(fill(url, home))
        with serving(start_server, url, home) as client:
            yield Marketplace(client, url, home, report)


@pytest.fixture
def api(market: Marketplace) -> httpx.Client:
    return market.api


@pytest.fixture
def user(api: httpx.Client) -> Callable[..., str]:
    """Signs users up; answers their ids."""

    def create(**told: Any) -> str:
        user_uid = str(uuid4())
        created(api.post(f"{API}/users", json={"user_uid": user_uid, **told}))
        return user_uid

    return create


@pytest.fixture
def listing(api: httpx.Client, fresh: Callable[[str], str]) -> Iterator[Callable[..., str]]:
    """Creates listings; answers their ids, and deletes them in the end."""
    made = []

    def create(**attributes: Any) -> str:
        made.append(fresh("listing"))
        told = {"title": "Walk a dog", "status": "open", "tags": ["dogs"], "location": HERE} | attributes
        body = {"created_at": told.pop("created_at", None), "attributes": told}
        ok(api.put(f"{GENERIC}/items/{made[-1]}", json={k: v for k, v in body.items() if v is not None}))
        return made[-1]

    yield create
    for listing_id in made:
        api.delete(f"{GENERIC}/items/{listing_id}")


def created(answer: httpx.Response) -> Any:
    return ok(answer, 201)


def feed(api: httpx.Client, user_uid: str, **asked: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ok(api.get(f"{API}/feed", params={"user_uid": user_uid, **asked}))
    return found


def ids(listings: list[dict[str, Any]]) -> list[str]:
    return [each["listing_id"] for each in listings]


def act(api: httpx.Client, user_uid: str, listing_id: str, kind: str, **metadata: Any) -> Any:
    body = {"interaction_type": kind, "metadata": metadata}
    return created(api.post(f"{API}/feed/interactions/{listing_id}", params={"user_uid": user_uid}, json=body))


def prefer(api: httpx.Client, user_uid: str, **preferences: Any) -> Any:
    return ok(api.patch(f"{API}/feed/preferences", params={"user_uid": user_uid}, json=preferences))


def trace(api: httpx.Client, user_uid: str, listing_id: str) -> dict[str, Any]:
    asked = {"feed": "feed", "user_id": user_uid, "item_id": listing_id}
    found: dict[str, Any] = ok(api.get(f"{GENERIC}/explain", params=asked))
    return found


# The data


def test_what_was_generated_is_imported_without_a_complaint(market: Marketplace) -> None:
    loaded = {told.path.split("/")[-1]: told.loaded for told in market.report.files}
    assert loaded == {"users.parquet": 80, "listings.parquet": 300, "interactions.parquet": 4_000}
    assert not any(told.rejected or told.warnings for told in market.report.files)


# The feed


def test_the_feed_is_an_array_of_listings_best_first(market: Marketplace) -> None:
    answer = market.api.get(f"{API}/feed", params={"user_uid": market.active, "limit": 20})
    TypeAdapter(list[Recommended]).validate_json(answer.content, strict=True)
    found = ok(answer)
    assert len(found) == 20 == len(set(ids(found)))
    for each in found:
        told = market.listings[each["listing_id"]]
        assert each["title"] == told["title"]
        assert [tag["id"] for tag in each["tags"]] == told["tags"]
        assert [tag["name"] for tag in each["tags"]] == told["tag_names"]
        assert (each["latitude"], each["longitude"]) == (told["latitude"], told["longitude"])
        assert each["compensation"] == told["compensation"]
        assert each["poster_uid"] == told["poster_uid"]
        assert each["status"] == "open"
        assert each["reason"]
    # All but the two places that are for what is new.
    scores = [each["recommendation_score"] for place, each in enumerate(found) if place not in (9, 19)]
    assert scores == sorted(scores, reverse=True)


def test_a_limit_is_from_1_to_100(market: Marketplace) -> None:
    assert [len(feed(market.api, market.active, limit=limit)) for limit in (1, 7)] == [1, 7]
    assert 7 < len(feed(market.api, market.active, limit=100)) <= 100


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 101}, "limit"),
        ({"offset": -1}, "offset"),
        ({"user_uid": "someone"}, "user_uid"),
        ({"exclude_seen": "perhaps"}, "exclude_seen"),
    ],
)
def test_what_cannot_be_asked_for_is_refused(api: httpx.Client, asked: dict[str, Any], words: str) -> None:
    refused(api.get(f"{API}/feed", params={"user_uid": str(uuid4()), **asked}), 422, words)
    refused(api.get(f"{API}/feed"), 422, "user_uid")


def test_the_trace_has_all_seven_and_they_sum_to_the_score(market: Marketplace) -> None:
    now, mean = datetime.now(UTC), [row["poster_rating"] for row in market.listings.values()]
    rated = [rating for rating in mean if rating is not None]
    done = engagement(market.interactions)
    alive = {
        listing_id
        for listing_id, row in market.listings.items()
        if not market.api.get(f"{GENERIC}/items/{listing_id}").json().get("hidden")
    }
    most = max(points for listing_id, points in done.items() if listing_id in alive)
    user = market.users[market.active]
    for each in feed(market.api, market.active, limit=5):
        told = trace(market.api, market.active, each["listing_id"])
        terms = {term["name"]: term for term in told["features"] if term["name"] in SEVEN}
        assert terms.keys() == SEVEN.keys()
        for name, weight in SEVEN.items():
            assert 0 <= terms[name]["value"] <= 1
            assert terms[name]["contribution"] == pytest.approx(weight * terms[name]["value"], abs=1e-6)
        total = sum(term["contribution"] for term in told["features"])
        assert total == pytest.approx(each["recommendation_score"], abs=1e-4)
        row = market.listings[each["listing_id"]]
        raw = {name: terms[name]["value"] for name in SEVEN}
        assert raw["distance_decay"] == pytest.approx(location(user, row), abs=1e-5)
        assert raw["tag_jaccard"] == pytest.approx(tags(user, row), abs=1e-5)
        assert raw["engagement"] == pytest.approx(done.get(each["listing_id"], 0) / most, abs=1e-4)
        assert raw["recency"] == pytest.approx(recency(row, now), abs=1e-3)
        assert raw["creator_quality"] == pytest.approx(poster_quality(row, sum(rated) / len(rated)), abs=1e-4)


def test_no_one_is_shown_what_they_met_unless_they_ask(
    api: httpx.Client, user: Callable[..., str], listing: Callable[..., str]
) -> None:
    user_uid, first, second, third, other = user(**HERE), listing(), listing(), listing(), listing()
    act(api, user_uid, first, "view")
    act(api, user_uid, second, "apply")
    act(api, user_uid, third, "dismiss")
    mine = {first, second, third, other}

    def shown(**asked: bool) -> set[str]:
        return mine & set(ids(feed(api, user_uid, limit=100, **asked)))

    assert shown() == {other}
    assert shown(exclude_seen=False) == {first, other}
    assert shown(exclude_applied=False) == {second, other}
    assert shown(exclude_seen=False, exclude_applied=False) == {first, second, other}


def test_what_is_not_open_or_over_is_never_shown(market: Marketplace, listing: Callable[..., str]) -> None:
    soon = datetime.now(UTC) + timedelta(hours=1)
    past = datetime.now(UTC) - timedelta(seconds=1)
    there = listing(expires_at=soon.isoformat())
    gone = [listing(status="filled"), listing(expires_at=past.isoformat()), listing(status=None)]
    near = {**HERE, "radius_km": 5, "limit": 100}
    shown = ids(ok(market.api.post(f"{API}/feed/nearby", json=near)))
    assert there in shown
    assert not set(gone) & set(shown)


# New users


def test_somebody_new_is_shown_what_is_near_and_what_they_picked(
    market: Marketplace, user: Callable[..., str], listing: Callable[..., str]
) -> None:
    """Onboarding: the first feed goes by the interests, and is of more than one kind."""
    old = (datetime.now(UTC) - timedelta(days=20)).isoformat()
    wanted = listing(tags=["falconry"], created_at=old)
    user_uid = user(**HERE, interests=["falconry"])
    best, *_ = feed(market.api, user_uid, limit=10)
    assert best["listing_id"] == wanted
    # Being there adds 0.25, the only interest 0.2: in reasons what added most comes first.
    assert best["reason"] == "Less than 1 km from you"
    far = feed(market.api, user_uid, limit=10, latitude=HERE["latitude"], longitude=HERE["longitude"] + 0.5)
    assert {each["listing_id"]: each["reason"] for each in far}[wanted] == "Matches your interests: falconry"
    unknown = feed(market.api, str(uuid4()), limit=30)
    assert len({tag["id"] for each in unknown for tag in each["tags"]}) > 5


def test_signing_up_says_what_is_stored(api: httpx.Client) -> None:
    body = {"user_uid": str(uuid4()), "latitude": 1.5, "longitude": 2.5, "interests": ["a", "b"]}
    assert created(api.post(f"{API}/users", json=body)) == body
    changed = created(api.post(f"{API}/users", json={"user_uid": body["user_uid"], "interests": ["c"]}))
    assert changed == body | {"interests": ["c"]}
    refused(api.post(f"{API}/users", json={"user_uid": body["user_uid"], "latitude": 1}), 422, "longitude")
    refused(api.post(f"{API}/users", json={"user_uid": "x"}), 422, "user_uid")


# Interactions


@pytest.mark.parametrize("kind", POINTS)
def test_an_interaction_is_created_and_kept_with_its_metadata(
    api: httpx.Client, user: Callable[..., str], listing: Callable[..., str], kind: str
) -> None:
    user_uid, listing_id = user(), listing()
    told = act(api, user_uid, listing_id, kind, time_spent_seconds=12.5, session_id="s", device_type="phone")
    assert (told["user_uid"], told["listing_id"], told["interaction_type"]) == (user_uid, listing_id, kind)
    assert told["accepted"] is True
    (kept,) = ok(api.get(f"{GENERIC}/users/{user_uid}/events"))["events"]
    assert (kept["item_id"], kept["event_type"], kept["value"]) == (listing_id, kind, 12.5)
    assert kept["context"] == {"session_id": "s", "device_type": "phone"}


def test_an_interaction_sent_again_counts_once(
    api: httpx.Client, user: Callable[..., str], listing: Callable[..., str]
) -> None:
    user_uid, listing_id = user(), listing()
    body = {"interaction_type": "save", "interaction_id": "one"}
    path = f"{API}/feed/interactions/{listing_id}"
    answers = [api.post(path, params={"user_uid": user_uid}, json=body) for _ in range(2)]
    assert [created(answer)["accepted"] for answer in answers] == [True, False]


def test_what_cannot_be_taken_is_refused(api: httpx.Client, listing: Callable[..., str]) -> None:
    user_uid, listing_id = str(uuid4()), listing()
    path, asked = f"{API}/feed/interactions/{listing_id}", {"user_uid": user_uid}
    unknown = f"{API}/feed/interactions/no-such-listing"
    refused(api.post(unknown, params=asked, json={"interaction_type": "view"}), 404, "no-such-listing")
    refused(api.post(path, params=asked, json={"interaction_type": "stare"}), 422, "interaction_type")
    refused(api.post(path, params={"user_uid": "x"}, json={"interaction_type": "view"}), 422, "user_uid")
    refused(api.post(path, json={"interaction_type": "view"}), 422, "user_uid")
    refused(api.post(path, params=asked, json={}), 422, "interaction_type")
    bad = {"interaction_type": "view", "metadata": {"time_spent_seconds": -1}}
    refused(api.post(path, params=asked, json=bad), 422, "time_spent_seconds")


def test_of_a_list_the_good_ones_are_kept(
    api: httpx.Client, user: Callable[..., str], listing: Callable[..., str]
) -> None:
    user_uid, listing_id = user(), listing()
    good = {"user_uid": user_uid, "listing_id": listing_id, "interaction_type": "click"}
    bad = [good | {"listing_id": "nowhere"}, good | {"interaction_type": "stare"}, good | {"user_uid": "x"}, 7]
    told = created(api.post(f"{API}/feed/interactions/bulk", json=[good, *bad]))
    assert (told["accepted"], [each["index"] for each in told["rejected"]]) == (1, [1, 2, 3, 4])
    refused(api.post(f"{API}/feed/interactions/bulk", json=good), 422, "list")
    refused(api.post(f"{API}/feed/interactions/bulk", json=[good] * 1_001), 422, "1000")


# Preferences


def test_preferences_are_stored_and_told(api: httpx.Client) -> None:
    user_uid = str(uuid4())
    none: dict[str, Any] = {
        "user_uid": user_uid,
        "max_distance_km": None,
        "preferred_compensation_min": None,
        "preferred_compensation_max": None,
        "preferred_tags": [],
        "blocked_tags": [],
        "personalization_enabled": True,
    }
    assert ok(api.get(f"{API}/feed/preferences", params={"user_uid": user_uid})) == none
    told = {"max_distance_km": 12.5, "preferred_tags": ["a"], "blocked_tags": ["b", "c"]}
    assert prefer(api, user_uid, **told) == none | told
    more = {"preferred_compensation_min": 5, "preferred_compensation_max": 50, "personalization_enabled": False}
    assert prefer(api, user_uid, **more) == none | told | more
    assert prefer(api, user_uid, max_distance_km=None, blocked_tags=[]) == none | told | more | {
        "max_distance_km": None,
        "blocked_tags": [],
    }
    assert ok(api.get(f"{API}/feed/preferences", params={"user_uid": user_uid}))["preferred_tags"] == ["a"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"max_distance_km": 0},
        {"max_distance_km": "far"},
        {"preferred_tags": "a"},
        {"blocked_tags": [1]},
        {"personalization_enabled": "no"},
        {"preferred_compensation_min": 10, "preferred_compensation_max": 5},
        {"colour": "red"},
    ],
)
def test_preferences_that_make_no_sense_are_refused(api: httpx.Client, body: dict[str, Any]) -> None:
    refused(api.patch(f"{API}/feed/preferences", params={"user_uid": str(uuid4())}, json=body), 422)


def test_preferences_are_obeyed_by_the_very_next_request(market: Marketplace, user: Callable[..., str]) -> None:
    api, row = market.api, market.users[market.active]
    where = {"latitude": row["latitude"], "longitude": row["longitude"]}
    user_uid = user(**where, interests=row["interests"])
    before = feed(api, user_uid, limit=100)
    blocked = before[0]["tags"][0]["id"]
    prefer(api, user_uid, blocked_tags=[blocked.upper()])
    after = feed(api, user_uid, limit=100)
    assert after
    assert not any(tag["id"] == blocked for each in after for tag in each["tags"])
    prefer(api, user_uid, max_distance_km=3, blocked_tags=[])
    near = feed(api, user_uid, limit=100)
    assert len(near) > 0
    assert all(haversine_km(where, each) <= 3.02 for each in near)
    prefer(api, user_uid, max_distance_km=None, preferred_compensation_min=30, preferred_compensation_max=60)
    paid = feed(api, user_uid, limit=100)
    assert paid
    assert all(each["compensation"] is None or 30 <= each["compensation"] <= 60 for each in paid)


# Trending, nearby, similar


def test_trending_is_what_happened_in_the_last_hours(
    market: Marketplace, user: Callable[..., str], listing: Callable[..., str]
) -> None:
    api, hot, warm = market.api, listing(title="Hot"), listing(title="Warm")
    for _ in range(40):
        user_uid = str(uuid4())
        act(api, user_uid, hot, "apply")
        act(api, user_uid, warm, "save")
    found = ok(api.get(f"{API}/feed/trending", params={"limit": 5, "hours": 1}))
    TypeAdapter(list[Recommended]).validate_python(found)
    assert ids(found)[:2] == [hot, warm]
    assert len(ok(api.get(f"{API}/feed/trending"))) == 20
    for asked in ({"hours": 0}, {"hours": 169}, {"limit": 101}):
        refused(api.get(f"{API}/feed/trending", params=asked), 422)


def test_trending_before_the_start_is_what_the_files_say(market: Marketplace) -> None:
    found = ok(market.api.get(f"{API}/feed/trending", params={"limit": 100, "hours": 168}))
    since = (datetime.now(UTC) - timedelta(days=7)).isoformat()
    recent = set(market.interactions.filter(pl.col("timestamp") >= since[:19])["listing_id"])
    known = [each for each in ids(found) if each in market.listings]
    assert len(known) > 20
    assert set(known) <= recent


def test_nearby_is_within_the_radius_nearest_first(market: Marketplace) -> None:
    row = market.users[market.active]
    body = {"latitude": row["latitude"], "longitude": row["longitude"], "radius_km": 10.0, "limit": 20}
    answer = market.api.post(f"{API}/feed/nearby", json=body)
    TypeAdapter(list[Near]).validate_json(answer.content, strict=True)
    found = ok(answer)
    kms = [each["distance_km"] for each in found]
    assert 0 < len(found) <= 20
    assert kms == sorted(kms)
    assert kms[-1] <= 10
    for each in found:
        assert each["distance_km"] == pytest.approx(haversine_km(row, each), rel=6e-3, abs=2e-3)
    assert len(ok(market.api.post(f"{API}/feed/nearby", json=body | {"radius_km": kms[2] + 1e-3}))) == 3
    for wrong in ({"latitude": 91}, {"radius_km": 0}, {"limit": 101}, {"longitude": None}):
        refused(market.api.post(f"{API}/feed/nearby", json=body | wrong), 422)


def test_similar_listings_are_alike(market: Marketplace, listing: Callable[..., str]) -> None:
    api = market.api
    one = listing(title="Feed a falcon", tags=["falconry"])
    two = listing(title="Feed two falcons", tags=["falconry"])
    asyncio.run(asyncio.sleep(0.5))
    found = ok(api.get(f"{API}/feed/similar/{one}", params={"limit": 10}))
    TypeAdapter(list[Recommended]).validate_python(found)
    assert ids(found)[0] == two
    assert one not in ids(found)
    refused(api.get(f"{API}/feed/similar/nowhere"), 404, "nowhere")
    refused(api.get(f"{API}/feed/similar/{one}", params={"limit": 0}), 422)


# New listings


def test_a_new_listing_is_eligible_at_once(market: Marketplace, listing: Callable[..., str]) -> None:
    new = listing(created_at=datetime.now(UTC).isoformat())
    near = ok(market.api.post(f"{API}/feed/nearby", json={**HERE, "radius_km": 5, "limit": 100}))
    assert new in ids(near)


def test_a_new_listing_is_shown_within_the_first_requests_of_those_near(
    market: Marketplace, user: Callable[..., str], listing: Callable[..., str]
) -> None:
    """Whatever ranks above it: nobody near picked what it is about, and a hundred others are better."""
    old = (datetime.now(UTC) - timedelta(days=3)).isoformat()
    for _ in range(30):
        listing(tags=["dogs"], created_at=old, poster_rating=5, poster_completed_count=900)
    new = listing(tags=["knots"], created_at=(datetime.now(UTC) - timedelta(minutes=1)).isoformat())
    eligible = time.monotonic() + 5
    while new not in ids(feed(market.api, user(**HERE, interests=["dogs"]), limit=20)):
        assert time.monotonic() < eligible


def test_what_the_feed_is_made_of_has_the_contracts_weights(api: httpx.Client) -> None:
    assert math.isclose(sum(SEVEN.values()), 1.0)
    feeds = {each["feed"]: each for each in ok(api.get("/v1/apps"))["apps"][0]["feeds"]}
    assert feeds["feed"]["home"]
    assert feeds["feed"]["cold_start"] == "new_user"
    assert feeds["feed"]["ranked_by"] == "weighted"


# What was tried to break it


def test_a_listing_with_an_absurd_count_stops_no_list(market: Marketplace, listing: Callable[..., str]) -> None:
    odd, other = listing(poster_completed_count=1e30, poster_rating=50), listing()
    found = ok(market.api.post(f"{API}/feed/nearby", json={**HERE, "radius_km": 5, "limit": 100}))
    shown = {each["listing_id"]: each["poster_completed_count"] for each in found}
    assert {odd, other} <= shown.keys()
    assert shown[odd] is None


def test_who_opts_out_in_mid_scroll_is_known_no_more(market: Marketplace, user: Callable[..., str]) -> None:
    api, row = market.api, market.users[market.active]
    user_uid = user(latitude=row["latitude"], longitude=row["longitude"], interests=row["interests"])
    whole = ids(feed(api, user_uid, limit=60))
    first = ids(feed(api, user_uid, limit=5))
    assert first == whole[:5]
    prefer(api, user_uid, personalization_enabled=False)
    after = feed(api, user_uid, limit=30, offset=5)
    assert not set(first) & set(ids(after))
    assert ids(after) != whole[5:35]
    assert not any("from you" in each["reason"] or "interests" in each["reason"] for each in after)


def test_changes_that_overlap_are_all_kept(api: httpx.Client) -> None:
    for _ in range(5):
        user_uid = str(uuid4())
        changes: list[dict[str, Any]] = [
            {"max_distance_km": 5},
            {"blocked_tags": ["a"]},
            {"personalization_enabled": False},
        ]
        with ThreadPoolExecutor(4) as pool:
            signed = pool.submit(api.post, f"{API}/users", json={"user_uid": user_uid, "interests": ["b"]})
            told = [pool.submit(prefer, api, user_uid, **change) for change in changes]
            created(signed.result())
            [each.result() for each in told]
        kept = ok(api.get(f"{API}/feed/preferences", params={"user_uid": user_uid}))
        assert (kept["max_distance_km"], kept["blocked_tags"]) == (5, ["a"])
        assert kept["personalization_enabled"] is False


def test_bounds_that_make_no_sense_stand_in_the_way_of_nothing_else(api: httpx.Client) -> None:
    user_uid = str(uuid4())
    bounds = {"preferred_compensation_min": 100, "preferred_compensation_max": 50}
    ok(api.put(f"{GENERIC}/users/{user_uid}", json={"attributes": bounds}))
    assert prefer(api, user_uid, personalization_enabled=False)["personalization_enabled"] is False
    told = {"user_uid": user_uid, "interests": ["a"], "latitude": 1, "longitude": 2}
    assert created(api.post(f"{API}/users", json=told))["interests"] == ["a"]
    again = created(api.post(f"{API}/users", json={"user_uid": user_uid, "latitude": 3, "longitude": 4}))
    assert again["interests"] == ["a"], "what is not named stays"
    refused(
        api.patch(
            f"{API}/feed/preferences", params={"user_uid": user_uid}, json={"preferred_compensation_max": 60}
        ),
        422,
        "100 is above preferred_compensation_max, 60",
    )


def test_what_is_near_another_listing_is_not_said_to_be_near_you(market: Marketplace) -> None:
    (one, *_) = market.listings
    found = ok(market.api.get(f"{API}/feed/similar/{one}", params={"limit": 50}))
    assert found
    assert not any("from you" in each["reason"] for each in found)


def test_trending_leaves_out_what_posters_do_to_their_own(
    market: Marketplace, user: Callable[..., str], listing: Callable[..., str]
) -> None:
    poster = user()
    own = listing(poster_uid=poster)
    for _ in range(60):
        act(market.api, poster, own, "apply")
    assert own not in ids(ok(market.api.get(f"{API}/feed/trending", params={"limit": 100, "hours": 2})))


def test_another_way_of_writing_a_uuid_is_no_other_user(api: httpx.Client, user: Callable[..., str]) -> None:
    user_uid = user()
    prefer(api, user_uid.upper(), blocked_tags=["a"])
    assert ok(api.get(f"{API}/feed/preferences", params={"user_uid": user_uid}))["blocked_tags"] == ["a"]
    refused(api.put(f"{GENERIC}/users/{user_uid.upper()}", json={"attributes": {}}), 422, "user_id: expected one")
    event = {"user_id": user_uid.upper(), "item_id": "any", "event_type": "view"}
    refused(api.post(f"{GENERIC}/events", json=event), 422, "user_id: expected one")


async def test_a_uuid_in_capitals_is_told_by_the_import(tmp_path: Path, new_store: NewStore) -> None:
    one, two = str(uuid4()), str(uuid4())
    (tmp_path / "users.csv").write_text(f"user_uid,personalization_enabled\n{one},false\n{two.upper()},false\n")
    with new_store("sqlite", tmp_path) as url:
        async with open_store(url) as store:
            report = await import_files(store, RECIPE, Files(users=tmp_path / "users.csv"), now=system_clock())
    (told,) = report.files
    assert told.loaded == 1
    (why,) = told.rejected
    assert "the recipe's users.id_pattern" in str(why)
