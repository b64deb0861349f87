"""The contract's Python functions, as a program uses them."""

import asyncio
import inspect
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import homefeed.apps.streaming
from homefeed.apps import find_recipe
from homefeed.apps.streaming import Streaming, functions, recommend_for_user, recommend_popular
from homefeed.environment import Environment
from homefeed.errors import HomefeedError, InvalidError
from homefeed.settings import Settings
from homefeed.store import open_store
from homefeed.store.artifacts import ArtifactStore
from homefeed.store.events import append_events
from homefeed.store.items import ItemWrite, put_items
from homefeed.train import train_app
from homefeed.types import SECOND, Event

NOW = int(datetime(2026, 1, 2, tzinfo=UTC).timestamp()) * SECOND


def settings_of(home: Path) -> Settings:
    return Settings(home=home, database_url=None)


def left_of(before: set[threading.Thread]) -> list[threading.Thread]:
    """The threads that are new since and do not end: the driver's answers before its thread is gone."""
    new = set(threading.enumerate()) - before
    for thread in new:
        thread.join(timeout=10)
    return [thread for thread in new if thread.is_alive()]


def write(home: Path, plays: list[tuple[str, str, float]], items: dict[str, str] | None = None) -> None:
    """Write items (id: title) and plays (user, item, seconds watched), by a connection of its own."""
    events = [Event(user, item, "play", NOW + n, seconds) for n, (user, item, seconds) in enumerate(plays)]

    async def run() -> None:
        async with open_store(settings_of(home).store_url) as store:
            films = [
                ItemWrite(item_id, {"title": title, "content_type": "movie", "genre": ["Drama"]})
                for item_id, title in (items or {}).items()
            ]
            await put_items(store, "streaming", films)
            await append_events(store, "streaming", events, NOW)

    asyncio.run(run())


def train(home: Path) -> None:
    async def run() -> None:
        async with open_store(settings_of(home).store_url) as store:
            await train_app(find_recipe("streaming"), store, ArtifactStore(home / "models"), Environment())

    asyncio.run(run())


def ids(answer: list[dict[str, str]]) -> list[str]:
    return [item["item_id"] for item in answer]


