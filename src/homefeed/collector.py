"""Python's garbage collector, and when it had better wait."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_collector() -> Iterator[None]:
    """No garbage is collected meanwhile: for reading many rows, which makes objects by the million and no cycles.

    The collector would look through all of them, and through all else in memory, again and again: two thirds of
    the time.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
