"""Events of files that were no log: what fits is read once, the rest is counted by reason."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from homefeed.dataset.log import read_catalog
from homefeed.errors import DataError, NotInstalledError
from homefeed.recipe import Recipe, parse_recipe
from homefeed.store import Store
from homefeed.store.items import ItemWrite, put_items
from homefeed.store.users import put_users
from homefeed.train.spark.inputs import open_input
from homefeed.train.spark.reading import NO_ITEM, OF_CREATOR, events_of, read_ids
from homefeed.types import DAY, SECOND

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

NOW = 1_700_000_000 * SECOND
TOWN: dict[str, Any] = {
    "app": "town",
    "items": {"creator": "maker", "fields": {"title": "text", "maker": "category"}},
    "events": {"read": {"max_value": 9.0}, "look": {"about": "query"}},
    "feeds": {"home": {"retrieve": {"popular": {}}, "rank": {"weighted": {"weights": {"popular": 1.0}}}}},
}
TIME = datetime.fromtimestamp(NOW / SECOND, UTC) - timedelta(days=1)

pytestmark = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)


async def town(store: Store) -> Recipe:
    recipe = parse_recipe(TOWN, "a test")
    await put_items(store, "town", [ItemWrite(f"i{n}", {"title": "T", "maker": f"u{n}"}) for n in range(3)])
    await put_users(store, "town", [(f"u{n}", {}) for n in range(3)])
    return recipe


async def test_what_does_not_fit_is_counted_by_reason(spark: SparkSession, store: Store, tmp_path: Path) -> None:
    recipe = await town(store)
    rows: list[tuple[str | None, str | None, str | None, str | None, str | None]] = [
        ("u0", "i1", "read", "1.5", TIME.isoformat()),
        ("u0", "i1", "read", "1.5", TIME.isoformat()),
        ("u1", "i0", "read", None, TIME.isoformat()),
        ("", "i1", "read", None, TIME.isoformat()),
        ("u1", "i1", "read", None, TIME.isoformat()),
        ("u1", None, "read", None, TIME.isoformat()),
        ("u1", None, "look", None, TIME.isoformat()),
        ("u1", "i0", "flew", None, TIME.isoformat()),
        ("u1", "i0", None, None, TIME.isoformat()),
        ("u9", "i0", "read", None, TIME.isoformat()),
        ("u1", "i9", "read", None, TIME.isoformat()),
        ("u1", "i0", "read", None, "yesterday"),
        ("u1", "i0", "read", None, (TIME + timedelta(days=3)).isoformat()),
        ("u1", "i0", "read", "much", TIME.isoformat()),
        ("u1", "i0", "read", "-1", TIME.isoformat()),
        ("u1", "i0", "read", "10", TIME.isoformat()),
    ]
    columns = ("user_id", "item_id", "event_type", "value", "timestamp")
    pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row").write_parquet(
        tmp_path / "e.parquet"
    )
    ids = await read_ids(store, recipe, await read_catalog(store, recipe))
    source = open_input(spark, str(tmp_path / "e.parquet"), recipe, 0)
    with events_of(spark, source, ids, recipe, NOW) as read:
        assert (read.rows, read.count) == (16, 2)
        assert read.left_out == {
            "missing event_type": 1,
            "missing item_id": 1,
            "missing timestamp, or one that is no time": 1,
            "missing user_id": 1,
            "the same event is earlier in this file": 1,
            "timestamp in the future": 1,
            "unknown event type": 1,
            "unknown item": 1,
            "unknown user": 1,
            "value above 9 of read": 1,
            "value below 0 of read": 1,
            "value is not a number": 1,
            NO_ITEM: 1,
            OF_CREATOR: 1,
        }
        found = read.frame.orderBy("user").collect()
    assert [(row.user, row.item, row.type, row.time) for row in found] == [
        (1, 1, 0, NOW - DAY),
        (2, 0, 0, NOW - DAY),
    ]
    assert found[0].value == 1.5
    assert found[0].seq != found[1].seq


async def test_what_cannot_be_read_is_said(spark: SparkSession, store: Store, tmp_path: Path) -> None:
    recipe = await town(store)
    file = tmp_path / "e.parquet"
    pl.DataFrame({"user_id": ["u"], "item": ["i"]}).write_parquet(file)
    with pytest.raises(DataError, match="has no column item_id, event_type, timestamp"):
        open_input(spark, str(file), recipe, 0)
    pl.DataFrame({"user_id": ["u"], "item_id": ["i"], "event_type": ["read"], "timestamp": [1]}).write_parquet(
        file
    )
    with pytest.raises(DataError, match="expected times or text in the column timestamp, got bigint"):
        open_input(spark, str(file), recipe, 0)
    (tmp_path / "homefeed-export.json").write_text(
        '{"homefeed": "1", "app": "other", "exported_at": "", "event_seq": 1, "rows": {}, "first_day": null, '
        '"last_day": null, "files": {}}'
    )
    with pytest.raises(DataError, match="was exported from other, not from town"):
        open_input(spark, str(tmp_path), recipe, 0)
    with pytest.raises(NotInstalledError, match="no JDBC driver of PostgreSQL"):
        open_input(spark, "postgresql://me:secret@127.0.0.1:1/town", replace(recipe), 5)
