"""impressions: what a server showed and was told comes back in a summary and in a file."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import pytest
import structlog
from tests.cli import running
from typer.testing import Result

from homefeed.environment import Environment
from homefeed.errors import InvalidError, NotFoundError
from homefeed.server import create_app
from homefeed.settings import Settings
from homefeed.times import format_time
from homefeed.types import DAY, SECOND

APP = "streaming"
START = 1_800_000_000 * SECOND
EVENTS = f"/v1/apps/{APP}/events"


class Clock:
    """A clock that stands until it is moved on."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> int:
        return self.now


@asynccontextmanager
async def serving(home: Path, clock: Clock) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(Settings(home=home, apps=(APP,)), Environment(clock))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client,
    ):
        yield client


async def serve(home: Path) -> dict[str, list[str]]:
    """Three pages of home, the second of nobody known, and a popular one; returns their items by request."""
    clock = Clock()
    shown: dict[str, list[str]] = {}
    async with serving(home, clock) as client:

        async def ask(name: str, feed: str, **params: str) -> None:
            clock.now += 60 * SECOND
            answer = await client.get(
                f"/v1/apps/{APP}/feeds/{feed}", params=params | {"n": "4"}, headers={"X-Request-ID": name}
            )
            shown[name] = [item["item_id"] for item in answer.json()["items"]]

        async def tell(user: str, item: str, kind: str, **more: str) -> None:
            clock.now += 10 * SECOND
            time = format_time(clock.now)
            event = {"user_id": user, "item_id": item, "event_type": kind, "timestamp": time}
            if kind == "play":
                event["value"] = 60.0  # type: ignore[assignment]
            answer = await client.post(EVENTS, json=event | more)
            assert answer.status_code < 300, answer.text

        await ask("first", "home", user_id="u1")
        await tell("u1", shown["first"][1], "play", request_id="first")
        await tell("u1", shown["first"][1], "play", request_id="first")
        await ask("nobody", "home")
        await ask("second", "popular", user_id="u2")
        await tell("u2", shown["second"][2], "dislike")
        await ask("third", "home", user_id="u2")
        elsewhere = next(item for item in shown["first"] if item not in shown["third"])
        await tell("u2", elsewhere, "play", request_id="third")
    return shown


@pytest.fixture(scope="module")
def served_home(tmp_path_factory: pytest.TempPathFactory, sample_home: Path) -> tuple[Path, dict[str, list[str]]]:
    home = Path(shutil.copytree(sample_home, tmp_path_factory.mktemp("shown") / "home"))
    before = structlog.get_config()
    shown = asyncio.run(serve(home))
    structlog.configure(**before)
    return home, shown


def run(home: Path, *args: str) -> Result:
    return running.run(home, "impressions", *args, COLUMNS="80")


def done(home: Path, *args: str) -> str:
    return running.done(home, "impressions", *args, COLUMNS="80")


def summed(home: Path, *args: str) -> Any:
    return json.loads(done(home, APP, "--json", *args))


def test_the_summary_counts_what_was_shown_and_what_followed(
    served_home: tuple[Path, dict[str, list[str]]],
) -> None:
    home, shown = served_home
    assert [len(items) for items in shown.values()] == [4, 4, 4, 4]
    found = summed(home)
    assert (found["app"], found["pages"], found["shown"], found["users"]) == (APP, 4, 16, 2)
    # In "first" down to place 1, in "nobody" and "third" the whole page, in "second" down to place 2.
    assert found["examined"] == 2 + 4 + 3 + 4
    assert found["followed"] == {"play": 1, "dislike": 1}
    assert found["events"] == {"by_request": 2, "by_time": 1, "to_none": 1}
    feeds = {(each["feed"], each["served_by"]): (each["pages"], each["followed"]) for each in found["feeds"]}
    assert feeds == {
        ("home", "home/weighted"): (2, {"play": 1, "dislike": 0}),
        ("home", "popular/weighted"): (1, {"play": 0, "dislike": 0}),
        ("popular", "popular/weighted"): (1, {"play": 0, "dislike": 1}),
    }
    assert [(each["place"], each["shown"]) for each in found["places"]] == [(0, 4), (1, 4), (2, 4), (3, 4)]
    assert found["places"][2]["followed"] == {"play": 0, "dislike": 1}
    assert found["file"] is None


