"""What every screen keeps to."""
# ruff: noqa: S101 - a suite asserts

from __future__ import annotations

import numpy as np
import pytest

from homefeed.protocols import Screen
from homefeed.testing.requests import NEW_ITEM, frozen, toy_requests
from homefeed.testing.world import World, empty_world, toy_world
from homefeed.types import Query


class ScreenContract:
    """Subclass it, name the subclass `Test...` and give it a screen by `make`; pytest does the rest.

    Every test answers all of `requests`, read-only, so that a screen that writes to its query fails.
    """

    def make(self, world: World) -> Screen:
        """The screen under test, built with `world.resources`."""
        raise NotImplementedError

    def requests(self, world: World) -> dict[str, Query]:
        """Requests by name; override to add those that are special to the screen."""
        return toy_requests(world)

    @pytest.fixture
    def world(self) -> World:
        """A toy world of the test's own."""
        return toy_world()

    @pytest.fixture
    def screen(self, world: World) -> Screen:
        """The screen under test."""
        return self.make(world)

    def test_it_is_a_screen(self, screen: Screen) -> None:
        """It has the methods of the seam."""
        assert isinstance(screen, Screen)

    def test_masks_cover_the_catalogue(self, world: World, screen: Screen) -> None:
        """One truth value for every item, whoever asks."""
        for name, query in self.requests(world).items():
            check_mask(name, world, screen, query)

    def test_the_same_question_has_the_same_answer(self, world: World, screen: Screen) -> None:
        """As the last gate asks again."""
        for name, query in self.requests(world).items():
            first = screen.screen(frozen(query)).copy()
            np.testing.assert_array_equal(screen.screen(frozen(query)), first, err_msg=name)

    def test_it_takes_items_newer_than_itself(self, world: World, screen: Screen) -> None:
        """The mask grows with the catalogue, at once."""
        screen.screen(frozen(world.query("da")))
        world.catalog.apply([NEW_ITEM])
        check_mask("a newer item", world, screen, world.query("da"))

    def test_it_takes_an_empty_catalogue(self) -> None:
        """Its mask is empty then."""
        world = empty_world()
        check_mask("an empty catalogue", world, self.make(world), world.query("da"))


def check_mask(name: str, world: World, screen: Screen, query: Query) -> None:
    """Assert that an answer keeps to the seam."""
    mask = screen.screen(frozen(query))
    assert mask.dtype == np.bool_, f"{name}: the mask is {mask.dtype}, not bool"
    assert mask.shape == (world.catalog.size,), f"{name}: shape {mask.shape}, not ({world.catalog.size},)"
