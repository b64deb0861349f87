"""Online Retail (541,909 invoice lines of a gift shop) through the example: converted, imported, judged."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import structlog
from threadpoolctl import threadpool_limits
from typer.testing import CliRunner

from homefeed.cli.main import cli

ROOT = Path(__file__).parents[2]
LINES = ROOT.parent / "shared" / "data" / "online-retail" / "online_retail.csv.gz"
EXAMPLE = ROOT / "examples" / "online-retail"
RECIPE = str(EXAMPLE / "recipe.toml")
CUSTOMERS = 500
"""So many of the 4,335, drawn by lot, so that it takes seconds."""

pytestmark = pytest.mark.skipif(not LINES.is_file(), reason=f"needs UCI Online Retail in {LINES.parent}")


def told(home: Path, *args: str) -> Any:
    """What a command says with --json."""
    before = structlog.get_config()
    foreign: dict[str, str | None] = {name: None for name in os.environ if name.startswith("HOMEFEED_")}
    try:
        # On a busy machine threads that wait for one another take most of the time of small systems of equations.
        with threadpool_limits(1, "blas"):
            result = CliRunner().invoke(cli, [*args, "--json"], env=foreign | {"HOMEFEED_HOME": str(home)})
    finally:
        structlog.configure(**before)
    assert result.exit_code == 0, (result.output, result.exception)
    return json.loads(result.stdout)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the converted files."""
    return tmp_path_factory.mktemp("shop")


@pytest.fixture(scope="module")
def said(shop: Path) -> str:
    """What the conversion prints."""
    command = [sys.executable, str(EXAMPLE / "convert.py"), str(LINES), str(shop)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def home(shop: Path, said: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that holds the whole catalogue and what some of the customers bought."""
    folder = tmp_path_factory.mktemp("online_retail")
    events = rows(shop / "events.csv")
    everybody = sorted({event["user_id"] for event in events})
    chosen = set(np.random.default_rng(7).choice(everybody, CUSTOMERS, replace=False).tolist())
    with (folder / "events.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(events[0]))
        writer.writeheader()
        writer.writerows(event for event in events if event["user_id"] in chosen)
    files = ["--items", str(shop / "items.csv"), "--events", str(folder / "events.csv")]
    report = told(folder, "import", RECIPE, *files)
    assert report["files"]["items"]["loaded"] == 3_659
    assert report["files"]["events"]["loaded"] == report["files"]["events"]["rows"], (
        "no row is wrong or there twice"
    )
    assert report["events"]["created_users"] == CUSTOMERS
    return folder


def test_every_line_is_accounted_for(said: str, shop: Path) -> None:
    counts = [int(line.split()[0].replace(",", "")) for line in said.splitlines()]
    lines, *left_out, kept, added, events = counts
    assert left_out == [9_288, 1_336, 2_399, 132_516]
    assert (lines, kept) == (541_909, lines - sum(left_out))
    assert events == kept - added == len(rows(shop / "events.csv")) == 386_278
    assert said.splitlines()[-1].endswith("386,278 events of 4,335 customers about 3,659 products")
    assert (EXAMPLE / "README.md").read_text().count("386,278") == 1


def test_what_is_no_product_is_no_item(shop: Path, said: str) -> None:
    items = {item["item_id"]: item for item in rows(shop / "items.csv")}
    assert len(items) == 3_659
    assert items.keys().isdisjoint({"POST", "M", "BANK CHARGES", "85123a"})
    assert items["85123A"]["title"] == "WHITE HANGING HEART T-LIGHT HOLDER"
    assert all(item["title"] and float(item["price"]) > 0 for item in items.values())


def test_new_things_in_the_next_basket_are_foreseen_better_than_by_popularity(home: Path) -> None:
    found = told(home, "evaluate", RECIPE, "--split", "basket", "--no-replay")
    assert found["test_users"] > 100
    assert found["repeated_targets"] == 0
    assert found["leaks"] == found["failures"] == []
    for system in ("item_item", "als", "home"):
        for metric in ("recall@20", "ndcg@10"):
            assert found["differences"][system][metric]["low"] > 0, (system, metric)
            assert found["tests"][system][metric]["p_holm"] < 0.05, (system, metric)


def test_what_is_bought_again_is_foreseen_best_by_who_bought_it(home: Path) -> None:
    feeds = ["--feed", "home", "--feed", "again"]
    found = told(home, "evaluate", RECIPE, *feeds, "--split", "basket", "--repeats", "--no-replay")
    assert 0.2 < found["repeated_targets"] / found["targets"] < 0.6
    for metric in ("recall@20", "ndcg@10"):
        means = {name: row[metric]["mean"] for name, row in found["systems"].items()}
        assert found["differences"]["home"][metric]["low"] > 0
        assert found["differences"]["again"][metric]["low"] > 0
        assert means["again"] > means["item_item"] > means["popular"]
        assert means["home"] > means["item_item"]
