"""Running: serve, demo, doctor."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TypeAlias

import typer

from homefeed.cli.common import Json, err, on_store, out, print_json, progress, recipe_of, settings_in_force
from homefeed.errors import HomefeedError, SettingsError

if TYPE_CHECKING:
    from homefeed.recipe import Recipe
    from homefeed.settings import Settings
    from homefeed.store import Store

_MAX_NAMED = 20
_OTHER_FILES = 256
_WORKER_SECONDS = 60
_LEAST_URGENT = 19

Host: TypeAlias = Annotated[str | None, typer.Option(help="The address to listen on.")]
Port: TypeAlias = Annotated[int | None, typer.Option(min=0, max=65_535, help="The port to listen on.")]


def register(cli: typer.Typer) -> None:
    """Add these commands."""
    for command in (demo, serve, doctor):
        cli.command()(command)
    cli.command("compile")(compile_kernels)


def serve(
    host: Host = None,
    port: Port = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes; several share events through the store.")] = 1,
) -> None:
    """Serve the apps of the settings over HTTP.

    Example: `homefeed serve --port 8000`
    """
    _serve(settings_in_force(), host, port, workers)


def demo(
    host: Host = None,
    port: Port = None,
    prepare_only: Annotated[
        bool, typer.Option("--prepare-only", help="Generate and train, but do not serve.")
    ] = False,
    learn_only: Annotated[
        bool, typer.Option("--learn-only", help="Train learned rankers that were not judged yet.", hidden=True)
    ] = False,
) -> None:
    """Generate sample data, import it, train, and serve: all in one.

    Example: `homefeed demo`
    """
    settings = settings_in_force()
    if prepare_only:
        for name in settings.apps:
            _prepare(settings, name)
        _compile()
        return
    if learn_only:
        _learn(settings)
        return
    _free_port(host or settings.host, settings.port if port is None else port)
    _prepare_apart()
    with _learning_beside():
        _serve(settings, host, port, 1)


def compile_kernels() -> None:
    """Compile what serving the ready-made apps needs, and keep it on disk: for whoever makes an image.

    It is kept in the folder that NUMBA_CACHE_DIR names, else beside the package or in the user's cache.

    Example: `homefeed compile`
    """
    from homefeed.apps import built_in

    for name in built_in():
        recipe_of(name)
    _compile()


def doctor(as_json: Json = False) -> None:
    """Check the installation, the settings, the store and the models; print what to do where something is wrong.

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

    from homefeed.api.connections import Connection, Limits
    from homefeed.apps import find_recipes

    # Errors that would stop the server are reported before it starts.
    recipes = find_recipes(settings.apps, settings.recipes).values()
    on_store(settings, lambda store: _build(settings, store, recipes))
    host = host or settings.host
    port = _free_port(host, settings.port if port is None else port)
    _allow_files(settings.max_connections)
    os.environ["HOMEFEED_HOST"] = host
    if workers > 1:
        os.environ["HOMEFEED_REPLICAS"] = "true"
    typer.echo(f"Serving {', '.join(settings.apps)} at http://{host}:{port} (API: /docs). Ctrl+C ends.", err=True)
    uvicorn.run(
        "homefeed.server:create_app",
        factory=True,
        host=host,
        port=port,
        workers=workers,
        log_level="warning",
        access_log=False,
        server_header=False,
        http=partial(Connection, Limits(settings.max_connections, settings.receive_seconds)),  # type: ignore[arg-type]
        ws="none",
        timeout_graceful_shutdown=settings.shutdown_seconds,
        # A worker answers nothing while it compiles, which is no reason to start it anew.
        timeout_worker_healthcheck=_WORKER_SECONDS,
    )


def _allow_files(connections: int) -> None:
    """Have as many files open as the connections take, and what else a server opens."""
    if sys.platform == "win32":
        return
    import resource

    needed = connections + _OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise SettingsError(
            f"setting max_connections: {connections} connections need {needed} open files, and the system allows "
            f"{hard}; raise its limit (ulimit -n) or lower the setting"
        )
    if soft != resource.RLIM_INFINITY and soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


def _free_port(host: str, port: int) -> int:
    """The port, if it is free; any free one for port 0."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise HomefeedError(
                f"cannot listen at {host}:{port}: {error.strerror}; choose another --port or --host"
            ) from None
        return int(probe.getsockname()[1])


_APART: Final = (sys.executable, "-P", "-c", "from homefeed.cli import main; main()", "demo")
"""In a process of its own: memory that training took would stay with the server's."""


