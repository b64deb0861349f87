"""The feature suite finds what it is there to find."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np
import pytest

from homefeed.protocols import FeatureExtractor
from homefeed.testing import World, toy_world
from homefeed.testing.features import FeatureContract
from homefeed.testing.requests import frozen
from homefeed.types import Candidates, Floats, Query

Answer = Callable[[Query, Candidates], Any]


class Telling:
    """An extractor of one answer."""

    def __init__(self, answer: Answer, names: Any = ("one",)) -> None:
        self.answer = answer
        self.names = names

    def extract(self, query: Query, candidates: Candidates) -> Floats:
        return cast(Floats, self.answer(query, candidates))


def _scribble(query: Query, candidates: Candidates) -> Any:
    candidates.positions[:] = 0
    return np.zeros((len(candidates), 1), np.float32)


BENT: dict[str, Answer] = {
    "one row": lambda q, c: np.zeros((1, 1), np.float32),
    "flat": lambda q, c: np.zeros(len(c), np.float32),
    "two columns": lambda q, c: np.zeros((len(c), 2), np.float32),
    "float64": lambda q, c: np.zeros((len(c), 1)),
    "not a number": lambda q, c: np.full((len(c), 1), np.nan, np.float32),
    "endless": lambda q, c: np.full((len(c), 1), np.inf, np.float32),
}


def queries(world: World) -> dict[str, Query]:
    return {"viewer": frozen(world.query("da"))}


@pytest.mark.parametrize("name", BENT)
def test_a_bent_answer_is_noticed(name: str) -> None:
    world = toy_world()
    with pytest.raises(AssertionError):
        FeatureContract().test_features_are_well_formed(world, Telling(BENT[name]), queries(world))


def test_an_extractor_that_writes_to_its_candidates_is_noticed() -> None:
    world = toy_world()
    with pytest.raises(ValueError, match="read-only"):
        FeatureContract().test_features_are_well_formed(world, Telling(_scribble), queries(world))


@pytest.mark.parametrize("names", [(), ("a", "a"), ["a"], ("a b",), ("",)])
def test_names_that_are_none_are_noticed(names: Any) -> None:
    extractor: FeatureExtractor = Telling(BENT["flat"], names)
    with pytest.raises(AssertionError):
        FeatureContract().test_names_are_words_each_once(toy_world(), extractor)


def test_an_extractor_that_trusts_attributes_is_noticed() -> None:
    def trusting(query: Query, candidates: Candidates) -> Any:
        return np.full((len(candidates), 1), len(query.user.attributes.get("block", "").split("|")), np.float32)

    with pytest.raises(AttributeError):
        FeatureContract().test_attributes_may_be_anything(toy_world(), Telling(trusting))


def test_an_extractor_that_goes_by_the_row_is_noticed() -> None:
    def by_row(query: Query, candidates: Candidates) -> Any:
        return np.arange(len(candidates), dtype=np.float32)[:, None]

    world = toy_world()
    with pytest.raises(AssertionError):
        FeatureContract().test_features_do_not_depend_on_the_row(world, Telling(by_row), queries(world))
