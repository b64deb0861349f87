"""What generators of clients make of the OpenAPI document: every call, by a short name; one is made and called."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from homefeed.apps import built_in
from homefeed.server import create_app
from homefeed.settings import Settings

if TYPE_CHECKING:
    from tests.conftest import Served

GENERATOR = Path(__file__).parents[2] / ".venv" / "openapi"
"""Where `.ci/run` installs openapi-python-client: what it depends on is older than what is tested here."""
CALLS = """
from generated import Client
from generated.api.events import record_events
from generated.api.feeds import recommend
from generated.api.items import patch_items
from generated.models import EventIn, ItemPatchWithId

client = Client(base_url="{url}", raise_on_unexpected_status=True)
page = recommend.sync("streaming", "popular", client=client, n=2)
event = EventIn(user_id="{user}", item_id=page.items[0].item_id, event_type="play", value=60.0)
print(record_events.sync("streaming", client=client, body=event).accepted)
print(record_events.sync("streaming", client=client, body=[event, event]).accepted)
print(patch_items.sync("streaming", client=client, body=[ItemPatchWithId(item_id="none")]).rejected[0].error)
"""


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """The document of a server of all apps."""
    return create_app(Settings(home=Path("never-opened"), apps=tuple(built_in()))).openapi()


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, by_method in document["paths"].items():
        for method, operation in by_method.items():
            yield f"{method.upper()} {path}", operation


def test_operations_have_short_ids_of_their_own(document: dict[str, Any]) -> None:
    ids = Counter(operation["operationId"] for _, operation in operations(document))
    assert {name: count for name, count in ids.items() if count > 1} == {}
    assert [name for name in ids if not re.fullmatch(r"[a-z][a-z_]{2,29}", name)] == []
    assert {
        "recommend",
        "explain",
        "record_events",
        "put_items",
        "patch_items",
        "put_users",
        "shop_search",
    } <= set(ids)


def test_ids_and_names_of_schemas_are_the_same_whichever_apps_are_served(document: dict[str, Any]) -> None:
    for app in ("streaming", "live"):
        alone = create_app(Settings(home=Path("never-opened"), apps=(app,))).openapi()
        assert {label: one["operationId"] for label, one in operations(alone)}.items() <= {
            label: one["operationId"] for label, one in operations(document)
        }.items()
        assert alone["components"]["schemas"].keys() <= document["components"]["schemas"].keys()


def test_operations_are_summed_up_in_words(document: dict[str, Any]) -> None:
    summaries = {label: operation["summary"] for label, operation in operations(document)}
    assert {label: text for label, text in summaries.items() if not re.fullmatch(r"[A-Z].{4,119}", text)} == {}
    assert summaries["POST /v1/apps/{app}/events"] == "Record an event, or a list of up to 1,000"


def test_schemas_are_components_by_plain_names(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    assert [name for name in schemas if "__" in name] == []
    referenced = set(re.findall(r'"#/components/schemas/(\w+)"', orjson.dumps(document).decode()))
    assert referenced == set(schemas)
    assert b"$defs" not in orjson.dumps(document)
    body = document["paths"]["/v1/apps/{app}/events"]["post"]["requestBody"]["content"]["application/json"]
    event = {"$ref": "#/components/schemas/EventIn"}
    assert body["schema"]["anyOf"] == [event, {"type": "array", "maxItems": 1000, "items": event}]
    for label, operation in operations(document):
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        assert content is None or '"properties"' not in orjson.dumps(content["schema"]).decode(), label


@pytest.mark.parametrize("served", ["sqlite"], indirect=True)
@pytest.mark.skipif(not GENERATOR.is_dir(), reason="openapi-python-client is not installed; .ci/run shows how")
def test_a_generated_client_has_every_call_and_works(
    document: dict[str, Any], served: Served, fresh: Callable[[str], str], tmp_path: Path
) -> None:
    (tmp_path / "openapi.json").write_bytes(orjson.dumps(document))
    (tmp_path / "options.json").write_text('{"package_name_override": "generated", "post_hooks": []}')
    options = [
        "--path",
        "openapi.json",
        "--config",
        "options.json",
        "--meta",
        "none",
        "--output-path",
        "generated",
    ]
    made = ran(tmp_path, "-m", "openapi_python_client", "generate", *options)
    # Streams of lines are for other means; a list of the same is a call.
    assert set(re.findall(r"WARNING parsing (.+) within", made)) == {
        "POST /v1/apps/{app}/items", "POST /v1/apps/{app}/users",
    }  # fmt: skip
    assert made.count("Unsupported content type application/x-ndjson") == 2
    modules = {path.stem for path in (tmp_path / "generated/api").glob("*/*.py")} - {"__init__"}
    assert modules == {operation["operationId"] for _, operation in operations(document)}
    called = ran(tmp_path, "-c", CALLS.format(url=served.url, user=fresh("generated")))
    assert called.splitlines() == ["1", "2", 'no item "none" in streaming']


def ran(folder: Path, *arguments: str) -> str:
    environment = {"PYTHONPATH": f"{GENERATOR}:{folder}", "PATH": "", "COLUMNS": "200"}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr
