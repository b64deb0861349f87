"""The command line: `homefeed`."""

from homefeed.cli.main import main

__all__ = ["main"]
