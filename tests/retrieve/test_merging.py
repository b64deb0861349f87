"""The union of proposals, and their scores and ranks side by side, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from homefeed.retrieve.merging import merged, normalise, what_is_wrong
from homefeed.types import Positions, Scores


def proposal(**scores: float) -> tuple[Positions, Scores]:
    """Positions p3, p0, ... with these scores."""
    positions = [int(name[1:]) for name in scores]
    return np.array(positions, np.int32), np.array(list(scores.values()), np.float32)


def test_every_position_stands_once_with_the_score_and_the_rank_of_each_retriever() -> None:
    proposals = {"one": proposal(p3=0.5, p0=0.25), "two": proposal(p4=2, p3=1, p1=-1)}
    positions, scores, ranks = merged(("two", "none", "one"), proposals, 5)
    assert positions.tolist() == [0, 1, 3, 4]
    nan = np.nan
    expected = [[nan, nan, 0.25], [-1, nan, nan], [1, nan, 0.5], [2, nan, nan]]
    np.testing.assert_array_equal(scores, np.array(expected, np.float32))
    assert ranks.tolist() == [[0, 0, 2], [3, 0, 0], [2, 0, 1], [1, 0, 0]]
    assert [column.dtype.name for column in (positions, scores, ranks)] == ["int32", "float32", "int32"]


@pytest.mark.parametrize("names", [("one",), ("one", "two")])
def test_of_nothing_there_is_nothing(names: tuple[str, ...]) -> None:
    positions, scores, ranks = merged(names, {}, 5)
    assert positions.tolist() == []
    assert scores.shape == ranks.shape == (0, len(names))


SOUND = proposal(p0=1, p4=2)
NOT_SOUND = [
    (proposal(p5=1), "ValueError: proposed a position outside the catalogue of 5 items"),
    ((np.array([1, -1], np.int32), np.ones(2, np.float32)), "proposed a position outside the catalogue of 5"),
    ((np.array([0], np.int32), np.ones(2, np.float32)), "ValueError: proposed 1 items with 2 scores"),
]


@pytest.mark.parametrize(("wrong", "message"), NOT_SOUND)
def test_what_is_not_sound_is_refused_and_named(wrong: tuple[Positions, Scores], message: str) -> None:
    with pytest.raises(ValueError, match="proposals for a catalogue of 5 items are not sound"):
        merged(("one", "two"), {"one": SOUND, "two": wrong}, 5)
    assert message in str(what_is_wrong(*wrong, 5))


def test_what_is_sound_is_not_wrong() -> None:
    assert what_is_wrong(*SOUND, 5) is None
    assert what_is_wrong(*proposal(), 0) is None


def test_scores_are_shares_of_the_best_of_their_retriever() -> None:
    nan = np.nan
    scores = np.array([[4, nan, -1, 0.5], [1, nan, -2, nan], [-2, nan, nan, 0.25]], np.float32)
    features = np.empty_like(scores)
    normalise(scores, features)
    # Where the best is not above 0 the scores stay what they are.
    assert features.tolist() == [[1, 0, -1, 1], [0.25, 0, -2, 0], [-0.5, 0, 0, 0.5]]


def test_of_an_item_that_is_proposed_twice_the_first_counts() -> None:
    twice = (np.array([2, 2, 1], np.int32), np.array([0.9, 0.1, 0.5], np.float32))
    positions, scores, ranks = merged(("one",), {"one": twice}, 3)
    assert positions.tolist() == [1, 2]
    assert scores[:, 0].tolist() == pytest.approx([0.5, 0.9])
    assert ranks[:, 0].tolist() == [3, 1]
