"""Whatever the OpenAPI document allows, and what it does not: no 5xx, and every answer as described.

Without keys, and on a server with keys by those who may not do all. `HOMEFEED_TEST_EXAMPLES` is how many cases of
each operation are tried.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import CheckFunction, not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    positive_data_acceptance,
    status_code_conformance,
)
from tests.api.test_isolation_matrix import ANN, MARK, SECRET, fill, settings_of, token

from homefeed.apps import built_in
from homefeed.server import create_app
from homefeed.settings import Settings

if TYPE_CHECKING:
    from tests.conftest import Served, StartServer

EXAMPLES: Final = int(os.environ.get("HOMEFEED_TEST_EXAMPLES", "25"))
OPEN: Final = {"/healthz", "/readyz", "/health"}
KNOWN: dict[str, list[Any]] = {
    "app": ["streaming", "films", "shop", "community", "live", "marketplace"],
    "feed": [
        "home",
        "popular",
        "trending",
        "fresh",
        "similar",
        "best",
        "search",
        "top_categories",
        "diverse",
        "hometown",
        "home_feed",
        "feed",
        "nearby",
    ],
    "product_id": ["P000000001", "P000000009"],
    # Not those of the sample: some will be deleted.
    "item_id": ["described-1", "described-2"],
    "anchor": ["described-1", "described-2"],
    "user_id": ["described"],
}
# Whether these can use what the document allows depends on the app's recipe, on its data and on the time.
DEPENDING = {
    "POST /events",
    "POST /v1/reco/feedback",
    "GET /v1/reco/explanations",
    "POST /api/v1/interactions/interactions",
    "POST /v1/apps/{app}/events",
    "POST /v1/apps/{app}/items",
    "PUT /v1/apps/{app}/items/{item_id}",
    "PATCH /v1/apps/{app}/items/{item_id}",
    "GET /v1/apps/{app}/feeds/{feed}",
    "GET /v1/apps/{app}/explain",
    "POST /v1/scenarios/hometown",
    "GET /api/v1/feed",
    "POST /api/v1/feed/interactions/{listing_id}",
    "PUT /v1/apps/{app}/users/{user_id}",
    "POST /api/v1/feed/interactions/bulk",
    "PATCH /api/v1/feed/preferences",
    "POST /api/v1/users",
    "GET /api/v1/feed/similar/{listing_id}",
    "POST /v1/scenarios/home_feed",
    "POST /v1/scenarios/category_feed",
    "PUT /v1/scenarios/streams/status",
    "PUT /v1/scenarios/streams/{stream_id}/status",
}


@schemathesis.serializer("application/x-ndjson")
def as_lines(context: schemathesis.SerializationContext, value: Any) -> bytes:
    return str(value).encode(errors="replace")


def described() -> dict[str, Any]:
    """The document, with names of what is there, so that more than 404s are tried."""
    document = create_app(Settings(home=Path("never-opened"), apps=tuple(built_in()))).openapi()
    for operations in document["paths"].values():
        for operation in operations.values():
            # Cursors are for the server to make.
            given = [one for one in operation.get("parameters", []) if one["name"] != "cursor"]
            for parameter in given:
                if known := KNOWN.get(parameter["name"]):
                    parameter["schema"] = {"anyOf": [{"enum": known}, parameter["schema"]]}
            operation["parameters"] = given
    return document


schema = schemathesis.openapi.from_dict(described())


@pytest.mark.parametrize(
    ("path", "declared"),
    [
        ("/v1/apps/{app}/feeds/{feed}", "FeedAnswer"),
        ("/v1/apps/{app}/explain", "Explanation"),
        ("/v1/reco/homefeed", "HomefeedOut"),
        ("/v1/reco/explanations", "Explanation"),
        ("/popular", "PopularOut"),
        ("/recommendations", "RecommendationsOut"),
        ("/recommendations/home", "HomeOut"),
        ("/recommendations/product/{product_id}", "SimilarOut"),
        ("/recommendations/search", "SearchOut"),
    ],
)
def test_what_makes_its_own_json_declares_what_it_is_like(path: str, declared: str) -> None:
    """That the answers are like that, is for the tests of each contract."""
    content = described()["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]
    assert content["schema"] == {"$ref": f"#/components/schemas/{declared}"}


@pytest.fixture
def known(api: httpx.Client) -> None:
    """What the document names is there."""
    for app, event in (("streaming", {"event_type": "play", "value": 60}), ("films", {"event_type": "like"})):
        for item_id in KNOWN["item_id"]:
            api.put(f"/v1/apps/{app}/items/{item_id}", json={"attributes": {"title": item_id}})
            payload = {"user_id": "described", "item_id": item_id} | event
            assert api.post(f"/v1/apps/{app}/events", json=payload).json()["accepted"] == 1


@pytest.fixture(scope="module")
def refused(
    tmp_path_factory: pytest.TempPathFactory, start_server: StartServer
) -> Iterator[tuple[str, Iterator[tuple[bool, dict[str, str]]]]]:
    """A server with keys, and by turns what those say who may ask it for nothing, or for what is theirs alone."""
    home = tmp_path_factory.mktemp("keys")
    keys = asyncio.run(fill(home))
    told = {"apps": ",".join(built_in()), "token_secrets": json.dumps({"live": [SECRET.get_secret_value()]})}
    with start_server(settings_of(home).store_url, home, **told) as server:
        known = {"Authorization": f"Bearer {keys['live']}"}, token("live", ANN, seconds=3_600)
        senders = [(False, {}), (False, {"X-API-Key": "hf_wrong_key"}), *((True, said) for said in known)]
        yield server.url, itertools.cycle(senders)


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_as_described(
    case: schemathesis.Case[Any],
    served: Served,
    known: None,
    request: pytest.FixtureRequest,
) -> None:
    excluded: list[CheckFunction] = []
    # Of a list the good ones are kept and the others named: a bad one does not make the request a bad one.
    if isinstance(case.body, list) or case.media_type == "application/x-ndjson":
        excluded.append(negative_data_rejection)
    if case.operation.label in DEPENDING:
        excluded.append(positive_data_acceptance)
    response = case.call_and_validate(base_url=served.url, excluded_checks=excluded)
    assert response.headers["x-request-id"]
    if request.node.callspec.params["served"] != "sqlite":
        return  # who may ask is judged before any store is
    url, senders = request.getfixturevalue("refused")
    is_known, said = next(senders)
    for name in ("Authorization", "X-API-Key"):  # a case may say these, too
        case.headers.pop(name, None)
    response = case.call(base_url=url, headers=said)
    case.validate_response(
        response, checks=[not_a_server_error, status_code_conformance, content_type_conformance]
    )
    if not is_known and case.operation.path not in OPEN:
        assert response.status_code in (400, 401, 421), (response.status_code, response.text)
        assert MARK not in response.text
