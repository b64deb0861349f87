"""A learned ranker of what was shown, on Spark: as good as the one made on one machine, and served as it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest
from tests.dataset.shown_log import at

from homefeed.catalog import CatalogView
from homefeed.dataset.ranking_rows import FeedColumns
from homefeed.engine import build_feeds, counters_of, empty_catalog, resources_of
from homefeed.evaluate.lists import lists_of_shown
from homefeed.evaluate.ranking import fit_to_lists
from homefeed.funnel import Feed
from homefeed.rank.lambdamart import trainer
from homefeed.rank.lambdamart.model import LambdamartModel
from homefeed.recipe import Recipe, parse_recipe
from homefeed.train.spark.attribution import EVENTS, SHOWN
from homefeed.train.spark.lists import Lists
from homefeed.train.spark.ranking import spark_ranker
from homefeed.train.spark.ranking_rows import ranking_rows

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

REQUESTS, ITEMS = 240, 10


def _recipe(**learned: dict[str, object]) -> Recipe:
    feed = {
        "retrieve": {"popular": {}},
        "rank": {"weighted": {"weights": {"popular": 1.0}}},
        "learned": learned or {"lambdamart": {"trees": 20, "min_weight": 0.1}},
    }
    declared = {
        "app": "shop",
        "items": {"fields": {"title": "text"}},
        "events": {"click": {}},
        "impressions": {"min_learned_requests": 100, "examined": "all"},
        "feeds": {"home": feed},
    }
    return parse_recipe(declared, "a test")


def _feed(recipe: Recipe) -> Feed:
    catalog: CatalogView = empty_catalog(recipe)
    return build_feeds(recipe, resources_of(recipe, catalog, counters_of(recipe, catalog), {}))["home"]


def _shown(spark: SparkSession, feed: Feed) -> tuple[DataFrame, DataFrame]:
    """Requests whose user clicks what has most of the first feature, mostly; the score says nothing."""
    rng = np.random.default_rng(0)
    names, pages, events = feed.feature_names, [], []
    for request in range(REQUESTS):
        features = rng.random((ITEMS, len(names)), np.float32)
        items = rng.permutation(40)[:ITEMS]
        best = int((features[:, 0] + rng.normal(0, 0.1, ITEMS)).argmax())
        user, time = request % 30 + 1, at(request)
        for place, item in enumerate(items.tolist()):
            page = {"time": time, "request_id": f"r{request}", "feed": "home", "start": 0, "owner": user}
            page |= {"reused": False, "served_by": f"home/{feed.ranked_by}", "models": "{}"}
            row = {"item": item, "place": place, "score": float(rng.random()), "propensity": 1.0}
            row |= {"feature_names": ",".join(names), "features": features[place].tolist()}
            pages.append(page | row)
        event = {"event": request, "at": time + 1, "user": user, "item": int(items[best]), "type": 0}
        events.append(event | {"named": f"r{request}"})
    shown = spark.createDataFrame(pa.Table.from_pylist(pages, SHOWN))
    return shown, spark.createDataFrame(pa.Table.from_pylist(events, EVENTS))


def test_it_is_as_good_as_the_ranker_of_one_machine_and_serves_as_it(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainer, "_TIMES", (0.0, 3.0))  # each is a training
    recipe = _recipe()
    feed = _feed(recipe)
    shown, events = _shown(spark, feed)
    found = spark_ranker(recipe, feed, shown, events, seed=1)
    columns = FeedColumns(feed.feature_names, feed.calibration is not None)
    table = ranking_rows(shown, events, recipe, "home", columns)
    rows = Lists.numbered(table, recipe, columns, seed=1).collected()
    table.rows.unpersist()
    local = fit_to_lists(recipe, recipe.learned_ranker("home"), lists_of_shown(rows, feed.ranked_by))
    assert local.verdict is not None
    assert found.verdict is not None
    assert (found.verdict.requests, found.verdict.learned_from) == (60, 180)
    assert found.verdict.learned_until == local.verdict.learned_until
    assert found.taken == local.taken
    assert found.taken
    assert local.verdict.lead.low <= found.verdict.lead.mean <= local.verdict.lead.high
    model = found.model
    assert isinstance(model, LambdamartModel)
    model.save(tmp_path)
    features = rows.data.features[:50]
    loaded = LambdamartModel.load(tmp_path)
    np.testing.assert_array_equal(loaded.scores(features), model.scores(features))
    sums = loaded.contributions(features).sum(axis=1)
    np.testing.assert_allclose(sums, loaded.scores(features), atol=1e-4)


@pytest.mark.parametrize(
    ("recipe", "why"),
    [
        (_recipe(click_model={}), "not taken, click_model is made on one machine"),
        (_recipe(lambdamart={"requests": 1}), "not taken, something was chosen in 0 lists; 100 would do"),
    ],
)
def test_where_it_cannot_be_made_it_says_why(spark: SparkSession, recipe: Recipe, why: str) -> None:
    feed = _feed(recipe)
    empty = [spark.createDataFrame(schema.empty_table()) for schema in (SHOWN, EVENTS)]
    found = spark_ranker(recipe, feed, *empty)
    assert found.model is None
    assert found.why.startswith(why)
