"""schedule, and train by a job's name."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import structlog
from typer.testing import CliRunner, Result

from homefeed.cli.main import cli
from homefeed.errors import InvalidError, NotFoundError

INSTALLED = Path(sys.executable).with_name("homefeed")
OFTEN = '{"streaming": {"jobs": {"often": {"every": "5m", "models": ["content"]}}}}'


def environment(home: Path, **settings: str) -> dict[str, str | None]:
    foreign: dict[str, str | None] = {
        name: None for name in os.environ if name.startswith("HOMEFEED_") and name != "HOMEFEED_TEXT_MODEL"
    }
    own = {f"HOMEFEED_{name.upper()}": value for name, value in settings.items()}
    return foreign | {"HOMEFEED_HOME": str(home), "HOMEFEED_APPS": "streaming", "COLUMNS": "120"} | own


def run(home: Path, *args: str, **settings: str) -> Result:
    before = structlog.get_config()
    try:
        return CliRunner().invoke(cli, args, env=environment(home, **settings))
    finally:
        structlog.configure(**before)


def lines(result: Result) -> list[dict[str, Any]]:
    """What was logged, without when."""
    return [{k: v for k, v in json.loads(line).items() if k != "timestamp"} for line in result.stderr.splitlines()]


def current(home: Path) -> dict[str, str]:
    models = home / "models" / "streaming"
    names = ("item_item", "sequence", "content", "exposures", "signals")
    return {name: (models / name / "CURRENT").read_text() for name in names}


def changed(home: Path, before: dict[str, str]) -> set[str]:
    return {name for name, version in current(home).items() if version != before[name]}


def test_train_takes_the_name_of_a_job(home: Path) -> None:
    before = current(home)
    result = run(home, "train", "streaming", "hourly", "--json")
    assert result.exit_code == 0, result.output
    assert [manifest["model"] for manifest in json.loads(result.stdout)["manifests"]] == ["exposures", "signals"]
    assert changed(home, before) == {"exposures", "signals"}
    assert run(home, "train", "streaming", "daily").exit_code == 0
    assert changed(home, before) == {"item_item", "sequence", "content", "exposures", "signals"}


def test_train_tells_the_jobs_and_models_there_are(tmp_path: Path) -> None:
    failed = run(tmp_path, "train", "streaming", "weekly").exception
    assert isinstance(failed, NotFoundError)
    assert str(failed) == (
        'no job or model "weekly" in streaming; the jobs are: hourly, daily; '
        "the models are: item_item, sequence, content, home_ranker, blend, signals"
    )


def test_once_runs_that_job_of_every_app_that_has_it(home: Path) -> None:
    before = current(home)
    result = run(home, "schedule", "--once", "often", recipes=OFTEN, apps="streaming,community", log_format="json")
    assert (result.exit_code, result.stdout) == (0, "")
    (line,) = lines(result)
    assert line.pop("seconds") >= 0
    assert line == {
        "event": "job done",
        "level": "info",
        "app": "streaming",
        "job": "often",
        "models": ["content"],
        "events": 3_000,
    }
    assert changed(home, before) == {"content"}


def test_once_ends_with_1_if_one_fails_and_does_the_others(home: Path) -> None:
    before = current(home)
    result = run(home, "schedule", "community", "streaming", "--once", "hourly", log_format="json")
    assert result.exit_code == 1
    failed, done = lines(result)
    assert (failed["event"], failed["app"], failed["level"]) == ("job failed", "community", "error")
    assert failed["error"].startswith("community has no items yet")
    assert (done["event"], done["app"]) == ("job done", "streaming")
    assert changed(home, before) == {"exposures", "signals"}


def test_list_shows_every_job_with_its_next_time(tmp_path: Path) -> None:
    shown = run(tmp_path / "new", "schedule", "--list", apps="streaming,community").stdout
    assert re.search(r"streaming\W+hourly\W+1h\W+signals\W+\d{4}-\d\d-\d\dT\d\d:00:00Z", shown)
    assert re.search(
        r"community\W+daily\W+1d\W+item_item, content, home_ranker, blend, signals\W+\d{4}-\d\d-\d\dT03:15:00Z",
        shown,
    )
    assert not (tmp_path / "new").exists(), "a list needs no store"


def test_list_tells_json_in_the_order_of_time(tmp_path: Path) -> None:
    rows = json.loads(run(tmp_path, "schedule", "streaming", "--list", "--json", recipes=OFTEN).stdout)
    assert [set(row) for row in rows] == [{"app", "job", "every", "models", "next"}]
    assert {row["job"]: (row["every"], row["models"]) for row in rows} == {"often": ("5m", ["content"])}
    every = json.loads(run(tmp_path, "schedule", "--list", "--json", apps="streaming,community").stdout)
    assert [row["next"] for row in every] == sorted(row["next"] for row in every)
    assert len(every) == 4


@pytest.mark.parametrize(
    ("args", "error", "text"),
    [
        (
            ["--once", "weekly"],
            NotFoundError,
            'no job "weekly"; the jobs are, by app: streaming hourly, streaming',
        ),
        (["--once", "daily", "--list"], InvalidError, "--list shows the jobs and --once runs one"),
        (["--json"], InvalidError, "--json is for --list"),
    ],
)
def test_what_cannot_be_done_is_an_error(
    tmp_path: Path, args: list[str], error: type[Exception], text: str
) -> None:
    failed = run(tmp_path, "schedule", *args).exception
    assert isinstance(failed, error)
    assert str(failed).startswith(text)


def test_without_apps_there_is_nothing_to_run(tmp_path: Path) -> None:
    assert str(run(tmp_path, "schedule", apps="").exception).startswith("no app with jobs")


def test_it_runs_until_it_is_stopped(tmp_path: Path) -> None:
    env = {name: value for name, value in (os.environ | environment(tmp_path)).items() if value is not None}
    env |= {"PYTHONWARNINGS": "error", "HOMEFEED_LOG_FORMAT": "json"}
    with (
        subprocess.Popen(
            [INSTALLED, "schedule"], env=env, cwd=tmp_path, stderr=subprocess.PIPE, text=True
        ) as going,
        ExitStack() as on_failure,
    ):
        on_failure.callback(going.kill)
        assert going.stderr is not None
        running = json.loads(going.stderr.readline())
        assert (running["event"], running["jobs"]) == ("schedule running", 2)
        assert re.fullmatch(r"streaming (hourly|daily)", running["next"])
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:00Z", running["at"])
        going.send_signal(signal.SIGTERM)
        rest = going.stderr.read()
        going.wait(20)
    assert going.returncode == 0, rest
    assert [json.loads(line)["event"] for line in rest.splitlines()] == ["stopping after the running job"]
