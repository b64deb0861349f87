"""Training: the log is read once, and all or some models of the recipe are fitted and published one by one."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import structlog

from homefeed.dataset.log import LogData, read_log
from homefeed.engine import can_do_without, fit_model, fit_signals, prepare, with_text_model
from homefeed.environment import Environment
from homefeed.errors import HomefeedError
from homefeed.recipe import BLEND, SIGNALS, TRENDING, Recipe
from homefeed.store import Store
from homefeed.store.artifacts import ArtifactStore, Manifest
from homefeed.store.job_runs import BY_HAND
from homefeed.train.blend import made_for, new_blend
from homefeed.train.lease import Progress, Rhythm, Turn, taking_turn
from homefeed.train.publishing import Before, Fit, Publisher, stopped_before
from homefeed.train.rankers import FoundRanker, find_ranker, publish_rankers
from homefeed.train.ranking import judged_ranker
from homefeed.train.search import Budget
from homefeed.train.settings import divided
from homefeed.train.steps import chosen_names, exposures_fit, kept_tunings, only, refresh_view
from homefeed.train.tune import Tuning, tune, with_tuned

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Trained:
    """What a training run produced, and from how much data."""

    app: str
    users: int
    items: int
    events: int
    seconds: float
    manifests: tuple[Manifest, ...]
    kept: tuple[str, ...] = ()
    """The models whose tuned values are from an earlier training."""
    rankers: Mapping[str, str] = field(default_factory=dict)
    """By learned ranker, whether it was published, and why."""
    left_out: Mapping[str, str] = field(default_factory=dict)
    """Models that were not trained, for others stand in for them, and why they could not be."""
    resumed: tuple[str, ...] = ()
    """What an earlier run of the job made before it was stopped: it was not made again."""
    trending: int | None = None
    """How many rows the trending view has, one for each item and hour; None where it was not refreshed."""
    rejected: Mapping[str, int] = field(default_factory=dict)
    """By reason, how many rows of the input are no events to train on: told where it is read by Spark."""


async def train_app(
    recipe: Recipe,
    store: Store,
    artifacts: ArtifactStore,
    environment: Environment,
    *,
    models: Sequence[str] | None = None,
    job: str | None = None,
    seed: int = 0,
    text_model: str | None = None,
    budget: Budget | None = None,
    keep_tuned: bool = True,
    dry_run: bool = False,
    progress: Progress | None = None,
    rhythm: Rhythm | None = None,
) -> Trained:
    """Train and publish an app's models: every one, or those of `models` or a `job`; the others stay as they are.

    `models` are names of the recipe's models, "blend", "signals" or "trending". `progress` is called with (stage,
    done, all). `text_model` is for models that can use one, if their recipe names none. With a `budget`
    hyper-parameters are tuned first, see `tune`, and then the numbers of retrievers and the weights of the blend.
    Later trainings, and tunings that find nothing better, keep the tuned values as long as the model, or what the
    feed is made of, is the same in the recipe, unless `keep_tuned` is false. A model that others stand in for is
    left out where what it needs is not installed, unless it is the only one to train. A job goes on where the run
    before it was stopped: see `stopped_before`.

    Raises:
        NotFoundError: the recipe has no such model or job.
        LeaseHeldError: another training of this app is running, on this machine or another.
        LeaseLostError: the lease ended before the work did, as where the machine slept; the rest is not published.
        HomefeedError: there is nothing to train on.
    """
    spec = None if job is None else recipe.job(job)
    names = chosen_names(recipe, models if spec is None else spec.models)
    started = time.perf_counter()
    folder = artifacts.root / recipe.app
    artifacts.require_folders(recipe.app)
    taking = taking_turn(
        store, folder, recipe.app, job or BY_HAND, environment, progress=progress or _silence, rhythm=rhythm
    )
    async with taking as turn:
        plain = budget is None and keep_tuned and not dry_run
        before = Before(artifacts, recipe.app)
        if spec is not None and plain:
            before = await stopped_before(store, artifacts, turn, spec)
        trained = Trained(recipe.app, 0, 0, 0, 0.0, ())
        of_log = [name for name in names if name != TRENDING]
        if of_log:
            asked = _Asked(of_log, seed, budget, keep_tuned, dry_run, before)
            configured = with_text_model(recipe, text_model)
            trained = await _train(configured, store, artifacts, environment, turn, asked)
        if TRENDING in names:
            trained = replace(trained, trending=await refresh_view(recipe, store, environment, turn))
    return replace(trained, seconds=time.perf_counter() - started)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What to train of the log, and how."""

    names: Sequence[str]
    seed: int
    budget: Budget | None
    keep_tuned: bool
    dry_run: bool
    before: Before


