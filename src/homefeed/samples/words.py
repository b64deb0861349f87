"""Lists of words, as the generators keep them: paragraphs under headings."""

from __future__ import annotations

import re
from typing import TypeAlias

Words: TypeAlias = tuple[str, ...]


def paragraphs(text: str) -> list[tuple[str, str]]:
    """The paragraphs with their headings, the words before the first colon; further lines are indented."""
    parts = (paragraph.partition(":") for paragraph in re.split(r"\n(?! )", text.strip()))
    return [(name, re.sub(r"\s+", " ", words.strip())) for name, _, words in parts]


def split(text: str, at: str = r"(?<=[.?!]) ") -> Words:
    """The parts of a text: its sentences, or what a pattern of its own separates."""
    return tuple(re.split(at, re.sub(r"\s+", " ", text.strip())))
