"""train --data and --synthetic."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.cli.running import done, run

from homefeed.cli import data as commands

RECIPE = """
app = "files"
home = "home"
items.fields = { title = "text" }
[events.play]
[models.item_item]
spectral = 0.0
[feeds.popular]
retrieve.popular = {}
rank.weighted.weights = { popular = 1 }
[feeds.home]
retrieve = { item_item = {}, popular = {} }
rank.weighted.weights = { item_item = 1, popular = 0.1 }
"""


def write(folder: Path, items: int = 12) -> None:
    """Twelve users, each of whom plays five of the six items of one of two kinds."""
    folder.mkdir(exist_ok=True)
    (folder / "users.csv").write_text("\n".join(["user_id", *(f"u{n}" for n in range(12))]))
    (folder / "items.csv").write_text("\n".join(["item_id,title", *(f"i{n},Item {n}" for n in range(items))]))
    plays = [
        f"u{u},i{2 * ((u + k) % 6) + u % 2},play,{1_700_000_000 + 1_000 * k + u}"
        for k in range(5)
        for u in range(12)
    ]
    (folder / "events.csv").write_text("\n".join(["user_id,item_id,event_type,timestamp", *plays]))


@pytest.fixture
def recipe(tmp_path: Path) -> str:
    path = tmp_path / "recipe.toml"
    path.write_text(RECIPE)
    write(tmp_path / "in")
    return str(path)


def test_files_are_imported_judged_by_and_trained_on(tmp_path: Path, recipe: str) -> None:
    given = "--data", str(tmp_path / "in"), "--test-ratio", "0.2"
    told: dict[str, Any] = json.loads(done(tmp_path, "train", recipe, *given, "--json"))
    assert told["imported"]["files"]["events"]["loaded"] == 60
    assert {manifest["model"] for manifest in told["manifests"]} >= {"item_item", "signals"}
    found = told["evaluation"]
    assert found["test_users"] == 12  # of each the last of five
    assert "the last 20% of the new items of each user" in found["description"]
    names = ["popular", "popular, 7 days", "item_item", "home: candidates", "home: ranked list"]
    assert list(found["systems"]) == names
    # Twelve items in all: whoever proposes everything finds everything.
    assert found["systems"]["home: candidates"]["recall@100"] == {"mean": 1, "low": 1, "high": 1}
    # item_item knows of which kind the item is that is left.
    of_ranked, of_popular = (
        found["systems"][name]["ndcg@10"]["mean"] for name in ("home: ranked list", "popular")
    )
    assert of_ranked > 1.3 * of_popular
    shown = done(tmp_path, "train", recipe, *given, COLUMNS="160")
    assert "12 held-out interactions of 12 users, 48 to learn from" in shown
    assert "1.0000 [1.0000, 1.0000]" in shown
    assert "item_item" in shown


def test_the_sample_goes_into_an_app_that_has_nothing_else(
    tmp_path: Path, recipe: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "generated", lambda app, folder, report: write(folder))
    for _ in range(2):
        told = json.loads(done(tmp_path, "train", recipe, "--synthetic", "--json"))
        assert (told["items"], told["events"]) == (12, 60)
    monkeypatch.setattr(commands, "generated", lambda app, folder, report: write(folder, items=11))
    result = run(tmp_path, "train", recipe, "--synthetic")
    assert result.exit_code == 1
    assert "files has data that is not its sample: 12 items, " in str(result.exception)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--test-ratio", "0.3"], "--test-ratio is for --data and --synthetic"),
        (["--data", "in", "--synthetic"], "expected one of them, got both"),
        (["item_item", "--data", "in"], "--data and --synthetic train every model: leave out JOB"),
        (["--synthetic", "--dry-run"], "--data and --synthetic train every model"),
        (["--data", "nowhere"], "nowhere: no such folder"),
        (["--data", "half"], "no file of events"),
    ],
)
def test_what_does_not_go_together_is_refused(tmp_path: Path, recipe: str, options: list[str], why: str) -> None:
    write(tmp_path / "half")
    (tmp_path / "half/events.csv").unlink()
    folders = {"in", "half", "nowhere"}
    given = [str(tmp_path / option) if option in folders else option for option in options]
    result = run(tmp_path, "train", recipe, *given)
    assert result.exit_code == 1
    assert why in str(result.exception)
