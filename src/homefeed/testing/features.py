"""What every feature extractor keeps to."""
# ruff: noqa: S101 - a suite asserts

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np
import pytest

from homefeed.protocols import FeatureExtractor
from homefeed.testing.requests import NEW_ITEM, frozen, toy_history, toy_requests
from homefeed.testing.world import World, empty_world, toy_world
from homefeed.types import Candidates, Query

ODD: Final[tuple[Any, ...]] = (None, 3, 0.5, True, {"a": 1}, "", "|", [], ["x", 3], ["x", "x"], "Drama", ["Drama"])
"""What attributes of users may be, for nobody checks them but those that a recipe declares."""


class FeatureContract:
    """Subclass it, name the subclass `Test...` and give it an extractor by `make`; pytest does the rest.

    Every test asks for all of `requests`, read-only, so that an extractor that writes to its query fails.
    """

    def make(self, world: World) -> FeatureExtractor:
        """The extractor under test, built with `world.resources`."""
        raise NotImplementedError

    def requests(self, world: World) -> dict[str, Query]:
        """Requests by name; override to add those that are special to the extractor."""
        return toy_requests(world)

    @pytest.fixture
    def world(self) -> World:
        """A toy world of the test's own."""
        return toy_world()

    @pytest.fixture
    def extractor(self, world: World) -> FeatureExtractor:
        """The extractor under test."""
        return self.make(world)

    @pytest.fixture
    def queries(self, world: World) -> dict[str, Query]:
        """What it is asked."""
        return {name: frozen(query) for name, query in self.requests(world).items()}

    def test_it_is_a_feature_extractor(self, extractor: FeatureExtractor) -> None:
        """It has the methods of the seam."""
        assert isinstance(extractor, FeatureExtractor)

    def test_names_are_words_each_once(self, world: World, extractor: FeatureExtractor) -> None:
        """A tuple of names that can stand in a recipe, the same for another one built alike."""
        names = extractor.names
        assert isinstance(names, tuple)
        assert names
        assert len(set(names)) == len(names)
        assert all(isinstance(name, str) and name.isidentifier() for name in names), names
        assert self.make(world).names == names

    def test_features_are_well_formed(
        self, world: World, extractor: FeatureExtractor, queries: dict[str, Query]
    ) -> None:
        """A row for each candidate, none included, and a column for each name; finite, of 32 bits."""
        every = everything(world)
        for name, query in queries.items():
            for candidates in (every, every.take(slice(1)), every.take(slice(0))):
                check_features(name, extractor, query, candidates)

    def test_features_do_not_depend_on_the_row(
        self, world: World, extractor: FeatureExtractor, queries: dict[str, Query]
    ) -> None:
        """The same candidates in another order have the same features."""
        candidates = everything(world)
        order = np.random.default_rng(1).permutation(len(candidates))
        for name, query in queries.items():
            expected = extractor.extract(query, candidates)[order]
            found = extractor.extract(query, candidates.take(order))
            np.testing.assert_allclose(found, expected, atol=1e-5, err_msg=name)

    def test_the_same_question_has_the_same_answer(self, world: World, queries: dict[str, Query]) -> None:
        """Asked again, and asked of another one built alike."""
        one, other, candidates = self.make(world), self.make(world), everything(world)
        for name, query in queries.items():
            first = one.extract(query, candidates).copy()
            for again in (one.extract(query, candidates), other.extract(query, candidates)):
                np.testing.assert_array_equal(again, first, err_msg=name)

    def test_attributes_may_be_anything(self, world: World, extractor: FeatureExtractor) -> None:
        """Whatever the user's attributes hold, there is an answer."""
        for value in ODD:
            for query in (world.query("da"), world.query("cold"), world.query("da", anchor="s2")):
                user = replace(query.user, attributes=_AllAlike(value))
                asked = frozen(replace(query, user=user))
                check_features(f"attributes {value!r}", extractor, asked, everything(world))

    def test_it_takes_items_newer_than_itself(self, world: World, extractor: FeatureExtractor) -> None:
        """An item that came after it was built, among the candidates, in the history, as anchor."""
        extractor.extract(frozen(world.query("da")), everything(world))
        world.catalog.apply([NEW_ITEM])
        for query in (
            world.query("da"),
            world.query("da", history=toy_history(world, {"d1": 1.0, "new": 1.0})),
            world.query("da", anchor="new"),
        ):
            check_features("newer items", extractor, frozen(query), everything(world))

    def test_it_takes_an_empty_catalogue(self) -> None:
        """There are no rows then."""
        world = empty_world()
        check_features("an empty catalogue", self.make(world), frozen(world.query("da")), everything(world))


def everything(world: World) -> Candidates:
    """Every item as a candidate of one retriever, as extractors get them, read-only."""
    count = world.catalog.size
    return _read_only(
        Candidates(
            positions=np.arange(count, dtype=np.int32),
            retrievers=("popular",),
            retriever_scores=np.linspace(1, 0.5, count, dtype=np.float32)[:, None],
            feature_names=(),
            features=np.empty((count, 0), np.float32),
            scores=np.zeros(count, np.float32),
        )
    )


def check_features(name: str, extractor: FeatureExtractor, query: Query, candidates: Candidates) -> None:
    """Assert that an answer keeps to the seam."""
    features = extractor.extract(query, _read_only(candidates))
    shape = (len(candidates), len(extractor.names))
    assert features.dtype == np.float32, f"{name}: features are {features.dtype}, not float32"
    assert features.shape == shape, f"{name}: shape {features.shape}, not {shape}"
    assert np.isfinite(features).all(), f"{name}: a feature is not finite"


def _read_only(candidates: Candidates) -> Candidates:
    for column in (candidates.positions, candidates.retriever_scores, candidates.features, candidates.scores):
        column.flags.writeable = False
    return candidates


class _AllAlike(Mapping[str, Any]):
    """Attributes that have one value under every name, so that an extractor finds it whichever it reads."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def __getitem__(self, name: str) -> Any:
        return self._value

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0
