"""Parameters that a route does not know: an error where one that it knows is meant."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from difflib import get_close_matches
from functools import lru_cache
from typing import Final

from homefeed.errors import InvalidError

CONTEXT: Final = "context."
"""How the name of a parameter begins that is passed on as the context of the request."""

_SAME: Final = (
    ("n", "k", "limit", "size", "count", "num", "top", "top_k", "page_size", "per_page", "max_results"),
    ("user_id", "user", "uid", "userid", "user_uid"),
    ("item_id", "item", "itemid", "iid", "product_id", "listing_id", "stream_id"),
    ("query", "q", "search", "text", "keyword", "keywords"),
    ("latitude", "lat"),
    ("longitude", "lon", "lng", "long"),
    ("radius_km", "radius", "distance", "distance_km", "max_distance_km"),
    ("filter", "filters", "where", "condition", "conditions"),
    ("cursor", "next_cursor", "page_token", "after", "next", "page", "offset"),
    ("exclude", "excluded", "exclude_ids", "without"),
)
_ALIKE: Final = 0.8
_LONGEST: Final = 40
"""No known parameter is nearly as long; to compare a name takes the square of its length."""


@lru_cache(4_096)  # clients send the same names with each request
def meant_by(name: str, known: frozenset[str]) -> str | None:
    """The one of the known parameters that a name seems to mean: another word for it, or nearly its spelling."""
    plain = name.lower().replace("-", "_")
    for words in _SAME:
        found = [word for word in words if word in known]
        if plain in words and len(found) == 1:
            return found[0]
    joined = {each.replace("_", ""): each for each in sorted(known)}
    alike = get_close_matches(plain.replace("_", ""), joined, 1, _ALIKE)
    return joined[alike[0]] if alike else None


def refuse_mistaken(unknown: Iterable[str], known: frozenset[str], given: Collection[str]) -> None:
    """Refuse a parameter that seems to mean a known one which is not given.

    Raises:
        InvalidError: one does.
    """
    for name in unknown:
        is_none = len(name) > _LONGEST or name.startswith(CONTEXT)
        meant = None if is_none else meant_by(name, known)
        if meant is not None and meant not in given:
            raise InvalidError(f"{name:.40}: no parameter of this name; did you mean {meant}?")
