"""train --clicks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.running import done, run

RECIPE = """
app = "clicks"
items.fields = { title = "text", year = "number" }
users.fields.age = "number"
[events.play]
[models.click_probability.features]
age = { user = "age" }
year = { item = "year" }
[feeds.home]
retrieve.popular = {}
features.click_probability = {}
rank.weighted.weights = { popular = 1, click_probability = 0.5 }
"""


@pytest.fixture
def recipe(tmp_path: Path) -> str:
    path = tmp_path / "recipe.toml"
    path.write_text(RECIPE)
    # Of 50 samples 10 are held out, 5 of them clicked: the sign of the age tells which.
    rows = [f"u{n},i{n},{n - 24.5},{2000 + n % 7},{int(n > 24)}" for n in range(50)]
    (tmp_path / "click_samples.csv").write_text(
        "\n".join(["user_id,item_id,age,year,clicked", *rows, "u,i,old,1,1"])
    )
    return str(path)


def test_it_prints_how_good_the_model_is_and_what_counts(tmp_path: Path, recipe: str) -> None:
    shown = done(tmp_path, "train", recipe, "click_probability", "--clicks", str(tmp_path), COLUMNS="200")
    assert (
        "learned from 40 samples, judged on 10 others, of which 50.0% were clicked; 1 row left out: age" in shown
    )
    lines = [line.split() for line in shown.splitlines()]
    assert ["ROC", "AUC", "1.000"] in lines
    assert {"accuracy", "precision", "recall"} <= {line[0] for line in lines if line}
    assert shown.index("age  ") < shown.index("year  "), "by importance"
    told = json.loads(done(tmp_path, "models", recipe, "--json"))["models"]
    assert [row["model"] for row in told] == ["click_probability"]
    assert told[0]["version"] in done(tmp_path, "models", recipe, "click_probability")
    assert "AUC 1.000" in done(tmp_path, "models", recipe, COLUMNS="200")


def test_it_tells_json_the_same(tmp_path: Path, recipe: str) -> None:
    file = str(tmp_path / "click_samples.csv")
    told = json.loads(done(tmp_path, "train", recipe, "click_probability", "--clicks", file, "--json"))
    (manifest,) = told["manifests"]
    facts = manifest["facts"]
    assert (manifest["model"], facts["rows"], facts["validation"]["roc_auc"]) == ("click_probability", 50, 1)
    assert facts["left_out"] == {"age: expected a number": 1}
    assert facts["samples"]["file"] == "click_samples.csv"
    assert [row["feature"] for row in facts["importances"]] == ["age", "year"]


def test_all_models_are_trained_with_it(tmp_path: Path, recipe: str) -> None:
    items = tmp_path / "items.csv"
    items.write_text("item_id,title,year\ni1,One,2001\n")
    done(tmp_path, "import", recipe, "--items", str(items))
    without = done(tmp_path, "train", recipe)
    assert "click_probability: not trained yet; it learns from click samples: --clicks PATH" in without
    told = json.loads(done(tmp_path, "train", recipe, "--clicks", str(tmp_path), "--json"))
    assert [manifest["model"] for manifest in told["manifests"]] == ["signals", "click_probability"]
    assert "not trained yet" not in done(tmp_path, "train", recipe)


@pytest.mark.parametrize(
    ("args", "why"),
    [
        (["click_probability"], "click_probability learns from click samples; name their file, or its folder, by"),
        (
            ["hourly", "--clicks", "x.csv"],
            "--clicks is for all models together, or for those of click samples: click",
        ),
        (
            ["click_probability", "--clicks", "x.csv", "--tune", "1m"],
            "--tune, --trials, --untuned and --dry-run are",
        ),
        (["click_probability", "--clicks", "gone.csv"], "gone.csv: no such file"),
    ],
)
def test_what_does_not_go_together_is_refused(tmp_path: Path, recipe: str, args: list[str], why: str) -> None:
    failed = run(tmp_path, "train", recipe, *args)
    assert failed.exit_code == 1
    assert why in str(failed.exception)


def test_an_app_without_such_a_model_is_told(tmp_path: Path) -> None:
    failed = run(tmp_path, "train", "streaming", "--clicks", str(tmp_path))
    assert str(failed.exception).startswith("no model of streaming learns from click samples")
