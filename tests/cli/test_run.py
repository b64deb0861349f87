"""serve, demo, doctor."""

import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
import structlog
from tests.redis_server import RedisServer, redis_is_installed
from typer.testing import CliRunner, Result

from homefeed import kernels
from homefeed.cli import run as command
from homefeed.cli.main import cli
from homefeed.errors import HomefeedError, SettingsError
from homefeed.ingest import load
from homefeed.samples.streaming import generate as generator

INSTALLED = Path(sys.executable).with_name("homefeed")
UNREACHABLE = "postgresql://me:sekret@127.0.0.1:1/db"

MISSPELT = """
app = "films"
[items.fields]
title = "text"
[events.like]
[feeds.best.retrieve.popular]
[feeds.best.rank.weighted.weights]
poplar = 1.0
"""


def environment(home: Path, **settings: str) -> dict[str, str | None]:
    own = {f"HOMEFEED_{name.upper()}": value for name, value in settings.items()}
    foreign: dict[str, str | None] = {
        name: None for name in os.environ if name.startswith("HOMEFEED_") and name != "HOMEFEED_TEXT_MODEL"
    }
    return foreign | {"HOMEFEED_HOME": str(home), "HOMEFEED_PORT": "0", "HOMEFEED_APPS": "streaming"} | own


def run(home: Path, *args: str, **settings: str) -> Result:
    before = structlog.get_config()
    try:
        return CliRunner().invoke(cli, args, env=environment(home, **settings))
    finally:
        structlog.configure(**before)


def diagnosis(home: Path, **settings: str) -> tuple[int, dict[str, tuple[bool, str]]]:
    """What doctor finds: its exit status, and each check by name."""
    result = run(home, "doctor", "--json", **settings)
    return result.exit_code, {
        found["check"]: (found["ok"], found["detail"]) for found in json.loads(result.stdout)
    }


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


def damage(folder: Path) -> None:
    for path in (*folder.glob("*.np*"), *folder.glob("blend.json")):
        path.unlink()  # what is published is read only
        path.write_bytes(b"damaged")


