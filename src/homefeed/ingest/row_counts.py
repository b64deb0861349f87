"""What became of the rows of a file of a log, where every row that loads is new."""

from __future__ import annotations

from homefeed.ingest.mapping import Layout
from homefeed.ingest.report import FileReport
from homefeed.ingest.table import Batch, Table
from homefeed.ingest.tallies import Tallies, Tally, merged


class RowCounts:
    """Base of what loads such files: it counts as it goes, and reports at the end."""

    def __init__(self) -> None:
        self.rows = self.loaded = 0
        self.rejected: dict[str, Tally] = {}
        self.duplicates: dict[str, Tally] = {}
        self.warnings: dict[str, Tally] = {}

    def count(self, batch: Batch, rejected: Tallies, warnings: Tallies) -> None:
        """Count the rows of a batch, and what was found of them by reading alone."""
        self.rows += batch.count
        self.rejected = merged(self.rejected, rejected)
        self.warnings = merged(self.warnings, warnings)

    def report(self, kind: str, table: Table, layout: Layout, seconds: float) -> FileReport:
        """The outcome of the whole file."""
        return FileReport(
            kind=kind,
            path=str(table.path),
            rows=self.rows,
            loaded=self.loaded,
            new=self.loaded,
            updated=0,
            rejected=self.rejected,
            duplicates=self.duplicates,
            warnings=self.warnings,
            notes=layout.notes,
            ignored_columns=layout.ignored,
            seconds=seconds,
        )
