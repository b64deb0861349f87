"""Running: serve, compile."""

from __future__ import annotations

import errno
import os
import socket
import sys
from functools import partial
from typing import TYPE_CHECKING, Annotated, Final, TypeAlias

import typer

from homefeed.cli.common import err, on_store, recipe_of, settings_in_force
from homefeed.errors import HomefeedError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from homefeed.recipe import Recipe
    from homefeed.settings import Settings
    from homefeed.store import Store

_OTHER_FILES: Final = 256
_WORKER_SECONDS: Final = 60

Host: TypeAlias = Annotated[str | None, typer.Option(help="The address to listen on.")]
Insecure: TypeAlias = Annotated[
    bool, typer.Option("--insecure", help="Listen at any address without a key: whoever reaches it may do all.")
]
Port: TypeAlias = Annotated[
    int | None, typer.Option(min=0, max=65_535, help="The port to listen on; by default that of HOMEFEED_PORT.")
]


def register(cli: typer.Typer) -> None:
    """Add these commands."""
    cli.command()(serve)
    cli.command("compile")(compile_kernels)


def serve(
    host: Host = None,
    port: Port = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes; several share events through the store.")] = 1,
    insecure: Insecure = False,
) -> None:
    """Serve the apps of the settings over HTTP.

    Example: `homefeed serve --port 8000`
    """
    serve_apps(settings_in_force(), host, port, workers, insecure)


def compile_kernels() -> None:
    """Compile what serving the ready-made apps needs, and keep it on disk: for whoever makes an image.

    It is kept in the folder that NUMBA_CACHE_DIR names, else beside the package or in the user's cache.

    Example: `homefeed compile`
    """
    from homefeed.apps import built_in

    for name in built_in():
        recipe_of(name)
    warm_up()


def serve_apps(
    settings: Settings, host: str | None, port: int | None, workers: int, insecure: bool = False
) -> None:
    """Serve the apps of the settings until the process is told to end."""
    import uvicorn

    from homefeed.api.connections import Connection, Limits
    from homefeed.apps import find_recipes
    from homefeed.engine import check_feeds
    from homefeed.log import configure_logging

    # Errors that would stop the server are reported before it starts.
    recipes = list(find_recipes(settings.apps, settings.recipes).values())
    for recipe in recipes:
        check_feeds(recipe)
    empty = on_store(settings, lambda store: _without_items(store, recipes))
    host = host or settings.host
    _require_key(settings, host, insecure or settings.insecure)
    port = free_port(host, settings.port if port is None else port)
    _tell_what_is_missing(settings, recipes, empty)
    _allow_files(settings.max_connections)
    os.environ["HOMEFEED_HOST"] = host
    if insecure:
        os.environ["HOMEFEED_INSECURE"] = "true"
    configure_logging(settings.log_level, settings.log_format)
    if workers > 1:
        os.environ["HOMEFEED_REPLICAS"] = "true"
    apps = ", ".join(recipe.app for recipe in recipes)
    typer.echo(f"Serving {apps} at http://{host}:{port} (API: /docs). Ctrl+C ends.", err=True)
    uvicorn.run(
        "homefeed.server:create_app",
        factory=True,
        host=host,
        port=port,
        workers=workers,
        log_level="warning",
        log_config=None,  # what it has to tell goes the way of all lines
        access_log=False,
        server_header=False,
        http=partial(Connection, Limits(settings.max_connections, settings.receive_seconds)),  # type: ignore[arg-type]
        ws="none",
        timeout_graceful_shutdown=settings.shutdown_seconds,
        # A worker answers nothing while it compiles, which is no reason to start it anew.
        timeout_worker_healthcheck=_WORKER_SECONDS,
    )


def _require_key(settings: Settings, host: str, insecure: bool) -> None:
    """Have nobody but this machine reach a server that asks for no key."""
    from homefeed.api.guard import is_loopback
    from homefeed.store.keys import list_keys

    if insecure or is_loopback(host) or on_store(settings, list_keys):
        return
    raise SettingsError(
        f"{host} can be reached from elsewhere, and without a key whoever reaches it may do everything: make one "
        "by `homefeed keys create admin --right admin`, or listen at 127.0.0.1, or insist by --insecure"
    )


async def _without_items(store: Store, recipes: Sequence[Recipe]) -> list[str]:
    """The apps that have no items."""
    return [recipe.app for recipe in recipes if not (await store.watermarks(recipe.app)).item_number]


def _tell_what_is_missing(settings: Settings, recipes: Sequence[Recipe], empty: Sequence[str]) -> None:
    """Say what to do where a server would have nothing to show, or only what is popular."""
    from homefeed.recipe import SIGNALS
    from homefeed.store.artifacts import ArtifactStore

    artifacts = ArtifactStore(settings.models_folder)
    if empty:
        err.print(
            f"No items yet in {', '.join(empty)}: homefeed import {empty[0]} FOLDER, or put them over HTTP; for "
            "sample data: homefeed demo",
            highlight=False,
            markup=False,
            soft_wrap=True,
        )
    for recipe in recipes:
        if recipe.app not in empty and artifacts.current(recipe.app, SIGNALS) is None:
            told = f"{recipe.app} is not trained yet; for better lists: homefeed train {recipe.app}"
            err.print(told, highlight=False, markup=False, soft_wrap=True)


def files_needed(connections: int) -> int:
    """How many files a server with so many connections may have open."""
    return connections + _OTHER_FILES


def _allow_files(connections: int) -> None:
    """Have as many files open as the connections take, and what else a server opens."""
    if sys.platform == "win32":
        return
    import resource

    needed = files_needed(connections)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise SettingsError(
            f"setting max_connections: {connections} connections need {needed} open files, and the system allows "
            f"{hard}; raise its limit (ulimit -n) or lower the setting"
        )
    if soft != resource.RLIM_INFINITY and soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


def free_port(host: str, port: int) -> int:
    """The port, if it is free; any free one for port 0."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            what = f"cannot listen at {host}:{port}: {error.strerror}"
            if error.errno != errno.EADDRINUSE:
                raise HomefeedError(f"{what}; choose another --port or --host") from None
            probe.bind((host, 0))
            other = probe.getsockname()[1]
            raise HomefeedError(
                f"{what}. Another server has it, and answers there in place of this one: stop that, or choose a "
                f"port that is free: export HOMEFEED_PORT={other}"
            ) from None
        return int(probe.getsockname()[1])


def warm_up() -> None:
    """Compile what serving needs and keep it on disk: a server that loads it holds 180 MB less than a compiler."""
    from homefeed import kernels  # the recipes' parts, which hold them, are imported by now

    kernels.warm_up()
