"""Training: train."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from homefeed.cli.common import (
    AppName,
    Json,
    budget_of,
    on_store,
    out,
    print_json,
    progress,
    recipe_of,
    settings_in_force,
)
from homefeed.cli.files import (
    DATA,
    RATIO,
    SYNTHETIC,
    OnFiles,
    imported_and_judged,
    judged_json,
    print_judged,
)
from homefeed.cli.on_spark import CONF, ENGINE, INPUT, MASTER, OnSpark, print_rejected
from homefeed.cli.pairs import CLICKS, print_pairs, samples_named, trained_on_pairs
from homefeed.cli.tuning import format_blend, format_model
from homefeed.errors import InvalidError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from homefeed.recipe import Recipe
    from homefeed.settings import Settings
    from homefeed.store.artifacts import Manifest
    from homefeed.train import Budget, Trained


def register(cli: typer.Typer) -> None:
    """Add these commands."""
    cli.command()(train)


def train(
    app: AppName,
    job: Annotated[
        str | None,
        typer.Argument(
            metavar="JOB",
            help="Train only the models of this job, such as hourly, or this one, such as home_ranker.",
        ),
    ] = None,
    clicks: Annotated[Path | None, typer.Option(metavar="PATH", help=CLICKS)] = None,
    data: Annotated[Path | None, typer.Option(metavar="DIR", help=DATA)] = None,
    test_ratio: Annotated[float | None, typer.Option(min=0.01, max=0.9, help=RATIO)] = None,
    synthetic: Annotated[bool, typer.Option("--synthetic", help=SYNTHETIC)] = False,
    tune: Annotated[
        str | None,
        typer.Option(
            metavar="DURATION",
            help="First tune hyper-parameters, for about this long: 90s, 10m, 1.5h; then the feeds' weights.",
        ),
    ] = None,
    trials: Annotated[
        int | None,
        typer.Option(min=1, help="With --tune: maximum trials per model, to repeat a tuning."),
    ] = None,
    untuned: Annotated[
        bool, typer.Option("--untuned", help="Forget the values of an earlier --tune; train with the recipe's.")
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Publish nothing of the learned rankers; tell how they would do."),
    ] = False,
    engine: Annotated[Literal["local", "spark"], typer.Option(help=ENGINE)] = "local",
    spark_master: Annotated[str | None, typer.Option(metavar="URL", help=MASTER)] = None,
    source: Annotated[str | None, typer.Option("--input", metavar="DIR|URL", help=INPUT)] = None,
    spark_conf: Annotated[list[str] | None, typer.Option(metavar="KEY=VALUE", help=CONF)] = None,
    as_json: Json = False,
) -> None:
    """Train and publish every model of an app, or those of a job; a running server loads them by itself.

    One training of an app runs at a time, on whatever machine: a second ends at once with 1, and says which runs.
    A job that was killed goes on where it stopped, if it is run again before it would be due anew.

    With --tune the hyper-parameters that serve the app's own latest events best are chosen first, then the
    half-lives of what the feeds for its goal retrieve by, and their weights. Later trainings keep them until that
    model or feed changes in the recipe, or until --untuned.

    With --engine spark the events are read and the models made by Apache Spark, on this machine or a cluster: of
    more events than one process can hold. What Spark does not make is told, and stays as it was.

    Example: `homefeed train streaming`

    Example: `homefeed train streaming hourly`

    Example: `homefeed train streaming --tune 10m`

    Example: `homefeed train streaming home_ranker --dry-run`

    Example: `homefeed train live --clicks sample/click_samples.parquet`

    Example: `homefeed train live --data sample --test-ratio 0.2`

    Example: `homefeed train live --synthetic`

    Example: `homefeed train shop --engine spark --spark-master spark://host:7077 --input /mnt/shop-days`
    """
    from homefeed.store.artifacts import ArtifactStore

    recipe, settings = recipe_of(app), settings_in_force()
    others = bool(tune or trials or untuned or dry_run)
    on_spark = OnSpark.asked(engine, spark_master, source, spark_conf)
    files = OnFiles(data, synthetic, test_ratio)
    files.check(job, others)
    samples = samples_named(recipe, job, clicks, others)
    if job in samples:
        _tell_pairs(trained_on_pairs(settings, recipe, samples, as_json), as_json)
        return
    if on_spark is not None:
        on_spark.check(alone=not (files or tune or trials or dry_run))
    models = None if job is None else models_of(recipe, job)
    named = job if job in recipe.jobs else None
    if dry_run and (models is None or set(models) - {spec.name for spec in recipe.rankers.values()}):
        known = ", ".join(spec.name for spec in recipe.rankers.values()) or "none is declared"
        raise InvalidError(f"--dry-run is for learned rankers, by name: {known}")
    budget = None if tune is None else budget_of(tune, trials)
    judged = imported_and_judged(settings, recipe, files, as_json) if files else None
    result = trained(
        settings,
        recipe,
        as_json,
        models=models,
        job=named,
        budget=budget,
        keep_tuned=not untuned,
        dry_run=dry_run,
        on_spark=on_spark,
    )
    of_pairs = trained_on_pairs(settings, recipe, samples, as_json)
    if as_json:
        every = [asdict(manifest) for manifest in (*result.manifests, *of_pairs)]
        print_json(asdict(result) | {"manifests": every} | ({} if judged is None else judged_json(*judged)))
        return
    if judged is not None:
        print_judged(*judged)
    _tell(result)
    print_pairs(of_pairs)
    for spec in recipe.pair_models:
        if ArtifactStore(settings.models_folder).current(recipe.app, spec.name) is None:
            told = f"{spec.name}: not trained yet; it learns from click samples: --clicks PATH"
            out.print(told, highlight=False, markup=False)


def _tell(result: Trained) -> None:
    from rich.table import Table

    from homefeed.recipe import BLEND

    table = Table("model", "version", "seconds", title=f"{result.events:,} events of {result.users:,} users")
    for manifest in result.manifests:
        table.add_row(manifest.model, manifest.version, f"{manifest.facts['seconds']:.2f}")
    if result.manifests:
        out.print(table)
    for manifest in result.manifests:
        if manifest.model == BLEND:
            for sentence in format_blend(manifest.facts.get("tuning", {})):
                out.print(sentence, highlight=False, markup=False)
        elif "tuning" in manifest.facts:
            kept = manifest.model in result.kept
            out.print(format_model(manifest.model, manifest.facts["tuning"], kept), highlight=False, markup=False)
    if result.trending is not None:
        out.print(f"trending: {result.trending:,} rows, an item's of an hour each", highlight=False)
    print_rejected(result.rejected)
    for name in result.resumed:
        out.print(f"{name}: made by the run before, which was stopped", highlight=False, markup=False)
    for name, why in (*result.left_out.items(), *result.rankers.items()):
        out.print(f"{name}: {why}", highlight=False, markup=False)


def _tell_pairs(manifests: Sequence[Manifest], as_json: bool) -> None:
    if as_json:
        print_json({"manifests": [asdict(manifest) for manifest in manifests]})
    else:
        print_pairs(manifests)


def model_names(recipe: Recipe) -> list[str]:
    """Every model that an app can have."""
    from homefeed.recipe import BLEND, EXPOSURES, SIGNALS

    counts = [EXPOSURES] if recipe.counts_exposures else []
    declared = (*recipe.models, *recipe.pair_models, *recipe.rankers.values())
    return [*(spec.name for spec in declared), BLEND, *counts, SIGNALS]


def models_named(recipe: Recipe) -> list[str]:
    """The models that can be trained by name alone.

    What was shown is counted with the signals, and what learns from click samples needs their file.
    """
    from homefeed.recipe import EXPOSURES, TRENDING

    others = {EXPOSURES, *(spec.name for spec in recipe.pair_models)}
    view = [TRENDING] if recipe.keeps_trending else []
    return [*(name for name in model_names(recipe) if name not in others), *view]


def models_of(recipe: Recipe, name: str) -> Sequence[str]:
    """The models of the job of that name, or the model of that name.

    Raises:
        NotFoundError: there is neither.
    """
    if name in recipe.jobs:
        return recipe.job(name).models
    known = models_named(recipe)
    if name not in known:
        raise NotFoundError(
            f'no job or model "{name}" in {recipe.app}; the jobs are: {", ".join(recipe.jobs)}; '
            f"the models are: {', '.join(known)}"
        )
    return [name]


def trained(
    settings: Settings,
    recipe: Recipe,
    quiet: bool,
    *,
    models: Sequence[str] | None = None,
    job: str | None = None,
    budget: Budget | None = None,
    keep_tuned: bool = True,
    dry_run: bool = False,
    on_spark: OnSpark | None = None,
) -> Trained:
    """Train an app with a progress bar, here or on Spark.

    Raises:
        RecipeError: a server would refuse the recipe.
    """
    from homefeed.engine import check_feeds, text_model_of
    from homefeed.environment import Environment
    from homefeed.store.artifacts import ArtifactStore
    from homefeed.train import train_app

    check_feeds(recipe)
    if on_spark is not None:
        return on_spark.trained(settings, recipe, quiet, models=models, job=job, keep_tuned=keep_tuned)
    with progress(quiet) as report:
        return on_store(
            settings,
            lambda store: train_app(
                recipe,
                store,
                ArtifactStore(settings.models_folder),
                Environment(),
                models=models,
                job=job,
                seed=settings.seed,
                text_model=text_model_of(settings.text_model),
                budget=budget,
                keep_tuned=keep_tuned,
                dry_run=dry_run,
                progress=report,
            ),
        )
