"""Text from files, made safe to print."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

_MAX_LENGTH: Final = 200
_MAX_NAMES: Final = 40


def shortened(text: str) -> str:
    """The start of a text that may be long."""
    return text if len(text) <= _MAX_LENGTH else text[:_MAX_LENGTH] + "..."


def printable(text: str) -> str:
    """A text on one line, without control characters that a terminal would obey."""
    return "".join(character if character.isprintable() else "\ufffd" for character in shortened(text))


def listed(names: Iterable[str]) -> str:
    """Names, separated by commas."""
    shown = [printable(name) for name in names]
    if len(shown) > _MAX_NAMES:
        shown[_MAX_NAMES:] = [f"and {len(shown) - _MAX_NAMES} more"]
    return ", ".join(shown) or "none"
