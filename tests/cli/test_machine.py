"""Doctor tells what is wrong around the apps, and what to do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from homefeed.cli.machine import (
    clock_check,
    environment_checks,
    events_check,
    facts_of,
    files_check,
    job_check,
    memory_check,
    store_advice,
)
from homefeed.kernels import cache_folder
from homefeed.settings import Settings, load_settings
from homefeed.store import open_store
from homefeed.store.events import Totals
from homefeed.store.job_runs import JobRun
from homefeed.store.migrations import HEAD
from homefeed.types import DAY, SECOND

NOW = 1_790_000_000 * SECOND
LOG = Totals(items=1, hidden_items=0, users=1, events=2, first_event=0, last_event=NOW, events_per_minute=0)
RUN = JobRun("shop", "daily", "r1", NOW, NOW, NOW, "failed", detail="no space left on device")


@pytest.mark.parametrize(("there", "ok"), [(None, True), (1_000.0, True), (994.9, False), (1_005.1, False)])
def test_clocks_that_disagree(there: float | None, ok: bool) -> None:
    assert clock_check(1_000.0, there)[0] is ok


def test_which_clock_is_ahead() -> None:
    assert clock_check(1_000.0, 700.0) == (
        False,
        "1970-01-01T00:16:40Z, 300 s ahead of the database's; set both by NTP",
    )
    assert "300 s behind" in clock_check(700.0, 1_000.0)[1]


def test_events_of_a_time_to_come() -> None:
    assert events_check(LOG, NOW)[0]
    assert events_check(replace(LOG, last_event=None), NOW) == (True, "none yet")
    ok, told = events_check(replace(LOG, last_event=NOW + 3 * DAY), NOW)
    assert not ok
    assert "3.0 days ahead of this clock" in told


def test_caches_that_memory_cannot_hold() -> None:
    settings = Settings(user_cache_megabytes=32, reuse_cache_megabytes=16)
    assert memory_check(settings, 5, 480_000_000) == (
        True,
        "caches take up to 240 MB a process, 480 MB are available",
    )
    assert not memory_check(settings, 5, 479_000_000)[0]
    assert memory_check(settings, 5, None)[0]


@pytest.mark.parametrize(("hard", "ok"), [(1_256, True), (1_255, False), (-1, True)])
def test_too_few_open_files(hard: int, ok: bool) -> None:
    assert files_check(Settings(max_connections=1_000), hard)[0] is ok


def test_a_job_that_failed_says_why_until_all_was_trained() -> None:
    ok, told = job_check("shop", "daily", RUN, None)
    assert not ok
    assert told.endswith("no space left on device; homefeed train shop daily")
    trained = JobRun("shop", "by hand", "r2", NOW + SECOND, NOW, NOW, "done")
    assert job_check("shop", "daily", RUN, trained)[0]
    assert not job_check("shop", "daily", RUN, replace(trained, started=NOW - SECOND))[0]
    assert not job_check("shop", "daily", RUN, replace(trained, outcome="failed"))[0]
    assert job_check("shop", "daily", replace(RUN, outcome="running"), None)[0]


def test_variables_that_are_no_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    given = dict.fromkeys(("HOMEFEED_PROT", "HOMEFEED_PORT", "HOMEFEED_TEST_X", "HOMEFEED_NONSENSE", "PATH"), "1")
    assert list(environment_checks(Settings(), given)) == [
        ("HOMEFEED_NONSENSE", True, "no effect: no setting"),
        ("HOMEFEED_PROT", False, "it is no setting; remove it, or write HOMEFEED_PORT"),
    ]


def test_secrets_that_everybody_may_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "homefeed.toml"
    file.write_text(f"[token_secrets]\nshop = ['{'s' * 32}']\nbooks = ['{'b' * 32}']\n")
    file.chmod(0o644)
    (tmp_path / "books.toml").write_text('app = "books"\n')
    settings = load_settings(apps=("streaming", "books.toml"))
    found = {check: ok for check, ok, _ in environment_checks(settings, {})}
    assert found == {"token_secrets.shop": True, "homefeed.toml": False}
    file.chmod(0o640)
    assert "homefeed.toml" not in {check for check, _, _ in environment_checks(settings, {})}


@pytest.mark.parametrize(
    ("url", "why", "advice"),
    [
        ("postgresql://u:p@h/d", "Connect call failed", "is it running"),
        (None, "database disk image is malformed", "homefeed restore"),
        (None, "[Errno 2] No such file", "may this user write in homefeed-data"),
    ],
)
def test_what_to_do_about_a_store(url: str | None, why: str, advice: str) -> None:
    assert advice in store_advice(load_settings(database_url=url), why)


async def test_what_a_store_says_of_itself(store_url: str) -> None:
    async with open_store(store_url) as store:
        facts = await facts_of(store)
    assert (facts.dialect, facts.revision) == (store.dialect, HEAD)
    assert (facts.clock is None) is (store.dialect == "sqlite")


def test_compiled_loops_are_kept_where_they_can_be(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("numba.core.config.CACHE_DIR", str(tmp_path))
    folder = cache_folder()
    assert folder is not None
    assert folder.is_relative_to(tmp_path)
