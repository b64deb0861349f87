"""Who asks: what a request's key or token allows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

Right: TypeAlias = Literal["read", "write", "admin"]

RIGHTS: Final[tuple[Right, ...]] = ("read", "write", "admin")
"""Each holds those before it."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who sends a request, and what they may do.

    Attributes:
        name: What logs and limits call it: the id of a key, `token:` and an app, or `anyone`. It is no secret.
        right: The most it may do.
        app: The one app it may use; None for all.
        user: The one user it may ask for and tell events of; None for all.
    """

    name: str
    right: Right
    app: str | None = None
    user: str | None = None

    def may(self, right: Right) -> bool:
        """Whether it has a right."""
        return RIGHTS.index(right) <= RIGHTS.index(self.right)


ANYONE: Final = Principal("anyone", "admin")
"""Whoever asks a server that has no key."""

STATE: Final = "principal"
"""Where a request's scope["state"] holds its principal, once it is known."""

REFUSED: Final = "refused"
"""Where it holds why the guard refused the request, in words that name nobody."""
