"""What a trial leaves: one line of JSON, and nothing on the disk."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def write_line(trial: str, **found: Any) -> None:
    """Print what a trial found."""
    print(json.dumps({"trial": trial} | found), flush=True)


@contextmanager
def trial_folder() -> Iterator[Path]:
    """A folder for the trial."""
    with tempfile.TemporaryDirectory(prefix="homefeed-torture-") as folder:
        yield Path(folder)
