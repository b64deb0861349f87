"""A server answers for its own names only: no page can have a browser take it for the page's own origin."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from homefeed.api.hosts import Hosts

if TYPE_CHECKING:
    from tests.conftest import StartServer

ITEM = "/v1/apps/streaming/items/rebound"
OWN = ("localhost", "LOCALHOST:8000", "localhost.", "127.0.0.1:8000", "127.0.0.1", "[::1]", "[::1]:8000")
FOREIGN = (
    "",
    ":8000",
    "evil.example",
    "evil.example:8000",
    "localhost.evil.example",
    "evillocalhost",
    "127.0.0.1.evil.example",
    "10.1.2.3",
    "[::2]:8000",
    "[",
    "a:b:c",
    "::1",
    "*",
    "localhost/",
    "localhost@evil.example",
    "\xff",
)


@pytest.mark.parametrize("host", OWN)
def test_loopback_is_answered(host: str) -> None:
    assert Hosts("127.0.0.1", ()).admit(host)
    assert Hosts("shop.internal", ("feeds.example",)).admit(host)


@pytest.mark.parametrize("host", FOREIGN)
def test_other_names_are_not(host: str) -> None:
    assert not Hosts("127.0.0.1", ()).admit(host)
    assert not Hosts("192.168.7.7", ("feeds.example", "*.shop.example")).admit(host)


def test_the_address_that_is_listened_at_is_answered() -> None:
    assert Hosts("192.168.7.7", ()).admit("192.168.7.7:8000")
    assert Hosts("Feeds.Internal", ()).admit("feeds.internal")
    assert not Hosts("192.168.7.7", ()).admit("192.168.7.8:8000")


@pytest.mark.parametrize("address", ["0.0.0.0", "::"])
def test_who_listens_everywhere_answers_to_every_address_and_to_no_other_name(address: str) -> None:
    for host in ("10.1.2.3:8000", "[fe80::1]:8000", "192.168.7.7"):
        assert Hosts(address, ()).admit(host)
    for host in ("evil.example", "10.1.2.3.evil.example", ""):
        assert not Hosts(address, ()).admit(host)


@pytest.mark.parametrize(
    ("allowed", "answered", "refused"),
    [
        (
            "feeds.example",
            ("feeds.example", "FEEDS.example:443", "feeds.example."),
            ("a.feeds.example", "example"),
        ),
        ("*.shop.example", ("a.shop.example", "a.b.shop.example:80"), ("shop.example", "ashop.example")),
        ("10.0.0.1", ("10.0.0.1:8000",), ("10.0.0.2",)),
        ("fe80::1", ("[fe80::1]:8000",), ("[fe80::2]",)),
        ("*", ("anything.example", "", "10.9.9.9"), ()),
    ],
)
def test_the_setting_adds_names(allowed: str, answered: tuple[str, ...], refused: tuple[str, ...]) -> None:
    hosts = Hosts("127.0.0.1", (allowed,))
    assert [host for host in answered if not hosts.admit(host)] == []
    assert [host for host in refused if hosts.admit(host)] == []


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_a_request_for_another_host_reads_and_writes_nothing(
    store_url: str, start_server: StartServer, tmp_path: Path
) -> None:
    with (
        start_server(store_url, tmp_path, allowed_hosts="feeds.example, *.shop.example") as server,
        httpx.Client(base_url=server.url, timeout=20) as client,
    ):
        for method, path in (
            ("PUT", ITEM),
            ("GET", "/readyz"),
            ("GET", "/dashboard"),
            ("GET", "/metrics"),
            ("OPTIONS", ITEM),
        ):
            answer = client.request(method, path, headers={"Host": "evil.example:8000"}, json={})
            assert answer.status_code == 421
            assert answer.headers["Content-Type"] == "application/problem+json"
            assert answer.json()["request_id"] == answer.headers["X-Request-ID"]
            for part in ('"evil.example:8000"', "allowed_hosts", "HOMEFEED_ALLOWED_HOSTS"):
                assert part in answer.json()["detail"]
        assert client.get(ITEM).status_code == 404
        for host in ("feeds.example", "eu.shop.example:443", "localhost:1"):
            assert client.put(ITEM, headers={"Host": host}, json={}).status_code == 200
