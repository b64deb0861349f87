"""Models: train."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from homefeed.cli.common import AppName, Json, on_store, out, print_json, progress, recipe_of, settings_in_force

if TYPE_CHECKING:
    from homefeed.recipe import Recipe
    from homefeed.settings import Settings
    from homefeed.train import Trained


def register(cli: typer.Typer) -> None:
    """Add these commands."""
    cli.command()(train)


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
