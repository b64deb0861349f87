"""Pages under load: what is requested, and the scripts whole on a little shop."""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.serving import load, recommend, steady
from benchmarks.serving.homes import CommandError, Python, copy_of, home_of, prepare
from benchmarks.serving.http_load import get
from benchmarks.serving.pages import BY_NAME_ONLY, PAGES, RATED, Page, entries, page_names, timetable
from benchmarks.serving.servers import stages_of

LITTLE = Page("shop", "shop", PAGES["shop"].path, items=150, users=60, events=3_000)


def test_the_entries_of_all_lists_of_a_page_are_counted() -> None:
    assert entries(b'{"user_id":"u1","items":[1,2,3],"next_cursor":null}') == 3
    assert entries(b'{"a":[1],"b":[],"by_category":{"x":[1,2],"y":[3]},"request_id":"r"}') == 4


def test_pages_are_due_in_turn_at_a_constant_rate_with_a_write_for_every_tenth() -> None:
    requests = {name: itertools.cycle([get(f"/{name}", name)]) for name in ("home", "search", "write")}
    due = list(timetable(requests, per_minute=600, seconds=2))
    pages = [(at, request.name) for at, request in due if request.name != "write"]
    assert [name for _, name in pages] == ["home", "search"] * 10
    assert [at for at, _ in pages] == pytest.approx([number / 10 for number in range(20)])
    assert sum(request.name == "write" for _, request in due) == 2
    assert [at for at, _ in due] == sorted(at for at, _ in due)


def test_a_page_of_live_at_a_rate_is_that_page_and_numbers_of_viewers(tmp_path: Path) -> None:
    (tmp_path / "users.csv").write_text("user_id,city\nu1,Paris\n")
    (tmp_path / "streams.csv").write_text("stream_id,city\ns1,Paris\n")
    requests = RATED["live"](PAGES["hometown"], tmp_path, np.random.default_rng(0))
    page, write = next(requests["hometown"]), next(requests["write"])
    assert page.data.startswith(b"POST /v1/scenarios/hometown HTTP/1.1\r\n")
    assert page.data.endswith(b'\r\n\r\n{"user_id":"u1","max_results":10}')
    assert write.data.startswith(b"PUT /v1/scenarios/streams/s1/status HTTP/1.1\r\n")
    assert (page.name, write.name) == ("hometown", "write")


def test_pages_that_take_long_to_prepare_are_measured_only_where_they_are_named() -> None:
    assert {*page_names()} == PAGES.keys() - BY_NAME_ONLY
    assert {"streaming-1m", "hometown", "home_feed"} == BY_NAME_ONLY


def test_stages_are_summed_over_feeds() -> None:
    text = """# TYPE homefeed_stage_seconds histogram
homefeed_stage_seconds_bucket{app="shop",feed="home",stage="rank",le="+Inf"} 4.0
homefeed_stage_seconds_sum{app="shop",feed="home",stage="rank"} 1.5
homefeed_stage_seconds_count{app="shop",feed="home",stage="rank"} 4.0
homefeed_stage_seconds_sum{app="shop",feed="trending",stage="rank"} 0.5
homefeed_stage_seconds_sum{app="shop",feed="home",stage="filter"} 0.25
# TYPE homefeed_request_seconds histogram
homefeed_request_seconds_sum{route="/x"} 9.0
"""
    assert stages_of(text) == {"rank": 2.0, "filter": 0.25}
    assert stages_of("# TYPE homefeed_items gauge\nhomefeed_items 3.0\n") == {}


def test_another_interpreter_gets_neither_the_settings_nor_the_path_of_this_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOMEFEED_SEED", "7")
    monkeypatch.setenv("PYTHONPATH", "src")
    own = Python(Path(sys.executable)).environment(home="h")
    assert own["PYTHONPATH"] == str(tmp_path / "src")
    other = Python(tmp_path / "bin" / "python").environment(home="h")
    assert "PYTHONPATH" not in other
    assert own["HOMEFEED_HOME"] == other["HOMEFEED_HOME"] == "h"
    assert "HOMEFEED_SEED" not in own.keys() | other.keys()


