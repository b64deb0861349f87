"""What a folder of exported files says of itself: whose it is, how far it reaches, the SHA-256 of each file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Self

import orjson

from homefeed import __version__
from homefeed.dataset.export_days import DAY
from homefeed.errors import DataError
from homefeed.store.copies import sha256_of

MARK: Final = "homefeed-export.json"
"""The file that tells a folder of exported files from others."""


@dataclass(frozen=True, slots=True)
class ExportManifest:
    """Of which app, made when and by which version; its `rows` by kind; its files by their paths in the folder.

    `event_seq` is the last row of the log at its time: the events are those up to it. Days are those of the
    folders by day, None without any.
    """

    homefeed: str
    app: str
    exported_at: str
    event_seq: int
    rows: Mapping[str, int]
    first_day: str | None
    last_day: str | None
    files: Mapping[str, Mapping[str, Any]]

    @classmethod
    def of(cls, folder: Path, app: str, exported_at: str, event_seq: int, rows: Mapping[str, int]) -> Self:
        """That of the files in a folder."""
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        files = {
            path.relative_to(folder).as_posix(): {"bytes": path.stat().st_size, "sha256": sha256_of(path)}
            for path in paths
        }
        days = sorted({path.parent.name.removeprefix(DAY) for path in paths if path.parent.name.startswith(DAY)})
        first, last = (days[0], days[-1]) if days else (None, None)
        return cls(__version__, app, exported_at, event_seq, rows, first, last, files)

    def write(self, folder: Path) -> None:
        """Write it beside the files."""
        (folder / MARK).write_bytes(orjson.dumps(asdict(self), option=orjson.OPT_INDENT_2) + b"\n")

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read what `write` wrote.

        Raises:
            DataError: it cannot be read, or files are not there or of another size.
        """
        try:
            found = cls(**orjson.loads((folder / MARK).read_bytes()))
            sizes = {path: int(facts["bytes"]) for path, facts in found.files.items()}
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise DataError(f"{folder / MARK} cannot be read ({error}); export the app anew") from None
        for path, size in sizes.items():
            file = folder / path
            if not file.is_file() or file.stat().st_size != size:
                raise DataError(f"{file} is missing or damaged: {MARK} tells of {size} bytes; export the app anew")
        return found


def is_export(folder: Path | None) -> bool:
    """Whether a folder holds what was exported."""
    return folder is not None and (folder / MARK).is_file()
