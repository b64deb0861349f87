"""From a path to a table, whatever the format; and the files of a folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from homefeed.errors import DataError
from homefeed.ingest.archives import only_member
from homefeed.ingest.columnar import days_in, open_parquet, open_parquet_days
from homefeed.ingest.delimited import Dialect, open_delimited
from homefeed.ingest.json_lines import open_json_lines
from homefeed.ingest.spreadsheet import open_excel
from homefeed.ingest.table import Table
from homefeed.recipe import Source, Sources

_Opener: TypeAlias = Callable[[Path, Source], Table]


def _delimited(by: str) -> _Opener:
    def opened(path: Path, source: Source) -> Table:
        dialect = Dialect(source.delimiter or by, source.quotes, source.encoding, source.header)
        return open_delimited(path, dialect)

    return opened


def _json_lines(path: Path, _: Source) -> Table:
    return open_json_lines(path)


def _parquet(path: Path, _: Source) -> Table:
    return open_parquet(path)


def _excel(path: Path, source: Source) -> Table:
    return open_excel(path, source.sheet)


def _zipped(path: Path, source: Source) -> Table:
    member = only_member(path)
    ending = Path(member).suffix.lower()
    if ending in _TEXT:
        return _TEXT[ending](path, source)
    if source.delimiter is not None:
        return _delimited(source.delimiter)(path, source)
    raise DataError(
        f"{path}: holds {member}; of a zip file {', '.join(_TEXT)} are read: unpack it, or, of a text, set the "
        "`delimiter` in the recipe's source"
    )


_TEXT: Final[dict[str, _Opener]] = {
    ".csv": _delimited(","),
    ".tsv": _delimited("\t"),
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
}
_OPENERS: Final[dict[str, _Opener]] = {
    **{ending + packed: opener for ending, opener in _TEXT.items() for packed in ("", ".gz", ".zip")},
    ".parquet": _parquet,
    ".xlsx": _excel,
    ".zip": _zipped,
}
_ENDINGS: Final = f"{', '.join(_TEXT)}, these with .gz or .zip, .parquet, .xlsx or .zip"


@dataclass(frozen=True, slots=True)
class Files:
    """The files of one import; those that are None are left out."""

    users: Path | None = None
    items: Path | None = None
    events: Path | None = None
    impressions: Path | None = None


def find_files(folder: Path, sources: Sources | None = None) -> Files:
    """The files of users, items, events and impressions in a folder, of any format that can be read.

    They have these names, or those of the recipe's `sources`, there also with any other ending.

    Raises:
        DataError: there is no such folder, none of them is in it, or one is there in two formats.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder")
    sources = sources or Sources()
    names = {kind: getattr(sources, kind).file or kind for kind in ("users", "items", "events", "impressions")}
    found = {kind: find_file(folder, name) for kind, name in names.items()}
    if not any(found.values()):
        users, items, events, _ = names.values()
        raise DataError(f"{folder}: expected files named {users}, {items} or {events} ({_ENDINGS})")
    return Files(**found)


def open_table(path: Path, source: Source | None = None) -> Table:
    """Open a file by the ending of its name, or, where the `source` has a delimiter, as a text file.

    Raises:
        DataError: it cannot be read, is empty, or is of no known format.
    """
    if path.is_dir():
        return open_parquet_days(path)
    name, source = path.name.lower(), source or Source()
    for ending, opener in _OPENERS.items():
        if name.endswith(ending):
            return opener(path, source)
    if source.delimiter is not None:
        return _delimited(source.delimiter)(path, source)
    raise DataError(
        f"{path}: expected a file ending in {_ENDINGS}; of another text file, set the `delimiter` in the recipe's "
        "source"
    )


def find_file(folder: Path, kind: str) -> Path | None:
    """The file of that name in a folder, in any format, or the folder of its files by day; None without one.

    Raises:
        DataError: it is there in two formats.
    """
    if (folder / kind).is_file() or days_in(folder / kind):
        return folder / kind
    paths = [folder / f"{kind}{ending}" for ending in _OPENERS if (folder / f"{kind}{ending}").is_file()]
    if len(paths) > 1:
        names = " and ".join(path.name for path in paths)
        raise DataError(f"{folder}: {kind} is there twice, as {names}; keep one of them")
    return paths[0] if paths else None
