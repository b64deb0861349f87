"""The report, as JSON and as text."""

from __future__ import annotations

import io
from dataclasses import replace

import orjson
from rich.console import Console

from homefeed.ingest import DataReport, EventFacts, FileReport, render_report
from homefeed.ingest.matrix import Matrix
from homefeed.ingest.printing import listed
from homefeed.ingest.tallies import Example, Tally, merged, total

FACTS = EventFacts(
    first=0, last=1_735_689_600_000_000, unknown_users=3, unknown_items=1, created_users=2,
    matrix=Matrix(users=10, items=20, active_users=5, active_items=6, pairs=50, estimated=True),
)  # fmt: skip
FILE = FileReport(
    kind="events",
    path="data/events[x].csv",
    rows=10,
    loaded=5,
    new=5,
    updated=0,
    rejected={
        "bad timestamp": Tally(1, (Example(4, {"user_id": "u[1]", "timestamp": None}),)),
        "unknown user": Tally(3, (Example(1, {"user_id": "u9"}),)),
    },
    duplicates={"twice": Tally(1, (Example(2, {"user_id": "u1"}),))},
    warnings={"empty value": Tally(1, (Example(3, {"user_id": "u1"}),))},
    notes=("no column x",),
    ignored_columns=("device",),
    seconds=1.23456,
)
REPORT = DataReport("streaming", 0, (FILE,), FACTS, 2.0)


def test_json_holds_everything_most_frequent_first() -> None:
    report = REPORT.to_json()
    assert orjson.loads(orjson.dumps(report)) == report
    assert report["files"]["events"]["rejected"] == {
        "total": 4,
        "reasons": [
            {"reason": "unknown user", "count": 3, "examples": [{"row": 1, "values": {"user_id": "u9"}}]},
            {
                "reason": "bad timestamp",
                "count": 1,
                "examples": [{"row": 4, "values": {"user_id": "u[1]", "timestamp": None}}],
            },
        ],
    }
    assert report["events"]["first_event"] == "1970-01-01T00:00:00Z"
    assert report["events"]["last_event"] == "2025-01-01T00:00:00Z"
    assert report["events"]["matrix"]["density"] == 0.25
    assert report["events"]["matrix"]["sparsity"] == 0.75
    assert DataReport("a", 0, (), None, 0.0).to_json()["events"] is None


def test_the_text_names_every_number_and_example() -> None:
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(render_report(REPORT))
    text = console.export_text()
    for word in (
        "events[x].csv",
        "unknown user",
        "row 4: timestamp='', user_id=u[1]",
        "About 50 pairs, 25.0000% of the matrix",
        "Undeclared ids: 3 users, 1 items",
        "Users created by their events: 2",
        "no column x",
        "ignored columns: device",
        "Events from 1970-01-01T00:00:00Z to 2025-01-01T00:00:00Z",
    ):
        assert word in text
    assert "data/" not in text, "a long path would leave no room for the numbers"


def test_tallies_add_up_and_keep_the_first_examples() -> None:
    parts = [{"bad": Tally(2, tuple(Example(row, {}) for row in (n, n + 1)))} for n in (1, 5, 9)]
    sum_of_all = merged(*parts, {"odd": Tally(1, ())})
    assert [example.row for example in sum_of_all["bad"].examples] == [1, 2, 5]
    assert total(sum_of_all) == 7


def test_what_a_file_says_cannot_command_the_terminal() -> None:
    tally = Tally(1, (Example(1, {"title": "\x1b[2Jhidden\nline"}),))
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(render_report(replace(REPORT, files=(replace(FILE, rejected={"bad": tally}),))))
    text = console.export_text()
    assert "row 1: title=\ufffd[2Jhidden\ufffdline" in text
    assert "\x1b" not in text
    assert listed(f"c{n}\r" for n in range(42)).endswith("c39\ufffd, and 2 more")


def test_a_dirty_import_fills_a_screen_and_every_reason_is_there_to_ask_for() -> None:
    wide = {f"column_{n}": "x" * 30 for n in range(9)} | {"stars": "none"}
    many = {
        f"stars: fault {n}": Tally(n, tuple(Example(row, wide) for row in range(1, min(n, 3) + 1)))
        for n in range(1, 21)
    }
    report = replace(REPORT, files=(replace(FILE, rejected=many, duplicates={}, warnings={}),))

    def printed(**kwargs: bool) -> list[str]:
        console = Console(width=80, record=True, file=io.StringIO())
        console.print(render_report(report, **kwargs))
        return console.export_text().splitlines()

    lines = printed()
    assert len(lines) <= 30, "a screen"
    assert max(map(len, lines)) <= 80
    assert sum("row 1: stars='none', column_0" in line for line in lines) == 5, (
        "what the reason names stands first"
    )
    assert sum("row 2:" in line for line in lines) == 5
    assert not any("row 3:" in line for line in lines)
    assert any("120" in line and "15 more reasons" in line for line in lines)
    assert sum("stars: fault" in line for line in printed(every_reason=True)) == 20


def test_a_line_is_not_spent_on_hiding_one() -> None:
    def printed(count: int) -> str:
        many = {f"fault {n}": Tally(1, (Example(1, {"a": "b"}),)) for n in range(count)}
        console = Console(width=80, record=True, file=io.StringIO())
        console.print(render_report(replace(REPORT, files=(replace(FILE, rejected=many),))))
        return console.export_text()

    assert "more reasons" not in printed(6)
    assert "2 more reasons" in printed(7)


def test_the_cell_at_fault_stands_first_in_quotes() -> None:
    tally = Tally(1, (Example(1, {"uid": "u1", "eventType": "skip "}),))
    console = Console(width=80, record=True, file=io.StringIO())
    rejected = {"unknown event type in eventType": tally}
    console.print(render_report(replace(REPORT, files=(replace(FILE, rejected=rejected),))))
    assert "row 1: eventType='skip '" in console.export_text()
