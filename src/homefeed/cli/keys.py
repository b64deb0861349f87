"""Keys and user tokens: create, list, revoke, token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer

from homefeed.cli.common import Json, on_store, print_json, printable, settings_in_force
from homefeed.errors import InvalidError

if TYPE_CHECKING:
    from homefeed.principals import Right
    from homefeed.settings import Settings
    from homefeed.store.keys import ApiKey

_TOKEN_SECONDS: Final = 600.0

_HELP: Final = """Who may ask: API keys, and user tokens for trying.

Example: `homefeed keys create backend --right write`"""

keys = typer.Typer(name="keys", help=_HELP, no_args_is_help=True)


def register(cli: typer.Typer) -> None:
    """Add these commands."""
    cli.add_typer(keys)


@keys.command()
def create(
    name: Annotated[str, typer.Argument(help="What lists call it: up to 63 letters and digits.")],
    right: Annotated[str, typer.Option(help="read, write or admin; each holds those before it.")],
    app: Annotated[str | None, typer.Option(help="The one app it is for; without it all.")] = None,
) -> None:
    """Make a key and print it, alone: it is told now and never again. From then on servers need one.

    Example: `homefeed keys create shop-backend --app shop --right write`
    """
    from homefeed.environment import system_clock
    from homefeed.store.keys import create_key

    settings = settings_in_force()
    wanted, known = _right(right), None if app is None else _served(settings, app)
    _, text = on_store(settings, lambda store: create_key(store, name, wanted, known, system_clock()))
    typer.echo(text)


@keys.command("list")
def list_all(as_json: Json = False) -> None:
    """List the keys, with when each was last used; the keys themselves nobody knows.

    Example: `homefeed keys list`
    """
    from homefeed.store.keys import list_keys

    found = [_told(key) for key in on_store(settings_in_force(), list_keys)]
    if as_json:
        print_json(found)
        return
    if not found:
        typer.echo("No keys yet: whoever reaches a server from its own machine may do everything.")
    for key in found:
        used = f"revoked {key['revoked_at']}" if key["revoked_at"] else f"last used {key['used_at'] or 'never'}"
        typer.echo(f"{key['key_id']}  {key['name']}  {key['right']}  {key['app'] or 'all apps'}  {used}")


@keys.command()
def revoke(name: Annotated[str, typer.Argument(help="The name of a key, or its id.")]) -> None:
    """Revoke a key: servers refuse it from their next look at the store on, within poll_seconds.

    Example: `homefeed keys revoke shop-backend`
    """
    from homefeed.environment import system_clock
    from homefeed.store.keys import revoke_key

    key = on_store(settings_in_force(), lambda store: revoke_key(store, name, system_clock()))
    typer.echo(f"Revoked {printable(key.name)} ({key.key_id}).")


@keys.command()
def token(
    app: Annotated[str, typer.Argument(help="The app.")],
    user_id: Annotated[str, typer.Argument(metavar="USER", help="The user's id.")],
    seconds: Annotated[float, typer.Option(min=1, help="How long it lasts.")] = _TOKEN_SECONDS,
) -> None:
    """Print a user token for trying, signed by the app's first secret; your back end signs its own.

    Example: `homefeed keys token shop u1`
    """
    from homefeed.environment import system_clock
    from homefeed.serving.tokens import sign_token

    settings = settings_in_force()
    secrets = settings.token_secrets.get(_served(settings, app))
    if not secrets:
        raise InvalidError(f"the setting token_secrets has none for {app}; see docs/security.md")
    if seconds > settings.max_token_seconds:
        raise InvalidError(f"servers refuse tokens of more than {settings.max_token_seconds:g} seconds")
    typer.echo(sign_token(secrets[0], app, user_id, system_clock(), seconds))


def _right(text: str) -> Right:
    from homefeed.principals import RIGHTS

    for right in RIGHTS:
        if right == text:
            return right
    raise InvalidError(f'--right: expected read, write or admin, got "{text:.40}"')


def _served(settings: Settings, app: str) -> str:
    from homefeed.apps import app_names

    known = app_names(settings.apps)
    if app not in known:
        raise InvalidError(f'no app "{app:.63}" in the settings: expected one of {", ".join(known)}')
    return app


def _told(key: ApiKey) -> dict[str, str | None]:
    from homefeed.times import format_time

    times = {"created_at": key.created_at, "used_at": key.used_at, "revoked_at": key.revoked_at}
    told = {name: None if time is None else format_time(time) for name, time in times.items()}
    return {"key_id": key.key_id, "name": key.name, "app": key.app, "right": key.right} | told