async def _train(
    recipe: Recipe,
    store: Store,
    artifacts: ArtifactStore,
    environment: Environment,
    turn: Turn,
    asked: _Asked,
) -> Trained:
    names, before, report = asked.names, asked.before, turn.report
    log = await _read(recipe, store, environment, turn, asked.seed)
    tuned = kept_tunings(recipe, artifacts) if asked.keep_tuned else {}
    left_out = {} if len(names) == 1 else can_do_without(recipe)
    chosen = only(recipe, [name for name in names if name not in left_out])
    kept = set(tuned)
    of_models, of_retrievers = (None, None) if asked.budget is None else divided(asked.budget)
    if of_models is not None:
        found = tune(chosen, log.catalog, log.data, of_models, report, blend=BLEND in names)
        better = {each.model: each for each in found if each.changed or each.model not in tuned}
        tuned, kept = tuned | better, kept - set(better)
    *fits, count = _fits(chosen, log, tuned, report)
    every = with_tuned(recipe, tuned.values())
    feeds = {feed: spec.name for feed, spec in recipe.rankers.items() if spec.name in names}
    there = _made_before(every, before, names, fits, feeds.values())
    if BLEND in names and BLEND not in there:
        once = {"keep_tuned": asked.keep_tuned, "at_once": set(names) == {BLEND}}
        fits += _blend_fit(every, log, artifacts, report, of_retrievers, **once)
    if SIGNALS in names and recipe.counts_exposures:
        fits.append(await exposures_fit(recipe, store, artifacts, log.data.now, log.watermark, report))
    # Signals come last: a server may see new models with old counters for a moment, never the reverse.
    fits += [count] if SIGNALS in names else []
    publisher = Publisher(artifacts, turn, log.data, log.watermark)
    rest = log if feeds else None
    del log  # the catalogue is needed no more: of a million items a third of a gigabyte
    manifests = [await publisher.publish(fit) for fit in fits if fit.name not in there]
    rankers: dict[str, str] = {}
    if rest is not None:
        left = [feed for feed, name in feeds.items() if name not in there]
        judged = [await _ranker(every, feed, rest, store, artifacts, report) for feed in left]
        rankers = {each.name: each.told(dry_run=asked.dry_run) for each in judged}
        manifests += [] if asked.dry_run else await publish_rankers(judged, publisher)
    read = publisher.data.user_count, publisher.data.item_count, len(publisher.data.interactions)
    of_before = tuple(spec.name for spec in chosen.models if spec.name in kept)
    without = {name: why for name, why in left_out.items() if name in names}
    return Trained(recipe.app, *read, 0.0, tuple(manifests), of_before, rankers, without, tuple(there))


def _made_before(
    recipe: Recipe, before: Before, names: Sequence[str], fits: Sequence[Fit], rankers: Iterable[str]
) -> list[str]:
    """What the runs that were stopped made of what is to be made; signals are counted anew."""
    there = [fit.name for fit in fits if before.has_published(fit.name, fit.part, fit.config)]
    there += [BLEND] if BLEND in names and before.has_published(BLEND, BLEND, made_for(recipe)) else []
    return there + [name for name in rankers if before.has_judged(name)]


async def _read(recipe: Recipe, store: Store, environment: Environment, turn: Turn, seed: int) -> LogData:
    reading = partial(turn.report, "reading events")
    log = await read_log(store, recipe, now=environment.clock(), seed=seed, progress=reading)
    if not log.catalog.size:
        raise HomefeedError(f"{recipe.app} has no items yet; import some first: homefeed import --help")
    return log


async def _ranker(
    recipe: Recipe, feed: str, log: LogData, store: Store, artifacts: ArtifactStore, report: Progress
) -> FoundRanker:
    """The learned ranker of a feed, and what was found of it."""
    judge = partial(judged_ranker, recipe, feed, log, store, artifacts, progress=report)
    return await find_ranker(recipe, feed, judge)


def _fits(recipe: Recipe, log: LogData, tuned: Mapping[str, Tuning], report: Progress) -> list[Fit]:
    """The models of the recipe, and the signals."""
    prepared = prepare(recipe, log.data)
    fits = []
    for spec in with_tuned(recipe, tuned.values()).models:
        facts = tuned[spec.name].facts if spec.name in tuned else None
        run = partial(fit_model, spec, prepared.data, partial(report, f"training {spec.name}"))
        fits.append(Fit(spec.name, spec.part, spec.config.model_dump(), run, facts))
    count = partial(fit_signals, recipe, prepared, log.watermark)
    return [*fits, Fit(SIGNALS, SIGNALS, recipe.signals.model_dump(), count)]


def _blend_fit(
    recipe: Recipe, log: LogData, artifacts: ArtifactStore, report: Progress, tune: Budget | None, **how: bool
) -> list[Fit]:
    """The blend of feeds that are made of all models of the recipe, where it is to be made."""
    began = time.perf_counter()
    try:
        made = new_blend(recipe, log, artifacts, progress=report, tune=tune, **how)
    except Exception as error:  # a part that fails at a replayed request must not stop the training of the others
        if how["at_once"] or tune is not None:
            raise
        _log.error(
            "blend not made, the one before stays", app=recipe.app, error=f"{type(error).__name__}: {error}"
        )
        return []
    if made is None:
        return []
    took = time.perf_counter() - began
    return [Fit(BLEND, BLEND, made_for(recipe), lambda: made.blend, made.facts or None, took)]


def _silence(_stage: str, _done: int, _total: int) -> None:
    pass
