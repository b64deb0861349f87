"""The ready-made apps: each a recipe, its contract's routes, and a generator of sample data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from homefeed.errors import SettingsError
from homefeed.recipe import Recipe, load_recipe

_HERE = Path(__file__).parent


def built_in() -> list[str]:
    """The names of the ready-made apps."""
    return sorted(path.parent.name for path in _HERE.glob("*/recipe.toml"))


def find_recipe(name: str, overlay: Path | None = None) -> Recipe:
    """The recipe of a ready-made app, or of a file.

    Raises:
        SettingsError: it is neither.
        RecipeError: the recipe is not valid.
    """
    if name in built_in():
        return load_recipe(_HERE / name / "recipe.toml", overlay)
    if name.endswith(".toml"):
        return load_recipe(Path(name), overlay)
    raise SettingsError(f'no app "{name}": expected one of {", ".join(built_in())}, or the path of a recipe.toml')


def find_recipes(names: Sequence[str]) -> dict[str, Recipe]:
    """The recipes of all, by app.

    Raises:
        SettingsError: two of them are of the same app, or one cannot be found.
    """
    recipes: dict[str, Recipe] = {}
    for name in names:
        recipe = find_recipe(name)
        if recipe.app in recipes:
            raise SettingsError(f'apps: two recipes are of the app "{recipe.app}"; each needs its own name')
        recipes[recipe.app] = recipe
    return recipes
