"""What was shown as rankers learn from it: the table that Spark makes is that of one machine, to the last bit."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tests.dataset.shown_log import recipe_with
from tests.train.spark.shown_sample import exported_and_read, write_sample

from homefeed.dataset.ranking_rows import FeedColumns, RankingRows, read_ranking_rows
from homefeed.store import Store
from homefeed.train.spark.lists import Lists
from homefeed.train.spark.ranking_rows import ranking_rows

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

COLUMNS = FeedColumns(("x", "y"), calibrated=False)


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "settings", [{}, {"window": "20m", "examined": "all", "max_learned_items": 150}], ids=["default", "latest"]
)
async def test_it_is_the_table_of_one_machine(
    spark: SparkSession, store: Store, tmp_path: Path, settings: dict[str, Any]
) -> None:
    recipe = recipe_with(**settings)
    await write_sample(store, recipe.app)
    local = await read_ranking_rows(store, recipe, "home", COLUMNS, seed=3)
    async with exported_and_read(spark, store, recipe, tmp_path / "days") as shown:
        table = ranking_rows(shown.pages, shown.events, recipe, "home", COLUMNS)
        found = Lists.numbered(table, recipe, COLUMNS, seed=3).collected()
        table.rows.unpersist()
    assert not shown.left_out
    assert (found.read.pages, found.read.taken) == (local.read.pages, local.read.taken)
    assert found.read.left_out == local.read.left_out
    assert local.data.outcomes.any(axis=0).sum() == 2, "clicks and sales are among what is compared"
    assert len(local.read.left_out) > 3
    for name, column in _columns(local).items():
        np.testing.assert_array_equal(_columns(found)[name], column, err_msg=name)


def _columns(rows: RankingRows) -> dict[str, np.ndarray]:
    both = {**_fields(rows.data), **_fields(rows)}
    return {name: np.asarray(column) for name, column in both.items() if name not in {"data", "read"}}


def _fields(thing: object) -> dict[str, object]:
    return {field.name: getattr(thing, field.name) for field in dataclasses.fields(thing)}  # type: ignore[arg-type]