class TestDoctor:
    def test_all_is_well(self, sample_home: Path) -> None:
        status, found = diagnosis(sample_home)
        assert status == 0
        assert all(ok for ok, _ in found.values())
        machine = ["migrations", "clock", "caches", "memory", "open files", "disk"]
        app = [f"{check} streaming" for check in ("recipe", "data", "events", "rows", "models")]
        assert list(found) == ["python", "settings", "store", *machine, "keys", *app, "port"]
        assert found["data streaming"][1] == "120 items, 60 users, 3,000 events"
        assert re.match(
            r"signals \d+T\d+-\w+, exposures .*, item_item \d+T.*, sequence \d+T.*, content .*, blend \d+T",
            found["models streaming"][1],
        )

    def test_text_marks_each_check(self, tmp_path: Path, sample_home: Path) -> None:
        good, bad = run(sample_home, "doctor"), run(tmp_path, "doctor")
        assert all(line.startswith("ok   ") for line in good.stdout.splitlines())
        assert "FAIL data streaming: no items yet: homefeed import streaming FOLDER" in bad.stdout.splitlines()
        assert bad.exit_code == 1

    def test_redis(self, sample_home: Path, tmp_path: Path) -> None:
        if not redis_is_installed():
            pytest.skip("redis-server is not installed")
        server = RedisServer(tmp_path)
        server.start()
        answers = diagnosis(sample_home, redis_url=server.url)
        server.kill()
        status, found = diagnosis(sample_home, redis_url=server.url.replace("127", "user:secret@127"))
        assert answers[0] == 0
        assert answers[1]["redis"] == (True, "what replicas share is there")
        assert (status, found["redis"][0]) == (1, False)
        assert found["redis"][1].startswith("requests go on without it: ")
        assert "secret" not in found["redis"][1]

    def test_no_data(self, tmp_path: Path) -> None:
        status, found = diagnosis(tmp_path / "new")
        assert status == 1
        assert found["data streaming"] == (False, "no items yet: homefeed import streaming FOLDER")

    def test_rows_that_cannot_be_read_are_named(self, home: Path) -> None:
        with closing(sqlite3.connect(home / "homefeed.db")) as store, store:
            store.execute("UPDATE items SET attributes = '{' WHERE item_id = 'i3'")
            store.execute("UPDATE users SET attributes = '[1]' WHERE user_id = 'u4'")
            store.execute("UPDATE events SET time = 'soon' WHERE seq = 5")
        status, found = diagnosis(home)
        ok, detail = found["rows streaming"]
        assert (status, ok) == (1, False)
        assert 'items "i3": not JSON' in detail
        assert 'users "u4": not a JSON object: [1]' in detail
        assert 'events "5": cannot be applied' in detail
        assert found["events streaming"] == (False, "an event's time is no number: 'soon'; see rows")
        assert detail.endswith("write them anew or delete them over HTTP")

    def test_not_trained(self, home: Path) -> None:
        shutil.rmtree(home / "models")
        status, found = diagnosis(home)
        assert status == 1
        expected = "not trained: signals, exposures, item_item, sequence, content; homefeed train streaming"
        assert found["models streaming"] == (False, expected)

    def test_a_blend_that_few_events_do_not_give_is_not_missed(self, home: Path) -> None:
        shutil.rmtree(home / "models" / "streaming" / "blend")
        assert diagnosis(home)[0] == 0

    def test_a_learned_ranker_that_is_no_better_is_not_missed(self, home: Path) -> None:
        learned: dict[str, Any] = {"streaming": {"feeds": {"home": {"learned": {"click_model": {}}}}}}
        status, found = diagnosis(home, HOMEFEED_RECIPES=json.dumps(learned))
        assert (status, found["models streaming"][0]) == (0, True)
        shutil.rmtree(home / "models" / "streaming" / "content")
        status, found = diagnosis(home, HOMEFEED_RECIPES=json.dumps(learned))
        assert found["models streaming"] == (False, "not trained: content; homefeed train streaming")

    def test_a_model_of_which_no_version_is_named(self, home: Path) -> None:
        (home / "models" / "streaming" / "content" / "CURRENT").write_bytes(b"")
        status, found = diagnosis(home)
        assert (status, found["models streaming"][0]) == (1, False)
        assert found["models streaming"][1].startswith("content: CURRENT is empty; serving: 2")

    def test_a_model_of_another_app(self, home: Path) -> None:
        shutil.copytree(home / "models" / "streaming" / "content", home / "models" / "shop" / "content")
        status, found = diagnosis(home, apps="shop")
        assert (status, found["models shop"][0]) == (1, False)
        assert ": it is of streaming/content, copied here; train shop instead" in found["models shop"][1]

    @pytest.mark.parametrize("model", ["signals", "item_item", "sequence", "content", "blend"])
    def test_a_damaged_model(self, home: Path, model: str) -> None:
        for version in (home / "models" / "streaming" / model).glob("2*"):
            damage(version)
        status, found = diagnosis(home)
        assert status == 1
        ok, why = found["models streaming"]
        assert not ok
        assert re.fullmatch(
            rf"{model}: streaming/{model}: no version is intact; \S+: .*\w+\.(json|npy|npz) is damaged: its "
            r"SHA-256 is not the manifest's\. Train again\.; serving: none; homefeed train streaming",
            why,
        )

    def test_a_damaged_version_before_a_whole_one(self, home: Path) -> None:
        assert run(home, "train", "streaming").exit_code == 0
        newest = (home / "models" / "streaming" / "item_item" / "CURRENT").read_text()
        damage(home / "models" / "streaming" / "item_item" / newest)
        status, found = diagnosis(home)
        assert status == 1
        assert found["models streaming"][1].startswith(f"item_item: {newest}: ")
        assert "is damaged" in found["models streaming"][1]
        assert run(home, "train", "streaming").exit_code == 0
        assert diagnosis(home)[0] == 0

    def test_a_wrong_setting(self, tmp_path: Path) -> None:
        status, found = diagnosis(tmp_path, seed="much")
        assert status == 1
        assert found["settings"][0] is False
        assert found["settings"][1].startswith("setting seed: ")

    def test_a_store_out_of_reach(self, tmp_path: Path) -> None:
        status, found = diagnosis(tmp_path, database_url=UNREACHABLE)
        assert (status, found["store"][0]) == (1, False)
        assert "127.0.0.1:1" in found["store"][1]
        assert "sekret" not in found["store"][1]

    def test_an_unknown_app(self, sample_home: Path) -> None:
        status, found = diagnosis(sample_home, apps="streaming,films")
        assert (status, found["recipe films"][0], found["models streaming"][0]) == (1, False, True)
        assert found["recipe films"][1].startswith('no app "films": expected one of ')

    def test_a_recipe_whose_parts_do_not_fit(self, tmp_path: Path) -> None:
        (tmp_path / "films.toml").write_text(MISSPELT)
        apps = str(tmp_path / "films.toml")
        status, found = diagnosis(tmp_path, apps=apps)
        assert (status, found[f"recipe {apps}"][0]) == (1, False)
        message = found[f"recipe {apps}"][1]
        assert message.startswith("films: feeds.best.rank.weighted.weights.poplar: no such feature")
        (tmp_path / "items.csv").write_text("item_id,title\ni1,Café\n")
        for refused in (["serve"], ["train", "films"], ["import", "films", str(tmp_path)]):
            assert str(run(tmp_path, *refused, apps=apps).exception) == message

    def test_a_port_in_use_is_no_failure(self, sample_home: Path, taken_port: int) -> None:
        status, found = diagnosis(sample_home, port=str(taken_port))
        assert status == 0
        assert found["port"][1].startswith("in use, perhaps by a running server")


