"""An app's rows as a folder of files: there when all of it is written, and not before."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

from homefeed.dataset.export_days import growing_by_day
from homefeed.dataset.export_files import Add, Format, growing
from homefeed.dataset.export_manifest import ExportManifest
from homefeed.dataset.exporting import KINDS, Kind, frames_of
from homefeed.errors import InvalidError
from homefeed.recipe import Recipe
from homefeed.store import Store
from homefeed.store.events import totals
from homefeed.store.shown import extent_of_shown
from homefeed.times import LATEST, format_time

Progress = Callable[[str, int, int], None]

_BY_DAY: Final = ("events", "impressions")


@dataclass(frozen=True, slots=True)
class Export:
    """Which kinds to write, in which format, and whether events and impressions are in folders by day.

    By day, impressions have their features and by what they were served, too.
    """

    kinds: Sequence[Kind] = KINDS
    form: Format = "csv"
    by_day: bool = False

    def place(self, kind: Kind) -> str:
        """The file of a kind in the folder, or its folder."""
        return kind if self.by_day and kind in _BY_DAY else f"{kind}.{self.form}"

    def growing(self, folder: Path, kind: Kind) -> AbstractContextManager[Add]:
        """Write what there is of a kind."""
        path = folder / self.place(kind)
        return growing_by_day(path) if path.name == kind else growing(path, self.form)


async def export_app(
    store: Store, recipe: Recipe, folder: Path, export: Export, *, now: int, progress: Progress
) -> ExportManifest:
    """Write an app's rows to a new folder, for its owner alone. Events that come meanwhile are not among them.

    Raises:
        InvalidError: the folder is not new, or not by day as Parquet.
    """
    check_folder(folder)
    if export.by_day and export.form != "parquet":
        raise InvalidError(f"by day files are Parquet, not {export.form}; leave the format out")
    with _drafted(folder) as draft:
        # Users and items are read after this: every event has its user and its item among them.
        last = (await store.watermarks(recipe.app)).event_seq
        rows = await _write(store, recipe, draft, export, last, progress)
        manifest = ExportManifest.of(draft, recipe.app, format_time(now), last, rows)
        manifest.write(draft)
    return manifest


def check_folder(folder: Path) -> None:
    """Fail before the work, not at its end.

    Raises:
        InvalidError: something is there.
    """
    if folder.exists() and not folder.is_dir():
        raise InvalidError(f"{folder} is a file; name a folder that is yet to be made")
    if folder.is_dir() and any(folder.iterdir()):
        raise InvalidError(f"{folder} is there already; name a folder that is yet to be made, or empty that one")


@contextmanager
def _drafted(folder: Path) -> Iterator[Path]:
    """A folder beside it, which takes its place in the end."""
    folder.absolute().parent.mkdir(parents=True, exist_ok=True)
    draft = Path(mkdtemp(prefix=f".{folder.name}.", dir=folder.absolute().parent))
    try:
        yield draft
        if folder.is_dir():
            folder.rmdir()
        draft.replace(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


async def _write(
    store: Store, recipe: Recipe, folder: Path, export: Export, last: int, progress: Progress
) -> dict[str, int]:
    """Write the files; returns how many rows each kind has."""
    expected = await _expected(store, recipe.app)
    counts: dict[str, int] = {}
    for kind in export.kinds:
        counts[kind] = 0
        if not expected[kind]:
            continue
        with export.growing(folder, kind) as add:
            async for frame in frames_of(store, recipe, kind, last, with_features=export.by_day):
                add(frame)
                counts[kind] += frame.height
                progress(f"exporting {kind}", counts[kind], max(counts[kind], expected[kind]))
    return counts


async def _expected(store: Store, app: str) -> dict[str, int]:
    """About how many rows there are of each kind."""
    counts = await totals(store, app, 0)
    pages = (await extent_of_shown(store, app, 0, LATEST)).pages
    return {"users": counts.users, "items": counts.items, "events": counts.events, "impressions": pages}
