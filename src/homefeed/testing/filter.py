"""What every filter keeps to."""
# ruff: noqa: S101 - a suite asserts

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from homefeed.protocols import ExpiringFilter, Filter, PersonalFilter
from homefeed.scope import RequestScope
from homefeed.testing.requests import NEW_ITEM, frozen, toy_requests
from homefeed.testing.world import World, empty_world, toy_world
from homefeed.types import NEVER, Query, UserState


class FilterContract:
    """Subclass it, name the subclass `Test...` and give it a filter by `make`; pytest does the rest.

    Every test answers all of `requests`, read-only, so that a filter that writes to its query fails.
    """

    def make(self, world: World) -> Filter:
        """The filter under test, built with `world.resources`."""
        raise NotImplementedError

    def requests(self, world: World) -> dict[str, Query]:
        """Requests by name; override to add those that are special to the filter."""
        return toy_requests(world)

    @pytest.fixture
    def world(self) -> World:
        """A toy world of the test's own."""
        return toy_world()

    @pytest.fixture
    def filter_(self, world: World) -> Filter:
        """The filter under test."""
        return self.make(world)

    def test_it_is_a_filter(self, filter_: Filter) -> None:
        """It has the methods of the seam."""
        assert isinstance(filter_, Filter)

    def test_masks_cover_the_catalogue(self, world: World, filter_: Filter) -> None:
        """One truth value for every item, whoever asks."""
        for name, query in self.requests(world).items():
            check_mask(name, world, filter_, query)

    def test_the_same_question_has_the_same_answer(self, world: World, filter_: Filter) -> None:
        """As the final filter asks again."""
        for name, query in self.requests(world).items():
            first = filter_.filter(frozen(query)).copy()
            np.testing.assert_array_equal(filter_.filter(frozen(query)), first, err_msg=name)

    def test_it_takes_items_newer_than_itself(self, world: World, filter_: Filter) -> None:
        """The mask grows with the catalogue, at once."""
        filter_.filter(frozen(world.query("da")))
        world.catalog.apply([NEW_ITEM])
        check_mask("a newer item", world, filter_, world.query("da"))

    def test_what_passes_does_so_until_it_says(self, world: World, filter_: Filter) -> None:
        """What a slate shows can be given again until then, and no longer."""
        if not isinstance(filter_, ExpiringFilter):
            return
        for name, query in self.requests(world).items():
            passing = np.flatnonzero(filter_.filter(frozen(query))).astype(np.int32)
            until = filter_.passes_until(passing)
            assert until > query.now, name
            assert filter_.filter(replace(query, now=until - 1))[passing].all(), name
            assert until == NEVER or not filter_.filter(replace(query, now=until))[passing].all(), name

    def test_an_answer_may_be_shared_with_whom_it_does_not_concern(self, world: World, filter_: Filter) -> None:
        """It stops for them what it stops for nobody in particular."""
        if not isinstance(filter_, PersonalFilter):
            return
        for name, query in self.requests(world).items():
            if not filter_.concerns(frozen(query)):
                nobody = replace(query, user=UserState(None), scope=RequestScope())
                np.testing.assert_array_equal(filter_.filter(query), filter_.filter(nobody), err_msg=name)

    def test_it_takes_an_empty_catalogue(self) -> None:
        """Its mask is empty then."""
        world = empty_world()
        check_mask("an empty catalogue", world, self.make(world), world.query("da"))


def check_mask(name: str, world: World, filter_: Filter, query: Query) -> None:
    """Assert that an answer keeps to the seam."""
    mask = filter_.filter(frozen(query))
    assert mask.dtype == np.bool_, f"{name}: the mask is {mask.dtype}, not bool"
    assert mask.shape == (world.catalog.size,), f"{name}: shape {mask.shape}, not ({world.catalog.size},)"
