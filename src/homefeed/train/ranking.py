"""Trains the learned rankers of feeds, and publishes those that are better than what serves."""

from __future__ import annotations

from typing import Any

from homefeed.dataset.log import LogData
from homefeed.errors import ArtifactError
from homefeed.evaluate.ranking import Judged, fit_ranker
from homefeed.evaluate.rolling import Progress
from homefeed.rank.blend import Blend
from homefeed.recipe import BLEND, Recipe, find_part
from homefeed.store.artifacts import ArtifactStore


def judged_ranker(
    recipe: Recipe, feed: str, log: LogData, artifacts: ArtifactStore, *, progress: Progress
) -> Judged:
    """A new ranker of the feed, and how it does beside the one published before, or else the feed's own."""
    spec = recipe.ranker_of(feed)
    blend = _published(artifacts, recipe.app, BLEND, Blend)
    serving = _published(artifacts, recipe.app, spec.name, find_part("model", spec.part))
    return fit_ranker(recipe, log.catalog, log.data, feed, blend=blend, serving=serving, progress=progress)


def _published(artifacts: ArtifactStore, app: str, name: str, kind: type[Any]) -> Any:
    try:
        found = artifacts.load(app, name, kind)
    except ArtifactError:
        return None
    return None if found is None else found.model
