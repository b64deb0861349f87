"""Homefeed: personalised, explained, policy-checked feeds that react to the last click."""

from __future__ import annotations

__version__: str
__all__ = ["__version__"]


def __getattr__(name: str) -> str:
    # Looked up when it is asked for: reading it takes a third of what starting the command line does.
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib.metadata import version

    return version("homefeed")