def test_the_summary_fits_a_screen(served_home: tuple[Path, dict[str, list[str]]]) -> None:
    lines = done(served_home[0], APP).splitlines()
    assert lines[0] == "streaming: 16 items shown on 4 pages, to 2 known users"
    assert max(map(len, lines)) <= 90
    assert len(lines) < 24
    text = "\n".join(lines)
    assert "popular/weighted" in text
    assert "25.0%" in text, "a dislike of one of the four of the popular feed"


def test_the_file_has_a_row_for_each_item_shown(
    served_home: tuple[Path, dict[str, list[str]]], tmp_path: Path
) -> None:
    home, shown = served_home
    file = tmp_path / "shown.parquet"
    assert done(home, APP, "--parquet", str(file)).endswith(f"Written: {file}\n")
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["shown.parquet"]
    rows = pl.read_parquet(file)
    assert rows["item_id"].to_list() == [item for items in shown.values() for item in items]
    assert rows["place"].to_list() == [0, 1, 2, 3] * 4
    assert rows["user_id"].to_list() == ["u1"] * 4 + [None] * 4 + ["u2"] * 8
    first = rows.row(1, named=True)
    expected = {
        "request_id": "first",
        "feed": "home",
        "served_by": "home/weighted",
        "variant": "",
        "user_id": "u1",
        "reused": False,
        "place": 1,
        "item_id": shown["first"][1],
        "propensity": 1.0,
        "examined": True,
        "count_play": 2,
        "seconds_play": 10.0,
        "count_dislike": 0,
        "seconds_dislike": None,
    }
    assert {name: first[name] for name in expected} == expected
    assert first["time"].timestamp() == START / SECOND + 60
    assert set(json.loads(first["models"])) >= {"signals", "item_item"}
    assert first["feature_popular"] is not None
    assert rows.filter(request_id="second")["feature_item_item"].to_list() == [None] * 4
    assert rows["count_dislike"].to_list() == [0] * 10 + [1] + [0] * 5


def test_a_period_and_a_limit_leave_the_rest_out(
    served_home: tuple[Path, dict[str, list[str]]], tmp_path: Path
) -> None:
    home, shown = served_home
    since, until = (format_time(START + seconds * SECOND) for seconds in (61, 240))
    found = summed(home, "--since", since, "--until", until)
    assert (found["pages"], found["users"]) == (2, 1)
    file = tmp_path / "shown.parquet"
    limited = summed(home, "--limit", "6", "--parquet", str(file))
    assert (limited["shown"], limited["pages"], limited["file"]) == (6, 2, str(file))
    assert pl.read_parquet(file)["item_id"].to_list() == [*shown["first"], *shown["nobody"][:2]]


def test_nothing_shown_is_said_and_no_file_written(
    served_home: tuple[Path, dict[str, list[str]]], tmp_path: Path
) -> None:
    later = format_time(START + 30 * DAY)
    assert done(served_home[0], APP, "--since", later) == "streaming: 0 items shown on 0 pages, to 0 known users\n"
    result = run(served_home[0], APP, "--since", later, "--parquet", str(tmp_path / "none.parquet"))
    assert isinstance(result.exception, NotFoundError)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_is_written_over_only_by_force(
    served_home: tuple[Path, dict[str, list[str]]], tmp_path: Path
) -> None:
    file = tmp_path / "shown.parquet"
    file.write_text("mine")
    result = run(served_home[0], APP, "--parquet", str(file))
    assert isinstance(result.exception, InvalidError)
    assert str(result.exception) == f"--parquet: {file} is there already; --force writes over it"
    assert file.read_text() == "mine"
    done(served_home[0], APP, "--parquet", str(file), "--force")
    assert len(pl.read_parquet(file)) == 16


@pytest.mark.parametrize(
    ("args", "why"),
    [
        (("--parquet", "nowhere/shown.parquet"), "no such folder: nowhere"),
        (("--parquet", "."), "is a folder"),
        (("--since", "soon"), "--since: expected an ISO 8601 time"),
    ],
)
def test_what_cannot_be_done_is_refused_at_once(tmp_path: Path, args: tuple[str, ...], why: str) -> None:
    result = run(tmp_path, APP, *args)
    assert isinstance(result.exception, InvalidError)
    assert why in str(result.exception)
