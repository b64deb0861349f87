"""train."""

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from filelock import FileLock
from tests.cli.running import done, run

from homefeed.environment import system_clock
from homefeed.rank.click_model.model import ClickModelModel
from homefeed.rank.schema import Schema
from homefeed.retrieve.content.embedding import default_text_model
from homefeed.store import open_store
from homefeed.store.artifacts import ArtifactStore
from homefeed.store.leases import acquire_lease
from homefeed.store.verdicts import note_verdict
from homefeed.types import DAY, SECOND


def test_train_publishes_every_model_and_lists_them(home: Path) -> None:
    shutil.rmtree(home / "models")
    result = run(home, "train", "streaming")
    assert result.exit_code == 0
    assert "3,000 events of" in result.stdout
    for model in ("item_item", "sequence", "content", "exposures", "signals"):
        version = (home / "models" / "streaming" / model / "CURRENT").read_text()
        assert model in result.stdout
        assert version in result.stdout
        assert f"training {model}" in result.stderr


def test_train_tells_json_what_it_made(home: Path) -> None:
    trained = json.loads(done(home, "train", "streaming", "--json"))
    assert set(trained) == {
        "app",
        "users",
        "items",
        "events",
        "seconds",
        "manifests",
        "kept",
        "rankers",
        "left_out",
        "rejected",
        "resumed",
        "trending",
    }
    assert list(trained["rankers"]) == ["home_ranker"]
    assert (trained["app"], trained["items"], trained["events"]) == ("streaming", 120, 3_000)
    models = [manifest["model"] for manifest in trained["manifests"]]
    assert models == ["item_item", "sequence", "content", "exposures", "signals"]


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


def test_who_comes_second_is_told_who_trains_and_where(home: Path) -> None:
    async def take() -> None:
        async with open_store(f"sqlite:///{home / 'homefeed.db'}") as store:
            held = {"job": "hourly", "holder": "host9 (process 3)", "place": "host9:x", "length": 60 * SECOND}
            await acquire_lease(store, "streaming", now=system_clock(), **held)  # type: ignore[arg-type]

    asyncio.run(take())
    failed = run(home, "train", "streaming", "daily")
    told = "another training of streaming is running: hourly, on host9 (process 3), since 20"
    assert str(failed.exception).startswith(told)
    once = run(home, "schedule", "streaming", "--once", "daily", HOMEFEED_LOG_FORMAT="json")
    assert once.exit_code == 1
    line = json.loads(once.stderr)
    assert (line["event"], line["job"], line["level"]) == ("job held", "daily", "warning")
    assert line["by"].startswith(told)


def test_a_job_that_refreshes_the_trending_view_says_of_how_many_rows_it_is(home: Path) -> None:
    jobs = '{"streaming": {"jobs": {"frequent": {"every": "15m", "models": ["trending"]}}}}'
    shown = done(home, "train", "streaming", "frequent", HOMEFEED_RECIPES=jobs)
    rows = json.loads(done(home, "train", "streaming", "trending", "--json", HOMEFEED_RECIPES=jobs))["trending"]
    assert shown == f"trending: {rows} rows, an item's of an hour each\n"


