"""map."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.running import done, run


@pytest.fixture(scope="module")
def live_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("live")
    sizes = ("--users", "30", "--streams", "40", "--interactions", "300")
    done(home, "generate", "live", "--out", str(home / "sample"), *sizes)
    done(home, "import", "live", str(home / "sample"))
    return home


def test_the_sample_of_live_is_drawn(live_home: Path) -> None:
    file = live_home / "map.html"
    assert "40 items and 30 users in" in done(live_home, "map", "live", "--html", str(file))
    page = file.read_text(encoding="utf-8")
    assert "Live on the map" in page
    assert "stream_000001" in page
    assert "user_0" not in page


def test_the_counts_are_json(live_home: Path) -> None:
    found = json.loads(done(live_home, "map", "live", "--category", "language", "--json"))
    assert (found["items"], found["users"], found["events"]) == (40, 30, 300)
    assert (found["place_field"], found["category_field"]) == ("city", "language")
    assert sum(row["items"] for row in found["places"]) == 40


def test_an_app_without_places_and_a_folder_that_is_not_there_are_told(live_home: Path) -> None:
    assert "declare one in its recipe" in str(run(live_home, "map", "streaming", "--json").exception)
    nowhere = run(live_home, "map", "live", "--html", str(live_home / "none" / "map.html"))
    assert str(nowhere.exception) == f"--html: no such folder: {live_home / 'none'}"
    assert "give --html FILE" in str(run(live_home, "map", "live").exception)
