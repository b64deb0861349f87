"""What every reranker keeps to."""
# ruff: noqa: S101 - a suite asserts

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pytest

from homefeed.protocols import Reranker
from homefeed.testing.requests import NEW_ITEM, frozen, toy_requests
from homefeed.testing.world import World, toy_world
from homefeed.types import Candidates, Dropped, Query

T = TypeVar("T", bound=np.generic)


class RerankerContract:
    """Subclass it, name the subclass `Test...` and give it a reranker by `make`; pytest does the rest.

    Every test reranks many sets of candidates for each of `requests`; query and candidates are read-only, so
    that a reranker that writes to them fails.
    """

    retrievers: tuple[str, ...] = ("item_item", "content", "popular", "pinned")
    """Who proposed the candidates; override for a reranker that looks for others."""

    seeds = 6
    """How many sets of candidates each request has; every other one is not by score, as others before left it."""

    explores = False
    """Whether it puts items where they are by chance, and says with which probability."""

    def make(self, world: World) -> Reranker:
        """The reranker under test, built with `world.resources`."""
        raise NotImplementedError

    def requests(self, world: World) -> dict[str, Query]:
        """Requests by name; override to add those that are special to the reranker."""
        later = {
            "the second page": world.query("da", exclude=("d1", "s1"), recently_shown=("s1", "d1")),
            "a third page after a hidden item": world.query(
                "sa", exclude=("c1", "h1"), recently_shown=("h1", "c1")
            ),
        }
        return toy_requests(world) | later

    def candidates(self, world: World, query: Query, seed: int = 0) -> Candidates:
        """Some of what is eligible, some of it with equal scores; something was dropped before."""
        rng = np.random.default_rng(seed)
        eligible = np.flatnonzero(query.eligible).astype(np.int32)
        positions = rng.permutation(eligible)[: rng.integers(len(eligible), endpoint=True)]
        shape = len(positions), len(self.retrievers)
        retriever_scores = np.where(rng.random(shape) < 0.5, rng.random(shape), np.nan).astype(np.float32)
        scores = (rng.integers(0, 6, len(positions)) / 5).astype(np.float32)
        return Candidates(
            positions=positions,
            retrievers=self.retrievers,
            retriever_scores=retriever_scores,
            feature_names=(*self.retrievers, "other"),
            features=rng.random((len(positions), len(self.retrievers) + 1), np.float32),
            scores=scores if seed % 2 else np.sort(scores)[::-1],
            dropped=(Dropped("a reranker before", world.positions("x1")[:0], "for the test"),),
            propensities=rng.random(len(positions), np.float32) if seed % 3 else None,
        )

    def questions(self, world: World) -> Iterator[tuple[str, Query, Candidates]]:
        """Every request with each of its sets of candidates, named, all of it read-only."""
        for name, query in self.requests(world).items():
            for seed in range(self.seeds):
                given = self.candidates(world, query, seed)
                yield f"{name}, candidates {seed}", frozen(query), _frozen_candidates(given)

    @pytest.fixture
    def world(self) -> World:
        """A toy world of the test's own."""
        return toy_world()

    @pytest.fixture
    def reranker(self, world: World) -> Reranker:
        """The reranker under test."""
        return self.make(world)

    def test_it_is_an_reranker(self, reranker: Reranker) -> None:
        """It has the methods of the seam."""
        assert isinstance(reranker, Reranker)

    def test_it_invents_nothing(self, world: World, reranker: Reranker) -> None:
        """Only candidates come out, none of them twice."""
        for name, query, given in self.questions(world):
            check_subset(name, given, reranker.rerank(query, given))

    def test_rows_stay_together(self, world: World, reranker: Reranker) -> None:
        """What the retrievers and the ranker said of an item goes where it goes, and keeps its meaning."""
        for name, query, given in self.questions(world):
            check_rows(name, given, reranker.rerank(query, given), explores=self.explores)

    def test_what_is_missing_is_named(self, world: World, reranker: Reranker) -> None:
        """Each item that does not come out is dropped by a name for a reason, beside what was dropped before."""
        for name, query, given in self.questions(world):
            check_dropped(name, given, reranker.rerank(query, given))

    def test_the_same_question_has_the_same_answer(self, world: World) -> None:
        """Asked again, and asked of another one built alike."""
        one, other = self.make(world), self.make(world)
        for name, query, given in self.questions(world):
            first = one.rerank(query, given).positions.copy()
            for again in (one.rerank(query, given), other.rerank(query, given)):
                np.testing.assert_array_equal(again.positions, first, err_msg=name)

    def test_it_takes_no_candidates_and_one(self, world: World, reranker: Reranker) -> None:
        """None stay none; one stays or is dropped."""
        for name, query, given in self.questions(world):
            for few in (given.take(slice(0)), given.take(slice(1))):
                check_reranked(name, few, reranker.rerank(query, few), explores=self.explores)

    def test_it_takes_items_newer_than_itself(self, world: World, reranker: Reranker) -> None:
        """An item that came after it was built, among the candidates and on the page before."""
        for _, query, given in self.questions(world):
            reranker.rerank(query, given)
        world.catalog.apply([NEW_ITEM])
        everything = replace(world.query("da"), eligible=np.ones(world.catalog.size, np.bool_))
        for query in (everything, world.query("da", exclude=("new",), recently_shown=("new",))):
            for seed in range(self.seeds):
                given = _frozen_candidates(self.candidates(world, query, seed))
                answer = reranker.rerank(frozen(query), given)
                check_reranked("newer items", given, answer, explores=self.explores)


