"""Ids in paths: percent-encoded, so that they may hold a slash."""

from __future__ import annotations

from urllib.parse import unquote

from starlette.convertors import Convertor, register_url_convertor


class _Encoded(Convertor[str]):
    """One segment of the path as it was sent; `RequestMiddleware` sees to it that paths are routed encoded."""

    regex = "[^/]+"

    def convert(self, value: str) -> str:
        return unquote(value)

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("encoded", _Encoded())


def by_id(name: str) -> str:
    """A path segment that is an id."""
    return f"/{{{name}:encoded}}"
