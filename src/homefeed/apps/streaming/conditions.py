"""The contract's two filters."""

from __future__ import annotations

from homefeed.types import Condition


def title_conditions(content_type: str | None, genre: str | None) -> tuple[Condition, ...]:
    """Conditions on what is given."""
    given = {"content_type": content_type, "genre": genre}
    return tuple(Condition(field, ":", value) for field, value in given.items() if value is not None)
