"""What a user who opted out is still known by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from homefeed.recipe import Recipe
from homefeed.types import NO_HISTORY, UserState

_NO = frozenset(("", "false", "no", "n", "f", "0"))
_YES = frozenset(("true", "yes", "y", "t", "1"))


def apply_opt_out(state: UserState, recipe: Recipe) -> UserState:
    """The user without what they refuse to be known by: what they do not want to see stays, if the recipe says."""
    if recipe.privacy is None or not opted_out(state.attributes, recipe):
        return state
    unwanted = state.history.take(state.history.strengths < 0) if recipe.privacy.dislikes else NO_HISTORY
    return UserState(state.user_id, unwanted, kept_attributes(state.attributes, recipe), opted_out=True)


def kept_attributes(attributes: Mapping[str, Any], recipe: Recipe) -> dict[str, Any]:
    """The attributes of a user who opted out that are used nevertheless."""
    kept = {*recipe.users.blocks} if recipe.privacy is None else {*recipe.privacy.kept, *recipe.users.blocks}
    if recipe.isolation is not None:
        kept.add(recipe.isolation.user)
    return {name: value for name, value in attributes.items() if name in kept}


def opted_out(attributes: Mapping[str, Any], recipe: Recipe) -> bool:
    """Whether a user with these attributes refuses to be known by what they did."""
    privacy = recipe.privacy
    if privacy is None:
        return False
    value = attributes.get(privacy.field)
    return _refuses(value) if privacy.consent is None else not _consents(value)


def _refuses(value: Any) -> bool:
    # Whatever is not understood is a refusal: the other mistake could not be made good.
    if value is None or isinstance(value, bool | int | float):
        return bool(value)
    return str(value).strip().lower() not in _NO


def _consents(value: Any) -> bool:
    if value is None:
        return True
    if isinstance(value, bool | int | float):
        return bool(value)
    return str(value).strip().lower() in _YES
