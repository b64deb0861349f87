"""The shop contract over HTTP, line by line, as a client written against it would call."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from tests.apps.shop.shop_sample import (
    FIELDS,
    HOME,
    INTERACTIONS,
    LISTS,
    PRODUCT,
    PRODUCTS,
    SEARCH,
    Shop,
    fill,
    pid,
    serving,
)

from homefeed.apps.shop.schemas import HomeOut, InteractionsOut, SearchOut, SimilarOut

if TYPE_CHECKING:
    from tests.conftest import NewStore, StartServer

NAMES = {row["id"]: row["name"] for row in PRODUCTS}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shop(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    new_store: NewStore,
    start_server: StartServer,
) -> Iterator[Shop]:
    """One shop for all tests that only read, or that use shoppers of their own."""
    home = tmp_path_factory.mktemp("shop")
    with new_store(request.param, home) as url:
        asyncio.run(fill(url, home))
        with serving(start_server, url, home) as client:
            yield Shop(client, url, home)


@pytest.fixture
def api(shop: Shop) -> httpx.Client:
    return shop.api


def ok(answer: httpx.Response) -> Any:
    assert answer.status_code == 200, answer.text
    assert answer.headers["X-Request-ID"]
    return answer.json()


def home(api: httpx.Client, user_id: str, **query: Any) -> dict[str, Any]:
    body: dict[str, Any] = ok(api.get(HOME, params={"user_id": user_id} | query))
    return body


def ids(products: list[dict[str, Any]]) -> list[str]:
    return [product["id"] for product in products]


def send(api: httpx.Client, **interaction: Any) -> httpx.Response:
    return api.post(INTERACTIONS, json=interaction)


def click(api: httpx.Client, user_id: str, number: int) -> None:
    answer = send(api, user_id=user_id, event_type="product_click", product_id=pid(number))
    assert (answer.status_code, answer.content) == (200, b"")


def search(api: httpx.Client, query: str, **more: Any) -> dict[str, Any]:
    body: dict[str, Any] = ok(api.get(SEARCH, params={"query": query} | more))
    return body


def problem(answer: httpx.Response, status: int, *words: str) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert (body["status"], body["request_id"]) == (status, answer.headers["X-Request-ID"])
    for each in words:
        assert each in body["detail"], body


# The home page


def test_home_has_five_lists_of_whole_products(api: httpx.Client) -> None:
    response = api.get(HOME, params={"user_id": "listener3"})
    body = ok(response)
    HomeOut.model_validate_json(response.content, strict=True, extra="forbid")
    assert list(body) == [
        "personalized",
        "trending",
        "best_value",
        "top_categories",
        "diverse_picks",
        "request_id",
    ]
    assert body["request_id"] == response.headers["X-Request-ID"]
    every = [product for name in LISTS for product in body[name]]
    every += [product for products in body["top_categories"].values() for product in products]
    assert every
    for product in every:
        assert tuple(product) == (*FIELDS, "reason")
        assert product["name"] == NAMES[product["id"]]
        assert product["reason"]


def test_a_product_is_shown_as_it_was_imported(api: httpx.Client) -> None:
    found = {product["id"]: product for product in search(api, "wireless headphones")["results"]}
    assert found[pid(2)] | {"reason": ""} == {
        "id": pid(2),
        "name": "Wireless Headphones over Ear",
        "category": "Electronics > Audio",
        "image": "https://shop.example/2.jpg",
        "price": 50.0,
        "original_price": 100.0,
        "rating": 4.0,
        "reviews": 100,
        "discount_ratio": 0.5,
        "reason": "",
    }


def test_what_the_catalogue_lacks_is_null(api: httpx.Client) -> None:
    (box,) = search(api, "mystery box")["results"]
    nothing = ("image", "price", "original_price", "rating", "reviews", "discount_ratio")
    assert [box[name] for name in nothing] == [None] * 6
    assert box["category"] == "Gifts"


@pytest.mark.parametrize(
    ("limit", "most"), [(None, 20), (1, 1), (7, 7), (60, 60), (61, 60), (10**9, 60), (0, 1), (-5, 1)]
)
def test_home_lists_are_clamped(api: httpx.Client, limit: int | None, most: int) -> None:
    body = home(api, "listener3", **({} if limit is None else {"response_limit": limit}))
    for name in LISTS:
        assert len(body[name]) <= most
    assert len(body["best_value"]) == most
    assert all(0 < len(products) <= most for products in body["top_categories"].values())
    assert len(body["top_categories"]["Garden"]) == most


@pytest.mark.parametrize(
    "user_id", ["", " ", "a b", "user-1", "user_1", "ü", "u" * 51, "u/1", "u\n", "'; DROP TABLE users"]
)
def test_home_refuses_ids_of_another_form(api: httpx.Client, user_id: str) -> None:
    problem(api.get(HOME, params={"user_id": user_id}), 400, "user_id")


def test_home_needs_a_user(api: httpx.Client) -> None:
    problem(api.get(HOME), 400, "user_id")


@pytest.mark.parametrize("user_id", ["0", "u" * 50, "ABCdef123", "nobody"])
def test_new_users_get_everything_but_the_personal(api: httpx.Client, user_id: str) -> None:
    body = home(api, user_id)
    assert body["personalized"] == []
    assert all(body[name] for name in ("trending", "best_value", "top_categories", "diverse_picks"))


def test_a_limit_that_is_no_number_is_a_422(api: httpx.Client) -> None:
    problem(api.get(HOME, params={"user_id": "u1", "response_limit": "many"}), 422, "response_limit")


def test_stale_users_are_as_new(api: httpx.Client) -> None:
    assert home(api, "stale")["personalized"] == []
    assert home(api, "recent")["personalized"] != []


def test_personalized_follows_clicks_at_once(api: httpx.Client) -> None:
    assert home(api, "freshclicker")["personalized"] == []
    click(api, "freshclicker", 9)
    first, second, *_ = home(api, "freshclicker")["personalized"]
    assert {first["id"], second["id"]} == {pid(10), pid(16)}
    assert "Badminton Racket Carbon" in first["reason"]


def test_personalized_follows_searches_at_once(api: httpx.Client) -> None:
    answer = send(api, user_id="freshsearcher", event_type="search_query", query="coffee")
    assert (answer.status_code, answer.content) == (200, b"")
    found = home(api, "freshsearcher", response_limit=3)["personalized"]
    reasons = {product["id"]: product["reason"] for product in found}
    assert set(reasons) & {pid(11), pid(12), pid(14)}
    assert 'Because you searched for "coffee"' in reasons.values()


def test_what_was_clicked_is_not_recommended_again(api: httpx.Client) -> None:
    assert not {pid(1), pid(2), pid(3)} & {*ids(home(api, "listener3", response_limit=60)["personalized"])}


def test_trending_is_what_is_clicked_lately(api: httpx.Client) -> None:
    first = ids(home(api, "nobody")["trending"])[:5]
    # Those that were clicked and bought, 10 days ago, before those that were clicked half as long ago.
    assert set(first[:2]) == {pid(9), pid(10)}
    assert set(first[2:5]) == {pid(1), pid(2), pid(3)}


def test_one_five_star_rating_does_not_win(api: httpx.Client) -> None:
    found = ids(home(api, "nobody", response_limit=60)["best_value"])
    assert found[0] == pid(16)
    assert pid(14) not in found[:16]


def test_top_categories_hold_their_own(api: httpx.Client) -> None:
    categories = home(api, "nobody")["top_categories"]
    own = {row["id"]: row["main_category"] for row in PRODUCTS}
    assert 1 < len(categories) <= 6
    assert {"Electronics", "Sports"} <= set(categories)
    for category, products in categories.items():
        assert {own[product] for product in ids(products)} == {category}


def test_diverse_picks_are_from_elsewhere(api: httpx.Client) -> None:
    own = {row["id"]: row["main_category"] for row in PRODUCTS}
    picks = [own[product] for product in ids(home(api, "listener3", response_limit=60)["diverse_picks"])]
    assert len(set(picks)) > 2
    assert picks.count("Electronics") < len(picks) / 3


def test_no_list_repeats_a_product(api: httpx.Client) -> None:
    body = home(api, "listener3", response_limit=60)
    for name in LISTS:
        assert len(ids(body[name])) == len({*ids(body[name])})


# The product page


def test_similar_products(api: httpx.Client) -> None:
    response = api.get(PRODUCT + pid(9))
    body = ok(response)
    SimilarOut.model_validate_json(response.content, strict=True, extra="forbid")
    assert list(body) == ["similar", "request_id"]
    first = body["similar"][0]
    assert first["id"] == pid(10)
    assert tuple(first) == (*FIELDS, "reason")


def test_often_viewed_with(api: httpx.Client) -> None:
    # Nothing of their words is alike: players of badminton look at the blender, too.
    found = {product["id"]: product["reason"] for product in ok(api.get(PRODUCT + pid(9)))["similar"]}
    assert found[pid(16)] == 'Often viewed with "Badminton Racket Carbon"'
    assert found[pid(10)] == 'Similar to "Badminton Racket Carbon"'


def test_never_the_product_itself_nor_its_exact_duplicate(api: httpx.Client) -> None:
    for number in (1, 13):
        found = ids(ok(api.get(PRODUCT + pid(number), params={"response_limit": 60}))["similar"])
        assert found
        assert not {pid(1), pid(13)} & set(found)


@pytest.mark.parametrize(
    "product_id", ["P00000000", "P0000000011", "p000000001", "P-00000001", "P%2000000001", "P%0A00000001"]
)
def test_product_ids_of_another_form_are_a_400(api: httpx.Client, product_id: str) -> None:
    problem(api.get(PRODUCT + product_id), 400, "product_id")


def test_an_unknown_product_is_a_404(api: httpx.Client) -> None:
    problem(api.get(PRODUCT + "ZZZZZZZZZZ"), 404, "ZZZZZZZZZZ")


@pytest.mark.parametrize(("limit", "count"), [(1, 1), (0, 1), (-1, 1), (10**6, 60)])
def test_similar_is_clamped(api: httpx.Client, limit: int, count: int) -> None:
    found = ok(api.get(PRODUCT + pid(100), params={"response_limit": limit}))["similar"]
    assert len(found) == count


# Search


def test_search_finds_what_matches(api: httpx.Client) -> None:
    response = api.get(SEARCH, params={"query": "red shoes"})
    body = ok(response)
    SearchOut.model_validate_json(response.content, strict=True, extra="forbid")
    assert list(body) == ["results", "request_id"]
    assert body["results"][0]["id"] == pid(6)
    assert body["results"][0]["reason"] == 'Matches "red shoes"'


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ("  Red   SHOES ", 6),
        ("earphones", 3),
        ("earpods with mic", 3),
        ("headfones", 2),
        ("badmin", 9),
        ("shuttlecock", 10),
        ("coffe machine", 11),
        ("sneakers for men", 6),
    ],
)
def test_search_takes_people_as_they_type(api: httpx.Client, query: str, number: int) -> None:
    assert pid(number) in ids(search(api, query)["results"])[:3]


def test_synonyms_are_found(api: httpx.Client) -> None:
    found = ids(search(api, "earbuds")["results"])
    assert found[0] in (pid(1), pid(13))
    assert {pid(2), pid(3)} <= set(found)


def test_without_a_match_the_trending_products(api: httpx.Client) -> None:
    body = search(api, "xylophonequartz")
    assert body["fallback_reason"] == "no_search_matches"
    assert ids(body["results"])[:5] == ids(home(api, "nobody")["trending"])[:5]


@pytest.mark.parametrize("query", ["", "   ", "\t\n", "x" * 256])
def test_queries_that_are_none_are_a_400(api: httpx.Client, query: str) -> None:
    problem(api.get(SEARCH, params={"query": query}), 400, "query")


def test_a_query_is_needed(api: httpx.Client) -> None:
    problem(api.get(SEARCH), 400, "query")


@pytest.mark.parametrize(
    "query",
    ["x" * 255, "  " + "y" * 255 + "  ", "'; DROP TABLE items; --", "<script>", "💡", "%", "\u202eabc", "a\\b"],
)
def test_any_text_is_a_query(api: httpx.Client, query: str) -> None:
    assert search(api, query)["results"]


def test_search_is_clamped(api: httpx.Client) -> None:
    assert len(search(api, "garden chair")["results"]) == 80
    for limit, count in ((1, 1), (0, 1), (-3, 1), (10, 10), (10**9, 80)):
        assert len(search(api, "garden chair", response_limit=limit)["results"]) == count


def test_search_by_category_and_price(api: httpx.Client) -> None:
    found = search(api, "garden chair", min_price=210, max_price=219)["results"]
    assert sorted(product["price"] for product in found) == [float(price) for price in range(210, 220)]
    assert ids(search(api, "red", category="fashion", sub_category="Dresses")["results"]) == [pid(8)]
    nothing = search(api, "red", category="Garden")
    assert nothing["fallback_reason"] == "no_search_matches"
    assert {product["category"] for product in nothing["results"]} == {"Garden > Chairs"}
    problem(api.get(SEARCH, params={"query": "red", "min_price": "cheap"}), 422, "min_price")


@pytest.mark.parametrize(
    ("query", "understood", "least", "most"),
    [
        ("garden chair under 215", {"max_price": 215.0}, 0, 215),
        ("garden chair above rs. 270", {"min_price": 270.0}, 270, 10_000),
        ("garden chair between 210 and 219", {"min_price": 210.0, "max_price": 219.0}, 210, 219),
    ],
)
def test_a_price_in_a_query_is_a_condition_and_said(
    api: httpx.Client, query: str, understood: dict[str, float], least: float, most: float
) -> None:
    response = api.get(SEARCH, params={"query": query})
    SearchOut.model_validate_json(response.content, strict=True, extra="forbid")
    body = ok(response)
    assert body["understood"] == {"query": "garden chair", **understood}
    assert all(least <= product["price"] <= most for product in body["results"])
    every = search(api, "garden chair")["results"]
    assert len(body["results"]) == sum(least <= product["price"] <= most for product in every)
    assert "understood" not in search(api, "garden chair")
    generic = ok(api.get("/v1/apps/shop/feeds/search", params={"query": query, "n": 100}))
    assert generic["understood"] == body["understood"]
    assert {item["item_id"] for item in generic["items"]} == set(ids(body["results"]))


def test_where_nothing_costs_that_the_trending_ones_that_do(api: httpx.Client) -> None:
    body = search(api, "xylophonequartz under 215")
    assert body["fallback_reason"] == "no_search_matches"
    assert body["understood"] == {"query": "xylophonequartz", "max_price": 215.0}
    assert body["results"]
    assert all(product["price"] <= 215 for product in body["results"])


# Interactions


@pytest.mark.parametrize(
    ("interaction", "status"),
    [
        ({"event_type": "product_click"}, 400),
        ({"event_type": "product_click", "product_id": None}, 400),
        ({"event_type": "product_click", "product_id": ""}, 400),
        ({"event_type": "product_click", "product_id": "abc"}, 400),
        ({"event_type": "product_click", "product_id": "p000000001"}, 400),
        ({"event_type": "product_click", "product_id": 7}, 400),
        ({"event_type": "product_click", "query": "red"}, 400),
        ({"event_type": "product_click", "product_id": "ZZZZZZZZZZ"}, 404),
        ({"event_type": "search_query"}, 400),
        ({"event_type": "search_query", "query": None}, 400),
        ({"event_type": "search_query", "query": "   "}, 400),
        ({"event_type": "search_query", "query": "x" * 256}, 400),
        ({"event_type": "search_query", "query": ["red"]}, 400),
        ({"event_type": "search_query", "query": "a\0b"}, 400),
        ({"event_type": "search_query", "query": "red", "product_id": "P000000001"}, 422),
        ({"event_type": "purchase", "product_id": "P000000001"}, 422),
        ({"event_type": "PRODUCT_CLICK", "product_id": "P000000001"}, 422),
        ({"event_type": None, "product_id": "P000000001"}, 422),
        ({"product_id": "P000000001"}, 422),
        ({"event_type": "product_click", "product_id": "P000000001", "unheard": 1}, 422),
        ({"event_type": "product_click", "product_id": "P000000001", "timestamp": "soon"}, 422),
        ({"event_type": "product_click", "product_id": "P000000001", "user_id": "a b"}, 422),
        ({"event_type": "product_click", "product_id": "P000000001", "user_id": ""}, 422),
        ({"event_type": "product_click", "product_id": "P000000001", "user_id": None}, 422),
        # Two things wrong, one of them not of an id's or a query's form.
        ({"event_type": "other"}, 422),
    ],
)
def test_interactions_that_cannot_be_used(api: httpx.Client, interaction: dict[str, Any], status: int) -> None:
    problem(api.post(INTERACTIONS, json={"user_id": "refused"} | interaction), status)
    assert ok(api.get(f"{INTERACTIONS}/refused"))["interactions"] == []


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"text"', b"\xff"])
def test_bodies_that_are_none(api: httpx.Client, body: bytes) -> None:
    answer = api.post(INTERACTIONS, content=body, headers={"Content-Type": "application/json"})
    problem(answer, 422)


def test_interactions_are_kept_newest_first(api: httpx.Client) -> None:
    now = datetime.now(UTC)
    for days, more in (
        (40, {"event_type": "product_click", "product_id": pid(9)}),
        (3, {"event_type": "product_click", "product_id": pid(1), "query": "ear buds"}),
        (29, {"event_type": "search_query", "query": "  red shoes "}),
    ):
        answer = send(api, user_id="keeper", timestamp=(now - timedelta(days=days)).isoformat(), **more)
        assert answer.status_code == 200, answer.text
    response = api.get(f"{INTERACTIONS}/keeper")
    body = ok(response)
    InteractionsOut.model_validate_json(response.content, strict=True, extra="forbid")
    kept = [(one["event_type"], one["product_id"], one["query"]) for one in body["interactions"]]
    assert kept == [("product_click", pid(1), "ear buds"), ("search_query", None, "red shoes")]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", one["timestamp"]) for one in body["interactions"])
    assert (body["user_id"], body["days"]) == ("keeper", 30)
    assert len(ok(api.get(f"{INTERACTIONS}/keeper", params={"days": 41}))["interactions"]) == 3
    assert len(ok(api.get(f"{INTERACTIONS}/keeper", params={"days": 3650}))["interactions"]) == 3
    assert len(ok(api.get(f"{INTERACTIONS}/keeper", params={"days": 1}))["interactions"]) == 0


def test_the_same_event_id_counts_once(api: httpx.Client) -> None:
    for _ in range(3):
        answer = send(api, user_id="twice", event_type="search_query", query="red", event_id="twice-1")
        assert answer.status_code == 200
    blue = {"event_type": "search_query", "query": "blue", "event_id": "twice-1"}
    problem(send(api, user_id="twice", **blue), 409, "event_id")
    assert send(api, user_id="other", **blue).status_code == 200
    assert [one["query"] for one in ok(api.get(f"{INTERACTIONS}/twice"))["interactions"]] == ["red"]


@pytest.mark.parametrize("days", ["0", "-1", "3651", "many", "1.5"])
def test_days_that_are_none(api: httpx.Client, days: str) -> None:
    problem(api.get(f"{INTERACTIONS}/keeper", params={"days": days}), 422, "days")


@pytest.mark.parametrize("user_id", ["a%20b", "a-b", "u" * 51, "%C3%BC"])
def test_interactions_of_ids_of_another_form(api: httpx.Client, user_id: str) -> None:
    problem(api.get(f"{INTERACTIONS}/{user_id}"), 400, "user_id")


def test_an_unknown_user_has_no_interactions(api: httpx.Client) -> None:
    assert ok(api.get(f"{INTERACTIONS}/nobodyatall"))["interactions"] == []


def test_users_do_not_see_one_another(api: httpx.Client) -> None:
    click(api, "alice", 11)
    send(api, user_id="alice", event_type="search_query", query="secretword espresso")
    assert ok(api.get(f"{INTERACTIONS}/bob"))["interactions"] == []
    assert "secretword" not in api.get(HOME, params={"user_id": "bob"}).text


# The same app by the generic API


def test_searches_over_the_generic_api(api: httpx.Client) -> None:
    events = "/v1/apps/shop/events"
    payload = {"user_id": "generic", "event_type": "search_query", "context": {"query": "  red shoes "}}
    assert ok(api.post(events, json=payload))["accepted"] == 1
    assert ok(api.get("/v1/apps/shop/users/generic/events"))["events"][0]["item_id"] is None
    assert ok(api.get(f"{INTERACTIONS}/generic"))["interactions"][0]["query"] == "red shoes"
    problem(api.post(events, json=payload | {"item_id": pid(1)}), 422, "item_id")
    problem(api.post(events, json=payload | {"context": {}}), 422, "query")
    problem(api.post(events, json={"user_id": "generic", "event_type": "product_click"}), 422, "item_id")


def test_search_and_its_trace_over_the_generic_api(api: httpx.Client) -> None:
    found = ok(api.get("/v1/apps/shop/feeds/search", params={"query": "red shoes", "n": 3}))
    assert found["items"][0]["item_id"] == pid(6)
    params = {"feed": "search", "item_id": pid(6), "query": "red shoes"}
    trace = ok(api.get("/v1/apps/shop/explain", params=params))
    assert trace["verdict"] == "Shown at place 1"
    assert trace["reason"] == 'Matches "red shoes"'


Eventually = Callable[[Callable[[], bool]], None]


def test_new_products_are_found_and_hidden_ones_are_not(shop: Shop, eventually: Eventually) -> None:
    path = "/v1/apps/shop/items/NEWNEWNEW1"
    attributes = {
        "name": "Zebra Striped Umbrella",
        "main_category": "Fashion",
        "sub_category": "Umbrellas",
        "price": 9.5,
    }

    def found() -> bool:
        return "NEWNEWNEW1" in ids(search(shop.api, "zebra umbrella")["results"])

    assert not found()
    assert shop.api.put(path, json={"attributes": attributes}).status_code == 200
    eventually(found)
    assert shop.api.patch(path, json={"hidden": True}).status_code == 200
    assert not found()
    assert shop.api.delete(path).status_code == 204
