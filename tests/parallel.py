"""How the tests are shared out to the workers of pytest-xdist: what is costly to set up, to one of them."""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import Any

import pytest
from tests.embedded_postgresql import postgresql_is_installed, running_postgresql

SERVER = "HOMEFEED_TEST_POSTGRES_URL"
_HANDED_DOWN = "homefeed_postgresql"
_started = pytest.StashKey[str]()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """One PostgreSQL for all workers, started before the first of them."""
    config: pytest.Config = node.config
    if _started not in config.stash and not os.environ.get(SERVER) and postgresql_is_installed():
        stack = ExitStack()
        config.stash[_started] = stack.enter_context(running_postgresql())
        config.add_cleanup(stack.close)
    node.workerinput[_HANDED_DOWN] = config.stash.get(_started, None)


def postgresql_of(config: pytest.Config) -> str | None:
    """The PostgreSQL that is there already: the one that the environment names, or the one of all workers."""
    handed_down: dict[str, str | None] = getattr(config, "workerinput", {})
    return os.environ.get(SERVER) or handed_down.get(_HANDED_DOWN)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with what lasts, so that no worker is left with it in the end: slow tests, then those of one server.

    A slow test goes to any worker, the others of a file to one.
    """
    if hasattr(config, "workerinput"):
        for item in items:
            if not _is_slow(item):
                item.add_marker(pytest.mark.xdist_group(_server_of(item) or item.nodeid.partition("::")[0]))
        items.sort(key=lambda item: (not _is_slow(item), _server_of(item) is None))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Tests that are grouped bear their group's name: without it each worker would set up what one has to."""
    if hasattr(session.config, "workerinput") and session.config.getoption("loadgroup"):
        alone = [item.nodeid for item in session.items if not _is_slow(item) and "@" not in item.nodeid]
        if alone:
            raise pytest.UsageError(f"pytest-xdist does not group tests with this pytest, such as {alone[0]}")


def _is_slow(item: pytest.Item) -> bool:
    return item.get_closest_marker("slow") is not None


def _server_of(item: pytest.Item) -> str | None:
    """The server, or the session of Spark, that the test shares with those of other files, if it does."""
    if "spark" in getattr(item, "fixturenames", ()):
        return "spark"
    parameters: dict[str, Any] = (
        item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
    )
    return f"served-{parameters['served']}" if "served" in parameters else None
