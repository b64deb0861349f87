"""Words from files, made fit for people and terminals."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

_LONGEST: Final = 200
_MOST_NAMES: Final = 40


def shortened(text: str) -> str:
    """The beginning of a text that may be long."""
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "..."


def printable(text: str) -> str:
    """A text on one line, whose control characters can do nothing to a terminal."""
    return "".join(character if character.isprintable() else "\ufffd" for character in shortened(text))


def listed(names: Iterable[str]) -> str:
    """Names in a sentence."""
    words = [printable(name) for name in names]
    if len(words) > _MOST_NAMES:
        words[_MOST_NAMES:] = [f"and {len(words) - _MOST_NAMES} more"]
    return ", ".join(words) or "none"
