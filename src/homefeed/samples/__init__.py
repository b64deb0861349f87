"""What the apps' generators of sample data share: sizes and their checks, busy hours, shelves, files."""

from homefeed.samples.files import Format, ids, iso, write_tables
from homefeed.samples.rhythm import Rhythm, plan_rhythm
from homefeed.samples.shelves import Shelves
from homefeed.samples.sizes import END, Summary, check_events, check_sizes

__all__ = [
    "END",
    "Format",
    "Rhythm",
    "Shelves",
    "Summary",
    "check_events",
    "check_sizes",
    "ids",
    "iso",
    "plan_rhythm",
    "write_tables",
]