@pytest.fixture
def with_ranker(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home whose settings declare a learned ranker."""
    table = "[recipes.streaming.feeds.home.learned.click_model]\n"
    (home / "homefeed.toml").write_text('apps = ["streaming"]\n' + table)
    (home / "models" / "streaming" / "home_ranker" / "verdicts.jsonl").unlink()
    monkeypatch.chdir(home)
    return home


def publish_ranker(home: Path, days: int, **facts: Any) -> str:
    artifacts = ArtifactStore(home / "models")
    model = ClickModelModel(Schema(("bias",), calibrated=False), np.ones(1, np.float32))
    how = {"now": days * DAY, "watermark": 0, "config": {}, "facts": facts}
    return artifacts.publish("streaming", "home_ranker", "click_model", model, **how).version  # type: ignore[arg-type]


def test_train_tells_of_a_learned_ranker_and_models_tells_it_again(with_ranker: Path) -> None:
    home = with_ranker
    told = done(home, "train", "streaming", "home_ranker", "--dry-run").replace("\n", " ")
    assert told.startswith("home_ranker: dry run; ")
    assert "not judged" in done(home, "models", "streaming"), "a dry run is not noted"
    trained = json.loads(done(home, "train", "streaming", "home_ranker", "--json"))
    published, _, why = trained["rankers"]["home_ranker"].partition("; ")
    assert [each["model"] for each in trained["manifests"]] == ["home_ranker"] * (published == "published")
    for asked in ("--json", "home_ranker --json"):
        found = json.loads(done(home, "models", "streaming", *asked.split()))
        verdict = found["verdicts"][0] if "verdicts" in found else found["rankers"]["home_ranker"]
        assert verdict["why"] == why
    assert why in " ".join(done(home, "models", "streaming").split())


def test_models_of_one_model_are_its_versions_of_which_one_is_chosen(with_ranker: Path) -> None:
    home = with_ranker
    assert done(home, "models", "streaming", "home_ranker") == "no version yet\n"
    first, second = publish_ranker(home, 1), publish_ranker(home, 2)
    assert done(home, "models", "streaming", "home_ranker") == f"{second} (live)\n{first}\n"
    chosen = done(home, "models", "streaming", "home_ranker", "--use", first)
    assert chosen == f"{second}\n{first} (live)\n"
    told = json.loads(done(home, "models", "streaming", "home_ranker", "--json"))
    assert told == {
        "app": "streaming",
        "model": "home_ranker",
        "live": first,
        "versions": [second, first],
        "verdicts": [],
    }
    assert "home_ranker" in done(home, "models", "streaming")


def test_a_rollback_serves_the_version_before(with_ranker: Path) -> None:
    home = with_ranker
    first, second = publish_ranker(home, 1), publish_ranker(home, 2)
    assert done(home, "models", "home_ranker", "--rollback", "--app", "streaming") == f"{second}\n{first} (live)\n"
    again = run(home, "models", "streaming", "home_ranker", "--rollback")
    assert str(again.exception) == (
        f"streaming/home_ranker: no version before {first} is kept; there are: {second}, {first}"
    )
    both = run(home, "models", "streaming", "home_ranker", "--rollback", "--use", second)
    assert str(both.exception).startswith("--use names a version and --rollback the one before")
    alone = run(home, "models", "streaming", "--rollback")
    assert str(alone.exception) == "--rollback is of one model: homefeed models APP MODEL --rollback"


def test_a_version_that_cannot_be_served_is_not_chosen(with_ranker: Path) -> None:
    home = with_ranker
    first, second = publish_ranker(home, 1), publish_ranker(home, 2)
    file = home / "models" / "streaming" / "home_ranker" / first / "coefficients.npz"
    file.chmod(0o600)
    file.write_bytes(b"damaged")
    refused = run(home, "models", "streaming", "home_ranker", "--use", first)
    assert str(refused.exception).startswith(f"streaming/home_ranker: {first} cannot be served: coefficients.npz ")
    assert done(home, "models", "streaming", "home_ranker") == f"{second} (live)\n{first}\n"


@pytest.mark.parametrize("job", [[], ["hourly"], ["item_item"]])
def test_a_dry_run_is_of_learned_rankers(with_ranker: Path, job: list[str]) -> None:
    refused = run(with_ranker, "train", "streaming", *job, "--dry-run")
    assert str(refused.exception) == "--dry-run is for learned rankers, by name: home_ranker"


def test_a_model_or_a_version_that_is_not_there_is_told(with_ranker: Path) -> None:
    home = with_ranker
    version = publish_ranker(home, 1)
    unknown = run(home, "models", "streaming", "ranker")
    known = "item_item, sequence, content, home_ranker, blend, exposures, signals"
    assert str(unknown.exception) == f'no model "ranker" in streaming; the models are: {known}'
    missing = run(home, "models", "streaming", "home_ranker", "--use", "3")
    assert str(missing.exception) == f"streaming/home_ranker: no version 3; there are: {version}"
    alone = run(home, "models", "streaming", "--use", version)
    assert str(alone.exception) == "--use is of one model: homefeed models APP MODEL --use VERSION"
    job = run(home, "train", "streaming", "ranker")
    named = known.replace("exposures, ", "")
    assert str(job.exception) == (
        f'no job or model "ranker" in streaming; the jobs are: hourly, daily; the models are: {named}'
    )


def test_models_marks_learned_rankers_with_the_verdict(with_ranker: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    home = with_ranker

    def marked() -> str:
        return next(line for line in done(home, "models", "streaming").splitlines() if "home_ranker" in line)

    assert [cell.strip() for cell in marked().split("│")[1:-1]] == ["home_ranker", "none", "", "not judged"]
    note_verdict(home / "models", "streaming", "home_ranker", {"judged_at": "2026-01-05", "why": "not taken, few"})
    assert "not taken" in marked()
    assert "home_ranker, 2026-01-05: not taken, few" in done(home, "models", "streaming")
    version = publish_ranker(home, 1, verdict={"why": "taken"})
    cells = [cell.strip() for cell in marked().split("│")[1:-1]]
    assert cells == ["home_ranker", version, "1970-01-02 00:00", "taken"], "versions are whole, for --use"


def test_models_before_any_training_says_what_to_do(tmp_path: Path) -> None:
    assert (
        done(tmp_path, "models", "streaming") == "no model of streaming is trained yet: homefeed train streaming\n"
    )


def test_a_file_where_the_models_belong_is_told(home: Path) -> None:
    folder = home / "models" / "streaming"
    shutil.rmtree(folder)
    folder.touch()
    told = f"{folder} is a file; move it away: the models are kept in a folder there"
    for asked in ("models streaming", "models streaming signals", "train streaming signals"):
        assert str(run(home, *asked.split()).exception) == told
    assert told in run(home, "doctor").stdout
    folder.unlink()
    folder.parent.rmdir()
    folder.parent.touch()
    assert str(run(home, "models", "streaming").exception).startswith(f"{folder.parent} is a file; ")
