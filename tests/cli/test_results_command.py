"""`homefeed results`: a table, JSON and CSV of what happened online."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.cli import running
from tests.dataset.shown_log import START, Page, Told, write_log

from homefeed import environment
from homefeed.store import open_store
from homefeed.types import DAY


@pytest.fixture
async def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two users are shown three streams; one watches one."""
    monkeypatch.setattr(environment, "Environment", lambda: SimpleNamespace(clock=lambda: START + DAY // 2))
    pages = [Page(0, "ab", request="r1"), Page(1, "c", user="v", request="r2")]
    async with open_store(f"sqlite:///{tmp_path / 'homefeed.db'}") as store:
        await write_log(store, "streaming", pages, [Told(2, "b", type="play")])
    return tmp_path


def test_results_are_told_by_what_is_asked_for(home: Path) -> None:
    table = home / "days.csv"
    text = running.done(home, "results", "streaming", "--csv", str(table), COLUMNS="120")
    assert "3 items on 2 pages to 2 known users" in text
    assert "Play: 33.3% (" in text
    assert "Shown of the catalogue: 100.0%, 3 items" in text
    assert f"Written: {table}" in text
    (row,) = csv.DictReader(table.read_text().splitlines())
    assert (row["feed"], row["shown"], row["play"], row["dislike_rate"]) == ("home", "3", "1", "0.0")
    assert 0 < float(row["play_low"]) < float(row["play_rate"]) < float(row["play_high"]) < 1
    found = json.loads(running.done(home, "results", "streaming", "--by", "users", "--json"))
    assert [(one["labels"]["users"], one["rates"]["shown"]) for one in found["rows"]] == [("new", 3)]
    of_feed = running.done(home, "results", "streaming", "--by", "retriever", "--feed", "home")
    assert "streaming, feed home since" in of_feed
    only_csv = running.done(home, "results", "streaming", "--by", "day", "--csv", "-")
    assert [line.split(",")[0] for line in only_csv.splitlines()] == ["day", "2024-10-04T00:00:00Z"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--by", "week"), "--by week: expected one of feed, retriever, ranker, version, day, users"),
        (("--event", "buy"), "--event buy: expected one of play, dislike"),
        (("--feed", "next"), "feed: nothing of next was shown in this time; the feeds that were: home"),
        (("--csv", "nowhere/days.csv"), "--csv: no such folder: nowhere"),
    ],
)
def test_what_cannot_be_told_is_a_plain_error(home: Path, options: tuple[str, ...], message: str) -> None:
    result = running.run(home, "results", "streaming", *options)
    assert result.exit_code == 1
    assert message in str(result.exception)
