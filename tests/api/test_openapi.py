"""Whatever the OpenAPI document allows, and what it does not: no 5xx, and every answer as described."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import CheckFunction
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from homefeed.apps import built_in
from homefeed.server import create_app
from homefeed.settings import Settings

if TYPE_CHECKING:
    from tests.conftest import Served

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


@schema.parametrize()
@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_as_described(case: schemathesis.Case[Any], served: Served, known: None) -> None:
    excluded: list[CheckFunction] = []
    # Of a list the good ones are kept and the others named: a bad one does not make the request a bad one.
    if isinstance(case.body, list) or case.media_type == "application/x-ndjson":
        excluded.append(negative_data_rejection)
    if case.operation.label in DEPENDING:
        excluded.append(positive_data_acceptance)
    response = case.call_and_validate(base_url=served.url, excluded_checks=excluded)
    assert response.headers["x-request-id"]
