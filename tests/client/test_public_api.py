"""What others build on, pinned: names, parameters and fields change only on purpose."""

from __future__ import annotations

import inspect
import subprocess
import sys
from dataclasses import fields, is_dataclass

import pytest

from homefeed import client
from homefeed.client import AsyncClient, Client, ClientError

METHODS = {
    "apps": "",
    "close": "",
    "delete_item": "item_id",
    "erase_user": "user_id",
    "explain": "feed item_id user_id n anchor query filters",
    "get_item": "item_id",
    "get_user": "user_id",
    "items": "",
    "pages": "feed user_id n cursor item_id query filters exclude latitude longitude radius_km context",
    "patch_item": "change",
    "patch_items": "changes",
    "patch_user": "user",
    "put_item": "item",
    "put_items": "items",
    "put_user": "user",
    "put_users": "users",
    "recommend": "feed user_id n cursor item_id query filters exclude latitude longitude radius_km context",
    "record": "event",
    "record_events": "events",
    "search": "query feed user_id n cursor filters exclude",
    "similar": "item_id feed user_id n cursor filters exclude",
    "stats": "",
    "users": "",
}
FIELDS = {
    "Erased": "user_id events",
    "Event": "user_id item_id event_type value timestamp event_id request_id context",
    "Feed": "feed title anchored home",
    "Item": "item_id attributes hidden created_at",
    "ItemChange": "item_id attributes hidden",
    "Outcome": "accepted duplicates rejected rejected_count",
    "Page": "feed user_id request_id cold_start items next_cursor all_seen understood",
    "Recommendation": "item_id title score reason sources attributes created_at",
    "Rejected": "index error",
    "Retries": "attempts base_seconds max_seconds random",
    "ServedApp": "app title feeds event_types",
    "Stats": "items hidden_items users events models",
    "User": "user_id attributes",
}
ERRORS = {
    "ClientError", "ConflictError", "ForbiddenError", "InvalidError", "NoAnswerError", "NotFoundError",
    "ProblemError", "UnavailableError",
}  # fmt: skip


def methods(of: type) -> dict[str, str]:
    return {
        name: " ".join(parameter for parameter in inspect.signature(method).parameters if parameter != "self")
        for name, method in vars(of).items()
        if callable(method) and not name.startswith("_")
    }


def test_names_are_these() -> None:
    assert set(client.__all__) == FIELDS.keys() | ERRORS | {"AsyncClient", "Client", "Explanation"}
    assert client.__all__ == sorted(client.__all__)


def test_methods_and_their_parameters_are_these() -> None:
    assert methods(Client) == METHODS
    assert methods(AsyncClient) == {name.replace("close", "aclose"): given for name, given in METHODS.items()}
    for of in (Client, AsyncClient):
        given = "self url app timeout retries api_key token headers transport"
        assert " ".join(inspect.signature(of.__init__).parameters) == given
        assert all(inspect.getdoc(getattr(of, name)) for name in methods(of))


def test_fields_are_these_and_nothing_can_be_changed() -> None:
    kinds = {name: getattr(client, name) for name in client.__all__}
    found = {
        name: " ".join(field.name for field in fields(kind)) for name, kind in kinds.items() if is_dataclass(kind)
    }
    assert found == FIELDS
    assert all(kinds[name].__dataclass_params__.frozen for name in found)


def test_all_errors_are_client_errors() -> None:
    assert all(issubclass(getattr(client, name), ClientError) for name in ERRORS)


@pytest.mark.parametrize(
    "heavy", ["numpy", "polars", "pydantic", "sqlalchemy", "fastapi", "numba", "scipy", "orjson"]
)
def test_it_brings_nothing_of_a_server(heavy: str, imported: set[str]) -> None:
    assert heavy not in imported


@pytest.fixture(scope="module")
def imported() -> set[str]:
    """What importing the client imports."""
    code = "import sys, homefeed.client; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    names = set(done.stdout.split())
    assert "httpx" in names
    return {name.partition(".")[0] for name in names}


def test_without_httpx_it_says_what_to_install() -> None:
    code = "import sys; sys.modules['httpx'] = None; import homefeed.client"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip().endswith("homefeed.client needs httpx: pip install 'homefeed[client]'")
