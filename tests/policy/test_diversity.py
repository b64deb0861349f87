"""Maximal marginal relevance, by hand and by brute force."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from homefeed.errors import RecipeError
from homefeed.policy.diversity import Diversity
from homefeed.protocols import Reranker
from homefeed.testing import World, make_world, toy_world
from homefeed.testing.reranker import RerankerContract, check_reranked
from homefeed.types import Candidates, Item

#        0    1    2    3     4   5     6      7
TAGS = ("x", "x", "y", "xy", "", "yz", "xyz", "XY")
KINDS = ("movie", "movie", "movie", "series", "series", "", "Movie", "")
WORLD = make_world(
    [
        Item(f"i{n}", n, {"genre": list(tags), "content_type": kind}, None)
        for n, (tags, kind) in enumerate(zip(TAGS, KINDS, strict=True))
    ],
    (),
)


def diversity(world: World, **config: Any) -> Diversity:
    return Diversity(Diversity.Config.model_validate({"fields": ("genre",)} | config), world.resources)


def reranked(positions: list[int], scores: list[float], **config: Any) -> list[int]:
    count = len(positions)
    given = Candidates(
        positions=np.array(positions, np.int32),
        retrievers=("popular",),
        retriever_scores=np.ones((count, 1), np.float32),
        feature_names=(),
        features=np.empty((count, 0), np.float32),
        scores=np.array(scores, np.float32),
    )
    answer = diversity(WORLD, **config).rerank(WORLD.query(), given)
    check_reranked("diversity", given, answer)
    assert len(answer) == count
    order: list[int] = answer.positions.tolist()
    return order


class TestDiversity(RerankerContract):
    def make(self, world: World) -> Reranker:
        return diversity(world, fields=("genre", "content_type"), balance=0.5, depth=7)

    def test_it_drops_nothing(self, world: World, reranker: Reranker) -> None:
        for name, query, ranked in self.questions(world):
            assert len(reranker.rerank(query, ranked)) == len(ranked), name


@pytest.mark.parametrize(
    ("balance", "expected"),
    [
        # After 0 (x): 1 (x) is worth 0.45 - 0.5, 2 (y) 0.4 - 0, 3 (xy) 0 - 0.5 / sqrt 2.
        (0.5, [0, 2, 1, 3]),
        # 1: 0.855 - 0.05, 2: 0.76 - 0.
        (0.95, [0, 1, 2, 3]),
        (1.0, [0, 1, 2, 3]),
        # Nothing counts but being unlike: 3 is less like 0 than 1 is.
        (0.0, [0, 2, 3, 1]),
    ],
)
def test_by_hand(balance: float, expected: list[int]) -> None:
    assert reranked([0, 1, 2, 3], [1.0, 0.9, 0.8, 0.0], balance=balance) == expected


def test_the_scale_of_the_scores_does_not_matter() -> None:
    assert reranked([0, 1, 2, 3], [20.0, 18.0, 16.0, 0.0], balance=0.5) == [0, 2, 1, 3]
    assert reranked([0, 1, 2, 3], [-10.0, -11.0, -12.0, -20.0], balance=0.5) == [0, 2, 1, 3]


def test_items_without_tags_are_like_nothing() -> None:
    assert reranked([0, 1, 4], [1.0, 0.5, 0.4], balance=0.5) == [0, 4, 1]


def test_where_scores_are_equal_the_unlike_come_first() -> None:
    assert reranked([0, 1, 3, 2, 4], [1.0] * 5, balance=0.8) == [0, 2, 4, 3, 1]


def test_letter_case_makes_no_other_tag() -> None:
    assert reranked([3, 7, 4], [1.0, 0.9, 0.5], balance=0.5) == [3, 4, 7]


def test_categories_count_alone_or_along() -> None:
    assert reranked([0, 1, 2], [1.0, 0.9, 0.8], fields=("content_type",), balance=0.5) == [0, 1, 2]
    assert reranked([0, 1, 3], [1.0, 0.9, 0.8], fields=("content_type",), balance=0.5) == [0, 3, 1]
    # 2 has the kind of 0 and half of what it says; 1 all; with the genre alone 2 has nothing of it.
    assert reranked([0, 1, 2], [1.0, 0.5, 0.2], fields=("genre", "content_type"), balance=0.5) == [0, 2, 1]


def test_what_lies_deeper_stays() -> None:
    scores = [1.0, 0.9, 0.8, 0.7, 0.0]
    assert reranked([0, 1, 2, 3, 4], scores, balance=0.5, depth=3) == [0, 2, 1, 3, 4]
    assert reranked([0, 1, 2, 3, 4], scores, balance=0.0, depth=2) == [0, 1, 2, 3, 4]


def test_fields_are_tags_or_categories() -> None:
    for field in ("tags", "year", "title"):
        with pytest.raises(RecipeError, match=field):
            diversity(toy_world(), fields=(field,))
    for wrong in ({"fields": ()}, {"balance": 1.1}, {"balance": -0.1}, {"depth": 0}):
        with pytest.raises(ValidationError):
            Diversity.Config.model_validate(wrong)


def cosine(one: int, other: int) -> float:
    mine, yours = set(TAGS[one].casefold()), set(TAGS[other].casefold())
    return len(mine & yours) / math.sqrt(len(mine) * len(yours)) if mine and yours else 0.0


@given(
    st.permutations(range(len(TAGS))),
    st.lists(st.integers(0, 5), min_size=8, max_size=8),
    st.sampled_from([0.0, 0.3, 0.5, 0.8, 1.0]),
)
def test_every_place_has_the_highest_marginal_relevance(
    order: list[int], marks: list[int], balance: float
) -> None:
    scores = sorted(marks, reverse=True)
    placed = reranked(order, [float(score) for score in scores], balance=balance)
    low, high = scores[-1], scores[0]
    relevance = {p: (s - low) / (high - low) if high > low else 0 for p, s in zip(order, scores, strict=True)}

    def gain(position: int, before: list[int]) -> float:
        return balance * relevance[position] - (1 - balance) * max(cosine(position, other) for other in before)

    assert placed[0] == order[0]
    for place in range(1, len(placed)):
        best = max(gain(other, placed[:place]) for other in placed[place:])
        assert gain(placed[place], placed[:place]) == pytest.approx(best, abs=1e-6)
