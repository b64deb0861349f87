"""Whatever is sent to a server that has keys: no 5xx, and nothing of another's, whoever sends it.

`HOMEFEED_TEST_EXAMPLES` is how many cases of each operation are tried, each by every sender.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, status_code_conformance
from tests.api.test_isolation_matrix import ANN, BOB, MARK, SECRET, fill, settings_of, token

from homefeed.apps import built_in
from homefeed.server import create_app
from homefeed.settings import Settings

if TYPE_CHECKING:
    from tests.conftest import StartServer

EXAMPLES: Final = int(os.environ.get("HOMEFEED_TEST_EXAMPLES", "2"))
CHECKS: Final = [not_a_server_error, status_code_conformance, content_type_conformance]
KNOWN: Final = {"app": "shop", "user_id": BOB, "user_uid": BOB, "item_id": MARK}
OPEN: Final = {"/healthz", "/readyz", "/health"}


def described() -> dict[str, Any]:
    """The document, naming what is another's where it can be named."""
    document = create_app(Settings(home=Path("never-opened"), apps=tuple(built_in()))).openapi()
    for operations in document["paths"].values():
        for operation in operations.values():
            for parameter in operation.get("parameters", []):
                if known := KNOWN.get(parameter["name"]):
                    parameter["schema"] = {"anyOf": [{"const": known}, parameter["schema"]]}
    return document


schema = schemathesis.openapi.from_dict(described())


@pytest.fixture(scope="module")
def senders(
    tmp_path_factory: pytest.TempPathFactory, start_server: StartServer
) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """A server with keys, and what those say who may ask it for nothing, or for what is theirs alone."""
    home = tmp_path_factory.mktemp("keys")
    keys = asyncio.run(fill(home))
    told = {"apps": ",".join(built_in()), "token_secrets": json.dumps({"live": [SECRET.get_secret_value()]})}
    with start_server(settings_of(home).store_url, home, **told) as server:
        known = [{"Authorization": f"Bearer {keys['live']}"}, token("live", ANN)]
        yield server.url, [{}, {"X-API-Key": "hf_wrong_key"}, *known]


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_sender_is_answered_and_told_nothing_of_others(
    case: schemathesis.Case[Any], senders: tuple[str, list[dict[str, str]]]
) -> None:
    url, headers = senders
    for index, said in enumerate(headers):
        # What a case says of who sends it is not by this test.
        case.headers.pop("Authorization", None)
        case.headers.pop("X-API-Key", None)
        response = case.call(base_url=url, headers=said)
        case.validate_response(response, checks=CHECKS)
        if index < 2 and case.operation.path not in OPEN:
            assert response.status_code in (400, 401, 421), (response.status_code, response.text)
        if index < 3 and "live" not in case.formatted_path and "scenarios" not in case.operation.path:
            assert MARK not in response.text or response.status_code >= 400


def test_a_key_of_the_app_is_answered(senders: tuple[str, list[dict[str, str]]]) -> None:
    url, (_, _, key, mine) = senders
    assert httpx.get(f"{url}/v1/apps/live/items", headers=key).status_code == 200
    assert httpx.get(f"{url}/v1/apps/live/items", headers=mine).status_code == 403
