"""The contract suites find what they are there to find: each broken part fails the test it should."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self, cast

import numpy as np
import pytest

from homefeed.protocols import Filter, Model, Ranker, Retriever, Trainer
from homefeed.retrieve.popular import Popular
from homefeed.testing import (
    FilterContract,
    ModelContract,
    RankerContract,
    RetrieverContract,
    TrainerContract,
    World,
    toy_world,
)
from homefeed.testing.requests import frozen
from homefeed.types import Candidates, Floats, Mask, Positions, Query, Scores, TrainingData

Answer = tuple[Positions, Scores]


class Bent:
    """Popular, with its answer bent."""

    def __init__(self, world: World, bend: Callable[[Query, int, Positions, Scores], Any]) -> None:
        self.popular = Popular(Popular.Config(), world.resources)
        self.bend = bend

    def retrieve(self, query: Query, k: int) -> Answer:
        return cast(Answer, self.bend(query, k, *self.popular.retrieve(query, k)))


BENDS: dict[str, Callable[[Query, int, Positions, Scores], Any]] = {
    "more than k": lambda q, k, p, s: (
        np.flatnonzero(q.eligible).astype(np.int32),
        np.ones(q.eligible.sum(), "f4"),
    ),
    "ineligible": lambda q, k, p, s: (np.array([10], np.int32), np.ones(1, np.float32)),
    "repeats": lambda q, k, p, s: (p[[0, *range(len(p) - 1)]], s[[0, *range(len(s) - 1)]]) if len(p) else (p, s),
    "worst first": lambda q, k, p, s: (p[::-1], s[::-1]),
    "not a number": lambda q, k, p, s: (p, np.where(s < 1, np.float32(np.nan), s)),
    "zero": lambda q, k, p, s: (p, np.where(s < 1, np.float32(0), s)),
    "int64": lambda q, k, p, s: (p.astype(np.int64), s),
    "float64": lambda q, k, p, s: (p, s.astype(np.float64)),
    "ragged": lambda q, k, p, s: (p, s[:-1]),
}


@pytest.mark.parametrize("name", BENDS)
def test_a_bent_answer_is_noticed(name: str) -> None:
    world, suite = toy_world(), RetrieverContract()
    queries = {each: frozen(query) for each, query in suite.requests(world).items()}
    with pytest.raises(AssertionError):
        suite.test_answers_are_well_formed(Bent(world, BENDS[name]), queries)


def test_a_straight_one_passes() -> None:
    world, suite = toy_world(), RetrieverContract()
    queries = {each: frozen(query) for each, query in suite.requests(world).items()}
    suite.test_answers_are_well_formed(Bent(world, lambda q, k, p, s: (p, s)), queries)


def test_a_retriever_that_filters_too_late_is_noticed() -> None:
    class Late(Bent):
        def retrieve(self, query: Query, k: int) -> Answer:
            everything = replace(query, eligible=np.ones_like(query.eligible))
            positions, scores = self.popular.retrieve(everything, k)
            kept = query.eligible[positions]
            return positions[kept], scores[kept]

    world, suite = toy_world(), RetrieverContract()
    late = Late(world, lambda *_: None)
    with pytest.raises(AssertionError):
        suite.test_filters_never_starve(late, {"nobody": world.query()})


def test_a_retriever_that_writes_to_its_query_is_noticed() -> None:
    def bend(query: Query, k: int, positions: Positions, scores: Scores) -> Answer:
        query.eligible[0] = False
        return positions, scores

    world, suite = toy_world(), RetrieverContract()
    with pytest.raises(ValueError, match="read-only"):
        suite.test_answers_are_well_formed(Bent(world, bend), {"nobody": frozen(world.query())})


def test_a_retriever_of_moods_is_noticed() -> None:
    class Moody(RetrieverContract):
        def make(self, world: World) -> Retriever:
            mood = np.random.default_rng(1)
            return Bent(world, lambda q, k, p, s: (mood.permutation(p), s))

    world = toy_world()
    with pytest.raises(AssertionError):
        Moody().test_the_same_question_has_the_same_answer(world, {"nobody": world.query()})


def test_empty_reasons_are_noticed() -> None:
    class Mumbling(Bent):
        def reasons(self, query: Query, positions: Positions) -> Sequence[str | None]:
            return [""] * len(positions)

    world = toy_world()
    with pytest.raises(AssertionError):
        RetrieverContract().test_reasons_are_words_or_none(
            Mumbling(world, lambda q, k, p, s: (p, s)), {"nobody": world.query()}
        )


@dataclass
class Masking:
    """A filter of one answer."""

    answer: Callable[[Query], Any]

    def filter(self, query: Query) -> Mask:
        return cast(Mask, self.answer(query))


@pytest.mark.parametrize(
    "answer",
    [
        lambda q: np.ones(len(q.eligible), np.int8),
        lambda q: np.ones(3, np.bool_),
        lambda q: np.flatnonzero(q.eligible),
    ],
)
def test_a_mask_that_is_none_is_noticed(answer: Callable[[Query], Any]) -> None:
    with pytest.raises(AssertionError):
        FilterContract().test_masks_cover_the_catalogue(toy_world(), Masking(answer))


def test_a_mask_that_does_not_grow_is_noticed() -> None:
    world = toy_world()
    stale: Filter = Masking(lambda q: np.ones(12, np.bool_))
    with pytest.raises(AssertionError):
        FilterContract().test_it_takes_items_newer_than_itself(world, stale)


class Vain:
    """A ranker that keeps some of the credit to itself."""

    def score(self, query: Query, candidates: Candidates) -> Scores:
        scores: Scores = candidates.features.sum(axis=1) + np.float32(0.01)
        return scores

    def contributions(self, query: Query, candidates: Candidates) -> Floats:
        return candidates.features


def test_contributions_that_do_not_add_up_are_noticed() -> None:
    world, ranker = toy_world(), cast(Ranker, Vain())
    with pytest.raises(AssertionError):
        RankerContract().test_contributions_sum_to_the_scores(world, ranker, world.query())


@dataclass(frozen=True)
class Pickled:
    """A model that is saved as nobody should."""

    values: tuple[int, ...] = (1, 2)
    name: str = "model.bin"

    def save(self, folder: Path) -> None:
        (folder / self.name).write_bytes(pickle.dumps(self.values))

    @classmethod
    def load(cls, folder: Path) -> Self:
        return cls()


class Objects(Pickled):
    """Or as an array that hides one."""

    def save(self, folder: Path) -> None:
        np.save(folder / "model.npy", np.array([{"a": 1}], dtype=object))


@pytest.mark.parametrize("model", [Pickled(), Objects()])
def test_a_pickle_is_noticed(model: Model, tmp_path: Path) -> None:
    with pytest.raises((AssertionError, ValueError)):
        ModelContract().test_it_is_written_without_pickle(model, tmp_path)


def test_other_files_are_no_pickles(tmp_path: Path) -> None:
    class Binary(Pickled):
        def save(self, folder: Path) -> None:
            (folder / "trees.ubj").write_bytes(b'{L\x00\x00\x00\x07learner{"')

    ModelContract().test_it_is_written_without_pickle(Binary(), tmp_path)


def test_a_model_that_forgets_is_noticed(tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        ModelContract().test_it_answers_the_same_after_saving_and_loading(toy_world(), Pickled((3,)), tmp_path)


def test_a_trainer_of_chance_is_noticed(tmp_path: Path) -> None:
    class Chance:
        def fit(self, data: TrainingData) -> Pickled:
            return Pickled(tuple(np.random.default_rng().integers(0, 2**31, 4).tolist()))

    class Suite(TrainerContract):
        def make(self) -> Trainer[Any]:
            return Chance()

    with pytest.raises(AssertionError):
        Suite().test_the_same_data_and_seed_give_equal_files(toy_world(), tmp_path)