def check_reranked(name: str, given: Candidates, answer: Candidates, *, explores: bool = False) -> None:
    """Assert that an answer keeps to the seam."""
    check_subset(name, given, answer)
    check_rows(name, given, answer, explores=explores)
    check_dropped(name, given, answer)


def check_subset(name: str, given: Candidates, answer: Candidates) -> None:
    """Assert that the answer's items are candidates, each at one place only."""
    assert answer.positions.dtype == np.int32, f"{name}: positions are {answer.positions.dtype}, not int32"
    positions = answer.positions.tolist()
    assert set(positions) <= set(given.positions.tolist()), f"{name}: invents a candidate"
    assert len(set(positions)) == len(positions), f"{name}: repeats a position"


def check_rows(name: str, given: Candidates, answer: Candidates, *, explores: bool = False) -> None:
    """Assert that every column of the answer holds what it held of the same item."""
    assert answer.retrievers == given.retrievers, f"{name}: other retrievers"
    assert answer.feature_names == given.feature_names, f"{name}: other features"
    row_of = {position: row for row, position in enumerate(given.positions.tolist())}
    expected = given.take(np.array([row_of[position] for position in answer.positions.tolist()], np.intp))
    if explores:
        expected = replace(expected, propensities=answer.propensities)
    for column in ("retriever_scores", "features", "scores", "propensities"):
        found, wanted = getattr(answer, column), getattr(expected, column)
        assert (found is None) == (wanted is None), f"{name}: {column} come or go"
        if wanted is not None:
            assert found.dtype == wanted.dtype, f"{name}: {column} are {found.dtype}, not {wanted.dtype}"
            np.testing.assert_array_equal(found, wanted, err_msg=f"{name}: {column}")


def check_dropped(name: str, given: Candidates, answer: Candidates) -> None:
    """Assert that all that is missing, and nothing else, is dropped with a name and a reason."""
    before = len(given.dropped)
    same = all(old is new for old, new in zip(given.dropped, answer.dropped, strict=False))
    assert same, f"{name}: changes what was dropped before"
    assert len(answer.dropped) >= before, f"{name}: forgets what was dropped before"
    gone = set(given.positions.tolist()) - set(answer.positions.tolist())
    named: list[int] = []
    for dropped in answer.dropped[before:]:
        assert dropped.by, f"{name}: nobody dropped {dropped.positions}"
        for position in dropped.positions.tolist():
            assert dropped.reason(position), f"{name}: no reason why {position} is dropped"
            named.append(position)
    assert len(named) == len(set(named)), f"{name}: drops an item twice"
    assert set(named) == gone, f"{name}: {gone} are missing, {set(named)} are named as dropped"


def _frozen_candidates(candidates: Candidates) -> Candidates:
    return replace(
        candidates,
        positions=_read_only(candidates.positions),
        retriever_scores=_read_only(candidates.retriever_scores),
        features=_read_only(candidates.features),
        scores=_read_only(candidates.scores),
        propensities=None if candidates.propensities is None else _read_only(candidates.propensities),
    )


def _read_only(column: npt.NDArray[T]) -> npt.NDArray[T]:
    copy = column.copy()
    copy.flags.writeable = False
    return copy
