"""What is sent, what is sent again and when, and what an answer becomes; without a server."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from homefeed.client import (
    AsyncClient,
    Client,
    ClientError,
    ConflictError,
    Erased,
    Event,
    ForbiddenError,
    InvalidError,
    Item,
    ItemChange,
    NoAnswerError,
    NotFoundError,
    Outcome,
    ProblemError,
    Rejected,
    Retries,
    UnavailableError,
    User,
)
from homefeed.client import calls as made
from homefeed.client.retries import Retries as Policy

AT_ONCE = Retries(base_seconds=0.0)
TAKEN = {"accepted": 1, "duplicates": 0, "rejected": []}


class Server:
    """Answers requests by a list, the last of it again and again, and keeps what it was asked."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers, self.requests = list(answers), list[httpx.Request]()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def client(self, retries: Retries = AT_ONCE) -> Client:
        return Client("http://feeds.example/", "my app", retries=retries, transport=httpx.MockTransport(self))

    @property
    def bodies(self) -> list[Any]:
        return [json.loads(request.content) for request in self.requests]


def ok(body: Any = TAKEN) -> httpx.Response:
    return httpx.Response(200, json=body)


def problem(status: int, **headers: str) -> httpx.Response:
    body = {
        "status": status,
        "detail": "what is wrong; what to do",
        "request_id": "r1",
        "errors": [{"where": "n"}],
    }
    return httpx.Response(
        status, json=body, headers={name.replace("_", "-"): text for name, text in headers.items()}
    )


def page(**more: Any) -> dict[str, Any]:
    item = {
        "item_id": "i",
        "title": "I",
        "score": 1.5,
        "reason": "Because",
        "sources": ["popular"],
        "attributes": {"title": "I"},
    }
    told = {"app": "a", "feed": "home", "user_id": "u", "request_id": "r", "cold_start": False, "items": [item]}
    return told | {"next_cursor": None} | more


def test_a_request_names_the_app_and_what_is_asked() -> None:
    server = Server(ok(page()))
    with server.client() as client:
        found = client.recommend(
            "home", user_id="é/1", n=5, filters=["genre:Drama", "year>=2000"], context={"device": "phone"}
        )
    (request,) = server.requests
    assert request.url.raw_path.startswith(b"/v1/apps/my%20app/feeds/home?")
    assert request.url.params.multi_items() == [
        ("user_id", "é/1"), ("n", "5"), ("context.device", "phone"), ("filter", "genre:Drama"),
        ("filter", "year>=2000"),
    ]  # fmt: skip
    assert (found.request_id, found.items[0].title, found.items[0].sources) == ("r", "I", ("popular",))
    assert (found.next_cursor, found.all_seen, found.items[0].created_at) == (None, False, None)


def test_what_a_later_server_adds_is_passed_over() -> None:
    item = page()["items"][0] | {"created_at": "2026-11-01T00:00:00Z", "colour": "red"}
    with Server(ok(page(items=[item], mood="good"))).client() as client:
        assert client.recommend("home").items[0].created_at == datetime(2026, 11, 1, tzinfo=UTC)


def test_similar_and_search_are_feeds() -> None:
    server = Server(ok(page()))
    with server.client() as client:
        client.similar("i/1", user_id="u")
        client.search("a b", feed="find", n=2)
    similar, search = (request.url for request in server.requests)
    assert (similar.path, dict(similar.params)) == (
        "/v1/apps/my app/feeds/similar",
        {"user_id": "u", "item_id": "i/1"},
    )
    assert (search.path, dict(search.params)) == ("/v1/apps/my app/feeds/find", {"n": "2", "query": "a b"})


def test_pages_go_on_from_the_cursor_to_the_end() -> None:
    server = Server(ok(page(next_cursor="c1")), ok(page(next_cursor="c2")), ok(page()))
    with server.client() as client:
        assert len(list(client.pages("home", user_id="u", cursor="c0"))) == 3
    assert [request.url.params["cursor"] for request in server.requests] == ["c0", "c1", "c2"]
    assert {request.url.params["user_id"] for request in server.requests} == {"u"}


def test_ids_in_paths_may_hold_anything() -> None:
    item = {"item_id": "a/b?c", "hidden": False, "created_at": None, "attributes": {}}
    server = Server(ok(item))
    with server.client() as client:
        assert (
            client.put_item(Item("a/b?c", {"n": None}, created_at=datetime(2026, 1, 2, tzinfo=UTC))).hidden
            is False
        )
    assert server.requests[0].url.raw_path.endswith(b"/items/a%2Fb%3Fc")
    assert server.bodies == [{"attributes": {"n": None}, "created_at": "2026-01-02T00:00:00+00:00"}]


