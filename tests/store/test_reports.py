"""Data reports."""

from __future__ import annotations

from homefeed.store import Store
from homefeed.store.reports import list_reports, replace_report, save_report


async def test_reports_are_kept_newest_first(store: Store) -> None:
    assert await list_reports(store, "streaming") == []
    assert await save_report(store, "streaming", 10, {"n": 1}) == 10
    assert await save_report(store, "streaming", 10, {"n": 2}) == 11
    assert await save_report(store, "streaming", 5, {"n": 3}) == 12
    assert await save_report(store, "other", 10, {"text": "\0é"}) == 10
    await replace_report(store, "streaming", 11, {"n": 4})
    found = await list_reports(store, "streaming")
    assert [(report.created_at, report.report["n"]) for report in found] == [(12, 3), (11, 4), (10, 1)]
    assert len(await list_reports(store, "streaming", limit=1)) == 1
    assert (await list_reports(store, "other"))[0].report == {"text": "\0é"}
