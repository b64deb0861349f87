"""Training on Spark: the log is read once there, and models are published one by one, as by one machine."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from pyspark.sql import SparkSession

from homefeed.catalog import CatalogView
from homefeed.dataset.export_folder import Export, export_app
from homefeed.dataset.log import read_catalog
from homefeed.engine import can_do_without, with_text_model
from homefeed.environment import Environment
from homefeed.errors import HomefeedError
from homefeed.recipe import BLEND, SIGNALS, TRENDING, PartSpec, Recipe
from homefeed.store import Store
from homefeed.store.artifacts import ArtifactStore
from homefeed.store.job_runs import BY_HAND
from homefeed.train.jobs import Trained
from homefeed.train.lease import Progress, Rhythm, Turn, taking_turn
from homefeed.train.publishing import Before, Fit, Publisher, stopped_before
from homefeed.train.spark.apart import fit_on_spark
from homefeed.train.spark.data import NO_EVENTS
from homefeed.train.spark.failures import plainly
from homefeed.train.spark.inputs import open_input, without_password
from homefeed.train.spark.rankers import RankersOnSpark
from homefeed.train.spark.reading import events_of, read_ids
from homefeed.train.spark.signals import fit_signals_on_spark
from homefeed.train.spark.strengths import SparkPrepared, prepared_on_spark
from homefeed.train.spark.trainers import lacking, spark_trainer
from homefeed.train.steps import chosen_names, exposures_fit, kept_tunings, only, refresh_view
from homefeed.train.tune import Tuning, with_tuned
from homefeed.types import TrainingData

ENGINE: Final = "spark"


@dataclass(frozen=True, slots=True)
class _Asked:
    """What to train, of which events, and how."""

    names: Sequence[str]
    source: str | None
    seed: int
    keep_tuned: bool
    before: Before


async def train_on_spark(
    recipe: Recipe,
    store: Store,
    artifacts: ArtifactStore,
    environment: Environment,
    spark: SparkSession,
    source: str | None = None,
    *,
    models: Sequence[str] | None = None,
    job: str | None = None,
    seed: int = 0,
    text_model: str | None = None,
    keep_tuned: bool = True,
    progress: Progress | None = None,
    rhythm: Rhythm | None = None,
) -> Trained:
    """Train and publish an app's models on Spark, with the same lease, manifests and order as `train_app`.

    The events are those of `source`: see `open_input`; without one, the store's, exported to a temporary folder
    that Spark's workers must see. Users and items are the store's. A model that has no trainer on Spark is left
    out, and the one before stays.

    Raises:
        NotFoundError: the recipe has no such model or job.
        LeaseHeldError: another training of this app is running, on this machine or another.
        LeaseLostError: the lease ended before the work did; the rest is not published.
        DataError: the events cannot be read.
        HomefeedError: there is nothing to train on, or Spark failed.
    """
    spec = None if job is None else recipe.job(job)
    names = chosen_names(recipe, models if spec is None else spec.models)
    started = time.perf_counter()
    artifacts.require_folders(recipe.app)
    report = progress or (lambda _stage, _done, _total: None)
    folder, of = artifacts.root / recipe.app, job or BY_HAND
    async with taking_turn(store, folder, recipe.app, of, environment, progress=report, rhythm=rhythm) as turn:
        before = Before(artifacts, recipe.app)
        if spec is not None and keep_tuned:
            before = await stopped_before(store, artifacts, turn, spec)
        trained = Trained(recipe.app, 0, 0, 0, 0.0, ())
        if of_log := [name for name in names if name != TRENDING]:
            asked = _Asked(of_log, source, seed, keep_tuned, before)
            configured = with_text_model(recipe, text_model)
            with plainly("the export" if source is None else without_password(source)):
                trained = await _train(configured, store, artifacts, environment, spark, turn, asked)
        if TRENDING in names:
            trained = replace(trained, trending=await refresh_view(recipe, store, environment, turn))
    return replace(trained, seconds=time.perf_counter() - started)


async def _train(
    recipe: Recipe,
    store: Store,
    artifacts: ArtifactStore,
    environment: Environment,
    spark: SparkSession,
    turn: Turn,
    asked: _Asked,
) -> Trained:
    now = environment.clock()
    catalog = await read_catalog(store, recipe)
    if not catalog.size:
        raise HomefeedError(f"{recipe.app} has no items yet; import some first: homefeed import --help")
    tuned = kept_tunings(recipe, artifacts) if asked.keep_tuned else {}
    feeds = {feed: spec.name for feed, spec in recipe.rankers.items() if spec.name in asked.names}
    with TemporaryDirectory(prefix="homefeed-") as folder:
        source = asked.source or await _exported(store, recipe, Path(folder) / "export", now, turn, bool(feeds))
        until = (await store.watermarks(recipe.app)).event_seq
        ids = await read_ids(store, recipe, catalog)
        turn.report("reading events", 0, 1)
        found = open_input(spark, source, recipe, until)
        watermark = until if found.event_seq is None else found.event_seq
        about = _about(catalog, now, asked.seed)
        del catalog  # of a million items a third of a gigabyte
        with (
            events_of(spark, found, ids, recipe, now) as read,
            prepared_on_spark(recipe, read.frame, about) as made,
        ):
            turn.report("reading events", 1, 1)
            facts = {"events": read.count, "engine": ENGINE}
            publisher = Publisher(artifacts, turn, made.data.about, watermark, facts)
            trained = await _publish(recipe, store, publisher, made, tuned, asked)
            trained = replace(trained, events=read.count, rejected=read.left_out)
        rankers = RankersOnSpark(with_tuned(recipe, tuned.values()), feeds, found, ids, asked.seed)
        return await rankers.add_to(trained, publisher, asked.before)


async def _publish(
    recipe: Recipe,
    store: Store,
    publisher: Publisher,
    made: SparkPrepared,
    tuned: dict[str, Tuning],
    asked: _Asked,
) -> Trained:
    """Fit and publish what Spark can fit: signals last, so that a server sees no new counters with old models."""
    names, about = asked.names, made.data.about
    rankers = {spec.name for spec in recipe.rankers.values()}
    without = {} if len(names) == 1 else can_do_without(recipe)
    chosen = only(recipe, [name for name in names if name not in without])
    every, spark = with_tuned(chosen, tuned.values()).models, made.data.events.sparkSession
    without = {**without, **{spec.name: why for spec in every if (why := lacking(spec, spark))}}
    fits = [_fit(spec, made, tuned) for spec in every if spec.name not in without and spark_trainer(spec)]
    made_here = {fit.name for fit in fits}
    if SIGNALS in names:
        if recipe.counts_exposures:
            told = about.now, publisher.watermark, publisher.turn.report
            fits.append(await exposures_fit(recipe, store, publisher.artifacts, *told))
        count = partial(fit_signals_on_spark, recipe, made, publisher.watermark)
        fits.append(Fit(SIGNALS, SIGNALS, recipe.signals.model_dump(), count))
    there = [
        fit.name
        for fit in fits
        if fit.name != SIGNALS and asked.before.has_published(fit.name, fit.part, fit.config)
    ]
    manifests = [await publisher.publish(fit) for fit in fits if fit.name not in there]
    left_out = {name: why for name, why in without.items() if name in names}
    for name in names:
        if name not in {*made_here, *left_out, *rankers, SIGNALS}:
            left_out[name] = _elsewhere(recipe.app, name)
    kept = tuple(spec.name for spec in chosen.models if spec.name in tuned and spec.name in made_here)
    sizes = about.user_count, about.item_count, 0
    return Trained(recipe.app, *sizes, 0.0, tuple(manifests), kept, {}, left_out, tuple(there))


def _fit(spec: PartSpec, made: SparkPrepared, tuned: dict[str, Tuning]) -> Fit:
    trainer = spark_trainer(spec)
    assert trainer is not None  # noqa: S101
    facts = tuned[spec.name].facts if spec.name in tuned else None
    run = partial(fit_on_spark, spec.name, trainer, made.data)
    return Fit(spec.name, spec.part, spec.config.model_dump(), run, facts)


def _elsewhere(app: str, name: str) -> str:
    kind = "is made" if name == BLEND else "is trained"
    return f"{kind} on one machine: homefeed train {app} {name}; until then the one before serves"


async def _exported(
    store: Store, recipe: Recipe, folder: Path, now: int, turn: Turn, with_impressions: bool
) -> str:
    export = Export(("events", "impressions") if with_impressions else ("events",), "parquet", by_day=True)
    await export_app(store, recipe, folder, export, now=now, progress=turn.report)
    return str(folder)


def _about(catalog: CatalogView, now: int, seed: int) -> TrainingData:
    """What is known without the events."""
    return TrainingData(
        NO_EVENTS,
        0,
        catalog.numbers.copy(),
        catalog.all_terms(),
        now,
        seed,
        partitions=catalog.partitions(),
    )