@pytest.mark.parametrize("trouble", [httpx.ConnectError("refused"), problem(429), problem(503), problem(502)])
def test_an_event_is_sent_again_as_the_same_event(trouble: httpx.Response | Exception) -> None:
    server = Server(trouble, trouble, ok())
    with server.client() as client:
        assert client.record(Event("u", "i", "click", value=1)).accepted == 1
    first, *others = server.bodies
    assert others == [first, first]
    assert len(first.pop("event_id")) == 32
    assert first == {"user_id": "u", "item_id": "i", "event_type": "click", "value": 1}


def test_ids_are_given_to_events_that_nothing_else_makes_the_same() -> None:
    server = Server(ok())
    with server.client() as client:
        given: list[dict[str, Any]] = [{}, {}, {"event_id": "e"}, {"timestamp": 1_700_000_000}]
        client.record_events([Event("u", "i", "click", **one) for one in given])
    first, second, named, timed = server.bodies[0]
    assert first["event_id"] != second["event_id"]
    assert (named["event_id"], "event_id" in timed) == ("e", False)


@pytest.mark.parametrize(
    ("status", "error"),
    [(400, InvalidError), (404, NotFoundError), (409, ConflictError), (413, InvalidError), (422, InvalidError),
     (500, ProblemError), (401, ProblemError)],
)  # fmt: skip
def test_an_error_is_the_sentence_of_the_server_and_is_not_tried_again(
    status: int, error: type[ProblemError]
) -> None:
    server = Server(problem(status))
    with server.client() as client, pytest.raises(error, match=r"^what is wrong; what to do$") as caught:
        client.stats()
    assert (caught.value.status, caught.value.request_id, caught.value.errors) == (status, "r1", ({"where": "n"},))
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("answer", "error", "text"),
    [
        (problem(503), UnavailableError, "what is wrong; what to do"),
        (httpx.Response(502, text="<html>"), UnavailableError, "the server answered 502"),
        (httpx.ReadTimeout("timed out"), NoAnswerError, "no answer from http://feeds.example/: timed out"),
        (httpx.ConnectError(""), NoAnswerError, "no answer from http://feeds.example/: ConnectError"),
    ],
)
def test_after_four_attempts_it_gives_up(
    answer: httpx.Response | Exception, error: type[ClientError], text: str
) -> None:
    server = Server(answer)
    with server.client() as client, pytest.raises(error, match=text):
        client.stats()
    assert len(server.requests) == 4


@pytest.mark.parametrize("body", ["<html>", "[]", '{"accepted": 1}'])
def test_what_is_not_homefeeds_is_said_to_be_so(body: str) -> None:
    said = "does not answer as Homefeed does: is the url the right one"
    with Server(httpx.Response(200, text=body)).client() as client, pytest.raises(ClientError, match=said):
        client.stats()


def test_retry_after_is_honoured_up_to_the_longest_wait() -> None:
    policy = Policy(attempts=3, base_seconds=1, max_seconds=3, random=lambda: 0.5)
    assert [policy.seconds(attempt) for attempt in (1, 2, 3)] == [0.5, 1.0, None]
    assert Policy(attempts=9, base_seconds=1, max_seconds=3, random=lambda: 1.0).seconds(5) == 3.0
    assert policy.seconds(1, "2") == 2.0
    assert policy.seconds(1, "4") is None
    assert policy.seconds(1, "Wed, 21 Oct 2026 07:28:00 GMT") == 0.5
    server = Server(problem(503, Retry_After="60"))
    with server.client() as client, pytest.raises(UnavailableError):
        client.stats()
    assert len(server.requests) == 1


