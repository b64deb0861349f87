"""Files into the store: CSV, JSON Lines, Parquet and Excel, every row counted in a data report."""

from homefeed.ingest.archives import unpacked
from homefeed.ingest.load import import_files
from homefeed.ingest.preparation import Prepared, PrepareItems
from homefeed.ingest.readers import Files, find_files
from homefeed.ingest.report import DataReport, EventFacts, FileReport, render_report
from homefeed.ingest.stream import Progress

__all__ = [
    "DataReport",
    "EventFacts",
    "FileReport",
    "Files",
    "PrepareItems",
    "Prepared",
    "Progress",
    "find_files",
    "import_files",
    "render_report",
    "unpacked",
]
