"""What a recipe says of whom users are kept apart from, and of what they can refuse."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from homefeed.recipe.base import Declaration, Name


class Isolation(Declaration):
    """What keeps an app's users apart: a user sees only items of their own group."""

    item: Name
    """The category field of items that holds an item's group."""
    user: Name
    """The field of users that holds a user's group."""


class Privacy(Declaration):
    """What users can refuse: by one of `opt_out` and `consent`."""

    opt_out: Name | None = None
    """The field of users that says who refuses to be known by what they did: every user with a value there other
    than false, no, n, f and 0."""
    consent: Name | None = None
    """The same the other way round, such as `personalization_enabled`: every user with a value there other than
    true, yes, y, t and 1 refuses; who has none consents."""
    dislikes: bool = True
    """Whether what such users did not want to see is obeyed nevertheless. If not, nothing of what they did is even
    read."""
    kept: tuple[Name, ...] = ()
    """The fields of such users that are used nevertheless. That of `[isolation]` always is."""

    @model_validator(mode="after")
    def _is_by_one_field(self) -> Self:
        if (self.opt_out is None) == (self.consent is None):
            raise ValueError("expected one of opt_out and consent")
        return self

    @property
    def field(self) -> str:
        """The field of users that says it, one way or the other."""
        return self.opt_out or self.consent or ""