@settings(max_examples=30)
@given(st.lists(st.integers(0, 3_000), max_size=12))
def test_many_are_sent_in_chunks_in_their_order(sizes: Sequence[int]) -> None:
    users = [User(f"{n}", {"text": "x" * size}) for n, size in enumerate(sizes)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(made, "MOST_BYTES", 4_000)
        patch.setattr(made, "MOST_IN_REQUEST", 5)
        chunks = [json.loads(call.body or b"") for call in made.put_users(users) if isinstance(call, made.Call)]
    assert [one["user_id"] for chunk in chunks for one in chunk] == [user.user_id for user in users]
    assert all(1 <= len(chunk) <= 5 for chunk in chunks)
    assert all(len(chunk) == 1 or len(json.dumps(chunk, separators=(",", ":"))) < 4_020 for chunk in chunks)


def test_what_became_of_many_is_told_by_their_place_in_the_whole() -> None:
    first = {"accepted": 999, "rejected": [{"index": 7, "error": "bad"}]}
    second = {"accepted": 0, "duplicates": 2, "rejected": [{"index": 2, "error": "worse"}], "rejected_count": 5}
    server = Server(ok(first), ok(second))
    with server.client() as client:
        outcome = client.patch_items(ItemChange(f"{n}", hidden=True) for n in range(1_007))
        assert outcome == Outcome(999, 2, (Rejected(7, "bad"), Rejected(1_002, "worse")), 6)
        assert client.put_items([]) == Outcome()
    assert [(request.method, len(body)) for request, body in zip(server.requests, server.bodies, strict=True)] == [
        ("PATCH", 1_000), ("PATCH", 7),
    ]  # fmt: skip
    assert server.bodies[1][0] == {"item_id": "1000", "attributes": {}, "hidden": True}


@pytest.mark.parametrize(
    "ask",
    [
        lambda client: client.recommend("home", filters="genre:Drama"),
        lambda client: client.put_user(User("u", {"now": object()})),
        lambda client: client.put_user(User("u", {"n": float("nan")})),
        lambda client: client.delete_item(".."),
        lambda client: client.get_user("."),
    ],
)
def test_what_cannot_be_sent_is_said_before_it_is(ask: Callable[[Client], object]) -> None:
    server = Server(ok())
    with server.client() as client, pytest.raises((TypeError, ValueError)):
        ask(client)
    assert server.requests == []


def test_an_event_that_is_no_json_costs_no_other() -> None:
    server = Server(ok({"accepted": 1, "rejected": [{"index": 1, "error": "bad"}]}))
    wrong = [Event("u", "i", "click", value=float("nan")), Event("u", "\ud83d", "click")]
    with server.client() as client:
        outcome = client.record_events([wrong[0], Event("u", "a", "click"), wrong[1], Event("u", "b", "click")])
    assert [one.index for one in outcome.rejected] == [0, 2, 3]
    assert outcome.rejected[0].error.startswith("it cannot be sent as JSON: ")
    assert (outcome.accepted, outcome.rejected_count, len(server.bodies[0])) == (1, 3, 2)


def test_only_what_cannot_be_sent_is_not_sent() -> None:
    server = Server(ok())
    with server.client() as client:
        outcome = client.record_events([Event("u", "i", "click", value=float("nan"))])
    assert (outcome.accepted, outcome.rejected_count, server.requests) == (0, 1, [])


def test_what_is_gone_after_a_lost_answer_is_deleted() -> None:
    lost = httpx.ReadTimeout("timed out")
    with Server(lost, problem(404)).client() as client:
        client.delete_item("i")
    with Server(lost, problem(404)).client() as client:
        assert client.erase_user("u") == Erased("u", None)
    with Server(problem(404)).client() as client, pytest.raises(NotFoundError):
        client.erase_user("u")


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json={"item_id": "i", "attributes": {}, "hidden": False, "created_at": "soon"}),
        httpx.Response(422, json={"errors": 5, "request_id": 7}),
        httpx.DecodingError("not gzip"),
    ],
)
def test_whatever_is_answered_is_an_error_of_the_client(answer: httpx.Response | Exception) -> None:
    asks: list[Callable[[Client], object]] = [lambda client: client.get_item("i")]
    if isinstance(answer, httpx.Response) and answer.status_code == 200 and b"html" in answer.content:
        asks += [lambda client: client.explain("home", "i"), lambda client: client.delete_item("i")]
    for ask in asks:
        with Server(answer).client() as client, pytest.raises(ClientError):
            ask(client)


def test_an_address_without_a_scheme_is_refused() -> None:
    with pytest.raises(ValueError, match="url: expected http://host:port or https://host, got 'localhost:8000'"):
        Client("localhost:8000", "a")


async def test_the_async_client_does_the_same() -> None:
    server = Server(
        httpx.ConnectError("refused"),
        ok(page(next_cursor="c")),
        problem(503),
        ok(page()),
        ok(),
        ok(),
        problem(404),
    )
    transport = httpx.MockTransport(server)
    async with AsyncClient("http://feeds.example", "a", retries=AT_ONCE, transport=transport) as client:
        pages = [found async for found in client.pages("home", user_id="u")]
        assert [found.next_cursor for found in pages] == ["c", None]
        assert (await client.put_users(User(f"{n}") for n in range(1_001))).accepted == 2
        with pytest.raises(NotFoundError):
            await client.get_item("i")


@pytest.mark.parametrize(("given", "said"), [({"api_key": "hf_a_b"}, "hf_a_b"), ({"token": "x.y.z"}, "x.y.z")])
def test_a_key_or_a_token_is_said_by_every_request(given: dict[str, Any], said: str) -> None:
    server = Server(httpx.Response(200, json={"apps": []}))
    with Client("http://h", "news", transport=httpx.MockTransport(server), **given) as client:
        client.apps()
    assert server.requests[0].headers["Authorization"] == f"Bearer {said}"
    with pytest.raises(ValueError, match="one of the two"):
        Client("http://h", "news", api_key="a", token="b")


@pytest.mark.parametrize("status", [401, 403])
def test_who_may_not_is_told_so_at_once(status: int) -> None:
    server = Server(httpx.Response(status, json={"detail": "no such key"}))
    with (
        Client("http://h", "news", transport=httpx.MockTransport(server)) as client,
        pytest.raises(ForbiddenError, match="no such key"),
    ):
        client.apps()
    assert len(server.requests) == 1
