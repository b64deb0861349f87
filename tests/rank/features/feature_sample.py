"""What tests of features have in common: histories by hand, and the columns of a feature."""

from __future__ import annotations

import pytest
from tests.places_sample import located_empty_world, located_requests, located_world
from tests.retrieve import history_sample

from homefeed.protocols import FeatureExtractor
from homefeed.testing import World
from homefeed.testing.features import FeatureContract, everything
from homefeed.testing.requests import toy_requests
from homefeed.types import History, Query


class LocatedFeatureContract(FeatureContract):
    """The suite in a toy world on a map, with requests from somewhere."""

    @pytest.fixture(autouse=True)
    def _declared(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("homefeed.testing.features.empty_world", located_empty_world)

    @pytest.fixture
    def world(self) -> World:
        """The toy world on a map."""
        return located_world()

    def requests(self, world: World) -> dict[str, Query]:
        """Those of the toy world, and some from places."""
        return toy_requests(world) | located_requests(world)


def history_of(*events: tuple[int, float, float]) -> History:
    """Events as (position, strength, days ago), in the order of time, those of one time as they are told."""
    return history_sample.history_of(list(events))


def columns_of(extractor: FeatureExtractor, world: World, query: Query) -> dict[str, list[float]]:
    """The features of every item of a world, by name."""
    found = extractor.extract(query, everything(world))
    return {name: column.tolist() for name, column in zip(extractor.names, found.T, strict=True)}
