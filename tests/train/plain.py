"""An app as it is trained without a learned ranker: what that adds has tests of its own."""

from __future__ import annotations

from dataclasses import replace

from homefeed.apps import find_recipe
from homefeed.recipe import Recipe


def plain_recipe(app: str) -> Recipe:
    """The recipe of a ready-made app, home without its learned ranker and what that looks at."""
    recipe = find_recipe(app)
    home = replace(recipe.feeds["home"], learned=None, features=())
    return replace(recipe, feeds={**recipe.feeds, "home": home})
