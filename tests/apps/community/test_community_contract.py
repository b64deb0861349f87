"""The community contract over HTTP, sentence by sentence, as a client written against it would call."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import cycle
from typing import Final, TypeAlias

import httpx
import pytest
from tests.apps.community.community_sample import (
    EXPLAIN,
    FEED,
    FEEDBACK,
    WEIGHTS,
    Json,
    Town,
    crowded,
    every,
    foreign_to,
    generated,
    get_page,
    send,
    served,
    shown,
    why,
)

from homefeed.apps.community.schemas import HomefeedOut

GENERIC: Final = "/v1/apps/community"
TYPES: Final = ("post", "event", "service", "offer", "poll", "announcement")

Someone: TypeAlias = Callable[[], str]


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Town:
    return asyncio.run(generated(tmp_path_factory.mktemp("town"), users=120, items=300, events=4_000))


@pytest.fixture(scope="module")
def http(town: Town) -> Iterator[httpx.Client]:
    with served(town.home) as client:
        yield client


@pytest.fixture(scope="module")
def someone(town: Town) -> Someone:
    """Residents with a history, one after the other: none is in two tests."""
    residents = iter(sorted(town.warm, key=lambda user: (len(user), user)))
    return lambda: next(residents)


def too_many(town: Town, found: list[str], items: list[str]) -> set[str]:
    """Those that would be too many of one creator if they came next, after what was found."""
    creators = [town.items[item]["creator_id"] for item in found[-9:]]
    return {item for item in items if crowded([*creators, town.items[item]["creator_id"]])}


class TestHomefeed:
    def test_a_page_is_as_the_contract_says(self, http: httpx.Client, town: Town, someone: Someone) -> None:
        user = someone()
        answer = http.get(FEED, params={"user_id": user})
        HomefeedOut.model_validate_json(answer.content, strict=True, extra="forbid")
        page = answer.json()
        assert list(page) == ["user_id", "request_id", "cold_start", "next_cursor", "items"]
        assert (page["user_id"], page["request_id"]) == (user, answer.headers["X-Request-ID"])
        assert page["cold_start"] is False
        assert isinstance(page["next_cursor"], str)
        assert len(page["items"]) == 20
        for entry in page["items"]:
            row = town.items[entry["item_id"]]
            assert list(entry) == ["item_id", "title", "item_type", "creator_id", "score", "reason", "sources"]
            assert all(entry[name] == row[name] for name in ("title", "item_type", "creator_id"))
            assert isinstance(entry["score"], float)
            assert entry["reason"]
            assert set(entry["sources"]) & {"item_id", "item_item", "content", "popular", "fresh"}

    @pytest.mark.parametrize("limit", [1, 2, 37, 100])
    def test_a_limit_is_kept(self, http: httpx.Client, town: Town, limit: int) -> None:
        quiet = next(user for user in town.cold if len(town.neighbours(user)) > 60)
        assert len(get_page(http, quiet, limit=limit)["items"]) == min(limit, len(every(http, quiet)))

    @pytest.mark.parametrize("limit", ["0", "101", "-1", "x", "", "1.5", "1e2"])
    def test_a_limit_is_one_to_a_hundred(self, http: httpx.Client, limit: str) -> None:
        answer = http.get(FEED, params={"user_id": "u1", "limit": limit})
        assert answer.status_code == 422
        assert "limit" in answer.json()["detail"]

    @pytest.mark.parametrize("query", ["", "?user_id=", "?limit=5", f"?user_id={'x' * 256}", "?user_id=%00"])
    def test_the_user_must_be_named(self, http: httpx.Client, query: str) -> None:
        for path in (FEED, EXPLAIN):
            answer = http.get(f"{path}{query}{'&' if query else '?'}item_id=i1")
            assert answer.status_code == 422
        assert "user_id" in http.get(f"{FEED}{query}").json()["detail"]

    @pytest.mark.parametrize("types", [*([kind] for kind in TYPES), ["post", "poll"], list(TYPES)])
    def test_only_items_of_the_types_are_shown(self, http: httpx.Client, town: Town, types: list[str]) -> None:
        user = town.warm[-1]
        found = every(http, user, types=types, limit=5)
        assert {town.items[item]["item_type"] for item in found} <= set(types)
        whole = [item for item in every(http, user) if town.items[item]["item_type"] in types]
        # Of near-duplicates the best stays, and exploration may bring up another one in the whole feed.
        originals = {town.original(item) for item in found}
        missing = {item for item in set(whole) - set(found) if town.original(item) not in originals}
        assert missing <= too_many(town, found, whole)

    def test_who_asks_for_one_creator_gets_all_of_theirs(self, http: httpx.Client, town: Town) -> None:
        user = town.warm[-1]
        whole = Counter(town.items[item]["creator_id"] for item in every(http, user))
        creator, count = whole.most_common(1)[0]
        assert count > 2
        page = http.get(
            "/v1/apps/community/feeds/home",
            params={"user_id": user, "n": 100, "filter": f"creator_id:{creator}"},
        ).json()
        assert {item["attributes"]["creator_id"] for item in page["items"]} == {creator}
        assert len(page["items"]) >= count

    @pytest.mark.parametrize("types", [["advert"], ["post", "Post"], [""]])
    def test_an_unknown_type_is_an_error(self, http: httpx.Client, types: list[str]) -> None:
        answer = http.get(FEED, params={"user_id": "u1", "types": types})
        assert answer.status_code == 422
        assert "types" in answer.json()["detail"]

    @pytest.mark.parametrize("cursor", ["x", "0", "!", "eJwz0LG2BgACSgDy0"])
    def test_a_cursor_of_someone_elses_making_is_an_error(self, http: httpx.Client, cursor: str) -> None:
        answer = http.get(FEED, params={"user_id": "u1", "cursor": cursor})
        assert answer.status_code == 422
        assert "cursor" in answer.json()["detail"]

    @pytest.mark.parametrize("limit", [1, 7, 100])
    def test_pages_neither_repeat_nor_skip_an_item_while_events_arrive_between_them(
        self, http: httpx.Client, town: Town, someone: Someone, limit: int
    ) -> None:
        reader, others = someone(), cycle(town.warm[-20:])
        before, kinds = (
            every(http, reader, limit=100),
            cycle(("view", "click", "like", "comment", "share", "save")),
        )

        def meanwhile(page: Json) -> None:
            for other in (next(others), next(others)):
                send(http, other, town.neighbours(other)[len(page["items"])], next(kinds))
            if page["items"]:
                send(http, reader, page["items"][-1]["item_id"], "click")

        found = every(http, reader, meanwhile, limit=limit)
        assert len(set(found)) == len(found)
        assert crowded([town.items[item]["creator_id"] for item in found]) == []
        originals = {town.original(item) for item in found}
        assert len(originals) == len(found)
        missing = {item for item in before if town.original(item) not in originals}
        assert missing <= too_many(town, found, before)

    def test_an_unknown_user_gets_nothing_that_belongs_to_a_community(self, http: httpx.Client) -> None:
        assert http.put(f"{GENERIC}/users/homeless", json={"attributes": {"block": "N1"}}).status_code == 200
        for user in ("never seen", "homeless"):
            page = get_page(http, user)
            assert (page["items"], page["cold_start"], page["next_cursor"]) == ([], True, None)

    def test_a_resident_without_a_history_is_marked_so(self, http: httpx.Client, town: Town) -> None:
        page = get_page(http, town.cold[0])
        assert page["cold_start"] is True
        assert len(page["items"]) == 20


class TestFeedback:
    @pytest.mark.parametrize("kind", list(WEIGHTS))
    def test_one_event_of_each_type_is_taken(
        self, http: httpx.Client, town: Town, someone: Someone, kind: str
    ) -> None:
        user = someone()
        send(http, user, town.neighbours(user)[0], kind)
        assert http.get(f"{GENERIC}/users/{user}/events").json()["events"][0]["event_type"] == kind

    def test_all_that_the_contract_names_is_kept(self, http: httpx.Client, town: Town, someone: Someone) -> None:
        user = someone()
        page = get_page(http, user)
        sent = {
            "event_id": "one of a kind",
            "request_id": page["request_id"],
            "position": 3,
            "dwell_seconds": 12.5,
        }
        send(http, user, page["items"][3]["item_id"], "view", created_at="2025-12-31T23:59:59.5Z", **sent)
        kept = http.get(f"{GENERIC}/users/{user}/events").json()["events"][0]
        assert kept == {
            "item_id": page["items"][3]["item_id"],
            "event_type": "view",
            "value": 12.5,
            "timestamp": "2025-12-31T23:59:59.500000Z",
            "event_id": "one of a kind",
            "request_id": page["request_id"],
            "context": {"position": 3},
        }

    def test_of_a_list_the_good_ones_are_kept(self, http: httpx.Client, town: Town, someone: Someone) -> None:
        user = someone()
        own, foreign = town.neighbours(user)[0], foreign_to(town, user)[0]
        good = {"user_id": user, "item_id": own, "event_type": "like", "event_id": f"by {user}"}
        bad: list[Json] = [
            {"item_id": "nothing"},
            {"item_id": foreign},
            {"event_type": "wave"},
            {"dwell_seconds": -1},
            {"by": 1},
        ]
        answer = http.post(FEEDBACK, json=[good, *(good | one for one in bad), good, 7])
        body = answer.json()
        assert (answer.status_code, body["accepted"], body["duplicates"]) == (200, 1, 1)
        assert [one["index"] for one in body["rejected"]] == [1, 2, 3, 4, 5, 7]
        errors = [one["error"] for one in body["rejected"]]
        assert errors[:2] == [f'item_id: no item "{item}" in community' for item in ("nothing", foreign)]
        for error, names in zip(errors[2:5], ("event_type", "dwell_seconds", "by"), strict=True):
            assert names in error

    def test_an_event_sent_again_counts_once(self, http: httpx.Client, town: Town, someone: Someone) -> None:
        user = someone()
        items = town.neighbours(user)
        named = {"user_id": user, "item_id": items[0], "event_type": "view", "event_id": f"again {user}"}
        before = len(http.get(f"{GENERIC}/users/{user}/events?limit=1000").json()["events"])
        counts = [
            http.post(FEEDBACK, json=body).json()
            for body in (named, named, [named, named | {"event_type": "save"}, named])
        ]
        assert [(one["accepted"], one["duplicates"]) for one in counts] == [(1, 0), (0, 1), (0, 2)]
        assert [one["index"] for one in counts[2]["rejected"]] == [1]
        assert http.post(FEEDBACK, json=named | {"event_type": "save"}).status_code == 409
        assert len(http.get(f"{GENERIC}/users/{user}/events?limit=1000").json()["events"]) == before + 1

    def test_a_hide_is_not_lost_to_a_strangers_event_id(
        self, http: httpx.Client, town: Town, someone: Someone
    ) -> None:
        stranger, user = someone(), someone()
        item = get_page(http, user)["items"][0]["item_id"]
        send(http, stranger, town.neighbours(stranger)[0], "view", event_id="hide-1")
        hide = {"user_id": user, "item_id": item, "event_type": "hide", "event_id": "hide-1"}
        assert http.post(FEEDBACK, json=hide).json() == {"accepted": 1, "duplicates": 0, "rejected": []}
        assert item not in {one["item_id"] for one in get_page(http, user)["items"]}

    def test_a_page_named_is_the_residents_own(self, http: httpx.Client, someone: Someone) -> None:
        stranger, user = someone(), someone()
        theirs, page = get_page(http, stranger), get_page(http, user)
        event = {"user_id": user, "item_id": page["items"][0]["item_id"], "event_type": "view"}
        refused = http.post(FEEDBACK, json=event | {"request_id": theirs["request_id"]})
        assert (refused.status_code, refused.json()["detail"]) == (
            422,
            f'request_id: "{theirs["request_id"]}" is that of a page shown to another user; '
            "send that of this user's page, or none",
        )
        assert http.post(FEEDBACK, json=event | {"request_id": page["request_id"]}).json()["accepted"] == 1

    @pytest.mark.parametrize(
        ("change", "status", "names"),
        [
            ({"event_type": "wave"}, 422, "event_type"), ({"event_type": None}, 422, "event_type"),
            ({"item_id": "nothing"}, 404, "nothing"), ({"item_id": ""}, 422, "item_id"),
            ({"user_id": ""}, 422, "user_id"), ({"user_id": None}, 422, "user_id"),
            ({"dwell_seconds": -1}, 422, "dwell_seconds"), ({"dwell_seconds": 86_401}, 422, "dwell_seconds"),
            ({"dwell_seconds": "long"}, 422, "dwell_seconds"), ({"position": -1}, 422, "position"),
            ({"position": 1.5}, 422, "position"), ({"created_at": "yesterday"}, 422, "created_at:"),
            ({"created_at": "2026-01-03T00:00:00Z"}, 422, "created_at:"), ({"watched": 1}, 422, "watched"),
        ],
    )  # fmt: skip
    def test_a_single_event_that_cannot_be_used_is_an_error(
        self, http: httpx.Client, town: Town, change: Json, status: int, names: str
    ) -> None:
        user = town.cold[0]
        event: Json = {"user_id": user, "item_id": town.neighbours(user)[0], "event_type": "view"}
        answer = http.post(FEEDBACK, json=event | change)
        assert answer.status_code == status
        assert names in answer.json()["detail"]
        assert get_page(http, user)["cold_start"] is True

    def test_an_item_of_another_community_is_as_unknown_as_none(self, http: httpx.Client, town: Town) -> None:
        user = town.cold[0]
        foreign = foreign_to(town, user)[0]
        details = []
        for item in (foreign, "nothing"):
            answer = http.post(FEEDBACK, json={"user_id": user, "item_id": item, "event_type": "like"})
            assert answer.status_code == 404
            details.append(answer.json()["detail"].replace(item, "it"))
        assert details[0] == details[1]

    def test_events_of_the_undeclared_are_an_error_that_says_what_to_do(
        self, http: httpx.Client, town: Town
    ) -> None:
        event = {"user_id": "nobody", "item_id": next(iter(town.items)), "event_type": "like"}
        words = 'user_id: no user "nobody" in community; create them with their community_id first'
        answer = http.post(FEEDBACK, json=event)
        assert (answer.status_code, answer.json()["detail"]) == (404, words)
        answer = http.post(FEEDBACK, json=[event])
        assert answer.json() == {"accepted": 0, "duplicates": 0, "rejected": [{"index": 0, "error": words}]}

    def test_a_list_holds_up_to_a_thousand(self, http: httpx.Client, town: Town, someone: Someone) -> None:
        user = someone()
        event = {"user_id": user, "item_id": town.neighbours(user)[0], "event_type": "view"}
        assert http.post(FEEDBACK, json=[event] * 1_001).status_code == 422
        assert http.post(FEEDBACK, json=[event] * 1_000).json()["accepted"] == 1_000
        assert http.post(FEEDBACK, json=[]).json() == {"accepted": 0, "duplicates": 0, "rejected": []}

    @pytest.mark.parametrize("kind", ["hide", "report"])
    def test_what_is_hidden_or_reported_goes_at_once_with_all_that_say_the_same(
        self, http: httpx.Client, town: Town, kind: str
    ) -> None:
        copies = {item: town.original(item) for item in town.items if town.original(item) != item}
        tried = 0
        # The others stay without a history, for tests that only ask.
        for user in town.cold[5:-1]:
            both = [(item, of) for item, of in copies.items() if {item, of} & set(every(http, user))]
            if both:
                gone = next(item for item in both[0] if item in every(http, user))
                send(http, user, gone, kind)
                assert not set(both[0]) & set(every(http, user))
                assert not set(both[0]) & set(every(http, user, types=TYPES))
                tried += 1
        assert tried >= 2


class TestExplanations:
    def test_the_whole_trace_agrees_with_the_feed(self, http: httpx.Client, town: Town, someone: Someone) -> None:
        models = http.get(f"{GENERIC}/stats").json()["models"]
        assert set(models) == {"item_item", "content", "blend", "exposures", "signals"}
        for user in (someone(), someone(), town.cold[-1]):
            page = get_page(http, user)
            for place, entry in list(enumerate(page["items"], 1))[::3]:
                trace = why(http, user, entry["item_id"])
                assert (trace["place"], trace["verdict"]) == (place, f"Shown at place {place}")
                assert (trace["reason"], trace["score"]) == (entry["reason"], entry["score"])
                assert (trace["cold_start"], trace["models"]) == (page["cold_start"], models)
                assert trace["made_by"] == ("welcome" if page["cold_start"] else "home")
                assert sum(f["contribution"] for f in trace["features"]) == pytest.approx(entry["score"], abs=1e-5)
                proposed = [r["name"] for r in trace["retrievers"] if r["score"] is not None]
                assert proposed == entry["sources"]
                assert all(filter_["passed"] for filter_ in trace["filters"])
                assert trace["rerankers"][-1]["after"] == place

    def test_the_features_of_the_contract_are_there(self, http: httpx.Client, someone: Someone) -> None:
        user = someone()
        trace = why(http, user, shown(http, user)[0])
        names = {feature["name"] for feature in trace["features"]}
        assert {retriever["name"] for retriever in trace["retrievers"]} <= names
        assert {"item_item", "content", "popular", "popular_block", "fresh", "fresh_block"} <= names
        assert {"recency", "tag_overlap", "popularity", "block_match"} <= names

    def test_what_is_further_down_has_the_place_it_will_have(self, http: httpx.Client, someone: Someone) -> None:
        user = someone()
        third = every(http, user)[40:60]
        for item in third[::5]:
            trace = why(http, user, item)
            assert trace["place"] > 20
            assert trace["verdict"] == f"Not among the first 20: place {trace['place']}"

    def test_an_unknown_item_is_an_error(self, http: httpx.Client, someone: Someone) -> None:
        assert http.get(EXPLAIN, params={"user_id": someone(), "item_id": "nothing"}).status_code == 404
        assert http.get(EXPLAIN, params={"user_id": "never seen", "item_id": "i1"}).status_code == 404

    @pytest.mark.parametrize("query", ["user_id=u1", "item_id=i1", "user_id=u1&item_id=", ""])
    def test_user_and_item_must_be_named(self, http: httpx.Client, query: str) -> None:
        assert http.get(f"{EXPLAIN}?{query}").status_code == 422
