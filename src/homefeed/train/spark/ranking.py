"""A feed's learned ranker of what it showed, made on Spark and judged on the driver, as `train.ranking` does."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from homefeed.dataset.ranking_rows import FeedColumns
from homefeed.errors import HomefeedError
from homefeed.evaluate.lists import RankedLists, lists_of_shown
from homefeed.evaluate.ranking import (
    LEARNING_SHARE,
    MIN_JUDGED,
    Judged,
    fresh_from,
    judge_ranker,
    too_few,
)
from homefeed.policy.swap import Swap
from homefeed.rank.lambdamart.model import LambdamartConfig
from homefeed.rank.learned import LearnedRanker
from homefeed.train.ranking import scores_of
from homefeed.train.spark.lambdamart import SparkLambdamartTrainer
from homefeed.train.spark.lists import Lists
from homefeed.train.spark.ranking_rows import ranking_rows

if TYPE_CHECKING:
    import numpy as np
    from pyspark.sql import DataFrame

    from homefeed.funnel import Feed
    from homefeed.recipe import PartSpec, Recipe

_JUDGING: Final = 20_000
"""Lists, the latest, that a ranker is judged by at most: the driver has their rows."""


def spark_ranker(
    recipe: Recipe,
    feed: Feed,
    shown: DataFrame,
    events: DataFrame,
    *,
    blend: str | None = None,
    learned_until: int | None = None,
    seed: int = 0,
) -> Judged:
    """Train a feed's learned ranker on the earlier three quarters of what it showed, and judge it on the later.

    `shown` has the columns of `attribution.SHOWN`, `events` those of `attribution.EVENTS`. `feed` is as it serves,
    by the `blend` of that version; `learned_until` is the time of the last request that its learned ranker learned
    from. It is not made, and why is told, where trees of another kind are wanted, where clicks are weighed by how
    much places are looked at (`swap`), or where too little was chosen of what was shown with features.

    Raises:
        NotFoundError: the feed declares no learned ranker.
    """
    spec = recipe.learned_ranker(feed.name)
    if (why := _unable(spec, feed)) is not None:
        return Judged(None, None, why)
    assert isinstance(spec.config, LambdamartConfig)  # noqa: S101
    columns = FeedColumns(feed.feature_names, feed.calibration is not None, blend)
    table = ranking_rows(shown, events, recipe, feed.name, columns)
    try:
        lists = Lists.numbered(table, recipe, columns, seed)
        return _judged(lists, feed, spec.config, learned_until)
    except HomefeedError as error:
        return Judged(None, None, f"not taken: {error}")
    finally:
        table.rows.unpersist()


def _judged(lists: Lists, feed: Feed, config: LambdamartConfig, learned_until: int | None) -> Judged:
    least, found = lists.recipe.impressions.min_learned_requests, int(lists.chosen.sum())
    if found < least:
        return Judged(None, None, f"not taken, something was chosen in {found:,} lists; {least:,} would do")
    first = round(len(lists) * LEARNING_SHARE)
    first = max(first, len(lists) - _JUDGING)
    later = _lists_of(lists.part(first, len(lists)), feed)
    fresh, seen = fresh_from(later, 0, learned_until)
    judging = later.take(_rows_from(later, fresh))
    if len(judging) < MIN_JUDGED:
        return too_few(len(judging))
    learning = lists.part(0, first + fresh)
    model = SparkLambdamartTrainer(config).fit(learning)
    verdict = judge_ranker(judging, model, lists.recipe.goal.metric, lists.seed)
    told = {
        "learned_from": int(learning.pages.sum()),
        "learned_until": int(learning.times[-1]),
        "seen_before": seen,
    }
    verdict = replace(verdict, **told)  # type: ignore[arg-type]  # as they are declared
    return Judged(model, verdict, verdict.sentence)


def _lists_of(lists: Lists, feed: Feed) -> RankedLists:
    rows = lists.collected()
    served = scores_of(feed.ranker, rows) if isinstance(feed.ranker, LearnedRanker) else None
    return lists_of_shown(rows, feed.ranked_by, served)


def _rows_from(lists: RankedLists, fresh: int) -> np.ndarray:
    comparable: np.ndarray = lists.comparable.nonzero()[0]
    return comparable[comparable >= fresh]


def _unable(spec: PartSpec, feed: Feed) -> str | None:
    """Why the ranker cannot be made on Spark; None where it can."""
    one = "is made on one machine: homefeed train APP"
    if not isinstance(spec.config, LambdamartConfig):
        return f"not taken, {spec.part} {one}"
    if any(isinstance(part, Swap) for part in feed.rerankers.values()):
        return f"not taken, a ranker whose clicks are weighed by their places {one}"
    return None
