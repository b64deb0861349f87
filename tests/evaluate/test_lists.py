"""What was shown, as lists to judge by: by hand."""

from __future__ import annotations

from math import log2

import numpy as np
import pytest

from homefeed.dataset.ranking_rows import PagesRead, RankingRows
from homefeed.evaluate import ranking
from homefeed.evaluate.lists import lists_of_shown
from homefeed.evaluate.ranking import fit_to_lists, judge_ranker
from homefeed.rank.click_model.model import ClickModelModel
from homefeed.rank.schema import Schema
from homefeed.ranking import RankingData
from homefeed.recipe import parse_recipe
from homefeed.testing.world import RECIPE

BY_FIRST = ClickModelModel(Schema(("first", "bias"), calibrated=False), np.array([1, 0], np.float32))


def shown(count: int = 3, size: int = 4) -> RankingRows:
    """Requests of items 1 to `size`: served in that order, the last is chosen, and "first" is highest of it.

    Of the first request nothing is chosen.
    """
    chosen = np.tile(np.arange(size) == size - 1, count)
    chosen[:size] = False
    features = np.column_stack([np.tile(np.arange(size), count), np.ones(count * size)]).astype(np.float32)
    places = np.tile(np.arange(size, dtype=np.int32), count)
    data = RankingData(
        feature_names=("first", "bias"),
        features=features,
        starts=np.arange(count + 1) * size,
        event_types=("play",),
        outcomes=chosen[:, None],
        chosen=chosen,
        weights=np.ones(len(chosen), np.float32),
        items=places,
    )
    return RankingRows(
        data=data,
        users=np.array([-1, -1, *range(count - 2)], np.int32),
        times=np.arange(count, dtype=np.int64),
        pages=np.full(count, 2, np.int32),
        served_by=["home/weighted"] * (count - 1) + ["home/click_model"],
        items=places + 1,
        places=places,
        propensities=np.ones(len(chosen), np.float32),
        served=-places.astype(np.float32),
        read=PagesRead(2 * count, 2 * count, {}),
    )


def test_only_what_the_ranker_that_serves_has_ranked_is_compared_and_where_something_was_chosen() -> None:
    lists = lists_of_shown(shown(4), "weighted")
    assert lists.comparable.tolist() == [False, True, True, False]
    assert [targets.tolist() for targets in lists.targets] == [[], [4], [4], [4]]
    scored = lists_of_shown(shown(4), "click_model", np.zeros(16, np.float32))
    assert scored.comparable.tolist() == [False, True, True, True]
    assert scored.served.tolist() == [0] * 16


def test_requests_of_nobody_known_are_each_of_somebody_else() -> None:
    users = lists_of_shown(shown(5), "weighted").users.tolist()
    assert users == [-1, -2, 0, 1, 2]


def test_what_was_shown_is_ordered_anew_and_measured_by_hand() -> None:
    lists = lists_of_shown(shown(4), "weighted").take(np.array([1, 2]))
    verdict = judge_ranker(lists, BY_FIRST, "ndcg@10", 0)
    assert verdict.learned_mean == 1
    assert verdict.serving_mean == pytest.approx(1 / log2(5))
    assert (verdict.source, verdict.requests, verdict.coverage, verdict.serving_coverage) == ("shown", 2, 4, 4)


def test_the_verdict_says_from_how_many_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranking, "MIN_JUDGED", 10)
    feed = RECIPE["feeds"]["home"] | {"learned": {"click_model": {}}}
    recipe = parse_recipe({**RECIPE, "feeds": {**RECIPE["feeds"], "home": feed}}, "a test")
    found = fit_to_lists(recipe, recipe.learned_ranker("home"), lists_of_shown(shown(100), "weighted"))
    assert found.taken, found.why
    assert found.verdict is not None
    # Of 100 requests 75 are learned from, of two pages each; of the last 25 another ranker served one.
    assert (found.verdict.learned_from, found.verdict.learned_until, found.verdict.requests) == (150, 74, 24)
    assert " on the items shown by the latest 24 requests, " in found.why
    assert found.why.endswith("; learned from 150 pages shown")
    assert found.verdict.to_json()["learned_until"] == "1970-01-01T00:00:00.000074Z"
