"""Running: serve, demo, doctor."""

from __future__ import annotations

import os
import shutil
import socket
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from homefeed.cli.common import Json, err, on_store, out, print_json, progress, recipe_of, settings_in_force
from homefeed.errors import HomefeedError, SettingsError
from homefeed.settings import Settings

Host: TypeAlias = Annotated[str | None, typer.Option(help="The address to listen at.")]
Port: TypeAlias = Annotated[int | None, typer.Option(min=0, max=65_535, help="The port to listen at.")]


def register(cli: typer.Typer) -> None:
    """Add these commands."""
    for command in (demo, serve, doctor):
        cli.command()(command)


def serve(
    host: Host = None,
    port: Port = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes; more than one shares events by the store.")] = 1,
) -> None:
    """Serve the apps of the settings over HTTP.

    Example: `homefeed serve --port 8000`
    """
    _serve(settings_in_force(), host, port, workers)


def demo(
    host: Host = None,
    port: Port = None,
    prepare_only: Annotated[
        bool, typer.Option("--prepare-only", help="Generate and train, do not serve.")
    ] = False,
) -> None:
    """Generate sample data, import it, train, and serve: all in one.

    Example: `homefeed demo`
    """
    settings = settings_in_force()
    if not prepare_only:
        _check_port(host or settings.host, settings.port if port is None else port)
    for name in settings.apps:
        _prepare(settings, name)
    if not prepare_only:
        _serve(settings, host, port, 1)


def doctor(as_json: Json = False) -> None:
    """Check the installation, the settings, the store and the models; say what to do where something is wrong.

    Example: `homefeed doctor`
    """
    found = list(_checks())
    if as_json:
        print_json([{"check": check, "ok": ok, "detail": detail} for check, ok, detail in found])
    else:
        for check, ok, detail in found:
            mark = typer.style("ok  ", fg="green") if ok else typer.style("FAIL", fg="red")
            typer.echo(f"{mark} {check}: {detail}")
    if not all(ok for _, ok, _ in found):
        raise typer.Exit(1)


def _serve(settings: Settings, host: str | None, port: int | None, workers: int) -> None:
    import uvicorn

    host, port = host or settings.host, settings.port if port is None else port
    _check_port(host, port)
    if workers > 1:
        os.environ["HOMEFEED_REPLICAS"] = "true"
    err.print(
        f"Serving {', '.join(settings.apps)} at [bold]http://{host}:{port}[/bold] (API: /docs). Ctrl+C ends."
    )
    uvicorn.run(
        "homefeed.server:create_app",
        factory=True,
        host=host,
        port=port,
        workers=workers,
        log_level="warning",
        access_log=False,
    )


def _check_port(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise HomefeedError(
                f"cannot listen at {host}:{port}: {error.strerror}; choose another port: --port {port + 1}"
            ) from None


def _prepare(settings: Settings, name: str) -> None:
    """Fill an app's empty store with its sample, and train where nothing is trained."""
    from homefeed.cli.data import generated, imported
    from homefeed.cli.models import trained
    from homefeed.ingest import find_files, render_report
    from homefeed.serving.models import SIGNALS
    from homefeed.store.artifacts import ArtifactStore

    recipe = recipe_of(name)
    counters = on_store(settings, lambda store: store.counters(recipe.app))
    if counters.item_number:
        err.print(f"{recipe.app}: {counters.item_number:,} items are there already.")
    else:
        folder = settings.home / "sample" / recipe.app
        with progress(False) as report:
            generated(name, folder, report, end=datetime.now(UTC).replace(microsecond=0), dated=True)
        out.print(render_report(imported(settings, recipe, find_files(folder), False)))
    if ArtifactStore(settings.models_folder).current(recipe.app, SIGNALS) is None:
        trained(settings, recipe, False)


def _checks() -> Iterator[tuple[str, bool, str]]:
    yield "python", sys.version_info >= (3, 11), sys.version.split()[0]
    try:
        settings = settings_in_force()
    except SettingsError as error:
        yield "settings", False, str(error)
        return
    yield "settings", True, f"home {settings.home}, apps {', '.join(settings.apps)}"
    try:
        on_store(settings, lambda store: store.counters(""))
        yield "store", True, on_store(settings, _dialect)
    except HomefeedError as error:
        yield "store", False, str(error)
        return
    free = shutil.disk_usage(settings.home if settings.home.exists() else Path()).free / 1e9
    yield "disk", free > 1, f"{free:.1f} GB free"
    for name in settings.apps:
        yield from _app_checks(settings, name)
    try:
        _check_port(settings.host, settings.port)
        yield "port", True, f"{settings.host}:{settings.port} is free"
    except HomefeedError as error:
        yield "port", True, f"in use, perhaps by a running server ({error})"


def _app_checks(settings: Settings, name: str) -> Iterator[tuple[str, bool, str]]:
    from homefeed.serving.models import ModelSet, load_models
    from homefeed.store.artifacts import ArtifactStore
    from homefeed.store.events import totals

    try:
        recipe = recipe_of(name)
    except HomefeedError as error:
        yield f"recipe {name}", False, str(error)
        return
    yield f"recipe {name}", True, f"feeds {', '.join(recipe.feeds)}"
    counts = on_store(settings, lambda store: totals(store, recipe.app, 0))
    has_items = counts.items > 0
    detail = f"{counts.items:,} items, {counts.users:,} users, {counts.events:,} events"
    yield f"data {name}", has_items, detail if has_items else f"no items yet: homefeed import {name} FOLDER"
    models = load_models(recipe, ArtifactStore(settings.models_folder), ModelSet())
    missing = [spec.name for spec in recipe.models if spec.name not in models.loaded]
    refused = [f"{n} {v}: {why}" for n, loaded in models.loaded.items() for v, why in loaded.refused.items()]
    if missing or refused:
        yield (
            f"models {name}",
            False,
            f"{'; '.join(refused) or 'not trained: ' + ', '.join(missing)}; homefeed train {name}",
        )
    else:
        yield f"models {name}", True, ", ".join(models.versions.values())


async def _dialect(store: object) -> str:
    return str(getattr(store, "dialect", ""))
