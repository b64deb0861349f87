"""The rerankers' suite finds what it is there to find."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest

from homefeed.protocols import Reranker
from homefeed.testing import World, toy_world
from homefeed.testing.reranker import RerankerContract
from homefeed.types import Candidates, Dropped, Query

Rerank = Callable[[Query, Candidates], Candidates]


@dataclass
class Bent:
    """A reranker that does what it is told to."""

    rerank: Rerank


def _named(candidates: Candidates, by: str = "me", why: str = "because") -> Candidates:
    gone = Dropped(by, candidates.positions[1:], why)
    return replace(candidates.take(slice(1)), dropped=(*candidates.dropped, gone))


def _written(candidates: Candidates) -> Candidates:
    candidates.scores[:] = 0
    return candidates


BENDS: dict[str, tuple[Rerank, str]] = {
    "invents": (lambda q, c: replace(c, positions=c.positions + np.int32(20)), "test_it_invents_nothing"),
    "repeats": (
        lambda q, c: c.take(np.array([0, *range(len(c))][: len(c) + 1])) if len(c) else c,
        "test_it_invents_nothing",
    ),
    "int64": (lambda q, c: replace(c, positions=c.positions.astype(np.int64)), "test_it_invents_nothing"),
    "tears rows": (lambda q, c: replace(c, positions=c.positions[::-1]), "test_rows_stay_together"),
    "rescores": (lambda q, c: replace(c, scores=c.scores + np.float32(1)), "test_rows_stay_together"),
    "float64": (lambda q, c: replace(c, scores=c.scores.astype(np.float64)), "test_rows_stay_together"),
    "loses chances": (lambda q, c: replace(c, propensities=None), "test_rows_stay_together"),
    "hides": (lambda q, c: c.take(slice(1)), "test_what_is_missing_is_named"),
    "no name": (lambda q, c: _named(c, by=""), "test_what_is_missing_is_named"),
    "no reason": (lambda q, c: _named(c, why=""), "test_what_is_missing_is_named"),
    "forgets": (lambda q, c: replace(_named(c), dropped=_named(c).dropped[1:]), "test_what_is_missing_is_named"),
    "names what stays": (
        lambda q, c: replace(c, dropped=(*c.dropped, Dropped("me", c.positions, "x"))),
        "test_what_is_missing_is_named",
    ),
    "chops a lonely one": (
        lambda q, c: c.take(slice(0)) if len(c) == 1 else c,
        "test_it_takes_no_candidates_and_one",
    ),
}


def check(rerank: Rerank, test: str) -> None:
    world = toy_world()
    getattr(RerankerContract(), test)(world, Bent(rerank))


@pytest.mark.parametrize("name", BENDS)
def test_a_bent_reranker_is_noticed(name: str) -> None:
    rerank, test = BENDS[name]
    with pytest.raises(AssertionError):
        check(rerank, test)


TESTS = [test for _, test in BENDS.values()] + ["test_it_takes_items_newer_than_itself"]


@pytest.mark.parametrize("test", sorted(set(TESTS)))
@pytest.mark.parametrize(
    "straight", [lambda q, c: c, lambda q, c: c.take(slice(None, None, -1)), lambda q, c: _named(c)]
)
def test_a_straight_one_passes(test: str, straight: Rerank) -> None:
    check(straight, test)


def test_an_reranker_that_writes_is_noticed() -> None:
    with pytest.raises(ValueError, match="read-only"):
        check(lambda q, c: _written(c), "test_it_invents_nothing")


def test_an_reranker_of_moods_is_noticed() -> None:
    class Moody(RerankerContract):
        def make(self, world: World) -> Reranker:
            mood = np.random.default_rng(1)
            return Bent(lambda q, c: c.take(mood.permutation(len(c))))

    with pytest.raises(AssertionError):
        Moody().test_the_same_question_has_the_same_answer(toy_world())


def test_a_stale_reranker_is_noticed() -> None:
    seen = np.zeros(12, np.bool_)
    with pytest.raises(IndexError):
        check(lambda q, c: c.take(seen[c.positions] | True), "test_it_takes_items_newer_than_itself")
