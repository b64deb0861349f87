"""First aid: doctor."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from homefeed.cli.common import Json, on_store, print_json, recipe_of, settings_in_force
from homefeed.cli.run import free_port
from homefeed.errors import HomefeedError, SettingsError

if TYPE_CHECKING:
    from homefeed.recipe import Recipe
    from homefeed.settings import Settings
    from homefeed.store import Store

_MAX_NAMED: Final = 20


def register(cli: typer.Typer) -> None:
    """Add these commands."""
    cli.command()(doctor)


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


def _checks() -> Iterator[tuple[str, bool, str]]:
    yield "python", sys.version_info >= (3, 11), sys.version.split()[0]
    try:
        settings = settings_in_force()
    except SettingsError as error:
        yield "settings", False, str(error)
        return
    yield "settings", True, f"home {settings.home}, apps {', '.join(settings.apps)}"
    from homefeed.cli.machine import environment_checks, facts_of, machine_checks, store_advice

    yield from environment_checks(settings, os.environ)
    facts = None
    try:
        facts = on_store(settings, facts_of)
    except HomefeedError as error:
        yield "store", False, f"{error}; {store_advice(settings, str(error))}"
    else:
        yield "store", True, facts.dialect
    yield from machine_checks(settings, facts)
    if settings.redis_address is not None:
        yield "redis", *_redis_check(settings)
    free = shutil.disk_usage(settings.home if settings.home.exists() else Path()).free / 1e9
    yield "disk", free > 1, f"{free:.1f} GB free"
    if facts is not None:
        yield from _store_checks(settings)
    yield from _recipe_settings_checks(settings)
    try:
        free_port(settings.host, settings.port)
        yield "port", True, f"{settings.host}:{settings.port} is free"
    except HomefeedError as error:
        yield "port", True, f"in use, perhaps by a running server ({error})"


def _store_checks(settings: Settings) -> Iterator[tuple[str, bool, str]]:
    """Of what is in a store that can be read."""
    yield "keys", *_key_check(settings)
    for name in settings.apps:
        yield from _app_checks(settings, name)


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
    return why is None, "what replicas share is there" if why is None else (
        f"requests go on without it: {why}; is it running, and do redis_url, its password and its port hold?"
    )


def _key_check(settings: Settings) -> tuple[bool, str]:
    """Whether a server would need a key, where it can be reached from elsewhere."""
    from homefeed.api.guard import is_loopback
    from homefeed.apps import app_names
    from homefeed.store.keys import list_keys

    found = on_store(settings, list_keys)
    usable = [key for key in found if key.revoked_at is None]
    if found and not usable:
        return False, "all were revoked, and one is needed: homefeed keys create NAME --right admin"
    unknown = sorted({key.app for key in usable if key.app} - set(app_names(settings.apps)))
    if unknown:
        return True, f"{len(usable)} in use, of which some are for apps that are not served: {', '.join(unknown)}"
    if usable:
        return True, f"{len(usable)} in use, {len(found) - len(usable)} revoked"
    if is_loopback(settings.host):
        return True, "none yet: everything is allowed, from this machine alone"
    if settings.insecure:
        return True, f"none, and insecure: whoever reaches {settings.host} may do everything"
    return False, f"none, and {settings.host} is no loopback address: homefeed keys create NAME --right admin"


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
    from homefeed.cli.machine import events_check
    from homefeed.engine import check_feeds
    from homefeed.store.events import totals

    try:
        recipe = recipe_of(name)
        check_feeds(recipe)
    except HomefeedError as error:
        yield f"recipe {name}", False, str(error)
        return
    yield f"recipe {name}", True, f"feeds {', '.join(recipe.feeds)}"
    now = time.time_ns() // 1_000
    counts = on_store(settings, lambda store: totals(store, recipe.app, now))
    has_items = counts.items > 0
    detail = f"{counts.items:,} items, {counts.users:,} users, {counts.events:,} events"
    yield f"data {name}", has_items, detail if has_items else f"no items yet: homefeed import {name} FOLDER"
    yield f"events {name}", *events_check(counts, now)
    yield f"rows {name}", *_row_check(settings, recipe)
    yield f"models {name}", *_model_check(settings, recipe, name)
    yield from _job_checks(settings, recipe, name)


def _row_check(settings: Settings, recipe: Recipe) -> tuple[bool, str]:
    """Whether every row of the store can be read and applied: others are set aside, and served without."""
    from homefeed.dataset.log import find_set_aside

    found = on_store(settings, lambda store: find_set_aside(store, recipe))
    named = [f'{kind} "{name}": {why}' for kind, rows in found.items() for name, why in rows.items()]
    if not named:
        return True, "all can be read"
    more = f"; and {len(named) - _MAX_NAMED:,} more" if len(named) > _MAX_NAMED else ""
    return False, f"set aside: {'; '.join(named[:_MAX_NAMED])}{more}; write them anew or delete them over HTTP"


def _job_checks(settings: Settings, recipe: Recipe, name: str) -> Iterator[tuple[str, bool, str]]:
    """How each job ended the last time; of one that has never run nothing is said."""
    from homefeed.cli.machine import job_check
    from homefeed.store.job_runs import BY_HAND, JobRun, latest_job_runs

    async def latest(store: Store) -> dict[str, JobRun]:
        found = [await latest_job_runs(store, recipe.app, 1, job) for job in (*recipe.jobs, BY_HAND)]
        return {run.job: run for (run,) in filter(None, found)}

    runs = on_store(settings, latest)
    for job in recipe.jobs:
        if job in runs:
            yield f"job {job} {name}", *job_check(name, job, runs[job], runs.get(BY_HAND))


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
