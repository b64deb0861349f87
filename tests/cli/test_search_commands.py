"""search, and synonyms: what a shop's people try first."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import structlog
from typer.testing import CliRunner, Result

from homefeed.cli.main import cli
from homefeed.retrieve.search.synonyms import parse_synonyms

PRODUCTS = """\
id,name,main_category,sub_category,discount_price,actual_price
A000000001,Red Running Shoes,Fashion,Shoes,50,100
A000000002,Blue Kettle,Kitchen,Kettles,20,20
"""
EVENTS = """\
user_id,event_type,product_id,query,timestamp
u1,search_query,,red shoes,2026-01-01T10:00:00Z
u1,product_click,A000000001,red shoes,2026-01-01T10:00:01Z
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("searching")
    (folder / "products.csv").write_text(PRODUCTS)
    (folder / "events.csv").write_text(EVENTS)
    assert run(folder, "import", "shop", str(folder)).exit_code == 0
    return folder


def run(home: Path, *args: str) -> Result:
    before = structlog.get_config()
    try:
        return CliRunner().invoke(cli, args, env={"HOMEFEED_HOME": str(home)})
    finally:
        structlog.configure(**before)


def test_search_without_any_training(home: Path) -> None:
    result = run(home, "search", " runing shoe ", "--reason")
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines() == [
        "Results for runing shoe:",
        "1. A000000001 - Red Running Shoes",
        '   Matches "runing (as running) shoe"',
    ]


def test_search_as_json(home: Path) -> None:
    parsed = json.loads(run(home, "search", "kettle", "--json").stdout)
    assert (parsed["query"], parsed["k"]) == ("kettle", 10)
    assert [item["item_id"] for item in parsed["items"]] == ["A000000002"]


def test_nothing_matches(home: Path) -> None:
    assert run(home, "search", "xylophonequartz").stdout.splitlines()[1:] == ["Nothing matches."]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("search", "  "), "query: expected a text of 1 to 255 characters"),
        (("search", "kettle", "--k", "0"), "k: expected 1 or more"),
        (("search", "kettle", "--app", "streaming"), "has no items yet"),
    ],
)
def test_what_cannot_be_searched(home: Path, args: tuple[str, ...], message: str) -> None:
    result = run(home, *args)
    assert result.exit_code == 1
    assert message in str(result.exception)


def test_history_shows_searches(home: Path) -> None:
    result = run(home, "history", "--user_id", "u1", "--app", "shop")
    assert '2. "red shoes" (search_query' in result.stdout
    parsed = json.loads(run(home, "history", "--user_id", "u1", "--app", "shop", "--json").stdout)
    assert [(row["item_id"], row["query"]) for row in parsed["items"]] == [
        ("A000000001", "red shoes"),
        (None, "red shoes"),
    ]


def test_synonyms_prints_a_table_that_can_be_edited(home: Path) -> None:
    result = run(home, "synonyms", "shop")
    assert result.exit_code == 0
    assert len(parse_synonyms(result.stdout, "printed").table) > 100


def test_synonyms_checks_a_file(home: Path) -> None:
    table = home / "own.txt"
    table.write_text("sofa, couch\nlonely\n")
    result = run(home, "synonyms", str(table))
    assert result.exit_code == 1
    assert f'{table}, line 2: expected "sofa, couch" or "sofa => couch", got "lonely"' in str(result.exception)
