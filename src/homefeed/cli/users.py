"""Users: export."""

from __future__ import annotations

from typing import Annotated

import typer

from homefeed.cli.common import on_store, recipe_of, settings_in_force
from homefeed.cli.naming import split_app


def register(cli: typer.Typer) -> None:
    """Add these commands."""
    users = typer.Typer(no_args_is_help=True)
    users.callback()(_users)
    users.command()(export)
    cli.add_typer(users, name="users")


def _users() -> None:
    """What is stored of a user.

    Example: `homefeed users export community u42 > u42.json`
    """


def export(
    app_and_user: Annotated[
        list[str],
        typer.Argument(metavar="[APP] USER", help="The app, as of other commands, and the user's id."),
    ],
) -> None:
    """Print all that is stored of a user, as JSON: attributes, events, the pages they were shown.

    Example: `homefeed users export community u42 > u42.json`
    """
    from homefeed.cli.common import print_json
    from homefeed.store.user_export import export_user

    named, user_id = split_app(app_and_user, "users export", "user")
    app = recipe_of(named).app
    print_json(on_store(settings_in_force(), lambda store: export_user(store, app, user_id)))
