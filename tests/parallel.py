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


def server_of(config: pytest.Config) -> str | None:
    """The PostgreSQL that is there already: the one that the environment names, or the one of all workers."""
    handed_down: dict[str, str | None] = getattr(config, "workerinput", {})
    return os.environ.get(SERVER) or handed_down.get(_HANDED_DOWN)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Group the tests; the groups that last are begun first, so that no worker is left with one in the end."""
    if hasattr(config, "workerinput"):
        groups = {item: _group_of(item) for item in items}
        for item, group in groups.items():
            item.add_marker(pytest.mark.xdist_group(group))
        items.sort(key=lambda item: _rank(item, groups[item]))


def _group_of(item: pytest.Item) -> str:
    if _asks_one_server(item):
        return f"served-{_parameters(item)['served']}"
    return item.name if _is_slow(item) else item.nodeid.partition("::")[0]


def _rank(item: pytest.Item, group: str) -> int:
    if _is_slow(item):
        return 0
    return 1 if group.startswith("served-") else 2


def _asks_one_server(item: pytest.Item) -> bool:
    return "served" in _parameters(item)


def _is_slow(item: pytest.Item) -> bool:
    return item.get_closest_marker("slow") is not None


def _parameters(item: pytest.Item) -> dict[str, Any]:
    call = getattr(item, "callspec", None)
    return call.params if call else {}
