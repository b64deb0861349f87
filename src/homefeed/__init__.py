"""Homefeed: personalised, explained, policy-checked feeds that react to the last click."""

from __future__ import annotations

from importlib.metadata import version

__version__ = version("homefeed")
__all__ = ["__version__"]
