"""The blend by ranks."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from homefeed.engine import build_feeds
from homefeed.errors import RecipeError
from homefeed.funnel import recommend
from homefeed.protocols import Ranker
from homefeed.rank.blended import Blended
from homefeed.recipe import parse_recipe
from homefeed.testing import RankerContract, World, toy_world
from homefeed.testing.world import RECIPE
from homefeed.tracing import explain
from homefeed.types import Candidates

WORLD = toy_world()
QUERY = WORLD.query("da")


def blended(**signals: tuple[float, dict[str, float]]) -> Blended:
    """Signals by name: their weight, and what they are of."""
    settings = {name: {"weight": weight, "of": of} for name, (weight, of) in signals.items()}
    return Blended(Blended.Config.model_validate({"signals": settings}), WORLD.resources)


def candidates(names: tuple[str, ...], *rows: list[float]) -> Candidates:
    features = np.array(rows, np.float32).reshape(len(rows), len(names))
    positions = np.arange(len(rows), dtype=np.int32)
    return Candidates(positions, names, features, names, features, np.zeros(len(rows), np.float32))


def scored(ranker: Blended, asked: Candidates) -> Candidates:
    """As the funnel hands them to a page."""
    return Candidates(
        asked.positions,
        asked.retrievers,
        asked.retriever_scores,
        asked.feature_names,
        asked.features,
        ranker.score(QUERY, asked),
    )


class TestBlended(RankerContract):
    def make(self, world: World) -> Ranker:
        signals = {
            "near": {"weight": 0.5, "of": {"item_item": 2.0, "content": 0.5}},
            "new": {"weight": 0.1, "of": {"fresh": 1.0}},
            "off": {"weight": 0.0, "of": {"popular": 1.0}},
        }
        return Blended(Blended.Config.model_validate({"signals": signals}), world.resources)


class TestBlendedOfOne(RankerContract):
    def make(self, world: World) -> Ranker:
        config = {"signals": {"all": {"weight": 1, "of": {"popular": 1, "item_item": 0.1, "content": 0.3}}}}
        return Blended(Blended.Config.model_validate(config), world.resources)


def test_scores_are_weights_times_ranks() -> None:
    ranker = blended(x=(0.6, {"a": 1.0}), y=(0.4, {"b": 1.0}))
    asked = candidates(("a", "b"), [1, 0], [0.9, 0.1], [0.2, 1], [0, 0.1], [0, 0], [0.1, 0.5])
    # By a: 1, 3/4, 1/2, 0, 0, 1/4. By b four again, two of them equal and third: 0, 1/2, 1, 1/2, 0, 3/4.
    expected = [0.6, 0.45 + 0.2, 0.3 + 0.4, 0.2, 0, 0.15 + 0.3]
    assert ranker.score(QUERY, asked).tolist() == pytest.approx(expected)


def test_reciprocal_ranks_fall_to_a_half_at_the_half_rank() -> None:
    config = {
        "half_rank": 2,
        "signals": {"x": {"weight": 0.6, "of": {"a": 1}}, "y": {"weight": 0.4, "of": {"b": 1}}},
    }
    ranker = Blended(Blended.Config.model_validate(config), WORLD.resources)
    asked = candidates(("a", "b"), [1, 0], [0.9, 0.1], [0.2, 1], [0, 0.1], [0, 0], [0.1, 0.5])
    # By a: 1, 2/3, 1/2, 0, 0, 2/5. By b two equal and third: 0, 1/2, 1, 1/2, 0, 2/3.
    expected = [0.6, 0.4 + 0.2, 0.3 + 0.4, 0.2, 0, 0.24 + 0.8 / 3]
    assert ranker.score(QUERY, asked).tolist() == pytest.approx(expected)
    assert ranker.contributions(QUERY, scored(ranker, asked)).sum(axis=1) == pytest.approx(np.array(expected))


@pytest.mark.parametrize("half_rank", [0, -1, math.inf])
def test_a_half_rank_is_a_number_above_0(half_rank: float) -> None:
    with pytest.raises(ValueError, match="half_rank"):
        Blended.Config.model_validate({"half_rank": half_rank, "signals": {"x": {"weight": 1, "of": {"a": 1}}}})


def test_a_signal_of_several_features_ranks_their_sum() -> None:
    ranker = blended(x=(1.0, {"a": 1.0, "b": 2.0, "missing": 9.0}))
    # Sums are 1, 1.2 and 1; c is of no signal.
    asked = candidates(("a", "c", "b"), [1, 5, 0], [0.2, 0, 0.5], [0.5, 0, 0.25])
    assert ranker.score(QUERY, asked).tolist() == pytest.approx([2 / 3, 1, 2 / 3])
    assert ranker.contributions(QUERY, asked) == pytest.approx(
        np.array([[2 / 3, 0, 0], [0.2 / 1.2, 0, 1 / 1.2], [1 / 3, 0, 1 / 3]], np.float32)
    )


def test_what_speaks_against_a_candidate_is_no_signal() -> None:
    ranker = blended(x=(1.0, {"a": 1.0, "b": 1.0}))
    asked = candidates(("a", "b"), [-1, 0], [-0.5, 1], [0.5, -0.5], [1, -0.25])
    assert ranker.score(QUERY, asked).tolist() == pytest.approx([0, 0.5, 0, 1])
    # Of the last, a says 1 and b takes a quarter back: of 3/4, that is 4/3 and -1/3 of the score.
    assert ranker.contributions(QUERY, asked) == pytest.approx(
        np.array([[0, 0], [-0.5, 1], [0, 0], [4 / 3, -1 / 3]], np.float32)
    )
    # Nor does it take from what another signal says.
    two = blended(x=(1.0, {"a": 1.0, "b": 1.0}), y=(0.5, {"c": 1.0}))
    assert two.contributions(QUERY, candidates(("a", "b", "c"), [-1, 0.5, 0.3])).tolist() == [[0, 0, 0.5]]


def test_equals_share_the_best_rank_wherever_they_stand() -> None:
    ranker = blended(x=(1.0, {"a": 0.1, "b": 0.2, "c": 0.3}))
    # 0.1 + 0.2 + 0.3 is not 0.3 + 0.2 + 0.1 in floats.
    rows = [[0.7, 0.1, 0.3], [0.7, 0.1, 0.3], [0.1, 0.1, 0.1]]
    asked = candidates(("a", "b", "c"), *rows)
    swapped = candidates(("c", "b", "a"), *(row[::-1] for row in rows))
    assert ranker.score(QUERY, asked).tolist() == pytest.approx([1, 1, 1 / 3])
    assert ranker.score(QUERY, swapped).tolist() == ranker.score(QUERY, asked).tolist()


def test_a_page_contributes_what_it_scored_among_all() -> None:
    ranker = blended(x=(0.5, {"a": 1.0, "b": 1.0}), y=(0.4, {"c": 1.0}))
    rng = np.random.default_rng(3)
    features = rng.random((50, 4)) * (rng.random((50, 4)) < 0.6)
    every = scored(ranker, candidates(("a", "b", "c", "d"), *features.tolist()))
    of_all = ranker.contributions(QUERY, every)
    assert of_all.sum(axis=1) == pytest.approx(every.scores, abs=1e-6)
    for rows in (slice(1), slice(10, 20), slice(49, 50), slice(0)):
        page = ranker.contributions(QUERY, every.take(rows))
        np.testing.assert_array_equal(page, of_all[rows])
    assert (of_all[:, 3] == 0).all()
    assert (of_all[every.features == 0] == 0).all(), "a retriever that did not propose an item added nothing"


def test_between_signals_a_score_is_divided_by_what_they_say() -> None:
    ranker = blended(x=(0.5, {"a": 1.0}), y=(0.25, {"b": 2.0}))
    asked = scored(ranker, candidates(("a", "b"), [1, 0.5], [0.5, 1], [0, 0]))
    assert asked.scores.tolist() == pytest.approx([0.5 + 0.125, 0.25 + 0.25, 0])
    # 0.5 x 1 beside 0.25 x 2 x 0.5, then 0.5 x 0.5 beside 0.25 x 2 x 1.
    expected = [[0.625 * 2 / 3, 0.625 / 3], [0.5 / 3, 0.5 * 2 / 3], [0, 0]]
    assert ranker.contributions(QUERY, asked) == pytest.approx(np.array(expected, np.float32))


def test_a_page_of_what_no_signal_speaks_for() -> None:
    ranker = blended(x=(0.5, {"a": 1.0}), off=(0.0, {"b": 1.0}))
    every = scored(ranker, candidates(("a", "b"), [1, 1], [0, 1], [0, 0]))
    assert every.scores.tolist() == [0.5, 0, 0]
    assert ranker.contributions(QUERY, every.take(slice(1, 3))).tolist() == [[0, 0], [0, 0]]


strengths = st.lists(st.integers(0, 20), min_size=1, max_size=30)


@given(strengths, st.data())
def test_the_scale_of_a_retriever_alone_in_its_signal_does_not_matter(own: list[int], data: st.DataObject) -> None:
    others = data.draw(st.lists(st.integers(0, 20), min_size=len(own), max_size=len(own)))
    steps = data.draw(st.lists(st.integers(1, 1_000), min_size=20, max_size=20))
    rescaled = [0, *np.cumsum(steps).tolist()]
    ranker = blended(x=(0.5, {"a": 1.0}), y=(0.4, {"b": 1.0}))
    before = candidates(("a", "b"), *([a / 20, b / 20] for a, b in zip(own, others, strict=True)))
    after = candidates(("a", "b"), *([rescaled[a] / 20_000, b / 20] for a, b in zip(own, others, strict=True)))
    np.testing.assert_array_equal(ranker.score(QUERY, before), ranker.score(QUERY, after))


@given(strengths)
def test_ranks_are_those_counted_one_by_one(own: list[int]) -> None:
    proposed = [value for value in own if value > 0]
    expected = [1 - sum(other > value for other in proposed) / len(proposed) if value else 0 for value in own]
    found = blended(x=(1.0, {"a": 1.0})).score(QUERY, candidates(("a",), *([float(value)] for value in own)))
    assert found.tolist() == pytest.approx(expected)


def test_an_equal_share_of_all_says_nothing_of_the_scale() -> None:
    asked = candidates(("a",), [1e-30], [2e-30], [1e30])
    assert blended(x=(1.0, {"a": 1.0})).score(QUERY, asked).tolist() == pytest.approx([1 / 3, 2 / 3, 1])


RANK: dict[str, Any] = {
    "blended": {
        "signals": {
            "near": {"weight": 0.5, "of": {"item_item": 1.0, "content": 0.5}},
            "known": {"weight": 0.3, "of": {"popular": 1.0}},
        }
    }
}


def feed_of(rank: dict[str, Any]) -> dict[str, Any]:
    retrieve: dict[str, Any] = {name: {} for name in ("item_item", "content", "popular")}
    return {**RECIPE, "feeds": {"home": {"retrieve": retrieve, "rank": rank}}}


def test_a_feed_answers_explains_and_pages_by_it() -> None:
    feed = build_feeds(parse_recipe(feed_of(RANK), "a test"), WORLD.resources)["home"]
    slate = recommend(feed, WORLD.query("da", n=4))
    assert len(slate) == 4
    assert (np.diff(slate.scores) <= 0).all()
    assert slate.reasons[0].startswith("Because you"), "what added most gives the reason"
    for position, score in zip(slate.positions.tolist(), slate.scores.tolist(), strict=True):
        trace = explain(feed, WORLD.query("da", n=4), position)
        assert sum(feature.contribution for feature in trace.features) == pytest.approx(score, abs=1e-6)


def test_a_feature_that_the_feed_does_not_have_is_refused() -> None:
    wrong = {"blended": {"signals": {"new": {"weight": 1.0, "of": {"popular": 1.0, "fresh": 1.0}}}}}
    expected = (
        r"toy: feeds\.home\.rank\.blended\.signals\.new\.of\.fresh: no such feature; "
        "expected some of item_item, content, popular"
    )
    with pytest.raises(RecipeError, match=expected):
        build_feeds(parse_recipe(feed_of(wrong), "a test"), WORLD.resources)


@pytest.mark.parametrize(
    "signals",
    [
        {},
        {"x": {"weight": 1, "of": {}}},
        {"x": {"weight": -1, "of": {"a": 1}}},
        {"x": {"weight": math.inf, "of": {"a": 1}}},
        {"x": {"weight": 1, "of": {"a": 0}}},
        {"x": {"weight": 1, "of": {"a": math.nan}}},
        {"x": {"weight": 1, "of": {"a": 1}, "typo": 1}},
        {"x": {"of": {"a": 1}}},
    ],
)
def test_signals_that_mean_nothing_are_refused(signals: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="signals"):
        Blended.Config.model_validate({"signals": signals})