def _prepare_apart() -> None:
    # It says itself what went wrong.
    status = subprocess.run([*_APART, "--prepare-only"], check=False).returncode  # noqa: S603  # constants, no input
    if status:
        raise typer.Exit(status if status > 0 else 128 - status)


@contextmanager
def _learning_beside() -> Iterator[None]:
    """Have rankers learn while the server answers, which takes them over by itself: nobody need wait for them."""
    command = [*_APART, "--learn-only"]
    learning = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)  # noqa: S603
    try:
        yield
    finally:
        learning.terminate()
        learning.wait()


def _learn(settings: Settings) -> None:
    """Train the learned rankers that were not judged yet, as long as there is a server to take them over."""
    from homefeed.cli.models import trained
    from homefeed.store.verdicts import verdicts_of

    _end_with(os.getppid())
    if hasattr(os, "nice"):
        os.nice(_LEAST_URGENT)
    for name in settings.apps:
        recipe = recipe_of(name)
        rankers = [spec.name for spec in recipe.rankers.values()]
        due = [each for each in rankers if not verdicts_of(settings.models_folder, recipe.app, each)]
        if due:
            trained(settings, recipe, True, models=due)


def _end_with(parent: int) -> None:
    """End this process once that one is gone."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _compile() -> None:
    """Compile what serving needs and keep it on disk: a server that loads it holds 180 MB less than a compiler."""
    from homefeed.kernels import warm_up  # the recipes' parts, which hold the kernels, are imported by now

    warm_up()


def _prepare(settings: Settings, name: str) -> None:
    """Fill an app's empty store with its sample, and train where there are no models."""
    from datetime import UTC, datetime

    from homefeed.cli.data import generated, imported
    from homefeed.cli.models import models_named, trained
    from homefeed.cli.pairs import print_pairs, trained_on_pairs
    from homefeed.ingest import find_files, render_report
    from homefeed.recipe import SIGNALS
    from homefeed.store.artifacts import ArtifactStore
    from homefeed.train.pairs import samples_in

    recipe = recipe_of(name)
    counters = on_store(settings, lambda store: store.watermarks(recipe.app))
    folder = settings.home / "sample" / recipe.app
    interrupted = folder.is_dir() and on_store(settings, lambda store: _is_interrupted(store, recipe))
    if counters.item_number and not interrupted:
        err.print(f"{recipe.app}: {counters.item_number:,} items are already there.")
    else:
        if not interrupted:
            with progress(False) as report:
                generated(name, folder, report, end=datetime.now(UTC).replace(microsecond=0), dated=True)
        out.print(render_report(imported(settings, recipe, find_files(folder, recipe.sources), False)))
    if ArtifactStore(settings.models_folder).current(recipe.app, SIGNALS) is None:
        # Rankers learn while the server answers.
        rankers = {spec.name for spec in recipe.rankers.values()}
        trained(settings, recipe, False, models=[name for name in models_named(recipe) if name not in rankers])
        print_pairs(trained_on_pairs(settings, recipe, samples_in(folder, recipe.pair_models), False))


async def _is_interrupted(store: Store, recipe: Recipe) -> bool:
    """Whether the app's last import was interrupted: it can be repeated."""
    from homefeed.store.reports import list_reports

    last = await list_reports(store, recipe.app, limit=1)
    return bool(last) and not last[0].report["finished"]


def _checks() -> Iterator[tuple[str, bool, str]]:
    yield "python", sys.version_info >= (3, 11), sys.version.split()[0]
    try:
        settings = settings_in_force()
    except SettingsError as error:
        yield "settings", False, str(error)
        return
    yield "settings", True, f"home {settings.home}, apps {', '.join(settings.apps)}"
    try:
        yield "store", True, on_store(settings, _dialect)
    except HomefeedError as error:
        yield "store", False, str(error)
        return
    if settings.redis_address is not None:
        yield "redis", *_redis_check(settings)
    free = shutil.disk_usage(settings.home if settings.home.exists() else Path()).free / 1e9
    yield "disk", free > 1, f"{free:.1f} GB free"
    for name in settings.apps:
        yield from _app_checks(settings, name)
    yield from _recipe_settings_checks(settings)
    try:
        _free_port(settings.host, settings.port)
        yield "port", True, f"{settings.host}:{settings.port} is free"
    except HomefeedError as error:
        yield "port", True, f"in use, perhaps by a running server ({error})"


