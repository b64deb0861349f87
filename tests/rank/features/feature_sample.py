"""What tests of features have in common: histories by hand, and the columns of a feature."""

from __future__ import annotations

from tests.retrieve import history_sample

from homefeed.protocols import FeatureExtractor
from homefeed.testing import World
from homefeed.testing.features import everything
from homefeed.types import History, Query


def history_of(*events: tuple[int, float, float]) -> History:
    """Events as (position, strength, days ago), in the order of time, those of one time as they are told."""
    return history_sample.history_of(list(events))


def columns_of(extractor: FeatureExtractor, world: World, query: Query) -> dict[str, list[float]]:
    """The features of every item of a world, by name."""
    found = extractor.extract(query, everything(world))
    return {name: column.tolist() for name, column in zip(extractor.names, found.T, strict=True)}
