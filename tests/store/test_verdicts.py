"""What was found of rankers is kept beside them, the latest of it."""

from __future__ import annotations

import stat
from pathlib import Path

from homefeed.store.verdicts import note_verdict, verdicts_of


def test_the_latest_is_first(tmp_path: Path) -> None:
    assert verdicts_of(tmp_path, "films", "home_ranker") == []
    for number in range(3):
        note_verdict(tmp_path, "films", "home_ranker", {"why": str(number), "judged_at": "now", "version": None})
    note_verdict(tmp_path, "films", "other_ranker", {"why": "another", "judged_at": "now"})
    assert [found["why"] for found in verdicts_of(tmp_path, "films", "home_ranker")] == ["2", "1", "0"]
    assert verdicts_of(tmp_path, "films", "other_ranker") == [{"why": "another", "judged_at": "now"}]


def test_fifty_are_kept(tmp_path: Path) -> None:
    for number in range(53):
        note_verdict(tmp_path, "films", "home_ranker", {"why": str(number), "judged_at": "now"})
    found = [each["why"] for each in verdicts_of(tmp_path, "films", "home_ranker")]
    assert found == [str(number) for number in range(52, 2, -1)]


def test_damaged_lines_are_passed_over(tmp_path: Path) -> None:
    note_verdict(tmp_path, "films", "home_ranker", {"why": "one", "judged_at": "1"})
    [file] = (tmp_path / "films" / "home_ranker").glob("*.jsonl")
    file.write_bytes(file.read_bytes() + b'{"why": \n[]\n{"why": 3}\n{"why": "x"}\n{}\n\xff\n')
    assert [each["why"] for each in verdicts_of(tmp_path, "films", "home_ranker")] == ["one"]
    note_verdict(tmp_path, "films", "home_ranker", {"why": "two", "judged_at": "2"})
    assert [each["why"] for each in verdicts_of(tmp_path, "films", "home_ranker")] == ["two", "one"]


def test_it_is_nobody_elses_to_read(tmp_path: Path) -> None:
    note_verdict(tmp_path, "films", "home_ranker", {"why": "one", "judged_at": "1"})
    home = tmp_path / "films" / "home_ranker"
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in home.iterdir()} == {0o600}