def ended(program: str, home: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """A Python program that came to its end."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("HOMEFEED_") or name == "HOMEFEED_TEXT_MODEL"
    }
    env = inherited | {"HOMEFEED_HOME": str(home)} | environment
    command = [sys.executable, "-W", "error", "-c", program]
    return subprocess.run(command, env=env, cwd=home, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture(scope="module")
def streaming(sample_home: Path) -> Iterator[Streaming]:
    """The sample, for tests that only ask."""
    with Streaming(settings_of(sample_home)) as opened:
        yield opened


@pytest.fixture(scope="module")
def items(sample_home: Path) -> list[dict[str, str]]:
    return pl.read_csv(sample_home / "sample" / "items.csv").to_dicts()


@pytest.fixture
def busy(sample_home: Path) -> str:
    """The user of the sample who played most."""
    users = pl.read_csv(sample_home / "sample" / "events.csv")["user_id"]
    return str(users.value_counts(sort=True)["user_id"][0])


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Six films that nobody watched."""
    write(tmp_path, [], {f"f{n}": f"Film {n}" for n in range(1, 7)})
    return tmp_path


class TestAnswers:
    def test_each_element_has_at_least_item_id_and_title(
        self, streaming: Streaming, items: list[dict[str, str]], busy: str
    ) -> None:
        titles = {item["item_id"]: item["title"] for item in items}
        for answer in (streaming.recommend_popular(), streaming.recommend_for_user(busy)):
            assert len(answer) == len(set(ids(answer))) == 10
            assert all(item["title"] == titles[item["item_id"]] for item in answer)
            assert all(item["reason"] for item in answer)

    def test_k_larger_than_the_catalogue_returns_all_of_it(
        self, streaming: Streaming, items: list[dict[str, str]]
    ) -> None:
        for answer in (streaming.recommend_popular(10**9), streaming.recommend_for_user("nobody", 121)):
            assert sorted(ids(answer)) == sorted(item["item_id"] for item in items)

    def test_k_says_how_many_of_the_same_list(self, streaming: Streaming, busy: str) -> None:
        assert streaming.recommend_popular(3) == streaming.recommend_popular(30)[:3]
        assert streaming.recommend_for_user(busy, 3) == streaming.recommend_for_user(busy, 30)[:3]

    @pytest.mark.parametrize("k", [0, -1])
    def test_k_below_one_is_an_error(self, streaming: Streaming, k: int) -> None:
        with pytest.raises(InvalidError, match=f"k: expected 1 or more, got {k}"):
            streaming.recommend_popular(k)
        with pytest.raises(InvalidError, match=f"k: expected 1 or more, got {k}"):
            streaming.recommend_for_user("u1", k)

    @pytest.mark.parametrize("user_id", ["nobody", "", "x" * 300, "u1\n"])
    def test_an_unknown_user_gets_the_popular_ones(self, streaming: Streaming, user_id: str) -> None:
        assert streaming.recommend_for_user(user_id, 7) == streaming.recommend_popular(7)

    def test_a_user_without_history_gets_the_popular_ones(self, streaming: Streaming, sample_home: Path) -> None:
        users, events = (pl.read_csv(sample_home / "sample" / f"{name}.csv") for name in ("users", "events"))
        cold = sorted(set(users["user_id"]) - set(events["user_id"]))
        assert cold, "the sample has some"
        for user_id in cold:
            assert streaming.recommend_for_user(user_id, 12) == streaming.recommend_popular(12)

    def test_a_user_with_history_gets_another_list(self, streaming: Streaming, busy: str) -> None:
        assert ids(streaming.recommend_for_user(busy)) != ids(streaming.recommend_popular())

    @pytest.mark.parametrize("genre", [None, "Comedy", "Drama"])
    @pytest.mark.parametrize("content_type", [None, "movie", "microdrama"])
    def test_filters_give_k_whenever_k_match(
        self, streaming: Streaming, items: list[dict[str, str]], content_type: str | None, genre: str | None
    ) -> None:
        matching = {
            item["item_id"]
            for item in items
            if content_type in (None, item["content_type"])
            and (genre is None or genre in item["genre"].split("|"))
        }
        for k in (1, 5, 200):
            answer = streaming.recommend_popular(k, content_type=content_type, genre=genre)
            assert answer == streaming.recommend_for_user("nobody", k, content_type=content_type, genre=genre)
            assert len(answer) == min(k, len(matching))
            assert set(ids(answer)) <= matching

    def test_a_filter_nothing_meets_gives_nothing(self, streaming: Streaming, busy: str) -> None:
        assert streaming.recommend_popular(genre="Nonsense") == []
        assert streaming.recommend_for_user(busy, content_type="Nonsense") == []

    def test_nothing_is_printed(self, streaming: Streaming, capfd: pytest.CaptureFixture[str]) -> None:
        streaming.recommend_popular()
        assert capfd.readouterr() == ("", "")

    def test_an_empty_store_has_nothing_to_recommend(self, tmp_path: Path) -> None:
        with Streaming(settings_of(tmp_path)) as empty:
            assert empty.recommend_popular() == empty.recommend_for_user("u1") == []


class TestHeavilyWatched:
    @pytest.mark.parametrize(("seconds", "still_there"), [(1349, True), (1350, False), (1351, False)])
    def test_half_a_typical_full_watch_is_enough(self, home: Path, seconds: int, still_there: bool) -> None:
        # Before any training every title's typical full watch is the recipe's default, 2,700 seconds.
        write(home, [("u", "f1", seconds)])
        with Streaming(settings_of(home)) as streaming:
            assert ("f1" in ids(streaming.recommend_for_user("u"))) is still_there
            assert "f1" in ids(streaming.recommend_popular()), "of all people's list nothing is taken out"

    @pytest.mark.parametrize(("seconds", "still_there"), [(1799, True), (1800, False)])
    def test_half_an_hour_is_enough(self, home: Path, seconds: int, still_there: bool) -> None:
        write(home, [(f"v{n}", f"f{1 + n % 6}", 7200) for n in range(60)])
        train(home)
        write(home, [("u", "f1", seconds)])
        with Streaming(settings_of(home)) as streaming:
            assert ("f1" in ids(streaming.recommend_for_user("u"))) is still_there

    def test_several_plays_add_up(self, home: Path) -> None:
        write(home, [("u", "f1", 700), ("u", "f2", 700), ("u", "f1", 700)])
        with Streaming(settings_of(home)) as streaming:
            assert set(ids(streaming.recommend_for_user("u"))) == {"f2", "f3", "f4", "f5", "f6"}


class TestFreshness:
    def test_events_written_elsewhere_between_calls_are_seen(self, home: Path) -> None:
        with Streaming(settings_of(home)) as streaming:
            assert streaming.recommend_for_user("u") == streaming.recommend_popular()
            write(home, [("u", "f3", 2700), ("v", "f3", 2700), ("v", "f5", 2700)])
            assert ids(streaming.recommend_popular())[:2] == ["f3", "f5"]
            assert "f3" not in ids(streaming.recommend_for_user("u"))
            write(home, [("u", "f5", 2700)])
            assert {"f3", "f5"}.isdisjoint(ids(streaming.recommend_for_user("u")))

    def test_items_written_elsewhere_are_seen(self, home: Path) -> None:
        with Streaming(settings_of(home)) as streaming:
            write(home, [], {"new": "New", "f1": "Renamed"})
            titles = {item["item_id"]: item["title"] for item in streaming.recommend_popular(100)}
            assert (len(titles), titles["new"], titles["f1"]) == (7, "New", "Renamed")

    def test_models_trained_elsewhere_are_seen(self, home: Path) -> None:
        write(home, [(f"v{n}", item, 2700) for n in range(9) for item in ("f1", "f2")])
        with Streaming(settings_of(home)) as streaming:
            write(home, [("u", "f1", 2700)])
            train(home)
            assert streaming.recommend_for_user("u", 1) == [
                {"item_id": "f2", "title": "Film 2", "reason": "Because you watched Film 1"}
            ]


class TestInstances:
    def test_several_at_once_answer_alike(self, sample_home: Path, streaming: Streaming, busy: str) -> None:
        with Streaming(settings_of(sample_home)) as other:
            assert other.recommend_for_user(busy) == streaming.recommend_for_user(busy)
        assert streaming.recommend_popular(1), "closing one leaves the others open"

    def test_each_has_the_store_of_its_settings(self, home: Path, streaming: Streaming) -> None:
        with Streaming(settings_of(home)) as own:
            assert set(ids(own.recommend_popular(500))).isdisjoint(ids(streaming.recommend_popular(500)))

    def test_any_thread_may_ask(self, streaming: Streaming, busy: str) -> None:
        expected = streaming.recommend_for_user(busy)
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: streaming.recommend_for_user(busy), range(40)))
        assert answers == [expected] * 40

    async def test_within_a_running_loop_a_call_blocks_and_a_thread_does_not(self, streaming: Streaming) -> None:
        assert streaming.recommend_popular(3) == await asyncio.to_thread(streaming.recommend_popular, 3)

    def test_closed_it_says_so(self, home: Path) -> None:
        before = set(threading.enumerate())
        streaming = Streaming(settings_of(home))
        assert len(streaming.recommend_popular()) == 6
        streaming.close()
        streaming.close()
        with pytest.raises(HomefeedError, match="this Streaming is closed; make another one"):
            streaming.recommend_popular()
        assert not left_of(before)
        shutil.rmtree(home)

    def test_what_cannot_be_opened_leaves_nothing_behind(self, tmp_path: Path) -> None:
        before = set(threading.enumerate())
        (tmp_path / "file").touch()
        with pytest.raises(HomefeedError, match="cannot be used"):
            Streaming(settings_of(tmp_path / "file"))
        assert not left_of(before)

    @pytest.mark.parametrize(
        "program",
        [
            "from homefeed.apps.streaming import recommend_for_user as user, recommend_popular as popular; "
            "print(len(popular()), len(user('u')))",
            "from homefeed.apps.streaming import Streaming; s = Streaming(); print(len(s.recommend_popular()), 6)",
            "from homefeed.apps.streaming import Streaming; s = Streaming(); s.close(); print(6, 6)",
        ],
    )
    def test_a_program_ends_whether_or_not_it_closes(self, home: Path, program: str) -> None:
        done = ended(program, home)
        assert (done.stdout, done.stderr, done.returncode) == ("6 6\n", "", 0)

    def test_a_program_ends_when_the_store_is_out_of_reach(self, home: Path) -> None:
        unreachable = "postgresql://me:sekret@127.0.0.1:1/db"
        program = "from homefeed.apps.streaming import Streaming; Streaming()"
        done = ended(program, home, HOMEFEED_DATABASE_URL=unreachable)
        assert done.returncode == 1
        assert "HomefeedError: the store at postgresql" in done.stderr
        assert "sekret" not in done.stderr


