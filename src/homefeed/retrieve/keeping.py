"""Results of a part's own methods, kept without keeping the part."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar
from weakref import WeakMethod

R = TypeVar("R")


def kept(size: int, method: Callable[..., R]) -> Callable[..., R]:
    """A method with its latest `size` results, for its own object to hold.

    A cache of the bound method would hold the object that holds it: what the collector does not see, as all that
    was there when the server started, would stay for ever, with the files that its models map.
    """
    weak = WeakMethod(method)

    def call(*arguments: Any) -> R:
        alive = weak()
        assert alive is not None, "who calls it holds the object"  # noqa: S101
        return alive(*arguments)

    return lru_cache(size)(call)
