"""Trains the learned rankers of feeds, and publishes those that are better than what serves."""

from __future__ import annotations

from homefeed.dataset.log import LogData
from homefeed.evaluate.ranking import Judged, fit_ranker
from homefeed.evaluate.rolling import Progress
from homefeed.protocols import Model
from homefeed.rank.blend import Blend
from homefeed.recipe import BLEND, Recipe, find_part
from homefeed.store.artifacts import ArtifactStore, Loaded


def judged_ranker(
    recipe: Recipe, feed: str, log: LogData, artifacts: ArtifactStore, *, progress: Progress
) -> Judged:
    """A new ranker of the feed, and how it does beside the one published before, or else the feed's own."""
    spec = recipe.learned_ranker(feed)
    blend = artifacts.find(recipe.app, BLEND, Blend)
    serving: Loaded[Model] | None = artifacts.find(recipe.app, spec.name, find_part("model", spec.part))
    return fit_ranker(
        recipe,
        log.catalog,
        log.data,
        feed,
        blend=None if blend is None else blend.model,
        serving=None if serving is None else serving.model,
        progress=progress,
    )
