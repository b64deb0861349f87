"""How commands name an app: first, or by --app, or not at all where one is meant."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Annotated, Any, Final, TypeAlias, TypeVar

import typer
from typer.core import TyperCommand

from homefeed.errors import HomefeedError, InvalidError

F = TypeVar("F", bound=Callable[..., Any])

_NAMED: Final = {"app", "apps", "app_and_query", "app_and_folder"}
"""What commands about an app call the argument that names it."""
_PREFERRED: Final = {
    "popular": "streaming",
    "recommend": "streaming",
    "history": "streaming",
    "explain": "streaming",
    "search": "shop",
}
"""By command, the app that is meant where the settings have it among others."""


class AppCommand(TyperCommand):
    """A command about an app takes its name as the first argument or by `--app`.

    Without either it is the only app of the settings, or the command's own among several.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Take the app from `--app`, or that of the settings."""
        if ctx.resilient_parsing and args[-1:] and args[-1].startswith("-"):
            args = args[:-1]  # its value is being completed: without one nothing else would be read
        left = super().parse_args(ctx, app_first(args))
        if "app" in ctx.params and ctx.params["app"] is None and not ctx.resilient_parsing:
            ctx.params["app"] = default_app(self.name or "")
        return left


class Commands(typer.Typer):
    """The commands; those about an app have `--app`, too."""

    def command(self, name: str | None = None, **options: Any) -> Callable[[F], F]:
        """Add one, as `typer.Typer` does."""
        add = super().command(name, **{"cls": AppCommand, **options})

        def added(function: F) -> F:
            add(_with_option(function) if _NAMED & set(inspect.signature(function).parameters) else function)
            return function

        return added


def _with_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """A command that has the option beside its own, for help and completion: the argument takes its value."""
    signature = inspect.signature(function, eval_str=True)

    @wraps(function)
    def command(*, app_option: str | None = None, **given: Any) -> Any:  # noqa: ARG001
        return function(**given)

    option = inspect.Parameter("app_option", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=_AppOption)
    every = [*signature.parameters.values(), option]
    command.__annotations__ = {each.name: each.annotation for each in every}
    command.__signature__ = signature.replace(parameters=every)  # type: ignore[attr-defined]
    return command


def app_first(args: Sequence[str]) -> list[str]:
    """The arguments with what `--app` names before all others; what comes after `--` is no option."""
    named: list[str] = []
    others: list[str] = []
    left = list(args)
    while left:
        arg = left.pop(0)
        if arg == "--":
            others += [arg, *left]
            break
        if arg.startswith("--app="):
            named = [arg.removeprefix("--app=")]
        elif arg == "--app" and left:
            named = [left.pop(0)]
        else:
            others.append(arg)
    return [*named, *others]


def split_app(words: Sequence[str], command: str, what: str) -> tuple[str, str]:
    """The app and the other argument of a command that takes `[APP]` before what it requires.

    Raises:
        InvalidError: there are more than these two.
    """
    if len(words) > 2:
        raise InvalidError(f'expected one {what}, got {len(words)} words; put it in quotes: "{" ".join(words)}"')
    return (words[0], words[1]) if len(words) == 2 else (default_app(command), words[0])


def default_app(command: str) -> str:
    """The app that a command is about where it names none.

    Raises:
        InvalidError: the settings have none, or several and none is the command's own.
    """
    from homefeed.apps import app_names
    from homefeed.settings import load_settings

    names = list(app_names(load_settings().apps))
    if len(names) == 1:
        return names[0]
    if _PREFERRED.get(command) in names:
        return _PREFERRED[command]
    if not names:
        raise InvalidError(f"which app? The setting apps names none: homefeed {command} APP")
    raise InvalidError(f"which app? The settings have {', '.join(names)}; name one: homefeed {command} {names[0]}")


def complete_app(incomplete: str) -> list[str]:
    """The apps that begin so; none where the settings are wrong, which a command tells of."""
    from homefeed.apps import app_names, built_in
    from homefeed.settings import load_settings

    try:
        names = {*app_names(load_settings().apps), *built_in()}
    except HomefeedError:
        return []
    return sorted(name for name in names if name.startswith(incomplete))


def complete_feed(ctx: typer.Context, incomplete: str) -> list[str]:
    """The feeds of the app that the command is about, those that begin so."""
    from homefeed.apps import declared, find_app
    from homefeed.settings import load_settings

    try:
        app = ctx.params.get("app") or default_app(ctx.info_name or "")
        feeds = declared(find_app(app, load_settings().apps)).get("feeds", {})
    except HomefeedError:
        return []
    return sorted(name for name in feeds if name.startswith(incomplete))


_AppOption: TypeAlias = Annotated[
    str | None,
    typer.Option("--app", metavar="APP", help="The same as APP, wherever it stands.", autocompletion=complete_app),
]
