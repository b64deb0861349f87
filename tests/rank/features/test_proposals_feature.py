"""Proposals: what each retriever said of a candidate."""

from __future__ import annotations

from typing import Final

import numpy as np
import pytest

from homefeed.protocols import FeatureExtractor
from homefeed.rank.features.proposals import Proposals
from homefeed.testing import World, toy_world
from homefeed.testing.features import FeatureContract
from homefeed.types import Candidates

NONE: Final = float("nan")


def proposals(world: World, *of: str) -> Proposals:
    return Proposals(Proposals.Config(of=of), world.resources)


class TestProposals(FeatureContract):
    def make(self, world: World) -> FeatureExtractor:
        return proposals(world, "popular", "fresh")


def told(
    *of: str, rows: list[list[float]], retrievers: tuple[str, ...] = ("popular", "fresh")
) -> list[list[float]]:
    """Of candidates of these scores."""
    world, count = toy_world(), len(rows)
    candidates = Candidates(
        positions=np.arange(count, dtype=np.int32),
        retrievers=retrievers,
        retriever_scores=np.array(rows, np.float32),
        feature_names=(),
        features=np.empty((count, 0), np.float32),
        scores=np.zeros(count, np.float32),
    )
    found: list[list[float]] = proposals(world, *of).extract(world.query(), candidates).tolist()
    return found


def test_names_are_those_of_the_retrievers() -> None:
    expected = ("popular_score", "popular_rank", "fresh_score", "fresh_rank", "proposed_by")
    assert proposals(toy_world(), "popular", "fresh").names == expected


def test_shares_of_the_best_reciprocal_ranks_and_how_many_agree() -> None:
    found = told("popular", "fresh", rows=[[1, 8], [4, NONE], [2, 2], [NONE, NONE]])
    assert found == [
        pytest.approx([0.25, 1 / 3, 1, 1, 1]),
        pytest.approx([1, 1, 0, 0, 0.5]),
        pytest.approx([0.5, 0.5, 0.25, 0.5, 1]),
        [0, 0, 0, 0, 0],
    ]


def test_of_equals_the_lower_position_is_first() -> None:
    assert [row[1] for row in told("popular", rows=[[2, 1], [2, 1], [2, 1]])] == pytest.approx([1, 1 / 2, 1 / 3])


def test_a_retriever_that_failed_or_proposed_nothing_says_nothing() -> None:
    assert told("popular", "fresh", rows=[[3]], retrievers=("popular",)) == [[1, 1, 0, 0, 0.5]]
    assert told("popular", "fresh", rows=[[NONE, 1]]) == [[0, 0, 1, 1, 0.5]]
