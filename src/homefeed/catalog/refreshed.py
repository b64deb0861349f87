"""What is computed beside the requests, for all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Refreshed(Generic[T]):
    """What is computed beside the requests, and anew where what it is made of has changed."""

    def __init__(self, compute: Callable[[], T], version: Callable[[], object]) -> None:
        """`version` is of what it is made of."""
        self._compute, self._version = compute, version
        self._made: tuple[object, T] | None = None

    def refresh(self) -> T:
        """As of now."""
        version, made = self._version(), self._made
        if made is None or made[0] != version:
            made = self._made = version, self._compute()
        return made[1]

    def latest(self) -> T:
        """As of the latest refresh."""
        return self.refresh() if self._made is None else self._made[1]
