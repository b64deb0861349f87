"""A server ends when it is told to, within seconds, and leaves no process behind."""

from __future__ import annotations

import asyncio
import signal
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import httpx
import orjson
import psutil
import pytest
import uvicorn
from tests.serve_command import rest, serving

from homefeed.server import create_app
from homefeed.serving import LiveApp
from homefeed.settings import Settings

EVENT = (
    b"POST /events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"
)
ITEMS = (
    b"POST /v1/apps/streaming/items HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\n"
    b'Transfer-Encoding: chunked\r\n\r\n11\r\n{"item_id": "a"}\n\r\n'
)


def check_stopping(answer: bytes) -> None:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 503 "), answer
    assert b"retry-after: 1" in head.lower()
    assert orjson.loads(body)["detail"] == "the server is stopping; send the request again"


def test_half_sent_requests_do_not_keep_a_server_from_ending(tmp_path: Path) -> None:
    with (
        serving(tmp_path) as server,
        server.connect(EVENT) as body,
        server.connect(ITEMS) as stream,
        server.connect(EVENT[:30]) as head,
        server.connect() as idle,
    ):
        time.sleep(0.5)
        told = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        for connection in (body, stream):
            check_stopping(rest(connection))
        for connection in (head, idle):
            assert rest(connection) == b""
        server.process.wait(15)
        assert time.monotonic() - told < 10
        assert "Traceback" not in server.log.read_text()


def test_a_body_that_goes_on_is_still_taken(tmp_path: Path) -> None:
    body = b'{"user_id": "u", "item_id": "none", "watch_seconds": 5}'
    with serving(tmp_path) as server, server.connect(EVENT[:-1].replace(b"500", b"%d" % len(body))) as connection:
        connection.sendall(body[:20])
        time.sleep(0.3)
        server.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        connection.sendall(body[20:])
        answer = rest(connection)
        assert answer.startswith(b"HTTP/1.1 404 "), "it was read, and the item is not there"
        server.process.wait(15)


def test_a_request_that_takes_too_long_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = threading.Event()

    async def for_ever(*_: object) -> None:
        begun.set()
        await asyncio.sleep(3_600)

    monkeypatch.setattr(LiveApp, "recommend", for_ever)
    app = create_app(Settings(home=tmp_path, apps=("streaming",)))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    with socket.create_connection(server.servers[0].sockets[0].getsockname(), timeout=20) as connection:
        connection.sendall(b"GET /popular HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert begun.wait(20)
        server.should_exit = True
        check_stopping(rest(connection))
    thread.join(15)
    assert not thread.is_alive()


@pytest.mark.slow
@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM])
def test_workers_end_with_their_parent(
    tmp_path: Path, eventually: Callable[[Callable[[], bool]], None], ending: signal.Signals
) -> None:
    with serving(tmp_path, "--workers", "2") as server:
        parent, children = psutil.Process(server.process.pid), list[psutil.Process]()
        with server.connect(EVENT):
            try:
                # Both workers, not only the first to be ready.
                give_up = time.monotonic() + 60
                while sum(serves(child, server.port) for child in children) < 2:
                    assert time.monotonic() < give_up, children
                    time.sleep(0.1)
                    children = parent.children(recursive=True)
                server.process.send_signal(ending)
                server.process.wait(20)
                eventually(lambda: not any(map(runs, children)))
            finally:
                for child in filter(runs, children):
                    child.kill()
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", server.port))
            probe.listen()
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{server.url}/healthz")


def runs(process: psutil.Process) -> bool:
    """Whether a process is there, and not only its exit status."""
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def serves(process: psutil.Process, port: int) -> bool:
    """Whether a worker accepts connections: it holds one of the many that are opened until each has one."""
    with socket.create_connection(("127.0.0.1", port)), suppress(psutil.NoSuchProcess):
        return any(one.laddr.port == port and one.raddr for one in process.net_connections("tcp"))
    return False
