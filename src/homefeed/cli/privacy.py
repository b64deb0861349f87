"""Privacy: erase a user, prune old data."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from homefeed.cli.common import AppName, Json, on_store, print_json, printable, recipe_of, settings_in_force

if TYPE_CHECKING:
    from homefeed.serving.retention import Pruned
    from homefeed.store import Store


def register(cli: typer.Typer) -> None:
    """Add these commands."""
    for command in (erase, prune):
        cli.command()(command)


def erase(
    app: AppName,
    user_id: Annotated[str, typer.Option("--user", "--user_id", "--user-id", help="The user's id.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    as_json: Json = False,
) -> None:
    """Erase a user with all their events and impressions, in Redis, too, and what data reports show of them.

    This cannot be undone. Running servers forget the user at their next poll; models at the next training.

    Example: `homefeed erase community --user u42 --yes`
    """
    from homefeed.serving.features.opening import open_features
    from homefeed.serving.features.sharing import Keys
    from homefeed.store.erasing import forget_erased
    from homefeed.store.users import erase_user

    async def work(store: Store) -> int:
        events = await erase_user(store, recipe.app, user_id)
        async with open_features(settings) as features:
            await features.delete([Keys(settings.redis_prefix, recipe.app).user(user_id)])
        await forget_erased(store)
        return events

    settings = settings_in_force()
    recipe = recipe_of(app)
    shown = printable(user_id)
    if not yes:
        typer.confirm(f"Erase user {shown} of {recipe.app} for good?", abort=True, err=True)
    events = on_store(settings, work)
    if as_json:
        print_json({"app": recipe.app, "user_id": user_id, "events": events})
        return
    typer.echo(f"Erased user {shown} and {events:,} events. To forget them in models too: homefeed train {app}")


def prune(
    app: AppName,
    yes: Annotated[
        bool, typer.Option("--yes", help="Delete all that is too old by this machine's clock, however much it is.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Delete events and impressions older than the settings events_days and impressions_days allow.

    A server does the same by itself once an hour. Both measure ages from the newest event, and refuse to delete
    more than the share max_prune_share: a clock that is wrong must not delete anything. The exit status is 1 then.

    Example: `homefeed prune community`
    """
    from homefeed.environment import system_clock
    from homefeed.serving.retention import prune as prune_app

    settings, recipe = settings_in_force(), recipe_of(app)

    async def work(store: Store) -> Pruned:
        return await prune_app(store, recipe.app, settings, system_clock(), insist=yes)

    gone = on_store(settings, work)
    if as_json:
        print_json({"app": recipe.app, **asdict(gone)})
    else:
        typer.echo(f"Deleted {gone.events:,} events and {gone.impressions:,} impressions that were too old.")
    for why in gone.refused:
        typer.echo(f"Not deleted: {why}", err=True)
    if gone.refused:
        raise typer.Exit(1)
