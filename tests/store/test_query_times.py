"""The store counts what it does, and how long it takes."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from homefeed.store import Store
from homefeed.store.query_times import QueryTimes


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
async def test_each_kind_of_query_counts_once_failed_ones_too(store: Store) -> None:
    before = {kind: sum(counts) for kind, counts in store.times.counts.items()}
    await store.watermarks("shop")
    async with store.unhurried.read() as connection:
        await connection.execute(sa.text("SELECT 1"))
    with pytest.raises(ZeroDivisionError):
        async with store.write():
            raise ZeroDivisionError
    assert {kind: sum(counts) - before[kind] for kind, counts in store.times.counts.items()} == {
        "fetch": 1,
        "read": 1,
        "write": 1,
    }
    assert store.times.seconds["read"] > 0


def test_a_time_counts_in_the_first_bucket_that_holds_it(monkeypatch: pytest.MonkeyPatch) -> None:
    times, now = QueryTimes(), iter([0.0, 0.0025, 10.0, 10.003, 20.0, 26.0])
    monkeypatch.setattr("homefeed.store.query_times.time.perf_counter", lambda: next(now))
    for _ in range(3):
        with times.timing("fetch"):
            pass
    held = [bound for bound, count in zip((*times.BOUNDS, None), times.counts["fetch"], strict=True) if count]
    assert held == [0.0025, 0.005, None]
    assert times.seconds["fetch"] == pytest.approx(6.0055)
