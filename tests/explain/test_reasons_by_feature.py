"""Reasons of features: of what added most to the score, whoever proposed the item."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from homefeed.explain.reasons import reasons_for
from homefeed.testing import toy_world
from homefeed.types import Candidates, Floats, Positions, Query


class Saying:
    """A retriever that says one sentence, but of position 2 nothing."""

    def __init__(self, words: str) -> None:
        self.words = words

    def reasons(self, query: Query, positions: Positions) -> Sequence[str | None]:
        return [None if position == 2 else self.words for position in positions.tolist()]


def page(scores: Floats) -> Candidates:
    """Three items proposed by `near` alone, with features of three names."""
    proposed = np.array([[1.0, np.nan]] * 3, np.float32)
    names = ("near", "liked", "distance", "taste")
    return Candidates(
        np.arange(3, dtype=np.int32), ("near", "liked"), proposed, names, scores, np.ones(3, np.float32)
    )


def test_what_added_most_has_the_word_and_then_the_next() -> None:
    added = np.array([[0, 0, 0.3, 0.1], [0, 0, 0.1, 0.4], [0, 0, 0.1, 0.4]], np.float32)
    world, near, liked = toy_world(), Saying("Near"), Saying("Liked")
    given = world.query("da"), page(added), added, {"near": near, "liked": liked}, "Otherwise"
    by_feature = {"distance": "near", "taste": "liked", "unknown": "near"}
    assert reasons_for(*given, by_feature=by_feature) == ("Near", "Liked", "Otherwise")
    assert reasons_for(*given) == ("Near", "Near", "Otherwise")


def test_a_feature_that_added_nothing_gives_no_reason() -> None:
    added = np.array([[0, 0, 0.0, 0.0], [0, 0, 0.1, -0.4], [0, 0, 0.0, 0.4]], np.float32)
    world = toy_world()
    given = world.query("da"), page(added), added, {"liked": Saying("Liked")}, "Otherwise"
    assert reasons_for(*given, by_feature={"taste": "liked"}) == ("Otherwise", "Otherwise", "Otherwise")
