"""No client can keep a server from the others: by what it does not send or read, or by how many it is."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import httpx
import orjson
import psutil
import pytest
from tests.serve_command import Serving, rest, serving

CONNECTIONS, SECONDS, FILES = 40, 1.5, 400
HEAD = b"POST /events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
HALF_BODY = HEAD + b'Content-Length: 500\r\n\r\n{"user_id": '
NDJSON = (
    b"POST /v1/apps/streaming/items HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)
GET = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    limits = {"max_connections": str(CONNECTIONS), "receive_seconds": str(SECONDS)}
    with serving(tmp_path_factory.mktemp("serve"), files=FILES, **limits) as started:
        yield started


def closed(server: Serving, reason: str) -> float:
    """How many connections were closed for a reason."""
    text = httpx.get(f"{server.url}/metrics", timeout=20).text
    found = re.search(rf'^homefeed_connections_closed_total{{reason="{reason}"}} (.+)$', text, re.MULTILINE)
    return float(found[1]) if found else 0.0


def check_problem(answer: bytes, status: int) -> None:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status), answer
    headers = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:])
    assert headers[b"content-type"] == b"application/problem+json"
    assert headers[b"connection"] == b"close"
    assert headers[b"x-content-type-options"] == b"nosniff"
    problem = orjson.loads(body)
    assert problem["status"] == status
    assert problem["detail"]
    assert problem["request_id"].encode() == headers[b"x-request-id"]
    assert (b"retry-after" in headers) == (status == 503)


@pytest.mark.parametrize(
    "sent",
    [
        b"G",
        HEAD,
        HALF_BODY,
        NDJSON + b'12\r\n{"item_id": "half"',
        GET.replace(b"\r\n\r\n", b"\r\nX: " + b"x" * 300),
    ],
    ids=["method", "head", "body", "stream", "header"],
)
def test_what_does_not_arrive_in_time_is_answered_by_408(server: Serving, sent: bytes) -> None:
    before, started = closed(server, "late"), time.monotonic()
    with server.connect(sent) as connection:
        answer = rest(connection)
    assert SECONDS * 0.8 < time.monotonic() - started < SECONDS + 6
    check_problem(answer, 408)
    assert closed(server, "late") == before + 1


@pytest.mark.parametrize("sent", [b"", b"\r\n", GET, GET + b"\r\n"], ids=["none", "line", "request", "line after"])
def test_who_asks_for_nothing_is_let_go_without_a_word(server: Serving, sent: bytes) -> None:
    with server.connect(sent) as connection:
        answer = rest(connection)
    assert answer.count(b"HTTP/1.1") == (1 if GET in sent else 0)
    assert b"408" not in answer


@pytest.mark.parametrize("head", [HEAD + b"X-Long: ", HALF_BODY, NDJSON], ids=["head", "body", "stream"])
def test_a_byte_now_and_then_does_not_hold_a_connection(server: Serving, head: bytes) -> None:
    started = time.monotonic()
    with server.connect(head) as connection:
        connection.settimeout(0.2)
        answer = b""
        while not answer:
            assert time.monotonic() - started < SECONDS + 6
            connection.sendall(b"1\r\n\n\r\n" if head == NDJSON else b"x")
            try:
                answer = connection.recv(65_536)
            except TimeoutError:
                continue
    check_problem(answer, 408)


def test_what_comes_fast_enough_may_take_longer(server: Serving) -> None:
    body = b'{"user_id": "u", "item_id": "none", "watch_seconds": 5}'.ljust(6_000)
    with server.connect(HEAD + b"Connection: close\r\nContent-Length: 6000\r\n\r\n") as connection:
        for start in range(0, 6_000, 1_200):
            connection.sendall(body[start : start + 1_200])
            time.sleep(0.6)
        answer = rest(connection)
    assert answer.startswith(b"HTTP/1.1 404 "), "the item is not there; the request was read"


def test_a_connection_serves_one_request_after_the_other_for_as_long_as_it_likes(server: Serving) -> None:
    with httpx.Client(base_url=server.url, timeout=20) as client:
        started = time.monotonic()
        while time.monotonic() - started < 2 * SECONDS:
            assert client.get("/health").status_code == 200
            time.sleep(0.2)


def test_half_sent_requests_shut_nobody_out(server: Serving) -> None:
    with ExitStack() as stack:
        for number in range(FILES + 200):
            stack.enter_context(server.connect((HEAD, HALF_BODY, b"", NDJSON)[number % 4]))
            if number % 100 == 99:
                started = time.monotonic()
                assert httpx.get(f"{server.url}/health", timeout=20).status_code == 200
                assert time.monotonic() - started < 5
        assert open_connections(server) <= CONNECTIONS + 1
    assert closed(server, "crowded") >= FILES


def open_connections(server: Serving) -> int:
    return sum(
        one.status == psutil.CONN_ESTABLISHED for one in psutil.Process(server.process.pid).net_connections("tcp")
    )


def test_the_silent_go_first(server: Serving) -> None:
    with ExitStack() as stack, httpx.Client(base_url=server.url, timeout=20) as client:
        for _ in range(3 * CONNECTIONS):
            stack.enter_context(server.connect(HEAD))
            answer = client.get("/health", headers={"Connection": "keep-alive"})
            assert (answer.status_code, len(client_connections(client))) == (200, 1)


def client_connections(client: httpx.Client) -> list[object]:
    pool = client._transport._pool  # type: ignore[attr-defined]
    return list(pool.connections)


@pytest.mark.parametrize(
    ("head", "more"),
    [
        (b"GET /health HTTP/1.1\r\nHost: localhost\r\nX-Long: ", lambda _: b"x" * 8_192),
        (b"GET /health HTTP/1.1\r\nHost: localhost\r\n", lambda number: b"X-%d: x\r\n" % number * 500),
        (b"GET /health?", lambda _: b"x" * 8_192),
        (NDJSON + b"0\r\nX-Long: ", lambda _: b"x" * 8_192),
        (NDJSON + b"0\r\n", lambda number: b"X-%d: x\r\n" % number * 500),
    ],
    ids=["header", "headers", "path", "trailer", "trailers"],
)
def test_headers_have_an_end(server: Serving, head: bytes, more: Callable[[int], bytes]) -> None:
    with server.connect(head) as connection:
        connection.settimeout(10)
        try:
            for number in range(2_000):
                connection.sendall(more(number))
        except (BrokenPipeError, ConnectionResetError):
            pass
        else:
            pytest.fail("megabytes of headers are read")
    assert closed(server, "too large") >= 1


def test_headers_too_large_are_answered_by_431(server: Serving) -> None:
    with server.connect(b"GET /health HTTP/1.1\r\nHost: localhost\r\nX-Long: ") as connection:
        time.sleep(0.2)
        for _ in range(2):
            connection.sendall(b"x" * 40_000)
            time.sleep(0.2)
        check_problem(rest(connection), 431)


def test_a_client_that_does_not_read_is_let_go(server: Serving) -> None:
    before = closed(server, "unread")
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        connection.settimeout(10)
        connection.connect(("127.0.0.1", server.port))
        connection.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n" * 400)
        give_up = time.monotonic() + 20
        while closed(server, "unread") == before:
            assert time.monotonic() < give_up, "an answer that nobody reads is kept"
            time.sleep(0.1)


def test_a_client_that_reads_slowly_gets_the_whole_answer(server: Serving) -> None:
    whole = httpx.get(f"{server.url}/openapi.json", timeout=20).content
    request = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n" * 60
    received, started = 0, time.monotonic()
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        connection.settimeout(10)
        connection.connect(("127.0.0.1", server.port))
        connection.sendall(request)
        while received < 60 * len(whole):
            part = connection.recv(200_000)
            assert part, f"closed after {received} bytes"
            received += len(part)
            time.sleep(3 * SECONDS * len(part) / (60 * len(whole)))
    assert time.monotonic() - started > 2 * SECONDS


def test_an_answer_comes_before_the_end_of_a_connection_that_is_half_way_in_the_next_request(
    server: Serving,
) -> None:
    with server.connect(GET + GET[:20]) as connection:
        answer = rest(connection)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b'{"status":"ok"}' in answer


def test_what_is_not_http_is_a_problem(server: Serving) -> None:
    with server.connect(b"NONSENSE\r\n\r\n") as connection:
        check_problem(rest(connection), 400)