def test_a_home_that_is_too_old_is_refused(tmp_path: Path) -> None:
    end = datetime.now(UTC) - timedelta(days=9)
    (tmp_path / "prepared.json").write_text(json.dumps({"end": end.isoformat()}))
    with pytest.raises(CommandError, match="9 days ago; delete it"):
        prepare(LITTLE, tmp_path, Python(Path(sys.executable)))


def test_a_command_that_fails_says_why_and_leaves_no_home(tmp_path: Path) -> None:
    wrong = Page("shop", "no-such-app", "/", items=1)
    with pytest.raises(CommandError, match=r"homefeed generate .*no-such-app"):
        prepare(wrong, tmp_path / "home", Python(Path(sys.executable)))
    assert not (tmp_path / "home").exists()


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("load") / "home"


@pytest.fixture(scope="module")
def line(root: Path) -> Mapping[str, Any]:
    options = argparse.Namespace(python=sys.executable, connections=4, seconds=0.5, per_minute=1_200)
    return load.measure(LITTLE, home_of(root, "shop"), options)


def test_a_page_under_load_is_measured_with_the_floors_of_the_same_run(line: Mapping[str, Any]) -> None:
    assert (line["page"], line["items"], line["users"], line["failed"]) == ("shop", 150, 60, 0)
    assert line["requests"] == LITTLE.users // 2  # none twice: the users run out before the time does
    assert line["items_a_page"] > 60
    assert 0 < line["p50_ms"] <= line["p95_ms"] <= line["p99_ms"]
    share = line["requests_per_second"] / line["healthz_per_second"]
    assert line["share_of_healthz"] == pytest.approx(share, abs=0.01)
    assert 0 < line["share_of_bare"] < 1
    assert 0 < line["cpu_share_of_healthz"] < 1
    assert line["again"]["requests_per_second"] > 0 == line["again"]["failed"]
    assert line["resident_mb"] > 50
    assert line["start_seconds"] > 0
    assert line["prepared"]["train_peak_mb"] > 50


def test_the_shop_at_a_constant_rate_tells_each_of_its_pages(line: Mapping[str, Any]) -> None:
    rate = line["at_rate"]
    assert rate["failed"] == 0
    assert rate["pages_per_minute"] == pytest.approx(1_200, rel=0.4)
    assert {"p50_ms", "p95_ms", "p99_ms"} == rate["home"].keys() == rate["search"].keys() == rate["write"].keys()


def test_serving_leaves_the_home_as_it_was(line: Mapping[str, Any], root: Path) -> None:
    home = home_of(root, "shop")
    assert [path.name for path in root.parent.iterdir()] == [home.name]
    assert prepare(LITTLE, home, Python(Path(sys.executable))) == line["prepared"]
    with copy_of(home) as copy:
        assert (copy / "homefeed.db").read_bytes() == (home / "homefeed.db").read_bytes()
        assert not (copy / "sample").exists()


@pytest.mark.usefixtures("line")
def test_the_same_page_in_process(root: Path) -> None:
    home = home_of(root, "shop")
    cold, warm = (recommend.measure(LITTLE, home, 20, warm) for warm in (False, True))
    assert cold["requests"] == warm["requests"] == 20
    assert (cold["warm"], warm["warm"]) == (False, True)
    assert 0 < cold["p50_ms"] <= cold["p95_ms"]
    assert 0 < warm["baseline"]["p50_ms"] < warm["p50_ms"]


@pytest.mark.usefixtures("line")
def test_the_same_page_at_constant_rates(root: Path) -> None:
    found = steady.measure(LITTLE, home_of(root, "shop"), [20.0], seconds=0.5, reused=0)
    (at,) = found["at"]
    assert found["closed"]["requests_per_second"] > 0 == found["closed"]["failed"]
    assert at["per_second"] == 20
    assert (at["cold"]["failed"], at["in_memory"]["failed"]) == (0, 0)
    assert at["cold"]["requests"] == at["in_memory"]["requests"] == 10
