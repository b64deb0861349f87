"""What each user thinks of each item, of all that they did to it, on Spark."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as sf


def strongest(events: DataFrame) -> DataFrame:
    """(user, item, strength) of each user's strongest event of an item, the later of equals, as
    `retrieve.opinions.strongest` finds it; those of no strength are left out.

    Partial results are made before the shuffle: a user who did one thing a million times costs a row a partition.
    """
    by = sf.struct(sf.abs("strength"), "time", "seq")
    found = events.where(sf.col("strength") != 0).groupBy("user", "item")
    return found.agg(sf.max_by("strength", by).alias("strength"))
