"""Errors are problem documents, every answer has its X-Request-ID, bodies have their limits."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import pytest

from homefeed.server import create_app
from homefeed.settings import Settings

if TYPE_CHECKING:
    from tests.conftest import Served

BASE = "/v1/apps/streaming"
JSON = {"Content-Type": "application/json"}
PLAY = {"user_id": "u1", "item_id": "i1", "watch_seconds": 5}
PATHS = {
    "/health": "GET",
    "/popular": "GET",
    "/recommendations": "GET",
    "/history": "GET",
    "/events": "POST",
    "/healthz": "GET",
    "/readyz": "GET",
    "/metrics": "GET",
    "/v1/apps": "GET",
    f"{BASE}/stats": "GET",
    f"{BASE}/items": "GET, PATCH, POST",
    f"{BASE}/items/i1": "DELETE, GET, PATCH, PUT",
    f"{BASE}/users": "GET, POST",
    f"{BASE}/users/u1": "DELETE, GET, PATCH, PUT",
    f"{BASE}/users/u1/events": "GET",
    f"{BASE}/events": "POST",
    f"{BASE}/feeds/home": "GET",
    f"{BASE}/explain": "GET",
}


@pytest.mark.parametrize(
    "path", ["/nowhere", "/popular/", "/%2Fpopular", "/v1", "/v1/apps/", f"{BASE}", "/docs/x"]
)
def test_what_is_nowhere_is_a_problem(api: httpx.Client, path: str) -> None:
    for method in ("GET", "POST", "PUT", "DELETE", "OPTIONS"):
        answer = api.request(method, path)
        assert answer.status_code == 404
        assert answer.json()["title"] == "Not Found"
        assert path in answer.json()["detail"]


@pytest.mark.parametrize("path", PATHS)
def test_a_method_that_is_not_there_is_a_problem_naming_those_that_are(api: httpx.Client, path: str) -> None:
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PURGE"} - set(PATHS[path].split(", ")):
        answer = api.request(method, path)
        assert answer.status_code == 405
        assert answer.headers["Allow"] == PATHS[path]


def test_an_error_says_where_and_what(api: httpx.Client) -> None:
    answer = api.post("/events", json=PLAY | {"watch_seconds": "long", "user_id": 5})
    assert answer.json()["title"]
    assert "watch_seconds" in answer.json()["detail"]
    assert "user_id" in answer.json()["detail"]
    answer = api.get("/popular", params={"k": "x"})
    assert answer.json()["errors"][0]["where"] == "query.k"
    assert "integer" in answer.json()["errors"][0]["error"]


def test_every_answer_has_an_id_of_its_own(api: httpx.Client) -> None:
    answers = [api.get(path) for path in ("/health", "/popular", "/nowhere", "/docs", "/metrics", "/readyz")]
    given = [answer.headers["X-Request-ID"] for answer in answers]
    assert len(set(given)) == len(given)
    assert all(len(one) == 32 for one in given)


@pytest.mark.parametrize("given", ["r1", "x" * 128, "!~\"'{}<>", "00-4bf92f3577b34da6-01"])
def test_a_request_id_that_is_given_comes_back(api: httpx.Client, given: str) -> None:
    headers = {"X-Request-ID": given}
    for path in ("/popular", f"{BASE}/feeds/home", f"{BASE}/explain?feed=home&item_id=i1"):
        answer = api.get(path, headers=headers)
        assert answer.headers["X-Request-ID"] == given
        assert answer.json()["request_id"] == given
    for answer in (
        api.get("/nowhere", headers=headers),
        api.post("/events", content=b"{", headers=headers | JSON),
        api.get("/%ff", headers=headers),
        api.post("/events", content=b"x" * 1_100_000, headers=headers | JSON),
        api.delete("/popular", headers=headers),
    ):
        assert answer.headers["X-Request-ID"] == given
        assert answer.json()["request_id"] == given


@pytest.mark.parametrize("given", [b"", b"x" * 129, b"a b", "é".encode(), b"\xff", b"a\tb"])
def test_a_request_id_that_cannot_be_used_is_replaced(api: httpx.Client, given: bytes) -> None:
    answer = api.get("/popular", headers={b"X-Request-ID": given})
    assert len(answer.headers["X-Request-ID"]) == 32


def chunks(size: int) -> Iterator[bytes]:
    for _ in range(size // 1000):
        yield b" " * 1000


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/events"),
        ("POST", f"{BASE}/events"),
        ("POST", f"{BASE}/items"),
        ("PUT", f"{BASE}/items/large"),
        ("PATCH", f"{BASE}/items/i1"),
        ("PUT", f"{BASE}/users/large"),
        ("PATCH", f"{BASE}/users/u1"),
    ],
)
def test_a_body_too_large_is_refused_however_it_is_sent(api: httpx.Client, method: str, path: str) -> None:
    announced = api.request(method, path, content=b" " * 1_000_001, headers=JSON)
    streamed = api.request(method, path, content=chunks(1_001_000), headers=JSON)
    for answer in (announced, streamed):
        assert answer.status_code == 413
        assert "1000000 bytes" in answer.json()["detail"]


def test_a_body_just_within_the_limit_is_read(api: httpx.Client, fresh: Callable[[str], str]) -> None:
    body = b'{"user_id": "%s", "item_id": "i1", "watch_seconds": 1}' % fresh("user").encode()
    answer = api.post("/events", content=body.ljust(1_000_000), headers=JSON)
    assert answer.json()["accepted"] == 1


def test_a_huge_announcement_is_refused_before_anything_is_sent(served: Served) -> None:
    for path in ("/events", f"{BASE}/items"):
        head = head_of(path, "application/json", 10**15)
        assert b" 413 " in raw(served, head).split(b"\r\n")[0]


BAD_TYPES: list[dict[str, Any]] = [
    {"content": b'{"user_id": "u1"}', "headers": {"Content-Type": "text/plain"}},
    {"content": b'{"user_id": "u1"}', "headers": {"Content-Type": "application/xml"}},
    {"content": b'{"user_id": "u1"}', "headers": {"Content-Type": "nonsense"}},
    {"content": b'{"user_id": "u1"}', "headers": {"Content-Type": ""}},
    {"content": b'{"user_id": "u1"}', "headers": {"Content-Type": b"application/json\xff"}},
    {"content": b'{"user_id": "u1"}', "headers": {"Content-Type": "application/json; charset=\"'"}},
    {"content": b"\x1f\x8b", "headers": {"Content-Encoding": "gzip", "Content-Type": "application/json"}},
    {"content": b'{"user_id": "u1"}'},
    {"data": {"user_id": "u1", "item_id": "i1", "watch_seconds": "5"}},
    {"files": {"user_id": b"u1"}},
    {"content": '{"user_id": "u1"}'.encode("utf-16"), "headers": JSON},
    {"content": b"user_id=u1", "headers": {"Content-Type": "application/x-ndjson"}},
]


OTHER_TYPES = [
    {"Content-Type": "text/plain"},
    {"Content-Type": "text/plain; application/json"},
    {"Content-Type": "application/x-www-form-urlencoded"},
    {"Content-Type": "multipart/form-data; boundary=x"},
    {"Content-Type": "text/json"},
    {"Content-Type": "text/plain+json"},
    {"Content-Type": ""},
    {},
]
"""What a page of another origin can have a browser send without asking, and some that look like JSON."""


def test_a_body_is_read_only_as_what_it_may_be(served: Served, api: httpx.Client) -> None:
    paths = create_app(Settings(home=served.home, apps=("streaming", "shop", "community", "live"))).openapi()[
        "paths"
    ]
    reading = [
        (method, path, operation["requestBody"]["content"])
        for path, operations in paths.items()
        for method, operation in operations.items()
        if "requestBody" in operation
    ]
    assert len(reading) >= 9
    for method, path, content in reading:
        address = path.format(app="streaming", item_id="typed", user_id="typed", stream_id="typed")
        for headers in OTHER_TYPES:
            answer = api.request(method, address, content=b'[{"item_id": "typed"}]', headers=headers)
            assert (answer.status_code, answer.json()["detail"]) == (
                415,
                f"Content-Type: expected {' or '.join(content)}",
            )
    assert api.get(f"{BASE}/items/typed").status_code == 404
    assert api.get(f"{BASE}/users/typed").status_code == 404


def test_no_body_is_of_no_type(api: httpx.Client) -> None:
    for method, path in (("POST", "/events"), ("POST", f"{BASE}/items"), ("PUT", f"{BASE}/items/typed")):
        assert api.request(method, path).status_code == 422


def test_every_route_that_may_write_documents_its_body(served: Served) -> None:
    paths = create_app(Settings(home=served.home, apps=("streaming", "shop", "community", "live"))).openapi()[
        "paths"
    ]
    silent = {
        (method, path)
        for path, operations in paths.items()
        for method, operation in operations.items()
        if method not in ("get", "head", "delete") and "requestBody" not in operation
    }
    assert silent == set()


@pytest.mark.parametrize("body", BAD_TYPES)
def test_bodies_of_other_types_are_refused(api: httpx.Client, body: dict[str, Any]) -> None:
    for method, path in (
        ("POST", "/events"),
        ("POST", f"{BASE}/events"),
        ("PUT", f"{BASE}/items/typed"),
        ("PATCH", f"{BASE}/users/u1"),
    ):
        assert api.request(method, path, **body).status_code in {415, 422}


def test_json_may_be_called_by_other_names(api: httpx.Client, fresh: Callable[[str], str]) -> None:
    for kind in ("application/json; charset=utf-8", "Application/JSON", "application/merge-patch+json"):
        answer = api.patch(f"{BASE}/users/u1", content=b"{}", headers={"Content-Type": kind})
        assert answer.status_code == 200


def head_of(path: str, kind: str, length: int) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n"
    return head.encode()


def raw(served: Served, request: bytes) -> bytes:
    address = urlsplit(served.url)
    with socket.create_connection((str(address.hostname), int(address.port or 0)), timeout=10) as connection:
        connection.sendall(request)
        return connection.recv(65_536)


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b"OPTIONS * HTTP/1.1", b"404"),
        (b"GET http://somewhere/popular?k=1 HTTP/1.1", b"200"),
        (b"GET /popular?k=1#fragment HTTP/1.1", b"200"),
        (b"GET /popular?k=1&k=%ff&%00=%00&=&&;;=%zz HTTP/1.1", b"422"),
        (b"GET /popular?%ff=%ff&%00=%00&=&&;;=%zz HTTP/1.1", b"200"),
        (b"GET /v1/apps/streaming/items/%zz HTTP/1.1", b"404"),
        (b"GET /nowhere?x=\x7f HTTP/1.1", b"40"),
        (b"GET /nowhere HTTP/1.1\r\nHost: [", b"421"),
        (b"GET /nowhere HTTP/1.1\r\nHost: a:b:c", b"421"),
        (b"GET /nowhere HTTP/1.1\r\nX-Forwarded-For: \xff\r\nX-Forwarded-Proto: \xff", b"403"),
        (b"GET /popular HTTP/1.1\r\nContent-Length: 5", b"200"),
        (b"CONNECT somewhere:443 HTTP/1.1", b"400"),
        (b"GET /v1/apps/streaming/items/\xc3\xa9 HTTP/1.1", b"400"),
        (b"NONSENSE", b"400"),
    ],
)
def test_strange_requests_are_answered(served: Served, line: bytes, status: bytes) -> None:
    host = b"" if b"Host:" in line else b"\r\nHost: localhost"
    answer = raw(served, line + host + b"\r\n\r\n")
    assert answer.split(b" ")[1].startswith(status), answer


def test_a_client_that_hangs_up_half_way_does_no_harm(
    served: Served, api: httpx.Client, fresh: Callable[[str], str]
) -> None:
    address = urlsplit(served.url)
    item_id = fresh("half")
    for kind in ("application/json", "application/x-ndjson"):
        for path in ("/events", f"{BASE}/items", f"{BASE}/events"):
            with socket.create_connection((str(address.hostname), int(address.port or 0))) as connection:
                connection.sendall(head_of(path, kind, 500) + b'{"item_id": "%s"' % item_id.encode())
    assert api.get("/healthz").status_code == 200
    assert api.get(f"{BASE}/items/{item_id}").status_code == 404


def test_more_than_100_query_parameters_are_refused(api: httpx.Client) -> None:
    for path in ("/v1/apps/streaming/feeds/home", "/recommendations", "/healthz"):
        answer = api.get(path + "?" + "&".join(["filter=genre:Drama"] * 101))
        assert answer.status_code == 422
        assert "100 query parameters" in answer.json()["detail"]
    at_limit = "&".join(["filter=genre:Drama"] * 100)
    assert api.get("/v1/apps/streaming/feeds/home?" + at_limit).status_code == 200