class TestModule:
    @pytest.fixture(autouse=True)
    def _anew(self) -> Iterator[None]:
        functions._default.cache_clear()
        yield
        functions._default.cache_clear()

    def test_functions_ask_the_store_of_the_settings_in_force(
        self, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("HOMEFEED_DATABASE_URL", raising=False)
        monkeypatch.setenv("HOMEFEED_HOME", str(home))
        assert len(recommend_popular(k=4)) == 4
        assert recommend_popular(genre="Drama") == recommend_for_user("nobody", 10, genre="Drama")
        assert recommend_popular(content_type="series") == []
        write(home, [("u", "f6", 2700)])
        assert recommend_popular(1)[0]["item_id"] == "f6"
        assert "f6" not in ids(recommend_for_user("u", k=100))

    def test_what_failed_once_is_tried_again(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("HOMEFEED_DATABASE_URL", raising=False)
        monkeypatch.setenv("HOMEFEED_HOME", __file__)
        with pytest.raises(HomefeedError, match="cannot be used"):
            recommend_popular()
        monkeypatch.setenv("HOMEFEED_HOME", str(home))
        assert len(recommend_popular()) == 6

    def test_the_public_names_and_signatures(self) -> None:
        # Changing a line here breaks other people's programs.
        assert sorted(homefeed.apps.streaming.__all__) == ["Streaming", "recommend_for_user", "recommend_popular"]
        lists = "content_type: 'str | None' = None, genre: 'str | None' = None) -> 'list[dict[str, str]]'"
        expected: dict[Callable[..., Any], str] = {
            recommend_popular: f"(k: 'int' = 10, {lists}",
            recommend_for_user: f"(user_id: 'str', k: 'int' = 10, {lists}",
            Streaming: "(settings: 'Settings | None' = None) -> 'None'",
            Streaming.recommend_popular: f"(self, k: 'int' = 10, {lists}",
            Streaming.recommend_for_user: f"(self, user_id: 'str', k: 'int' = 10, {lists}",
            Streaming.close: "(self) -> 'None'",
        }
        assert {function: str(inspect.signature(function)) for function in expected} == expected

    def test_importing_homefeed_is_light(self, tmp_path: Path) -> None:
        heavy = ("fastapi", "polars", "sklearn", "sqlalchemy", "numpy", "pydantic", "typer")
        done = ended(f"import homefeed, sys; print([n for n in {heavy} if n in sys.modules])", tmp_path)
        assert done.stdout == "[]\n", done.stderr
