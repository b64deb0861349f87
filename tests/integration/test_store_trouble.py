"""A server whose store is locked, full or frozen: it says so in time, reads what it can, recovers by itself."""

from __future__ import annotations

import resource
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from tests.embedded_postgresql import frozen, postgresql_is_installed, running_postgresql

if TYPE_CHECKING:
    from tests.conftest import Server, StartServer

Eventually = Callable[[Callable[[], bool]], None]

ITEMS = "/v1/apps/streaming/items"
WAIT, QUICK = 2.0, 1.0
"""In seconds: how long a request waits for the store here, and in what time one is answered that does not."""


@contextmanager
def serving(
    start_server: StartServer, store_url: str, home: Path
) -> Iterator[tuple[Server, httpx.Client, ThreadPoolExecutor]]:
    """A server with two items, its client, and threads to send more at once."""
    with (
        start_server(store_url, home, poll_seconds="0.1", max_store_wait_seconds=str(WAIT)) as server,
        httpx.Client(base_url=server.url, timeout=60, limits=httpx.Limits(max_connections=200)) as client,
        ThreadPoolExecutor(80) as pool,
    ):
        for item_id in "ab":
            assert client.put(f"{ITEMS}/{item_id}", json={"attributes": {"title": item_id}}).status_code == 200
        yield server, client, pool


@contextmanager
def locked(file: Path) -> Iterator[None]:
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


def timed(client: httpx.Client, method: str, path: str, body: Any = None) -> tuple[httpx.Response, float]:
    started = time.monotonic()
    answer = client.request(method, path, json=body)
    return answer, time.monotonic() - started


def play(number: int) -> dict[str, Any]:
    return {"user_id": f"u{number}", "item_id": "a", "watch_seconds": 3, "event_id": f"e{number}"}


def check_refused(waiting: list[Future[tuple[httpx.Response, float]]]) -> None:
    """Each is asked to come again, in time."""
    for answer, seconds in (future.result() for future in waiting):
        assert answer.status_code == 503, answer.text
        assert answer.headers["Retry-After"] == "1"
        assert answer.json()["detail"].startswith("the store ")
        assert "try again in a second" in answer.json()["detail"]
        assert seconds < WAIT + QUICK


def check_log(server: Server, *expected: str) -> None:
    lines = server.log.read_text().splitlines()
    told = [line for line in lines if "[error" in line or "the store takes writes again" in line]
    assert len(told) == len(expected), told
    for line, text in zip(told, expected, strict=True):
        assert text in line
    assert "Traceback" not in server.log.read_text()


@pytest.mark.slow
def test_writers_that_wait_for_a_lock_stop_no_reader(
    start_server: StartServer, tmp_path: Path, eventually: Eventually
) -> None:
    file = tmp_path / "homefeed.db"
    with serving(start_server, f"sqlite:///{file}", tmp_path) as (server, client, pool):
        with locked(file):
            waiting = [
                pool.submit(timed, client, "PUT", f"{ITEMS}/new{n}", {"attributes": {"title": "x"}})
                for n in range(30)
            ]
            waiting += [pool.submit(timed, client, "POST", "/events", play(n)) for n in range(30)]
            until = time.monotonic() + 2 * WAIT
            while time.monotonic() < until:
                for path in (
                    f"/recommendations?user_id=u{time.monotonic()}",
                    "/history?user_id=nobody",
                    f"{ITEMS}/a",
                    "/v1/apps/streaming/stats",
                    "/healthz",
                ):
                    answer, seconds = timed(client, "GET", path)
                    assert (answer.status_code, seconds < QUICK) == (200, True), (path, answer.text, seconds)
                assert timed(client, "GET", "/readyz")[1] < QUICK
                time.sleep(0.1)
            check_refused(waiting)
            assert client.get("/readyz").json()["apps"]["streaming"]["store"] is False
        eventually(lambda: client.get("/readyz").status_code == 200)
        again = client.post("/events", json=[play(n) for n in range(30)]).json()
        assert again["accepted"] + again["duplicates"] == 30
        assert client.get("/v1/apps/streaming/stats").json()["events"] == 30
        check_log(server, "the store is in trouble", "the store takes writes again")


@pytest.mark.slow
def test_a_full_disk_is_503_until_there_is_room(
    start_server: StartServer, tmp_path: Path, eventually: Eventually
) -> None:
    file = tmp_path / "homefeed.db"

    def big(item_id: str) -> httpx.Response:
        return client.put(f"{ITEMS}/{item_id}", json={"attributes": {"title": "x" * 1_500}})

    def may_write(size: int) -> None:
        _, most = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (size, most))

    with serving(start_server, f"sqlite:///{file}", tmp_path) as (server, client, _):
        may_write(max(each.stat().st_size for each in tmp_path.glob("homefeed.db*")) + 20_000)
        for number in range(100):
            answer = big(f"big{number}")
            if answer.status_code != 200:
                break
        for _ in range(3):
            answer = big("more")
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1"), answer.text
            assert client.post("/events", json=[play(n) for n in range(500)]).status_code == 503
            assert client.get("/recommendations?user_id=u1").status_code == 200
        eventually(lambda: client.get("/readyz").status_code == 503)
        may_write(resource.RLIM_INFINITY)
        eventually(lambda: client.get("/readyz").status_code == 200)
        assert big("more").status_code == 200
        assert client.post("/events", json=[play(n) for n in range(500)]).json()["accepted"] == 500
        assert client.get("/v1/apps/streaming/stats").json()["events"] == 500


@pytest.mark.slow
@pytest.mark.skipif(not postgresql_is_installed(), reason="a PostgreSQL of the test's own is to be frozen")
def test_a_frozen_postgresql_stalls_nothing_beyond_the_deadline(
    start_server: StartServer, tmp_path: Path, eventually: Eventually
) -> None:
    with running_postgresql() as url, serving(start_server, url, tmp_path) as (server, client, pool):
        assert client.post("/events", json=play(0)).json()["accepted"] == 1
        assert client.get("/recommendations?user_id=u0").status_code == 200
        with frozen(url):
            waiting = [
                pool.submit(timed, client, *asked)
                for n in range(10)
                for asked in (
                    ("GET", f"/recommendations?user_id=new{n}"),
                    ("GET", f"{ITEMS}/a"),
                    ("GET", f"/history?user_id=u{n}"),
                    ("POST", "/events", play(n + 1)),
                    ("PUT", f"{ITEMS}/new{n}", {}),
                )
            ]
            for path in ("/healthz", "/readyz", "/popular", "/recommendations?user_id=u0"):
                assert timed(client, "GET", path)[1] < QUICK, path
            check_refused(waiting)
            assert client.get("/readyz").status_code == 503
            assert client.get("/recommendations?user_id=u0").status_code == 200
        eventually(lambda: client.get("/readyz").status_code == 200)
        eventually(lambda: client.get("/recommendations?user_id=new1").status_code == 200)
        assert client.post("/events", json=play(99)).json()["accepted"] == 1
        assert client.put(f"{ITEMS}/c", json={}).status_code == 200
        check_log(server, "the store is in trouble", "the store takes writes again")
