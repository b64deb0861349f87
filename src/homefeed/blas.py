"""One thread for BLAS: where threads of its own would wait for one another, or fight with those of the caller."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Any

from threadpoolctl import ThreadpoolController


def one_thread() -> AbstractContextManager[Any]:
    """Have BLAS use one thread as long as the context lasts.

    To look for the libraries of a process takes milliseconds: it is done anew only where modules were imported.
    """
    context: AbstractContextManager[Any] = _controller(len(sys.modules)).limit(limits=1, user_api="blas")
    return context


@lru_cache(maxsize=1)
def _controller(modules: int) -> ThreadpoolController:  # noqa: ARG001 - another number, another look
    return ThreadpoolController()
