"""The contract's two filters."""

from __future__ import annotations

from homefeed.types import Filter


def title_filters(content_type: str | None, genre: str | None) -> tuple[Filter, ...]:
    """Conditions on what is given."""
    given = {"content_type": content_type, "genre": genre}
    return tuple(Filter(field, ":", value) for field, value in given.items() if value is not None)
