"""train."""

import json
import os
import shutil
from pathlib import Path

import structlog
from filelock import FileLock
from typer.testing import CliRunner, Result

from homefeed.cli.main import cli
from homefeed.retrieve.content.embedding import default_text_model


def run(home: Path, *args: str, **settings: str) -> Result:
    before = structlog.get_config()
    foreign: dict[str, str | None] = {
        name: None for name in os.environ if name.startswith("HOMEFEED_") and name != "HOMEFEED_TEXT_MODEL"
    }
    try:
        return CliRunner().invoke(cli, args, env=foreign | {"HOMEFEED_HOME": str(home), **settings})
    finally:
        structlog.configure(**before)


def done(home: Path, *args: str, **settings: str) -> str:
    result = run(home, *args, **settings)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.stdout


def test_train_publishes_every_model_and_lists_them(home: Path) -> None:
    shutil.rmtree(home / "models")
    result = run(home, "train", "streaming")
    assert result.exit_code == 0
    assert "3,000 events of" in result.stdout
    for model in ("item_item", "sequence", "content", "signals"):
        version = (home / "models" / "streaming" / model / "CURRENT").read_text()
        assert model in result.stdout
        assert version in result.stdout
        assert f"training {model}" in result.stderr


def test_train_tells_json_what_it_made(home: Path) -> None:
    trained = json.loads(done(home, "train", "streaming", "--json"))
    assert set(trained) == {"app", "users", "items", "events", "seconds", "manifests", "kept"}
    assert (trained["app"], trained["items"], trained["events"]) == ("streaming", 120, 3_000)
    models = [manifest["model"] for manifest in trained["manifests"]]
    assert models == ["item_item", "sequence", "content", "signals"]


def test_train_tells_what_tuning_the_weights_came_to(home: Path) -> None:
    shown = done(home, "train", "streaming", "--tune", "1s", "--trials", "1")
    version = (home / "models" / "streaming" / "blend" / "CURRENT").read_text()
    folder = home / "models" / "streaming" / "blend" / version
    facts = json.loads((folder / "manifest.json").read_text())["facts"]["tuning"]["home"]
    weights = json.loads((folder / "blend.json").read_text())["feeds"]["home"]["weights"]
    _, told = shown.replace("\n", " ").split("home: ")
    assert told.startswith("weights tuned to item_item = " if facts["taken"] else "the recipe's weights stay (")
    assert bool(weights) == facts["taken"]
    assert f"{facts['requests']} requests, each half by weights of the other: ndcg@10" in told
    assert f"{facts['recipe_mean']:.4f} with the recipe's, {facts['tuned_mean']:.4f} tuned" in told
    later = done(home, "train", "streaming")
    assert "blend" not in later, "it holds for a week"


def test_models_lists_what_is_live_and_which_text_model_it_was_made_with(home: Path) -> None:
    done(home, "train", "streaming")
    assert "Live models of streaming" in done(home, "models", "streaming")

    def told() -> dict[str, dict[str, str | None]]:
        return {row["model"]: row for row in json.loads(done(home, "models", "streaming", "--json"))["models"]}

    assert {"item_item", "sequence", "content", "signals"} <= set(told())
    assert told()["content"]["text_model"] is None
    assert told()["content"]["version"] == (home / "models" / "streaming" / "content" / "CURRENT").read_text()
    explained = ("explain", "--user_id", "u1", "--item_id", "i3", "--json")
    assert json.loads(done(home, *explained))["text_models"] == {}
    if default_text_model() is not None:
        done(home, "train", "streaming", HOMEFEED_TEXT_MODEL="wordllama")
        assert told()["content"]["text_model"] == "wordllama"
        assert json.loads(done(home, *explained))["text_models"] == {"content": "wordllama"}


def test_train_needs_items(tmp_path: Path) -> None:
    failed = run(tmp_path, "train", "streaming")
    assert str(failed.exception) == "streaming has no items yet; import some first: homefeed import --help"


def test_train_does_not_wait_for_another(home: Path) -> None:
    with FileLock(home / "models" / "streaming" / ".training.lock"):
        failed = run(home, "train", "streaming")
    assert str(failed.exception) == "another training of streaming is running; wait for it to end"
