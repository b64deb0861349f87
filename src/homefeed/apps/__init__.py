"""The ready-made apps: each a recipe, and the schemas and routes of its contract."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from homefeed.errors import SettingsError
from homefeed.recipe import Recipe, load_recipe

if TYPE_CHECKING:
    from homefeed.ingest import PrepareItems

Changes: TypeAlias = Mapping[str, Mapping[str, Any]]
"""By app, what the settings say of its recipe: the setting `recipes`."""

_HERE = Path(__file__).parent


def built_in() -> list[str]:
    """The names of the ready-made apps."""
    return sorted(path.parent.name for path in _HERE.glob("*/recipe.toml"))


def declared(entry: str) -> Mapping[str, Any]:
    """The tables of a ready-made app's recipe, or of the recipe at a path, as they are written: not checked.

    It is empty where the file cannot be read.
    """
    path = _HERE / entry / "recipe.toml" if entry in built_in() else Path(entry)
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def app_names(configured: Sequence[str]) -> dict[str, str]:
    """By the name of each app of the setting `apps` what the setting says: a ready-made app, or a recipe's path.

    One whose recipe cannot be read is named by its path.
    """
    ready_made = built_in()
    names = ((entry if entry in ready_made else declared(entry).get("app"), entry) for entry in configured)
    return {name if isinstance(name, str) else entry: entry for name, entry in names}


def find_app(name: str, configured: Sequence[str] = ()) -> str:
    """The ready-made app, or the path of the recipe, that a name stands for.

    It is the app of that name among those `configured`, as in the setting `apps`, or else the ready-made one, or
    the name is the path itself.

    Raises:
        SettingsError: it is none of these.
    """
    own = app_names(configured)
    entry = own.get(name, name)
    if entry in built_in() or entry.endswith(".toml"):
        return entry
    known = sorted({*own, *built_in()} - {entry})
    close = get_close_matches(name, known, 1)
    hint = f'; did you mean "{close[0]}"?' if close else ""
    if not own.keys() - set(built_in()):
        hint += "; no homefeed.toml here names apps of yours: go to where it is, or see homefeed init --help"
    raise SettingsError(f'no app "{name}": expected one of {", ".join(known)}, or the path of a recipe.toml{hint}')


def find_recipe(
    name: str,
    overlay: Path | None = None,
    *,
    changes: Changes | None = None,
    configured: Sequence[str] = (),
) -> Recipe:
    """The recipe of an app by name, with its app's `changes`, and with `overlay` on top of those.

    Raises:
        SettingsError: there is no such app (`find_app`).
        RecipeError: the recipe is not valid.
    """
    entry = find_app(name, configured)
    path = _HERE / entry / "recipe.toml" if entry in built_in() else Path(entry)
    return load_recipe(path, overlay, changes)


def find_preparation(app: str) -> PrepareItems | None:
    """What makes the items of a ready-made app's own files ready to be mapped, where it brings such a thing."""
    module = f"homefeed.apps.{app}.prepare"
    if app not in built_in() or find_spec(module) is None:
        return None
    prepare: PrepareItems = import_module(module).prepare_items
    return prepare


def find_recipes(
    names: Sequence[str], changes: Changes | None = None, configured: Sequence[str] = ()
) -> dict[str, Recipe]:
    """The recipes of all, by app, each with its `changes`; names may be those of apps that are `configured`.

    Raises:
        SettingsError: two of them are of the same app, or one cannot be found.
    """
    recipes: dict[str, Recipe] = {}
    for name in names:
        recipe = find_recipe(name, changes=changes, configured=configured)
        if recipe.app in recipes:
            raise SettingsError(f'apps: two recipes are of the app "{recipe.app}"; each needs its own name')
        recipes[recipe.app] = recipe
    return recipes
