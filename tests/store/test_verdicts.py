"""What was found of rankers is kept beside them, the latest of it."""

from __future__ import annotations

import stat
from pathlib import Path

from homefeed.store.verdicts import RankerVerdict, latest_verdict, note_verdict, read_verdict, verdicts_of


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


def test_the_latest_of_a_part_is_read(tmp_path: Path) -> None:
    def latest(part: str) -> RankerVerdict | None:
        return latest_verdict(tmp_path, "films", "home_ranker", part)

    assert latest("value") is None
    note_verdict(tmp_path, "films", "home_ranker", {"why": "old", "judged_at": "1"})
    measured = {"part": "value", "metric": "ndcg@10", "lead": [0.1, -0.1, 0.3], "requests": 60}
    note_verdict(tmp_path, "films", "home_ranker", {"why": "new", "finding": "n", "judged_at": "2", **measured})
    assert latest("value") == RankerVerdict("2", "new", "n", None, "value", "ndcg@10", (0.1, -0.1, 0.3))
    assert latest("lambdamart") == RankerVerdict("1", "old"), "of no part that is known"


def test_what_is_no_verdict_is_read_as_none() -> None:
    every: tuple[object, ...] = (None, [], {}, {"why": "x"}, {"why": 1, "judged_at": "1"})
    assert [read_verdict(damaged) for damaged in every] == [None] * len(every)
    assert read_verdict({"why": "x", "judged_at": "1", "lead": [1.0]}) is None


def test_it_is_nobody_elses_to_read(tmp_path: Path) -> None:
    note_verdict(tmp_path, "films", "home_ranker", {"why": "one", "judged_at": "1"})
    home = tmp_path / "films" / "home_ranker"
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in home.iterdir()} == {0o600}
