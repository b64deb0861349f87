"""Places for what was drawn: by hand, and whatever the candidates, without inventing or dropping any."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from homefeed.policy.explore import Explore
from homefeed.protocols import Reranker
from homefeed.retrieve.explore import Explore as Draws
from homefeed.testing import World, make_world, toy_item, toy_world
from homefeed.testing.reranker import RerankerContract
from homefeed.testing.world import NOW
from homefeed.types import SECOND, Candidates, Floats, Query

WORLD = toy_world()


def explore(**config: Any) -> Explore:
    return Explore(Explore.Config.model_validate(config), WORLD.resources)


def ranked(
    count: int, drawn: dict[int, float], retrievers: tuple[str, ...] = ("popular", "explore")
) -> Candidates:
    """Candidates 100, 101, ... in the order of their rank; those `drawn` with their probabilities, by rank."""
    retriever_scores: Floats = np.full((count, len(retrievers)), np.nan, np.float32)
    retriever_scores[:, 0] = np.linspace(1, 0.1, count)
    for row, propensity in drawn.items():
        retriever_scores[row, -1] = propensity
    return Candidates(
        positions=np.arange(100, 100 + count, dtype=np.int32),
        retrievers=retrievers,
        retriever_scores=retriever_scores,
        feature_names=retrievers,
        features=np.nan_to_num(retriever_scores),
        scores=np.linspace(1, 0.1, count, dtype=np.float32),
    )


def reranked(candidates: Candidates, query: Query | None = None, **config: Any) -> tuple[list[int], list[float]]:
    """The ranks that the items had, and their propensities, in the new order."""
    found = explore(**config).rerank(query or WORLD.query("u"), candidates)
    assert found.propensities is not None
    assert found.propensities.dtype == np.float32
    assert len(found.propensities) == len(found)
    return (found.positions - 100).tolist(), found.propensities.tolist()


class TestExplorePolicy(RerankerContract):
    retrievers = ("item_item", "popular", "explore")
    explores = True

    def make(self, world: World) -> Reranker:
        return Explore(Explore.Config(places=(0, 2)), world.resources)


def test_the_drawn_go_to_their_places_in_the_order_of_their_rank() -> None:
    order, propensities = reranked(ranked(15, {12: 0.25, 14: 0.25}))
    assert order == [0, 1, 2, 3, 12, 4, 5, 6, 7, 14, 8, 9, 10, 11, 13]
    assert propensities == [1, 1, 1, 1, 0.25, 1, 1, 1, 1, 0.25, 1, 1, 1, 1, 1]


def test_what_ranks_at_its_place_or_above_stays_and_uses_up_none() -> None:
    order, propensities = reranked(ranked(8, {1: 0.5, 4: 0.5, 7: 0.5}))
    assert order == [0, 1, 2, 3, 7, 4, 5, 6]
    assert propensities == [1, 1, 1, 1, 0.5, 1, 1, 1]
    # Below the first place, but not below the second.
    order, propensities = reranked(ranked(8, {5: 0.5, 6: 0.5}), places=(2, 6))
    assert order == [0, 1, 5, 2, 3, 4, 6, 7]
    assert propensities == [1, 1, 0.5, 1, 1, 1, 1, 1]


def test_more_drawn_than_places_stay_where_they_rank() -> None:
    order, propensities = reranked(ranked(6, {3: 0.5, 4: 0.5, 5: 0.5}), places=(0, 1))
    assert order == [3, 4, 0, 1, 2, 5]
    assert propensities == [0.5, 0.5, 1, 1, 1, 1]


def test_fewer_candidates_than_places() -> None:
    assert reranked(ranked(3, {2: 0.5})) == ([0, 1, 2], [1, 1, 1])
    assert reranked(ranked(6, {5: 0.5})) == ([0, 1, 2, 3, 5, 4], [1, 1, 1, 1, 0.5, 1])
    assert reranked(ranked(0, {})) == ([], [])


def test_nothing_drawn_nothing_moves() -> None:
    assert reranked(ranked(4, {})) == ([0, 1, 2, 3], [1] * 4)


def test_a_feed_without_the_retriever_is_left_alone() -> None:
    candidates = ranked(12, {11: 0.5}, ("popular", "chance"))
    assert reranked(candidates) == (list(range(12)), [1] * 12)
    assert reranked(candidates, retriever="chance")[0][4] == 11


def test_later_pages_are_left_alone() -> None:
    query = WORLD.query("u", recently_shown=("d1",), exclude=("d1",))
    assert reranked(ranked(12, {11: 0.5}), query) == (list(range(12)), [1] * 12)


def test_what_chance_did_before_is_kept() -> None:
    candidates = ranked(12, {11: 0.5})
    once = explore(places=(0,)).rerank(WORLD.query("u"), candidates)
    later = Explore(Explore.Config(retriever="popular", places=(3,)), WORLD.resources).rerank(WORLD.query(), once)
    assert later.propensities is not None
    assert later.propensities[0] == 0.5
    assert once.propensities is not None
    assert candidates.propensities is None


@given(
    st.integers(0, 30),
    st.dictionaries(st.integers(0, 29), st.sampled_from([0.125, 0.5, 1.0])),
    st.lists(st.integers(0, 30), min_size=1, max_size=5, unique=True).map(sorted),
)
def test_whatever_comes_nothing_is_invented_or_lost(
    count: int, drawn: dict[int, float], places: list[int]
) -> None:
    drawn = {row: propensity for row, propensity in drawn.items() if row < count}
    candidates = ranked(count, drawn)
    found = explore(places=places).rerank(WORLD.query("u"), candidates)
    assert found.propensities is not None
    rows = found.positions - 100
    assert sorted(rows.tolist()) == list(range(count))
    np.testing.assert_array_equal(found.scores, candidates.scores[rows])
    np.testing.assert_array_equal(found.retriever_scores, candidates.retriever_scores[rows])
    assert found.dropped == candidates.dropped
    moved = [place for place in places if place < count and rows[place] in drawn and rows[place] > place]
    # Those moved are at the first of the places, in the order of their rank; all else keeps its order.
    assert moved == places[: len(moved)]
    assert sorted(rows[moved].tolist()) == rows[moved].tolist()
    rest = np.delete(rows, moved)
    assert sorted(rest.tolist()) == rest.tolist()
    for place, row in enumerate(rows.tolist()):
        assert found.propensities[place] == (drawn[row] if place in moved else 1)
    # Of those left, none that ranks below the moved ranks below the next place, if there is one.
    below = [row for row in drawn if row > max(rows[moved], default=-1)]
    assert all(row <= place for row in below for place in places[len(moved) :][:1])


@pytest.mark.parametrize("places", [(9, 4), (4, 4), (-1,), ()])
def test_places_that_are_none_are_refused(places: tuple[int, ...]) -> None:
    with pytest.raises(ValidationError, match="places"):
        Explore.Config(places=places)


def fed(world: World, draws: Draws, query: Query) -> Candidates:
    """Twenty old items by rank, then what was drawn of the new ones."""
    found, scores = draws.retrieve(query, 200)
    positions = np.concatenate([np.arange(20, dtype=np.int32), found])
    retriever_scores = np.full((len(positions), 1), np.nan, np.float32)
    retriever_scores[20:, 0] = scores
    falling = np.linspace(1, 0.1, len(positions), dtype=np.float32)
    return Candidates(
        positions, ("explore",), retriever_scores, ("explore",), np.nan_to_num(retriever_scores), falling
    )


def test_propensities_correct_for_chance() -> None:
    # Five new items beside twenty old ones: counted 1 / propensity times, each is on every page on average.
    old = [toy_item(n, f"old{n}", 50) for n in range(20)]
    world = make_world([*old, *(toy_item(20 + n, f"new{n}", 1) for n in range(5))], ())
    draws = Draws(Draws.Config(), world.resources)
    weighed, requests = np.zeros(world.catalog.size), 1_000
    for number in range(requests):
        query = world.query(f"u{number % 50}", now=NOW + number // 50 * 3_600 * SECOND)
        page = explore().rerank(query, fed(world, draws, query)).take(slice(10))
        assert page.propensities is not None
        assert page.positions[[4, 9]].min() >= 20
        assert page.propensities.tolist() == pytest.approx([0.4 if p >= 20 else 1 for p in page.positions])
        weighed[page.positions] += 1 / page.propensities
    # Four standard deviations of 1,000 draws at 0.4, over 0.4.
    assert weighed[20:] / requests == pytest.approx([1.0] * 5, abs=4 * (0.6 / 0.4 / requests) ** 0.5)
    assert (weighed[:8] == requests).all()
