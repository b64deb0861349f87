"""Homefeed: personalised, explained, policy-checked feeds that react to the last click."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from homefeed.apps.streaming.functions import Streaming, recommend_for_user, recommend_popular

__version__ = version("homefeed")
__all__ = ["Streaming", "__version__", "recommend_for_user", "recommend_popular"]


def __getattr__(name: str) -> Any:
    # Imported when first used, so that `import homefeed.types` does not bring the whole service along.
    if name in __all__:
        return getattr(import_module("homefeed.apps.streaming.functions"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
