"""train and evaluate."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import structlog
from filelock import FileLock
from typer.testing import CliRunner, Result

from homefeed.cli.main import cli

SYSTEMS = ["popular", "item_item", "content", "trending", "fresh", "home"]


def run(home: Path, *args: str) -> Result:
    before = structlog.get_config()
    foreign: dict[str, str | None] = {name: None for name in os.environ if name.startswith("HOMEFEED_")}
    try:
        return CliRunner().invoke(cli, args, env=foreign | {"HOMEFEED_HOME": str(home)})
    finally:
        structlog.configure(**before)


def done(home: Path, *args: str) -> str:
    result = run(home, *args)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.stdout


@pytest.fixture(scope="module")
def sample_home(tmp_path_factory: pytest.TempPathFactory, fill_sample: Callable[[str, Path], Any]) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    fill_sample(f"sqlite:///{folder / 'homefeed.db'}", folder)
    return folder


@pytest.fixture
def home(tmp_path: Path, sample_home: Path) -> Path:
    """A copy of the sample's home, to change."""
    return Path(shutil.copytree(sample_home, tmp_path / "home"))


def test_train_publishes_every_model_and_lists_them(home: Path) -> None:
    shutil.rmtree(home / "models")
    result = run(home, "train", "streaming")
    assert result.exit_code == 0
    assert "3,000 events of" in result.stdout
    for model in ("item_item", "content", "signals"):
        version = (home / "models" / "streaming" / model / "CURRENT").read_text()
        assert model in result.stdout
        assert version in result.stdout
        assert f"training {model}" in result.stderr


def test_train_tells_json_what_it_made(home: Path) -> None:
    trained = json.loads(done(home, "train", "streaming", "--json"))
    assert set(trained) == {"app", "users", "items", "events", "seconds", "manifests"}
    assert (trained["app"], trained["items"], trained["events"]) == ("streaming", 120, 3_000)
    assert [manifest["model"] for manifest in trained["manifests"]] == ["item_item", "content", "signals"]


def test_train_needs_items(tmp_path: Path) -> None:
    failed = run(tmp_path, "train", "streaming")
    assert str(failed.exception) == "streaming has no items yet; import some first: homefeed import --help"


def test_train_waits_for_nobody(home: Path) -> None:
    with FileLock(home / "models" / "streaming" / ".training.lock"):
        failed = run(home, "train", "streaming")
    assert str(failed.exception) == "another training of streaming is running; wait for it to end"


def test_evaluate_compares_every_retriever_and_the_feed_with_popularity(sample_home: Path) -> None:
    printed = done(sample_home, "evaluate", "streaming")
    assert all(system in printed for system in SYSTEMS)
    assert all(metric in printed for metric in ("recall@20", "ndcg@10", "coverage@20"))
    assert "2,400 events to learn from" in printed
    assert "all 120 items ranked." in printed


def test_evaluate_tells_json_what_it_measured(sample_home: Path) -> None:
    told = json.loads(done(sample_home, "evaluate", "streaming", "--json", "--users", "20", "--revealed", "0.25"))
    assert {"app", "feed", "protocol", "train_events", "test_users", "items", "left_out"} <= set(told)
    assert list(told["systems"]) == SYSTEMS
    assert list(told["differences"]) == SYSTEMS[1:]
    assert set(told["systems"]["home"]["recall@20"]) == {"mean", "low", "high"}
    assert told["test_users"] == told["users"] == 20
    assert (told["protocol"]["most_users"], told["protocol"]["revealed_share"]) == (20, 0.25)


def test_evaluate_writes_the_table_as_markdown_too(sample_home: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.md"
    told = json.loads(done(sample_home, "evaluate", "streaming", "--json", "--markdown", str(report)))
    text = report.read_text()
    rows = [line.split("|")[1].strip() for line in text.splitlines() if line.startswith("|")]
    assert rows == ["system", "---", *SYSTEMS, "difference from popular", "---", *SYSTEMS[1:]]
    assert f"{told['systems']['home']['recall@20']['mean']:.4f}" in text
    assert text.endswith(".\n")


def test_evaluate_on_the_part_before_the_test(sample_home: Path) -> None:
    told = json.loads(done(sample_home, "evaluate", "streaming", "--json", "--validation"))
    assert (told["protocol"]["validation"], told["train_events"]) == (True, 1_920)


def test_evaluate_takes_another_feed_and_baseline(sample_home: Path) -> None:
    told = json.loads(
        done(sample_home, "evaluate", "streaming", "--json", "--feed", "fresh", "--baseline", "trending")
    )
    assert told["baseline"] == "trending"
    assert set(told["systems"]) == {"trending", "popular", "fresh"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--feed", "hme"], 'no feed "hme" in streaming; there are: popular, trending, fresh, home, similar'),
        (
            ["--baseline", "best"],
            'no feed "best" in streaming; there are: popular, trending, fresh, home, similar',
        ),
        (["--feed", "similar"], "the feed similar is about an item; only feeds for a user can be evaluated"),
        (["--markdown", "/no/such/folder/report.md"], "--markdown: no such folder: /no/such/folder"),
    ],
)
def test_evaluate_refuses_what_it_cannot_judge(sample_home: Path, options: list[str], message: str) -> None:
    assert str(run(sample_home, "evaluate", "streaming", *options).exception) == message


def test_evaluate_needs_events(tmp_path: Path) -> None:
    failed = run(tmp_path, "evaluate", "streaming")
    assert str(failed.exception) == "streaming has 0 events to evaluate on; import more first"