class TestDemo:
    @pytest.fixture(autouse=True)
    def _small(self, monkeypatch: pytest.MonkeyPatch) -> None:
        small = partial(generator.generate, users=30, items=60, events=600, days=20)
        monkeypatch.setattr(generator, "generate", small)

    def test_prepares_once(self, tmp_path: Path) -> None:
        first = run(tmp_path, "demo", "--prepare-only")
        assert first.exit_code == 0, first.output
        assert re.search(r"^streaming: 30 users, 60 items, 6\d\d events, made up to look at$", first.stderr, re.M)
        assert "Import into" not in first.stdout + first.stderr, "a line an app is enough"
        assert "training signals" in first.stderr
        assert diagnosis(tmp_path)[1]["data streaming"][1].startswith("60 items, 30 users, 6")
        recommended = run(tmp_path, "recommend", "--user_id", "u1").stdout
        versions = diagnosis(tmp_path)[1]["models streaming"]

        second = run(tmp_path, "demo", "--prepare-only")
        assert (second.exit_code, second.stdout) == (0, "")
        assert second.stderr == "streaming: 60 items are already there.\n"
        assert diagnosis(tmp_path)[1]["models streaming"] == versions
        assert run(tmp_path, "recommend", "--user_id", "u1").stdout == recommended

    def test_takes_up_an_import_that_was_cut_short(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def cut(*_: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patched:
            patched.setattr(load, "load_events", cut)
            assert run(tmp_path, "demo", "--prepare-only").exit_code == 130
        assert diagnosis(tmp_path)[1]["data streaming"][1] == "60 items, 30 users, 0 events"
        assert run(tmp_path, "demo", "--prepare-only").exit_code == 0
        assert diagnosis(tmp_path)[1]["data streaming"][1] == "60 items, 30 users, 600 events"

    def test_leaves_data_of_ones_own_alone(self, home: Path) -> None:
        shutil.rmtree(home / "models")
        assert run(home, "demo", "--prepare-only").exit_code == 0
        assert diagnosis(home)[1]["data streaming"][1] == "120 items, 60 users, 3,000 events"
        assert diagnosis(home)[0] == 0, "what was not trained is"

    def test_rankers_learn_beside_the_server_once(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(os, "nice", lambda _more: 0)  # it would stay so for the tests
        noted = home / "models" / "streaming" / "home_ranker" / "verdicts.jsonl"
        for before in ("", noted.read_text()):
            noted.write_text(before)
            learned = run(home, "demo", "--learn-only")
            assert (learned.exit_code, learned.stdout) == (0, "")
            assert len(noted.read_text().splitlines()) == 1, "what was judged is not judged again"

    def test_learning_ends_with_its_server_however_that_ends(self) -> None:
        learning = (
            "import os, time; from homefeed.cli.demo import _end_with; _end_with(os.getppid()); "
            "print(os.getpid(), flush=True); time.sleep(60)"
        )
        server = (
            "import subprocess, sys, time; "
            f"subprocess.Popen([sys.executable, '-c', {learning!r}], start_new_session=True); time.sleep(60)"
        )
        with subprocess.Popen([sys.executable, "-c", server], stdout=subprocess.PIPE, text=True) as running:
            assert running.stdout is not None
            child = psutil.Process(int(running.stdout.readline()))
            assert child.is_running()
            running.kill()
            child.wait(30)

    def test_looks_at_the_port_before_any_work(self, tmp_path: Path, taken_port: int) -> None:
        failed = run(tmp_path / "new", "demo", "--port", str(taken_port))
        assert str(failed.exception).startswith(f"cannot listen at 127.0.0.1:{taken_port}: ")
        assert not (tmp_path / "new").exists()

    def test_serves_what_it_prepared_in_another_process(self, home: Path) -> None:
        shutil.rmtree(home / "models")
        with serving(home, "demo") as (url, said):
            assert "streaming: 120 items are already there.\n" in said
            models = wait_for(f"{url}/readyz").json()["apps"]["streaming"]["models"]
            assert "signals" in models
            assert httpx.get(f"{url}/recommendations?user_id=u1&k=5").json()["k"] == 5

    def test_ends_where_it_cannot_prepare(self, tmp_path: Path) -> None:
        settings = environment(tmp_path, database_url=UNREACHABLE)
        env = {name: value for name, value in (os.environ | settings).items() if value is not None}
        ended = subprocess.run(
            [INSTALLED, "demo"], env=env, cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert ended.returncode == 1
        assert ended.stderr.count("homefeed: the store at ") == 1
        assert "Serving" not in ended.stderr + ended.stdout


class TestServe:
    def test_serves_until_it_is_stopped(self, home: Path) -> None:
        with serving(home, "serve") as (url, said):
            assert len(said) == 1, said
            assert wait_for(f"{url}/health").json() == {"status": "ok"}
            assert httpx.get(f"{url}/popular?k=5").json()["k"] == 5

    def test_says_what_to_do_where_there_is_nothing_to_show(
        self, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("uvicorn.run", lambda *_args, **_options: None)
        empty = run(tmp_path, "serve", apps="shop,streaming").stderr.splitlines()
        assert empty[0].startswith("No items yet in shop, streaming: homefeed import shop FOLDER")
        assert empty[1].startswith("Serving shop, streaming at http://127.0.0.1:")
        shutil.rmtree(home / "models")
        untrained = run(home, "serve").stderr.splitlines()
        assert untrained[0] == "streaming is not trained yet; for better lists: homefeed train streaming"

    def test_says_what_is_wrong_before_it_starts(self, tmp_path: Path, taken_port: int) -> None:
        in_use = run(tmp_path, "serve", "--port", str(taken_port)).exception
        assert str(in_use).startswith(f"cannot listen at 127.0.0.1:{taken_port}: ")
        free = re.search(r"Another server has it.* port that is free: export HOMEFEED_PORT=(\d+)$", str(in_use))
        assert free is not None
        assert int(free[1]) != taken_port
        nowhere = run(tmp_path, "serve", "--host", "192.0.2.1", "--insecure").exception
        assert str(nowhere).startswith("cannot listen at 192.0.2.1:0: ")
        assert str(nowhere).endswith("; choose another --port or --host")
        assert str(run(tmp_path, "serve", apps="films").exception).startswith('no app "films": ')
        unreachable = run(tmp_path, "serve", database_url=UNREACHABLE).exception
        assert isinstance(unreachable, HomefeedError)
        assert "sekret" not in str(unreachable)

    @pytest.mark.skipif(sys.platform == "win32", reason="it has no such limit")
    def test_needs_a_file_for_each_connection(self, monkeypatch: pytest.MonkeyPatch) -> None:
        import resource

        limits = {"now": (256, 2_000)}
        monkeypatch.setattr(resource, "getrlimit", lambda _: limits["now"])
        monkeypatch.setattr(resource, "setrlimit", lambda _, changed: limits.update(now=changed))
        command._allow_files(1_000)
        assert limits["now"] == (1_256, 2_000)
        command._allow_files(10)
        assert limits["now"] == (1_256, 2_000), "what is enough stays"
        with pytest.raises(SettingsError, match="setting max_connections: 2000 connections need 2256 open files"):
            command._allow_files(2_000)
        limits["now"] = (256, resource.RLIM_INFINITY)
        command._allow_files(2_000)
        assert limits["now"] == (2_256, resource.RLIM_INFINITY)


@contextmanager
def serving(home: Path, command: str) -> Iterator[tuple[str, list[str]]]:
    """The address of the server that a command starts, and what it says until then; in the end it is stopped."""
    env = {name: value for name, value in (os.environ | environment(home)).items() if value is not None}
    with (
        subprocess.Popen([INSTALLED, command], env=env, cwd=home, stderr=subprocess.PIPE, text=True) as server,
        ExitStack() as on_failure,
    ):
        on_failure.callback(server.kill)  # else an assertion that fails would wait for it for ever
        assert server.stderr is not None
        said: list[str] = []
        while not said or not (found := re.search(r"Serving streaming at (http://127\.0\.0\.1:\d+)", said[-1])):
            said.append(server.stderr.readline())
            assert said[-1], said
        yield found[1], said
        server.send_signal(signal.SIGINT)
        rest = server.stderr.read()
        server.wait(20)
    assert server.returncode in (0, 130, -signal.SIGINT)
    assert "Traceback" not in rest


def wait_for(url: str) -> httpx.Response:
    give_up = time.monotonic() + 60
    while True:
        try:
            return httpx.get(url)
        except httpx.TransportError:
            assert time.monotonic() < give_up, f"nobody answers at {url}"
            time.sleep(0.1)


def test_compile_warms_up_the_kernels_of_all_ready_made_apps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    warmed: list[set[str]] = []
    monkeypatch.setattr(
        "homefeed.kernels.warm_up", lambda: warmed.append({kernel.__module__ for kernel in kernels._KERNELS})
    )
    assert run(tmp_path, "compile").exit_code == 0
    assert {"homefeed.catalog.nearest", "homefeed.policy.kernels", "homefeed.geo"} <= warmed[0]
