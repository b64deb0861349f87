"""Trains the learned rankers of feeds, and publishes those that are better than what serves."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import numpy as np
import structlog

from homefeed.catalog import CatalogView
from homefeed.dataset.log import LogData
from homefeed.dataset.log import Progress as Reading
from homefeed.dataset.ranking_rows import WITHOUT_FEATURES, FeedColumns, RankingRows, read_ranking_rows
from homefeed.engine import build_feeds, counters_of, resources_of
from homefeed.errors import InvalidError
from homefeed.evaluate.impressions import replay_impressions
from homefeed.evaluate.lists import RankedLists, lists_of_shown
from homefeed.evaluate.ranking import Judged, fit_ranker, fit_to_lists, unable
from homefeed.evaluate.rolling import Progress
from homefeed.funnel import Feed
from homefeed.policy.swap import Swap
from homefeed.protocols import Model
from homefeed.rank.blend import Blend
from homefeed.rank.examination import Examination, Showings, examination_by_swaps, weights_of
from homefeed.rank.learned import LearnedRanker
from homefeed.recipe import BLEND, Recipe, find_part
from homefeed.store import Store
from homefeed.store.artifacts import ArtifactStore, Loaded
from homefeed.times import parse_time
from homefeed.types import Floats

_ROWS_AT_ONCE: Final = 100_000

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Serving:
    """What a feed is ranked by now: its blend, and its learned ranker, if one is published."""

    blend: Loaded[Blend] | None
    ranker: Loaded[Model] | None

    @classmethod
    def of(cls, recipe: Recipe, feed: str, artifacts: ArtifactStore) -> Serving:
        """What is published."""
        spec = recipe.learned_ranker(feed)
        ranker: Loaded[Model] | None = artifacts.find(recipe.app, spec.name, find_part("model", spec.part))
        return cls(artifacts.find(recipe.app, BLEND, Blend), ranker)

    @property
    def learned_until(self) -> int | None:
        """The time of the last request that the ranker learned from, where it is written down."""
        verdict = None if self.ranker is None else self.ranker.manifest.facts.get("verdict")
        told = verdict.get("learned_until") if isinstance(verdict, dict) else None
        with suppress(InvalidError):
            return parse_time("learned_until", told) if isinstance(told, str) else None
        return None

    @property
    def blended_by(self) -> str | None:
        """The version of the blend."""
        return None if self.blend is None else self.blend.manifest.version

    def feed(self, recipe: Recipe, name: str, catalog: CatalogView) -> Feed:
        """The feed as it serves, but for what its retrievers learned."""
        models: dict[str, Model] = {} if self.blend is None else {BLEND: self.blend.model}
        models |= {} if self.ranker is None else {recipe.learned_ranker(name).name: self.ranker.model}
        counters = counters_of(recipe, catalog)
        return build_feeds(recipe, resources_of(recipe, catalog, counters, models))[name]

    def replayed(
        self, recipe: Recipe, name: str, log: LogData, rows: RankingRows, progress: Progress
    ) -> RankingRows:
        """What was shown elsewhere, as the feed would have ranked it."""
        spec = recipe.learned_ranker(name)
        return replay_impressions(
            recipe,
            log.catalog,
            log.data,
            name,
            rows,
            blend=None if self.blend is None else self.blend.model,
            rankers={} if self.ranker is None else {spec.name: self.ranker.model},
            progress=progress,
        )


async def judged_ranker(
    recipe: Recipe, feed: str, log: LogData, store: Store, artifacts: ArtifactStore, *, progress: Progress
) -> Judged:
    """A new ranker of the feed, and how it does beside the one published before, or else the feed's own.

    It is made from what was shown where something was chosen in enough requests, else from history.
    """
    spec, serving = recipe.learned_ranker(feed), Serving.of(recipe, feed, artifacts)
    if (why := unable(spec)) is not None:
        return Judged(None, None, why)
    shown = await _shown_lists(recipe, feed, log, store, serving, progress)
    if shown is not None:
        return fit_to_lists(recipe, spec, shown, serving.learned_until)
    return fit_ranker(
        recipe,
        log.catalog,
        log.data,
        feed,
        blend=None if serving.blend is None else serving.blend.model,
        serving=None if serving.ranker is None else serving.ranker.model,
        learned_until=serving.learned_until,
        progress=progress,
    )


async def _shown_lists(
    recipe: Recipe, name: str, log: LogData, store: Store, serving: Serving, progress: Progress
) -> RankedLists | None:
    """What the feed showed, where it is enough to learn from: as written down, else imported and replayed."""
    feed = serving.feed(recipe, name, log.catalog)
    columns = FeedColumns(feed.feature_names, feed.calibration is not None, serving.blended_by)
    reading = partial(progress, "finding what followed")
    rows = await _read_weighed(store, recipe, feed, columns, log.data.seed, reading)
    if _is_enough(recipe, name, rows):
        served = scores_of(feed.ranker, rows) if isinstance(feed.ranker, LearnedRanker) else None
        return lists_of_shown(rows, feed.ranked_by, served)
    if not rows.read.left_out.get(WITHOUT_FEATURES) or feed.settings.anchored:
        return None
    imported = await read_ranking_rows(store, recipe, name, None, seed=log.data.seed, progress=reading)
    if not _is_enough(recipe, name, imported):
        return None
    again = serving.replayed(recipe, name, log, imported, progress)
    return lists_of_shown(again, feed.ranked_by) if _is_enough(recipe, name, again) else None


async def _read_weighed(
    store: Store, recipe: Recipe, feed: Feed, columns: FeedColumns, seed: int, progress: Reading
) -> RankingRows:
    """What the feed showed, its clicks weighed by how much their places are looked at, where that is known.

    It is known where neighbours changed places by chance in enough requests. Then all that was shown is learned
    from: what was not looked at counts as little as it should. Else it is what was looked at, each click alike.
    """
    if any(isinstance(part, Swap) for part in feed.rerankers.values()):
        whole = replace(recipe, impressions=recipe.impressions.model_copy(update={"examined": "all"}))
        rows = await read_ranking_rows(store, whole, feed.name, columns, seed=seed, progress=progress)
        examination = examination_of(rows, seed)
        told = {"places": examination.known, "examination": np.round(examination.places, 3).tolist()}
        _log.info("examination of places", app=recipe.app, feed=feed.name, **told)
        if examination.known > 1:
            return weighed(rows, examination)
    return await read_ranking_rows(store, recipe, feed.name, columns, seed=seed, progress=progress)


def examination_of(rows: RankingRows, seed: int) -> Examination:
    """How much each place is looked at, by the lists whose neighbours changed places by chance."""
    requests = np.repeat(np.arange(len(rows)), np.diff(rows.data.starts))
    showings = Showings(requests, rows.places, rows.data.chosen, rows.propensities)
    return examination_by_swaps(showings, np.random.default_rng(seed))


def weighed(rows: RankingRows, examination: Examination) -> RankingRows:
    """The same, each choice weighed by its place."""
    weights = np.where(rows.data.chosen, weights_of(rows.places, examination), np.float32(1))
    return replace(rows, data=replace(rows.data, weights=weights))


def _is_enough(recipe: Recipe, feed: str, rows: RankingRows) -> bool:
    chosen, least = int(rows.with_choice.sum()), recipe.impressions.min_learned_requests
    if rows.read.pages:
        told = {"with_choice": chosen, "needed": least, "pages": rows.read.sentence}
        _log.info("pages shown", app=recipe.app, feed=feed, **told)
    return chosen >= least


def scores_of(ranker: LearnedRanker, rows: RankingRows) -> Floats:
    """(rows,) what the ranker that serves says of them, some at a time."""
    names, features = rows.data.feature_names, rows.data.features
    columns = [names.index(name) for name in ranker.model.feature_names]
    starts = range(0, len(features), _ROWS_AT_ONCE)
    parts = [ranker.model.scores(features[start : start + _ROWS_AT_ONCE][:, columns]) for start in starts]
    return np.concatenate(parts)
