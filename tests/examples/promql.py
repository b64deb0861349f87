"""Reads PromQL as far as a check needs it: brackets, functions, and the metrics and the labels that it names."""

from __future__ import annotations

import re
from typing import Final

FUNCTIONS: Final = frozenset(
    ["absent", "changes", "histogram_quantile", "increase", "max", "min", "rate", "sum", "time", "vector"]
)
"""Those that the examples use."""
_WORDS: Final = frozenset(["and", "by", "group_left", "ignoring", "offset", "on", "or", "unless", "without"])
_TEXT: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
_DURATION: Final = re.compile(r"\[[^\]]*\]|\boffset\s+\d+[smhdw]")
_CLAUSE: Final = re.compile(r"\b(?:by|without|on|ignoring|group_left)\s*\(([^)]*)\)")
_SELECTOR: Final = re.compile(r"([a-zA-Z_:][\w:]*)\s*\{([^}]*)\}")
_NAME: Final = re.compile(r"[a-zA-Z_:][\w:]*")
_PAIRS: Final = {")": "(", "]": "[", "}": "{"}


def is_balanced(expression: str) -> bool:
    """Whether every bracket is closed by its own kind."""
    opened: list[str] = []
    for sign in _TEXT.sub('""', expression):
        if sign in "([{":
            opened.append(sign)
        elif sign in _PAIRS and (not opened or opened.pop() != _PAIRS[sign]):
            return False
    return not opened


def named(expression: str) -> tuple[set[str], set[str], set[str]]:
    """The functions, the metrics and the labels that an expression names."""
    text = _DURATION.sub(" ", _TEXT.sub('""', expression))
    labels = {name for clause in _CLAUSE.findall(text) for name in _NAME.findall(clause)}
    labels |= {name for _, matchers in _SELECTOR.findall(text) for name in _NAME.findall(matchers)}
    text = _SELECTOR.sub(r"\1", _CLAUSE.sub(" ", text))
    functions = {found[1] for found in re.finditer(r"\b([a-z_]+)\s*\(", text)} - _WORDS
    aggregations = {name for name in ("sum", "max", "min") if re.search(rf"\b{name}\b", text)}
    metrics = set(_NAME.findall(re.sub(r"\b\d[\w.]*", " ", text))) - functions - aggregations - _WORDS
    return functions | aggregations, metrics, labels
