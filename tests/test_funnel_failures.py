"""Parts that fail, overreach or change their minds, and what the one request path makes of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import homefeed.apps.streaming
from homefeed.engine import build_feeds
from homefeed.errors import HomefeedError, InvalidError
from homefeed.funnel import Feed, recommend
from homefeed.recipe import load_recipe
from homefeed.testing import World, toy_world
from homefeed.testing.world import POPULAR
from homefeed.tracing import explain
from homefeed.types import Candidates, Dropped, Floats, Mask, Positions, Query, Scores

RECIPE = load_recipe(Path(homefeed.apps.streaming.__file__).with_name("recipe.toml"))
SMALL = toy_world()
SMALL_FEEDS = build_feeds(RECIPE, SMALL.resources)


class Failing:
    """Fails at whatever it is asked."""

    names = ("failing_feature",)

    def __init__(self, error: Exception) -> None:
        self.error = error

    def retrieve(self, query: Query, k: int) -> tuple[Positions, Scores]:
        raise self.error

    def extract(self, query: Query, candidates: Candidates) -> Floats:
        raise self.error

    def filter(self, query: Query) -> Mask:
        raise self.error

    def score(self, query: Query, candidates: Candidates) -> Scores:
        raise self.error

    def contributions(self, query: Query, candidates: Candidates) -> Floats:
        raise self.error

    def rerank(self, query: Query, candidates: Candidates) -> Candidates:
        raise self.error


BROKEN = Failing(ValueError("broken"))


def test_a_failing_retriever_narrows_the_slate_and_is_named() -> None:
    popular = SMALL_FEEDS["popular"]
    feed = replace(popular, retrievers={"other": (BROKEN, 5), **popular.retrievers})
    slate = recommend(feed, SMALL.query(n=20))
    assert SMALL.ids(slate.positions) == POPULAR
    assert slate.failed == {"other": "ValueError: broken"}
    trace = explain(feed, SMALL.query(), SMALL.position("d1"))
    assert trace.failed == ("other: ValueError: broken",)
    assert [r.name for r in trace.retrievers] == ["popular"]


class Unsound:
    """Proposes what is not in the catalogue, or scores for nothing."""

    def __init__(self, positions: list[int], scores: list[float]) -> None:
        self._proposal = np.array(positions, np.int32), np.array(scores, np.float32)

    def retrieve(self, query: Query, k: int) -> tuple[Positions, Scores]:
        return self._proposal


@pytest.mark.parametrize(
    ("positions", "scores", "error"),
    [
        ([0, 10_000], [1.0, 1.0], "proposed a position outside the catalogue of 12 items"),
        ([-1], [1.0], "proposed a position outside the catalogue of 12 items"),
        ([0, 1], [1.0], "proposed 2 items with 1 scores"),
    ],
)
def test_a_retriever_that_proposes_nonsense_narrows_the_slate_and_is_named(
    positions: list[int], scores: list[float], error: str
) -> None:
    popular = SMALL_FEEDS["popular"]
    feed = replace(popular, retrievers={"other": (Unsound(positions, scores), 5), **popular.retrievers})
    slate = recommend(feed, SMALL.query(n=20))
    assert SMALL.ids(slate.positions) == POPULAR
    assert slate.failed == {"other": f"ValueError: {error}"}


def test_when_every_retriever_fails_the_page_is_empty_and_says_why() -> None:
    slate = recommend(replace(SMALL_FEEDS["popular"], retrievers={"popular": (BROKEN, 5)}), SMALL.query())
    assert len(slate) == 0
    assert slate.failed == {"popular": "ValueError: broken"}


def test_a_failing_feature_is_zero_and_named() -> None:
    slate = recommend(replace(SMALL_FEEDS["popular"], extractors={"other": BROKEN}), SMALL.query(n=20))
    assert SMALL.ids(slate.positions) == POPULAR
    assert slate.failed == {"other": "ValueError: broken"}


def test_an_error_that_is_for_the_caller_reaches_the_caller() -> None:
    wrong = Failing(InvalidError("latitude: expected a number"))
    with pytest.raises(HomefeedError, match="latitude"):
        recommend(replace(SMALL_FEEDS["popular"], retrievers={"nearby": (wrong, 5)}), SMALL.query())


@pytest.mark.parametrize("name", ["filters", "ranker", "rerankers"])
def test_a_failing_policy_or_ranker_fails_the_request(name: str) -> None:
    broken = {"filters": {"other": BROKEN}, "ranker": BROKEN, "rerankers": {"other": BROKEN}}[name]
    feed: Feed = replace(SMALL_FEEDS["popular"], **{name: broken})  # type: ignore[arg-type]
    for ask in (lambda: recommend(feed, SMALL.query()), lambda: explain(feed, SMALL.query(), 0)):
        with pytest.raises(ValueError, match="broken"):
            ask()


class Everything:
    """Proposes all there is, eligible or not."""

    def retrieve(self, query: Query, k: int) -> tuple[Positions, Scores]:
        count = len(query.eligible)
        return np.arange(count, dtype=np.int32), np.linspace(2, 1, count, dtype=np.float32)


def test_the_last_gate_stops_what_a_retriever_should_not_have_proposed() -> None:
    feed = replace(SMALL_FEEDS["popular"], retrievers={"popular": (Everything(), 5)})
    query = SMALL.query(n=20, exclude=("s1",))
    slate = recommend(feed, query)
    assert set(slate.positions.tolist()) == set(np.flatnonzero(query.eligible).tolist())
    assert explain(feed, query, SMALL.position("h1")).verdict == "Not shown: stopped by availability"


class OnSecondThoughts:
    """Lets an item pass before retrieval, and not at the final filter."""

    def __init__(self, position: int) -> None:
        self.position = position
        self.asked = 0

    def filter(self, query: Query) -> Mask:
        self.asked += 1
        mask = np.ones(len(query.eligible), np.bool_)
        mask[self.position] = self.asked == 1
        return mask


def test_the_final_filter_asks_every_filter_again() -> None:
    position = SMALL.position("d1")
    filters = {**SMALL_FEEDS["popular"].filters, "moody": OnSecondThoughts(position)}
    slate = recommend(replace(SMALL_FEEDS["popular"], filters=filters), SMALL.query(n=20))
    assert SMALL.ids(slate.positions) == POPULAR[1:]
    filters["moody"] = OnSecondThoughts(position)
    trace = explain(replace(SMALL_FEEDS["popular"], filters=filters), SMALL.query(n=20), position)
    assert trace.verdict == "Not shown: taken out by moody: stopped by the final filter"
    assert trace.dropped_by == "moody: stopped by the final filter"


class OneOfAKind:
    """Keeps the best of each content type."""

    def __init__(self, world: World) -> None:
        self.catalog = world.catalog

    def rerank(self, query: Query, candidates: Candidates) -> Candidates:
        kinds = [self.catalog.terms_at("content_type", p) for p in candidates.positions.tolist()]
        first = np.array([kinds.index(kind) == row for row, kind in enumerate(kinds)], np.bool_)
        gone = Dropped("one_of_a_kind", candidates.positions[~first], "another of its kind is better")
        return replace(candidates.take(first), dropped=(gone,))


def test_what_an_reranker_takes_out_is_told() -> None:
    feed = replace(SMALL_FEEDS["popular"], rerankers={"one_of_a_kind": OneOfAKind(SMALL)})
    slate = recommend(feed, SMALL.query(n=20))
    assert SMALL.ids(slate.positions) == ("d1", "s1", "c2", "x1")
    trace = explain(feed, SMALL.query(n=20), SMALL.position("d2"))
    assert trace.verdict == "Not shown: taken out by one_of_a_kind: another of its kind is better"
    assert trace.candidates == 4


class Wordless:
    """A retriever without reasons."""

    def retrieve(self, query: Query, k: int) -> tuple[Positions, Scores]:
        return SMALL.positions("d2", "d1"), np.array([0.5, 0.25], np.float32)


def test_without_a_reason_the_feed_is_the_reason() -> None:
    feed = replace(SMALL_FEEDS["popular"], retrievers={"popular": (Wordless(), 5)})
    slate = recommend(feed, SMALL.query())
    assert SMALL.ids(slate.positions) == ("d2", "d1")
    assert slate.reasons == ("From the list popular",) * 2
    # Scores of a retriever become features beside its best of the request.
    assert slate.scores.tolist() == [1.0, 0.5]
