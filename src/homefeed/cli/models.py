"""Models: train, evaluate."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from homefeed.cli.common import AppName, Json, on_store, out, print_json, progress, recipe_of, settings_in_force
from homefeed.errors import InvalidError

if TYPE_CHECKING:
    from homefeed.evaluate.offline import Evaluation
    from homefeed.recipe import Recipe
    from homefeed.settings import Settings
    from homefeed.store import Store
    from homefeed.train import Trained


def register(cli: typer.Typer) -> None:
    """Add these commands."""
    cli.command()(train)
    cli.command()(evaluate)


def train(app: AppName, as_json: Json = False) -> None:
    """Train and publish every model of an app; a running server takes them over by itself.

    Example: `homefeed train streaming`
    """
    result = trained(settings_in_force(), recipe_of(app), as_json)
    if as_json:
        print_json(asdict(result))
        return
    from rich.table import Table

    table = Table("model", "version", "seconds", title=f"{result.events:,} events of {result.users:,} users")
    for manifest in result.manifests:
        table.add_row(manifest.model, manifest.version, f"{manifest.facts['seconds']:.2f}")
    out.print(table)


def evaluate(
    app: AppName,
    feed: Annotated[str, typer.Option(help="The feed to judge.")] = "home",
    baseline: Annotated[str, typer.Option(help="The feed to compare it with.")] = "popular",
    revealed: Annotated[
        float, typer.Option(min=0, max=1, help="Share of a test user's later events seen before they ask.")
    ] = 0.5,
    users: Annotated[int, typer.Option(min=1, help="At most so many test users.")] = 2_000,
    validation: Annotated[
        bool, typer.Option("--validation", help="Judge on the part before the test: to tune by.")
    ] = False,
    markdown: Annotated[Path | None, typer.Option(help="Write the table to this file, too.")] = None,
    as_json: Json = False,
) -> None:
    """Compare an app's retrievers and its feed with popularity, on events later than those trained on.

    Example: `homefeed evaluate streaming --markdown report.md`
    """
    from homefeed.evaluate.offline import Protocol

    if markdown is not None and not markdown.parent.is_dir():
        raise InvalidError(f"--markdown: no such folder: {markdown.parent}")
    settings, recipe = settings_in_force(), recipe_of(app)
    protocol = Protocol(revealed_share=revealed, most_users=users, validation=validation, seed=settings.seed)
    result = evaluated(settings, recipe, as_json, feed=feed, baseline=baseline, protocol=protocol)
    if markdown is not None:
        markdown.write_text(result.comparison.to_markdown(), encoding="utf-8")
    if as_json:
        print_json(_evaluation_json(result))
        return
    out.print(result.comparison.to_rich())
    out.print(
        f"{result.train_events:,} events to learn from, {result.test_users:,} users asked, "
        f"all {result.items:,} items ranked."
    )


def trained(settings: Settings, recipe: Recipe, quiet: bool) -> Trained:
    """Train an app with a progress bar."""
    from homefeed.serving.clock import Outside
    from homefeed.store.artifacts import ArtifactStore
    from homefeed.train import train_app

    with progress(quiet) as report:
        return on_store(
            settings,
            lambda store: train_app(
                recipe,
                store,
                ArtifactStore(settings.models_folder),
                Outside(),
                seed=settings.seed,
                text_model=settings.text_model,
                progress=report,
            ),
        )


def evaluated(settings: Settings, recipe: Recipe, quiet: bool, **asked: Any) -> Evaluation:
    """Evaluate an app with a progress bar, by the options of `evaluate_app`."""
    from homefeed.engine import with_text_model
    from homefeed.evaluate.offline import evaluate_app
    from homefeed.serving.clock import system_clock
    from homefeed.serving.training import read_log

    with progress(quiet) as report:

        async def work(store: Store) -> Evaluation:
            log = await read_log(
                store,
                recipe,
                now=system_clock(),
                seed=settings.seed,
                progress=lambda done, total: report("reading events", done, total),
            )
            told = with_text_model(recipe, settings.text_model)
            return evaluate_app(told, log.catalog, log.data, progress=report, **asked)

        return on_store(settings, work)


def _evaluation_json(result: Evaluation) -> dict[str, Any]:
    compared: dict[str, Any] = json.loads(result.comparison.to_json())
    facts = {
        "app": result.app,
        "feed": result.feed,
        "protocol": asdict(result.protocol),
        "train_events": result.train_events,
        "test_users": result.test_users,
        "items": result.items,
        "left_out": dict(result.left_out),
    }
    return facts | compared
