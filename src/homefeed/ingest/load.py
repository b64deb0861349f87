"""One import: users, items, events and impressions into the store, and the report of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from homefeed.errors import DataError
from homefeed.ingest.load_entities import load_items, load_users
from homefeed.ingest.load_events import load_events
from homefeed.ingest.load_impressions import load_impressions
from homefeed.ingest.mapping import Layout, event_layout, impression_layout, item_layout, user_layout
from homefeed.ingest.preparation import Preparation, PrepareItems
from homefeed.ingest.readers import Files, open_table
from homefeed.ingest.report import DataReport, EventFacts, FileReport
from homefeed.ingest.stream import Progress
from homefeed.ingest.table import Table, text_frame
from homefeed.recipe import Recipe, Source
from homefeed.store import Store
from homefeed.store.reports import list_reports, replace_report, save_report

_FindLayout: TypeAlias = Callable[[Recipe, Path, Sequence[str] | None], Layout]


@dataclass(frozen=True, slots=True)
class _Opened:
    table: Table
    layout: Layout


async def import_files(
    store: Store,
    recipe: Recipe,
    files: Files,
    *,
    now: int,
    progress: Progress | None = None,
    prepare_items: PrepareItems | None = None,
) -> DataReport:
    """Load files into the store and keep the report there. All files are opened before anything is written.

    An interrupted import can simply be repeated: rows already written count once. `prepare_items` is for apps
    with item files of their own format.

    Raises:
        DataError: a file is missing, empty, damaged, or lacks a column; the text names both.
    """
    started = time.perf_counter()
    tell = progress or _silence
    preparation = None if prepare_items is None else Preparation(prepare_items, recipe.sources.items)
    users = _open(recipe, files.users, recipe.sources.users, user_layout)
    items = _open_items(recipe, files.items, preparation)
    events = _open(recipe, files.events, recipe.sources.events, event_layout)
    shown = _open(recipe, files.impressions, recipe.sources.impressions, impression_layout)
    if not (users or items or events or shown):
        raise DataError("no file to import; expected users, items, events or impressions")
    initial = await _is_initial(store, recipe.app)
    report_time = await save_report(store, recipe.app, now, {"finished": False, "initial": initial})
    reports: list[FileReport] = []
    facts: EventFacts | None = None
    if users:
        reports.append(await load_users(store, recipe, users.table, users.layout, tell))
    if items:
        created_at = None if initial else now
        reports.append(await load_items(store, recipe, items.table, items.layout, created_at, tell, preparation))
    if events:
        report, facts = await load_events(store, recipe, events.table, events.layout, now, tell)
        reports.append(report)
    if shown:
        reports.append(await load_impressions(store, recipe, shown.table, shown.layout, now, tell))
    result = DataReport(recipe.app, now, tuple(reports), facts, time.perf_counter() - started)
    await replace_report(store, recipe.app, report_time, result.to_json())
    return result


async def _is_initial(store: Store, app: str) -> bool:
    """Whether this is the app's first catalogue, also where an earlier attempt was interrupted."""
    if (await store.watermarks(app)).item_number == 0:
        return True
    newest = await list_reports(store, app, limit=1)
    return bool(newest) and not newest[0].report["finished"] and bool(newest[0].report["initial"])


def _open(recipe: Recipe, path: Path | None, source: Source, find_layout: _FindLayout) -> _Opened | None:
    if path is None:
        return None
    table = open_table(path, source)
    return _Opened(table, find_layout(recipe, path, table.columns))


def _open_items(recipe: Recipe, path: Path | None, prepare: Preparation | None) -> _Opened | None:
    if path is None or prepare is None:
        return _open(recipe, path, recipe.sources.items, item_layout)
    table = open_table(path, recipe.sources.items)
    if table.columns is None:
        return _Opened(table, item_layout(recipe, path, None))
    made = prepare(text_frame({name: [] for name in table.columns}))
    sources = recipe.sources.model_copy(update={"items": prepare.rest()})
    layout = item_layout(replace(recipe, sources=sources), path, made.frame.columns, table.columns)
    layout = replace(layout.made_of(prepare.mapped(table.columns)), ignored=(*layout.ignored, *made.ignored))
    return _Opened(table, layout)


def _silence(_stage: str, _done: int, _total: int) -> None:
    return None
