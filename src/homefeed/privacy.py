"""What a user who opted out is still known by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from homefeed.recipe import Recipe
from homefeed.types import UserState

_CONSENT = frozenset(("", "false", "no", "n", "f", "0"))


def apply_opt_out(state: UserState, recipe: Recipe) -> UserState:
    """The user without what they refuse to be known by: what they do not want to see stays."""
    privacy = recipe.privacy
    if privacy is None or not opted_out(state.attributes, recipe):
        return state
    kept = {*privacy.kept, *recipe.users.blocks}
    if recipe.isolation is not None:
        kept.add(recipe.isolation.user)
    attributes = {name: value for name, value in state.attributes.items() if name in kept}
    unwanted = state.history.take(state.history.strengths < 0)
    return UserState(state.user_id, unwanted, attributes, opted_out=True)


def opted_out(attributes: Mapping[str, Any], recipe: Recipe) -> bool:
    """Whether a user with these attributes refuses to be known by what they did."""
    return recipe.privacy is not None and _refuses(attributes.get(recipe.privacy.opt_out))


def _refuses(value: Any) -> bool:
    # Whatever is not understood is a refusal: the other mistake could not be made good.
    if value is None or isinstance(value, bool | int | float):
        return bool(value)
    return str(value).strip().lower() not in _CONSENT
