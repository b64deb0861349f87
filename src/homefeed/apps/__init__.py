"""The ready-made apps: each a recipe, and the schemas and routes of its contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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


def find_recipe(name: str, overlay: Path | None = None, *, changes: Changes | None = None) -> Recipe:
    """The recipe of a ready-made app, or of a file, with its app's `changes`, and with `overlay` on top of those.

    Raises:
        SettingsError: it is neither.
        RecipeError: the recipe is not valid.
    """
    if name in built_in():
        return load_recipe(_HERE / name / "recipe.toml", overlay, changes)
    if name.endswith(".toml"):
        return load_recipe(Path(name), overlay, changes)
    raise SettingsError(f'no app "{name}": expected one of {", ".join(built_in())}, or the path of a recipe.toml')


def find_preparation(app: str) -> PrepareItems | None:
    """What makes the items of a ready-made app's own files ready to be mapped, where it brings such a thing."""
    module = f"homefeed.apps.{app}.prepare"
    if app not in built_in() or find_spec(module) is None:
        return None
    prepare: PrepareItems = import_module(module).prepare_items
    return prepare


def find_recipes(names: Sequence[str], changes: Changes | None = None) -> dict[str, Recipe]:
    """The recipes of all, by app, each with its `changes`.

    Raises:
        SettingsError: two of them are of the same app, or one cannot be found.
    """
    recipes: dict[str, Recipe] = {}
    for name in names:
        recipe = find_recipe(name, changes=changes)
        if recipe.app in recipes:
            raise SettingsError(f'apps: two recipes are of the app "{recipe.app}"; each needs its own name')
        recipes[recipe.app] = recipe
    return recipes
