"""Sample data of the ready-made apps, seeded and with its truth: one folder per app."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from homefeed.samples.draws import DAY, HOUR, Rng, Rows, Weights, choose
from homefeed.samples.files import Format, ids, iso, write_tables
from homefeed.samples.generator import END, Options, Progress, Sample, Summary, Tables, write_sample
from homefeed.samples.rhythm import Rhythm, plan_rhythm
from homefeed.samples.shelves import Shelves
from homefeed.samples.words import Words, paragraphs, split

__all__ = [
    "DAY",
    "END",
    "HOUR",
    "Format",
    "Generate",
    "Options",
    "Progress",
    "Rhythm",
    "Rng",
    "Rows",
    "Sample",
    "Shelves",
    "Summary",
    "Tables",
    "Weights",
    "Words",
    "choose",
    "find_generator",
    "ids",
    "iso",
    "paragraphs",
    "plan_rhythm",
    "split",
    "write_sample",
    "write_tables",
]

_HERE = Path(__file__).parent


class Generate(Protocol):
    """Writes a sample to a folder; `options` are those of `Sample`, and those that the app's own sample adds."""

    def __call__(self, folder: Path, *, progress: Progress | None = None, **options: Any) -> Summary:
        """See `write_sample`."""
        ...


def find_generator(app: str) -> Generate | None:
    """The generator of an app's sample data, if it has one."""
    if not app.isidentifier() or not (_HERE / app / "generate.py").is_file():
        return None
    generate: Generate = import_module(f"{__name__}.{app}.generate").generate
    return generate
