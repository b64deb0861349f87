"""Homefeed: personalised, explained, policy-checked feeds that react to the last click."""

from importlib.metadata import version

__version__ = version("homefeed")
