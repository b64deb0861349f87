"""The lists of a feed in Spark, numbered in the order of time; of some of them the driver can have the rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as sf

from homefeed.dataset.ranking_rows import FeedColumns, PagesRead, RankingRows
from homefeed.ranking import RankingData
from homefeed.recipe import Recipe
from homefeed.train.spark.ranking_rows import SparkRows
from homefeed.types import Mask, Numbers, Times


@dataclass(frozen=True, slots=True, eq=False)
class Lists:
    """Lists, of which `rows` has the columns of `SparkRows`, the `number` of the list, from 0, and whether the row
    was `chosen`. By list (lists,): `times` of the first pages, how many `pages`, whether anything was `chosen`.
    """

    rows: DataFrame
    times: Times
    pages: Numbers
    chosen: Mask
    recipe: Recipe
    columns: FeedColumns
    read: PagesRead
    seed: int

    @classmethod
    def numbered(cls, table: SparkRows, recipe: Recipe, columns: FeedColumns, seed: int) -> Self:
        """The lists of a table. The driver has a few numbers of each, so `max_learned_items` bounds them."""
        goal = sf.array(*(sf.lit(code) for code in recipe.goal_types))
        rows = table.rows.withColumns({"key": sf.xxhash64("list"), "chosen": sf.arrays_overlap("outcomes", goal)})
        found = rows.groupBy("list", "key", "pages").agg(sf.max("chosen").alias("chosen")).orderBy("list")
        lists = found.select("key", "list.time", "pages", "chosen").toArrow().combine_chunks()
        numbers = pa.table({"key": lists["key"], "number": np.arange(len(lists), dtype=np.int32)})
        rows = rows.join(sf.broadcast(table.rows.sparkSession.createDataFrame(numbers)), "key").drop("key")
        pages = lists["pages"].to_numpy().astype(np.int32)
        return cls(
            rows, lists["time"].to_numpy(), pages, lists["chosen"].to_numpy(), recipe, columns, table.read, seed
        )

    def __len__(self) -> int:
        return len(self.times)

    def latest(self, count: int) -> Self:
        """The last so many, numbered from 0."""
        return self.part(max(len(self) - count, 0), len(self))

    def part(self, start: int, stop: int) -> Self:
        """Those from a number to before another, numbered from 0."""
        rows = self.rows.where(sf.col("number").between(start, stop - 1))
        rows = rows.withColumn("number", sf.col("number") - start)
        times, pages, chosen = self.times[start:stop], self.pages[start:stop], self.chosen[start:stop]
        return replace(self, rows=rows, times=times, pages=pages, chosen=chosen)

    def of(self, rows: DataFrame) -> Self:
        """With some of the rows only: to be collected."""
        return replace(self, rows=rows)

    def collected(self) -> RankingRows:
        """The rows on the driver, as `read_ranking_rows` has them: of as many lists as it can hold."""
        table = self.rows.orderBy("number", "item").toArrow().combine_chunks()
        count, numbers, types = len(table), table["number"].to_numpy(), self.recipe.event_types
        first = np.flatnonzero(np.append(True, numbers[1:] != numbers[:-1])[:count])
        outcomes = np.zeros((count, len(types)), np.bool_)
        for row, codes in enumerate(table["outcomes"].to_pylist()):
            outcomes[row, codes or []] = True
        features = np.asarray(table["features"].combine_chunks().flatten(), np.float32)
        items = table["item"].to_numpy()
        data = RankingData(
            feature_names=self.columns.names,
            features=features.reshape(count, len(self.columns.names)),
            starts=np.append(first, count).astype(np.int64),
            event_types=types,
            outcomes=outcomes,
            chosen=table["chosen"].to_numpy(),
            weights=np.ones(count, np.float32),
            items=items,
            calibrated=self.columns.calibrated,
            seed=self.seed,
        )
        return RankingRows(
            data,
            table["owner"].to_numpy()[first],
            self.times[numbers[first]],
            self.pages[numbers[first]],
            table["served_by"].take(pa.array(first)).to_pylist(),
            items,
            table["place"].to_numpy(),
            table["propensity"].to_numpy(),
            table["score"].to_numpy(),
            self.read,
        )