def _redis_check(settings: Settings) -> tuple[bool, str]:
    """Whether the Redis that replicas share answers; its address may hold a password, so that it is not told."""
    from homefeed.serving.features.opening import open_features

    async def trouble() -> str | None:
        async with open_features(settings) as store:
            return store.trouble

    try:
        why = asyncio.run(trouble())
    except SettingsError as error:
        return False, str(error)
    return why is None, "what replicas share is there" if why is None else f"requests go on without it: {why}"


def _recipe_settings_checks(settings: Settings) -> Iterator[tuple[str, bool, str]]:
    """Settings of recipes without effect, such as those of an app that is not served."""
    served = set()
    for name in settings.apps:
        with suppress(HomefeedError):
            served.add(recipe_of(name).app)
    for app in settings.recipes:
        if app not in served:
            yield f"recipes.{app}", True, f"no effect: the setting apps has no {app}"


def _app_checks(settings: Settings, name: str) -> Iterator[tuple[str, bool, str]]:
    from homefeed.store.events import totals

    try:
        recipe = recipe_of(name)
        on_store(settings, lambda store: _build(settings, store, [recipe]))
    except HomefeedError as error:
        yield f"recipe {name}", False, str(error)
        return
    yield f"recipe {name}", True, f"feeds {', '.join(recipe.feeds)}"
    counts = on_store(settings, lambda store: totals(store, recipe.app, 0))
    has_items = counts.items > 0
    detail = f"{counts.items:,} items, {counts.users:,} users, {counts.events:,} events"
    yield f"data {name}", has_items, detail if has_items else f"no items yet: homefeed import {name} FOLDER"
    yield f"rows {name}", *_row_check(settings, recipe)
    yield f"models {name}", *_model_check(settings, recipe, name)


def _row_check(settings: Settings, recipe: Recipe) -> tuple[bool, str]:
    """Whether every row of the store can be read and applied: others are set aside, and served without."""
    from homefeed.dataset.log import find_set_aside

    found = on_store(settings, lambda store: find_set_aside(store, recipe))
    named = [f'{kind} "{name}": {why}' for kind, rows in found.items() for name, why in rows.items()]
    if not named:
        return True, "all can be read"
    more = f"; and {len(named) - _MAX_NAMED:,} more" if len(named) > _MAX_NAMED else ""
    return False, f"set aside: {'; '.join(named[:_MAX_NAMED])}{more}; write them anew or delete them over HTTP"


def _model_check(settings: Settings, recipe: Recipe, name: str) -> tuple[bool, str]:
    """Whether every model serves.

    The blend may be missing, for training makes none of few events, learned rankers that are no better, and what
    learns from click samples, which not everybody has. So may a model that others stand in for where what its
    training needs is not installed.
    """
    from homefeed.engine import can_do_without
    from homefeed.recipe import BLEND
    from homefeed.serving.models import ModelSet, load_models
    from homefeed.store.artifacts import ArtifactStore

    artifacts = ArtifactStore(settings.models_folder)
    try:
        artifacts.require_folders(recipe.app)
    except HomefeedError as error:
        return False, str(error)
    models = load_models(recipe, artifacts, ModelSet())
    optional = (spec.name for spec in (*recipe.rankers.values(), *recipe.pair_models))
    found = {*can_do_without(recipe), *models.loaded, *models.degraded, BLEND, *optional}
    missing = [model for model in models.wanted if model not in found]
    wrong = [f"not trained: {', '.join(missing)}"] if missing else []
    wrong += [f"{model}: {why}" for model, why in models.degraded.items()]
    if wrong:
        return False, f"{'; '.join(wrong)}; homefeed train {name}"
    return True, ", ".join(f"{model} {version}" for model, version in models.versions.items())


async def _build(settings: Settings, store: Store, recipes: Iterable[Recipe]) -> None:
    """Build the feeds, which finds errors that reading a recipe does not."""
    from homefeed.serving import live_app

    for recipe in recipes:
        live_app(recipe, store, settings)


async def _dialect(store: Store) -> str:
    return store.dialect
