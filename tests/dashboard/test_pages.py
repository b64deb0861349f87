"""The front door and the dashboard, as the server serves them."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from importlib import resources
from pathlib import Path

import httpx
import pytest

from homefeed import __version__
from homefeed.server import create_app
from homefeed.settings import Settings

BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
ASSETS = sorted(file.name for file in (resources.files("homefeed.dashboard") / "static").iterdir())
MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
MARKUP_FROM_TEXT = re.compile(r"innerHTML|outerHTML|insertAdjacent|document\.write|\beval\(|new Function")
REMOTE_PICTURE = re.compile(r"""el\("(?:img|picture|video|iframe)"|new Image|\.src\b|background-image""")
XML_NAMESPACE = "http://www.w3.org/2000/svg"


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(Settings(home=tmp_path, apps=("streaming",)))
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            yield client


@pytest.mark.parametrize("accept", ["*/*", "application/json", ""])
async def test_programs_get_health_at_the_front_door(client: httpx.AsyncClient, accept: str) -> None:
    answer = await client.get("/", headers={"accept": accept})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["vary"] == "Accept"
    assert answer.json() == {
        "status": "ok",
        "name": "Homefeed",
        "version": __version__,
        "docs": "/docs",
        "apps": ["streaming"],
    }


@pytest.mark.parametrize("door", ["/", "/dashboard/"])
async def test_a_link_to_the_front_door_keeps_what_it_is_to_show(client: httpx.AsyncClient, door: str) -> None:
    answer = await client.get(f"{door}?app=live&user=ann%20b&query=caf%C3%A9", headers=BROWSER)
    assert answer.headers["location"] == "/dashboard?app=live&user=ann%20b&query=caf%C3%A9"


async def test_a_browser_is_led_from_the_front_door_to_the_dashboard(client: httpx.AsyncClient) -> None:
    answer = await client.get("/", headers=BROWSER)
    assert (answer.status_code, answer.headers["location"]) == (307, "/dashboard")
    assert answer.headers["vary"] == "Accept"
    page = await client.get("/", headers=BROWSER, follow_redirects=True)
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.text.startswith("<!doctype html>")
    assert __version__ in page.text


async def test_a_slash_too_many_leads_to_the_page(client: httpx.AsyncClient) -> None:
    answer = await client.get("/dashboard/")
    assert (answer.status_code, answer.headers["location"]) == (307, "/dashboard")


async def test_redirects_keep_the_prefix_of_a_proxy(tmp_path: Path) -> None:
    app = create_app(Settings(home=tmp_path, apps=("streaming",)))
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app, root_path="/feeds")
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            answer = await client.get("/", headers=BROWSER)
            assert answer.headers["location"] == "/feeds/dashboard"
            assert (await client.get("/")).json()["docs"] == "/feeds/docs"


@pytest.mark.parametrize("path", ["/dashboard", *(f"/dashboard/static/{name}" for name in ASSETS)])
async def test_nothing_but_ones_own_files_may_run(client: httpx.AsyncClient, path: str) -> None:
    headers = (await client.get(path)).headers
    policy = dict(rule.split(" ", 1) for rule in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert {policy[f"{kind}-src"] for kind in ("script", "style", "img", "connect")} == {"'self'"}
    assert policy["require-trusted-types-for"] == "'script'"
    assert {policy[name] for name in ("base-uri", "form-action", "frame-ancestors")} == {"'none'"}
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


async def test_every_asset_is_served_and_every_reference_leads_to_one(client: httpx.AsyncClient) -> None:
    page = (await client.get("/dashboard")).text
    referenced = set(re.findall(r'(?:href|src)="dashboard/static/([^"]+)"', page))
    assert referenced == set(ASSETS)
    for name in ASSETS:
        answer = await client.get(f"/dashboard/static/{name}")
        assert answer.status_code == 200
        assert answer.headers["content-type"] == MEDIA_TYPES[Path(name).suffix]
        for imported in re.findall(r'from "(.+)";', answer.text):
            assert imported.removeprefix("./") in ASSETS


async def test_an_unchanged_file_is_not_sent_again(client: httpx.AsyncClient) -> None:
    for path in ("/dashboard", "/dashboard/static/main.js"):
        first = await client.get(path)
        again = await client.get(path, headers={"if-none-match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        changed = await client.get(path, headers={"if-none-match": '"of an older version"'})
        assert changed.content == first.content


async def test_nothing_comes_from_anywhere_else(client: httpx.AsyncClient) -> None:
    for path in ("/dashboard", *(f"/dashboard/static/{name}" for name in ASSETS)):
        text = (await client.get(path)).text.replace(XML_NAMESPACE, "")
        assert not re.search(r"""\w+://|["'(]//|@import|url\(""", text), path


async def test_data_never_becomes_markup(client: httpx.AsyncClient) -> None:
    page = (await client.get("/dashboard")).text
    assert not re.search(r"\son\w+=|\sstyle=|<style|<script(?![^>]*\ssrc=)", page)
    for name in (name for name in ASSETS if name.endswith(".js")):
        script = (await client.get(f"/dashboard/static/{name}")).text
        assert not MARKUP_FROM_TEXT.search(script), name


async def test_no_picture_of_an_item_is_loaded(client: httpx.AsyncClient) -> None:
    for name in ASSETS:
        assert not REMOTE_PICTURE.search((await client.get(f"/dashboard/static/{name}")).text), name


async def test_every_element_a_script_looks_up_is_on_the_page_once(client: httpx.AsyncClient) -> None:
    ids = re.findall(r'\sid="([^"]+)"', (await client.get("/dashboard")).text)
    assert len(ids) == len(set(ids))
    for name in (name for name in ASSETS if name.endswith(".js")):
        script = (await client.get(f"/dashboard/static/{name}")).text
        assert set(re.findall(r'byId\("([^"]+)"\)', script)) <= set(ids), name
        for panel in re.findall(r'new FeedPanel\("([^"]+)"', script):
            assert {f"{panel}-{part}" for part in ("body", "request", "aside", "title", "ranked")} <= set(ids)


async def test_what_ranks_is_told_by_the_title_and_in_the_list_of_models(client: httpx.AsyncClient) -> None:
    page = (await client.get("/dashboard")).text
    for column in ("for-you", "explore"):
        assert (
            page.index(f'id="{column}-title"')
            < page.index(f'id="{column}-ranked"')
            < page.index(f'id="{column}-body"')
        )
    (models,) = re.findall(r'<details class="models".*?</details>', page, re.DOTALL)
    assert re.findall(r'\sid="([^"]+)"', models) == ["models", "model-list", "ranker-list"]


async def test_the_badge_reads_what_the_api_tells(client: httpx.AsyncClient) -> None:
    """Names in the script are fields of the answers: a field that is renamed would leave the badge empty."""
    script = (await client.get("/dashboard/static/rankers.js")).text
    schemas = (await client.get("/openapi.json")).json()["components"]["schemas"]
    for name, schema in (("learned", "LearnedState"), ("verdict", "RankerVerdict"), ("feed", "FeedOut")):
        read = set(re.findall(rf"\b{name}\??\.([a-z_]+)\b", script))
        assert read, name
        assert read <= set(schemas[schema]["properties"]), name


async def test_the_overview_reads_what_the_api_tells(client: httpx.AsyncClient) -> None:
    scripts = [
        (await client.get(f"/dashboard/static/{name}")).text
        for name in ("overview.js", "overview_parts.js", "overview_tables.js")
    ]
    schemas = (await client.get("/openapi.json")).json()["components"]["schemas"]
    for name, schema in (
        ("overview", "OverviewOut"),
        ("series", "SeriesOut"),
        ("total", "MeasuresOut"),
        ("period", "PeriodOut"),
        ("rates", "MeasuresOut"),
        ("proposed", "ProposedOut"),
        ("change", "ChangeOut"),
        ("model", "ModelOut"),
        ("last", "JobRunOut"),
        ("run", "JobRunOut"),
        ("report", "ReportOut"),
    ):
        read = set(re.findall(rf"(?<!\.)\b{name}\??\.([a-z_]+)\b", "".join(scripts)))
        assert read, name
        assert read <= set(schemas[schema]["properties"]), name


async def test_the_buttons_of_a_card_go_by_what_the_api_tells_of_event_types(client: httpx.AsyncClient) -> None:
    schemas = (await client.get("/openapi.json")).json()["components"]["schemas"]
    state = (await client.get("/dashboard/static/state.js")).text
    (types,) = re.findall(r"types: \{(.*?)\}", state)
    assert set(re.findall(r"(\w+):", types)) <= set(schemas["EventTypesOut"]["properties"])
    read = set(re.findall(r"\btype\.([a-z_]+)\b", state))
    assert "event_type" in read
    assert read <= set(schemas["EventTypeOut"]["properties"])


async def test_an_address_holds_all_that_it_is_read_for(client: httpx.AsyncClient) -> None:
    """Whoever opens a link sees what its sender saw: what is read of an address is what was written to it."""
    state = (await client.get("/dashboard/static/state.js")).text
    reading, writing = state[state.index("function requested") :].split("export function remember")
    read = set(re.findall(r'parameters\.get(?:All)?\("(\w+)"\)', reading))
    written = set(re.findall(r'parameters\.(?:set|append)\("(\w+)"', writing))
    (overview,) = re.findall(r"Object\.entries\(\{(.*?)\}\)", writing)
    written |= {one.split(":")[0].strip() for one in overview.split(",")}
    assert read == written == {"app", "user", "view", "days", "feed", "by", "item", "filter", "query"}


async def test_each_view_of_the_page_is_one_that_can_be_chosen(client: httpx.AsyncClient) -> None:
    page = (await client.get("/dashboard")).text
    (views,) = re.findall(r'<div class="views".*?</div>', page, re.DOTALL)
    assert re.findall(r'\sid="view-([^"]+)" aria-pressed="([^"]+)"', views) == [
        ("feeds", "true"),
        ("overview", "false"),
    ]
    assert re.search(r'<section [^>]*id="overview"[^>]* hidden>', page)


async def test_what_one_fills_in_says_what_it_is(client: httpx.AsyncClient) -> None:
    page = (await client.get("/dashboard")).text
    fields = re.findall(r'<(?:input|select)[^>]*\sid="([^"]+)"', page)
    assert {"app", "user-id", "search-query"} <= set(fields)
    labels = re.findall(r"<label.*?</label>", page, re.DOTALL)
    for field in fields:
        labelling = [label for label in labels if f'for="{field}"' in label or f' id="{field}"' in label]
        assert len(labelling) == 1, field
        assert re.sub(r"<[^>]+>", "", labelling[0]).strip(), field


async def test_the_search_announces_what_it_found_to_screen_readers(client: httpx.AsyncClient) -> None:
    page = (await client.get("/dashboard")).text
    (form,) = re.findall(r'<form[^>]*role="search".*?</form>', page, re.DOTALL)
    assert 'type="search"' in form
    assert 'type="submit"' in form
    assert 'id="search-status" role="status"' in form


@pytest.mark.parametrize(
    "path",
    [
        "/dashboard/nothing",
        "/dashboard/static/nothing.js",
        "/dashboard/static/",
        "/dashboard/static/..%2Fpages.py",
        "/dashboard/static/%2E%2E%2Ftemplates%2Fbase.html",
        "/dashboard/static/pages.py",
    ],
)
async def test_what_is_not_there_is_a_problem_document(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path, headers=BROWSER)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


async def test_the_pages_are_not_in_the_api_document(client: httpx.AsyncClient) -> None:
    paths = (await client.get("/openapi.json")).json()["paths"]
    assert not [path for path in paths if path == "/" or path.startswith("/dashboard")]
