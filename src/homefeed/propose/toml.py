"""Values as TOML writes them, on one line."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

_NO_COMMENT: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")


def written(value: Any) -> str:
    """A text, number, truth value, list or table."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, Mapping):
        inside = ", ".join(f"{key(name)} = {written(each)}" for name, each in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(value, Sequence):
        return f"[{', '.join(written(each) for each in value)}]"
    return f"{value:g}" if isinstance(value, float) and not value.is_integer() else f"{value}"


def key(name: str) -> str:
    """The name of a key, in quotes where it needs them."""
    return name if _BARE.fullmatch(name) else written(name)


def comment(text: str) -> str:
    """A text that may stand in a comment: nothing in it ends the line, or is forbidden there."""
    return _NO_COMMENT.sub(" ", text)
