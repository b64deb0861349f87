"""Pins come first, on the first page only."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from homefeed.policy.pins import Pins
from homefeed.protocols import Reranker
from homefeed.testing import World, toy_world
from homefeed.testing.reranker import RerankerContract, check_reranked
from homefeed.types import Candidates

WORLD = toy_world()
NO = math.nan


def pins(world: World, **config: Any) -> Pins:
    return Pins(Pins.Config.model_validate(config), world.resources)


def reranked(*pinned: float, retriever: str = "pinned", before: tuple[str, ...] = (), **config: Any) -> list[int]:
    """The rows in their new order; each has that score by the retriever."""
    count = len(pinned)
    given = Candidates(
        positions=np.arange(count, dtype=np.int32),
        retrievers=("popular", retriever),
        retriever_scores=np.stack([np.ones(count), np.array(pinned)], axis=1).astype(np.float32),
        feature_names=(),
        features=np.empty((count, 0), np.float32),
        scores=np.linspace(1, 0, count, dtype=np.float32),
    )
    answer = pins(WORLD, **config).rerank(WORLD.query(recently_shown=before, exclude=before), given)
    check_reranked("pins", given, answer)
    rows: list[int] = answer.positions.tolist()
    return rows


def one_of(retriever: str) -> Candidates:
    """Two candidates, of which the second comes from that retriever."""
    nothing = np.empty((2, 0), np.float32)
    scores = np.array([[NO], [1]], np.float32)
    return Candidates(np.arange(2, dtype=np.int32), (retriever,), scores, (), nothing, np.ones(2, np.float32))


class TestPins(RerankerContract):
    def make(self, world: World) -> Reranker:
        return pins(world)


def test_pins_come_first_best_first() -> None:
    assert reranked(NO, NO, 0.5, NO, 1.0) == [4, 2, 0, 1, 3]
    assert reranked(NO, 0.5, NO, 0.5) == [1, 3, 0, 2]
    assert reranked(NO, NO) == [0, 1]


def test_no_more_than_most() -> None:
    assert reranked(NO, 0.2, NO, 0.5, 1.0) == [4, 3, 0, 1, 2]
    assert reranked(NO, 0.2, NO, 0.5, 1.0, max_pins=1) == [4, 0, 1, 2, 3]
    assert reranked(NO, 0.2, NO, 0.5, 1.0, max_pins=9) == [4, 3, 1, 0, 2]


def test_later_pages_have_none() -> None:
    assert reranked(NO, NO, 0.5, before=("x1",)) == [0, 1, 2]


def test_exclusions_make_no_later_page() -> None:
    answer = pins(WORLD).rerank(WORLD.query(exclude=("x1",)), one_of("pinned"))
    assert answer.positions.tolist() == [1, 0]


def test_the_retriever_goes_by_its_name_in_the_feed() -> None:
    assert reranked(NO, NO, 0.5, retriever="fresh") == [0, 1, 2]
    assert pins(WORLD, retriever="fresh").rerank(WORLD.query(), one_of("fresh")).positions.tolist() == [1, 0]


def test_most_is_at_least_one() -> None:
    with pytest.raises(ValidationError):
        Pins.Config(max_pins=0)


@given(st.lists(st.sampled_from([NO, 0.25, 0.5, 1.0]), max_size=12), st.integers(1, 4))
def test_the_others_keep_their_order(pinned: list[float], max_pins: int) -> None:
    rows = reranked(*pinned, max_pins=max_pins)
    best = sorted(
        (row for row, score in enumerate(pinned) if not math.isnan(score)), key=lambda row: -pinned[row]
    )[:max_pins]
    assert rows == best + [row for row in range(len(pinned)) if row not in best]


def test_pins_are_said_to_be_placed_by_their_retriever() -> None:
    answer = pins(WORLD).rerank(WORLD.query(), one_of("pinned"))
    assert answer.positions.tolist() == [1, 0]
    assert answer.promoted_by is not None
    assert answer.promoted_by.tolist() == [0, -1]
