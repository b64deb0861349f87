"""erase and prune."""

import asyncio
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.cli import running
from typer.testing import Result

from homefeed.environment import system_clock
from homefeed.errors import NotFoundError
from homefeed.store import open_store
from homefeed.store.events import append_events, rows_after
from homefeed.store.impressions import Impression, impressions_of_request, write_impressions
from homefeed.store.items import ItemWrite, put_items
from homefeed.store.users import list_users, put_users
from homefeed.types import DAY, Event

AGES = (1, 10, 100, 1_000)
"""Of the events and impressions of each user, in days."""


def shown(user: int, name: str, time: int) -> Impression:
    one = np.ones(1, np.float32)
    items = np.ones(1, np.int32)
    return Impression(name, "home", user, time, 0, items, one, one, ("popular",), one[:, None], {})


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Two users of streaming, and two of community with the same ids."""

    async def fill() -> None:
        now = system_clock()
        async with open_store(f"sqlite:///{tmp_path / 'homefeed.db'}") as store:
            for app in ("streaming", "community"):
                await put_items(store, app, [ItemWrite("i", {"title": "Tea"}, 1)])
                await put_users(store, app, [("a\x1b[1m", {}), ("b", {"age": 40})])
                users = {user.user_id: user.number for user in await list_users(store, app, 0, 10)}
                events = [Event(user, "i", "play", now - days * DAY) for user in users for days in AGES]
                await append_events(store, app, events, now)
                pages = [
                    shown(number, f"{user[0]}{days}", now - days * DAY)
                    for user, number in users.items()
                    for days in AGES
                ]
                await write_impressions(store, app, pages)

    asyncio.run(fill())
    return tmp_path


def run(home: Path, *args: str, answer: str | None = None, **settings: str) -> Result:
    own = {f"HOMEFEED_{name.upper()}": value for name, value in settings.items()}
    return running.run(home, *args, answer=answer, **own)


def left(home: Path, app: str = "streaming") -> tuple[list[str], int, list[str]]:
    """The users, how many events, and the impressions there are."""

    async def look() -> tuple[list[str], int, list[str]]:
        async with open_store(f"sqlite:///{home / 'homefeed.db'}") as store:
            users = [user.user_id[0] for user in await list_users(store, app, 0, 10)]
            names = [f"{user}{days}" for user in "ab" for days in AGES]
            there = [name for name in names if await impressions_of_request(store, app, name)]
            return sorted(users), len(await rows_after(store, app, 0, 100)), there

    return asyncio.run(look())


EVERYTHING = (["a", "b"], 8, [f"{user}{days}" for user in "ab" for days in AGES])
WITHOUT_B = (["a"], 4, [f"a{days}" for days in AGES])


class TestErase:
    def test_it_asks_first(self, home: Path) -> None:
        refused = run(home, "erase", "streaming", "--user", "b", answer="n\n")
        assert refused.exit_code == 1
        assert refused.stderr.startswith("Erase user b of streaming for good? [y/N]:")
        assert "Erased" not in refused.stdout
        assert left(home) == EVERYTHING
        agreed = run(home, "erase", "streaming", "--user", "b", answer="y\n")
        assert agreed.exit_code == 0
        assert (
            "Erased user b and 4 events. To forget them in models too: homefeed train streaming\n" in agreed.stdout
        )
        assert left(home) == WITHOUT_B
        assert left(home, "community") == EVERYTHING

    @pytest.mark.parametrize("answer", ["", "\n", "maybe\n"])
    def test_no_answer_is_no(self, home: Path, answer: str) -> None:
        assert run(home, "erase", "streaming", "--user", "b", answer=answer).exit_code == 1
        assert left(home) == EVERYTHING

    @pytest.mark.parametrize("option", ["--user", "--user_id", "--user-id"])
    def test_with_yes_it_does_not_ask(self, home: Path, option: str) -> None:
        done = run(home, "erase", "streaming", option, "b", "--yes")
        assert (done.exit_code, done.stderr) == (0, "")
        assert left(home) == WITHOUT_B

    def test_json_says_what_was_erased(self, home: Path) -> None:
        done = run(home, "erase", "streaming", "--user", "b", "--yes", "--json")
        assert json.loads(done.stdout) == {"app": "streaming", "user_id": "b", "events": 4}

    def test_an_unknown_user_cannot_be_erased(self, home: Path) -> None:
        for user in ("nobody", "B"):
            failed = run(home, "erase", "streaming", "--user", user, "--yes")
            assert isinstance(failed.exception, NotFoundError)
            assert str(failed.exception) == f'no user "{user}" in streaming'
        assert left(home) == EVERYTHING

    def test_no_user_is_erased_twice(self, home: Path) -> None:
        assert run(home, "erase", "streaming", "--user", "b", "--yes").exit_code == 0
        assert isinstance(run(home, "erase", "streaming", "--user", "b", "--yes").exception, NotFoundError)

    def test_an_id_cannot_steer_the_terminal(self, home: Path) -> None:
        done = run(home, "erase", "streaming", "--user", "a\x1b[1m", answer="y\n")
        assert "\x1b" not in done.stdout + done.stderr
        assert "Erased user a\\x1b[1m and 4 events." in done.stdout


def json_of(home: Path, *args: str, **settings: str) -> Any:
    done = run(home, *args, "--json", **settings)
    assert done.exit_code == 0, (done.output, done.exception)
    return json.loads(done.stdout)


class TestPrune:
    def test_by_the_defaults_events_stay_and_impressions_go_after_90_days(self, home: Path) -> None:
        done = run(home, "prune", "streaming")
        assert (done.exit_code, done.stdout) == (
            0,
            "Deleted 0 events and 4 impressions that were too old.\n",
        )
        assert left(home) == (["a", "b"], 8, ["a1", "a10", "b1", "b10"])
        assert left(home, "community") == EVERYTHING

    def test_most_of_all_goes_only_where_one_insists(self, home: Path) -> None:
        settings = {"events_days": "5", "impressions_days": "500"}
        refused = run(home, "prune", "streaming", **settings)
        assert refused.exit_code == 1
        assert refused.stdout == "Deleted 0 events and 2 impressions that were too old.\n"
        assert refused.stderr.startswith("Not deleted: 6 of 8 events are from before ")
        assert refused.stderr.endswith("insist: homefeed prune streaming --yes\n")
        as_json = run(home, "prune", "streaming", "--json", **settings)
        assert as_json.exit_code == 1
        assert json.loads(as_json.stdout)["refused"][0].startswith("6 of 8 events are from before ")
        assert left(home)[1] == 8
        assert run(home, "prune", "streaming", "--yes", **settings).exit_code == 0
        assert left(home)[1] == 2

    def test_the_settings_say_how_old(self, home: Path) -> None:
        settings = {"events_days": "500", "impressions_days": "5"}
        expected = {"app": "community", "events": 2, "impressions": 6, "refused": []}
        assert json_of(home, "prune", "community", "--yes", **settings) == expected
        assert left(home, "community") == (["a", "b"], 6, ["a1", "b1"])
        assert json_of(home, "prune", "community", **settings) == expected | {"events": 0, "impressions": 0}
        assert left(home) == EVERYTHING

    def test_kept_for_no_days_no_impression_is_left(self, home: Path) -> None:
        assert json_of(home, "prune", "streaming", impressions_days="0")["impressions"] == 8

    def test_an_app_without_anything_has_nothing_too_old(self, tmp_path: Path) -> None:
        expected = {"app": "streaming", "events": 0, "impressions": 0, "refused": []}
        assert json_of(tmp_path / "new", "prune", "streaming", events_days="1") == expected


class TestExport:
    def test_all_of_a_user_is_printed(self, home: Path) -> None:
        told = json.loads(running.done(home, "users", "export", "streaming", "b"))
        assert (told["attributes"], len(told["events"]), len(told["impressions"])) == ({"age": 40}, 4, 4)

    def test_an_unknown_user_has_nothing(self, home: Path) -> None:
        assert isinstance(run(home, "users", "export", "streaming", "nobody").exception, NotFoundError)
