"""What a user prefers, as it is stored with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from homefeed.apps.marketplace.schemas import Preferences
from homefeed.errors import InvalidError, NotFoundError
from homefeed.numerals import read_number
from homefeed.privacy import opted_out
from homefeed.serving import LiveApp
from homefeed.store.users import get_user
from homefeed.validation import check_user

_NUMBERS = ("max_distance_km", "preferred_compensation_min", "preferred_compensation_max")
_BOUNDS = frozenset(("preferred_compensation_min", "preferred_compensation_max"))
_TAGS = ("preferred_tags", "blocked_tags")


async def stored_attributes(live: LiveApp, user_uid: UUID) -> dict[str, Any] | None:
    """The attributes of a user as the store has them now; None of one that it does not know."""
    try:
        user = await get_user(live.store, live.recipe.app, str(user_uid))
    except NotFoundError:
        return None
    return dict(user.attributes)


async def change_user(live: LiveApp, user_uid: UUID, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Store what changes, creating the user where the store does not know them; their attributes as they are now.

    Raises:
        InvalidError: the minimum of the compensation would be above the maximum.
    """
    checked = check_user(live.recipe, dict(changes))
    # Who was imported with bounds that make no sense can change all else.
    check = None if _BOUNDS.isdisjoint(checked) else _check_bounds
    user = await live.writes.patch_user(str(user_uid), checked, create=True, check=check)
    return dict(user.attributes)


def preferences_of(live: LiveApp, user_uid: UUID, attributes: Mapping[str, Any]) -> Preferences:
    """The preferences that attributes hold."""
    return Preferences(
        user_uid=user_uid,
        **{name: read_number(attributes.get(name)) for name in _NUMBERS},
        **{name: listed(attributes.get(name)) for name in _TAGS},
        personalization_enabled=not opted_out(attributes, live.recipe),
    )


def listed(value: Any) -> list[str]:
    """The tags that an attribute lists."""
    tags = value.split("|") if isinstance(value, str) else value if isinstance(value, list) else []
    return [str(tag).strip() for tag in tags if str(tag).strip()]


def _check_bounds(attributes: Mapping[str, Any]) -> None:
    low = read_number(attributes.get("preferred_compensation_min"))
    high = read_number(attributes.get("preferred_compensation_max"))
    if low is not None and high is not None and low > high:
        raise InvalidError(
            f"preferred_compensation_min: {low:g} is above preferred_compensation_max, {high:g}; swap them"
        )
