"""The data report: the outcome of every row of an import, as JSON and as text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from homefeed.ingest.matrix import Matrix
from homefeed.ingest.printing import listed, printable
from homefeed.ingest.tallies import NO_TALLIES, Example, Tallies, total

_EXAMPLES: Final = 2
_MOST_REASONS: Final = 5
"""So that a dirty import fills a screen, and no more."""

_FRAME: Final = 10
"""What the lines of a table and the spaces beside them take."""

_FEWEST: Final = 30


@dataclass(frozen=True, slots=True)
class FileReport:
    """The outcome of a file's rows: `rows` is `loaded` and all `rejected` and `duplicates` together.

    `loaded` users and items are `new` or `updated`; loaded events, and items shown, are all new. `warnings` are
    about rows that loaded. `notes` are about the file as a whole.
    """

    kind: str
    path: str
    rows: int
    loaded: int
    new: int
    updated: int
    rejected: Tallies
    duplicates: Tallies
    warnings: Tallies
    notes: tuple[str, ...]
    ignored_columns: tuple[str, ...]
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """As JSON, the most frequent reasons first."""
        return {
            "path": self.path,
            "rows": self.rows,
            "loaded": self.loaded,
            "new": self.new,
            "updated": self.updated,
            "rejected": _tallies_json(self.rejected),
            "duplicates": _tallies_json(self.duplicates),
            "warnings": _tallies_json(self.warnings),
            "notes": list(self.notes),
            "ignored_columns": list(self.ignored_columns),
            "seconds": round(self.seconds, 3),
        }


@dataclass(frozen=True, slots=True)
class EventFacts:
    """Figures on all events of a file. Times are those of the usable events, None without any.

    `unknown_users` and `unknown_items` count distinct ids, above a million to about one in a thousand;
    `created_users` are the users created by their events.
    """

    first: int | None
    last: int | None
    unknown_users: int
    unknown_items: int
    created_users: int
    matrix: Matrix

    def to_json(self) -> dict[str, Any]:
        """As JSON, with ISO 8601 times."""
        return {
            "first_event": _iso(self.first),
            "last_event": _iso(self.last),
            "unknown_users": self.unknown_users,
            "unknown_items": self.unknown_items,
            "created_users": self.created_users,
            "matrix": {**asdict(self.matrix), "density": self.matrix.density, "sparsity": 1 - self.matrix.density},
        }


@dataclass(frozen=True, slots=True)
class DataReport:
    """One import: its files in the order of loading, and figures on the events, if there were any."""

    app: str
    started_at: int
    files: tuple[FileReport, ...]
    events: EventFacts | None
    seconds: float

    def file(self, kind: str) -> FileReport | None:
        """The report of the file of users, items or events."""
        return next((file for file in self.files if file.kind == kind), None)

    def to_json(self) -> dict[str, Any]:
        """As JSON, as the store keeps it."""
        return {
            "app": self.app,
            "started_at": _iso(self.started_at),
            "finished": True,
            "seconds": round(self.seconds, 3),
            "files": {file.kind: file.to_json() for file in self.files},
            "events": None if self.events is None else self.events.to_json(),
        }


def render_report(report: DataReport, *, every_reason: bool = False) -> RenderableType:
    """The report for a terminal: on a screen, or with every reason and every example kept."""
    parts: list[RenderableType] = [_overview(report)]
    if report.events is not None:
        parts.append(_facts(report.events))
    for file in report.files:
        for title, style, tallies in (
            ("rejected", "red", file.rejected),
            ("duplicates", "yellow", file.duplicates),
            ("warnings: the row loaded without it", "cyan", file.warnings),
        ):
            if tallies:
                parts.append(_Reasons(f"{file.kind}: {title}", style, tallies, every_reason))
        parts.extend(Text(f"{file.kind}: {note}", style="cyan") for note in file.notes)
        if file.ignored_columns:
            parts.append(Text(f"{file.kind}: ignored columns: {listed(file.ignored_columns)}", style="dim"))
    return Group(*parts)


def _overview(report: DataReport) -> Table:
    # Narrow enough for 80 columns with millions of rows.
    title = f"Import into {report.app}, {report.seconds:.1f} s"
    table = Table(title=title, title_justify="left", box=None, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("file", overflow="fold")
    for name in ("rows", "loaded", "new", "updated", "rejected", "duplicates", "warnings"):
        table.add_column(name, justify="right")
    for file in report.files:
        problems = (total(file.rejected), total(file.duplicates), total(file.warnings))
        counts = [file.rows, file.loaded, file.new, file.updated, *problems]
        table.add_row(escape(Path(file.path).name), *(f"{count:,}" for count in counts))
    return table


def _facts(facts: EventFacts) -> Text:
    matrix = facts.matrix
    about = "about " if matrix.estimated else ""
    lines = [
        f"Events from {_iso(facts.first)} to {_iso(facts.last)}"
        if facts.first is not None
        else "No usable events",
        f"{matrix.active_users:,} of {matrix.users:,} users met {matrix.active_items:,} of {matrix.items:,} items",
        f"{about}{matrix.pairs:,} pairs, {matrix.density:.4%} of the matrix".capitalize(),
    ]
    if facts.unknown_users or facts.unknown_items:
        lines.append(f"Undeclared ids: {facts.unknown_users:,} users, {facts.unknown_items:,} items")
    if facts.created_users:
        lines.append(f"Users created by their events: {facts.created_users:,}")
    return Text("\n".join(lines))


@dataclass(frozen=True, slots=True)
class _Reasons:
    """A table of reasons; unless it has every one, an example takes the rest of a line and no more."""

    title: str
    style: str
    tallies: Tallies
    every: bool

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield _reasons(self.title, self.style, self.tallies, self.every, options.max_width)


def _reasons(title: str, style: str, tallies: Tallies, every_reason: bool, width: int) -> Table:
    table = Table(title=title, title_justify="left", title_style=style)
    table.add_column("rows", justify="right")
    table.add_column("why", style=style)
    ranked = _by_count(tallies)
    longest = max(len(printable(reason)) for reason, _ in ranked)
    counts = max(len(f"{tally.count:,}") for _, tally in ranked)
    room = None if every_reason else max(width - min(longest, width // 2) - max(counts, 6) - _FRAME, _FEWEST)
    table.add_column(
        "for example (row 1 is the first of the data)",
        max_width=room,
        no_wrap=room is not None,
        overflow="ellipsis",
    )
    # A line that says how many more there are takes as much room as one of them.
    most = len(ranked) if every_reason or len(ranked) <= _MOST_REASONS + 1 else _MOST_REASONS
    shown, rest = ranked[:most], ranked[most:]
    for reason, tally in shown:
        examples = tally.examples if every_reason else tally.examples[:_EXAMPLES]
        table.add_row(
            f"{tally.count:,}",
            escape(printable(reason)),
            "\n".join(_example(example, reason) for example in examples),
        )
    if rest:
        count = sum(tally.count for _, tally in rest)
        table.add_row(f"{count:,}", f"{len(rest)} more reasons", "import with --all, or --json, tells them")
    return table


def _example(example: Example, reason: str) -> str:
    """A row on a line: the cells that the reason names stand first, in quotes that show white space."""
    cells = [(name, "" if value is None else value) for name, value in example.values.items()]
    named = [f"{name}='{value}'" for name, value in cells if _names(reason, name)]
    others = [f"{name}={value}" for name, value in cells if not _names(reason, name)]
    return escape(printable(f"row {example.row:,}: {', '.join(named + others)}"))


def _names(reason: str, column: str) -> bool:
    written = re.escape(column).replace("_", "[_ ]")
    return bool(column) and re.search(rf"(?<!\w){written}(?!\w)", reason) is not None


def _by_count(tallies: Tallies) -> Sequence[tuple[str, Any]]:
    return sorted(tallies.items(), key=lambda entry: -entry[1].count)


def _tallies_json(tallies: Tallies) -> dict[str, Any]:
    reasons = [
        {"reason": reason, "count": tally.count, "examples": [asdict(example) for example in tally.examples]}
        for reason, tally in _by_count(tallies)
    ]
    return {"total": total(tallies or NO_TALLIES), "reasons": reasons}


def _iso(time: int | None) -> str | None:
    if time is None:
        return None
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=time)
    return moment.isoformat().replace("+00:00", "Z")
