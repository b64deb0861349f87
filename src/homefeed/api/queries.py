"""The query string of a request, read once."""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qsl

from starlette.types import Scope

_QUERY: Final = "homefeed.query"


def query_of(scope: Scope) -> list[tuple[str, str]]:
    """Names and values of the query string in their order."""
    found: list[tuple[str, str]] | None = scope.get(_QUERY)
    if found is None:
        text: str = scope["query_string"].decode("latin-1")
        if "%" in text or "+" in text:
            found = parse_qsl(text, keep_blank_values=True)
        else:
            found = [(name, value) for name, _, value in (part.partition("=") for part in text.split("&") if part)]
        scope[_QUERY] = found
    return found
