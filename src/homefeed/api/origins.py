"""The origins of web pages that may use a server from a browser: the setting `cors_origins`."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from fastapi import FastAPI, Request
from starlette.middleware.cors import CORSMiddleware

_KEPT_SECONDS: Final = 3_600
_PLAIN_TEXT: Final = "text/plain"


def allow_origins(app: FastAPI, origins: Collection[str]) -> None:
    """Have browsers let pages of these origins ask for feeds and tell events; `*` is any, without cookies.

    Without origins nothing is in a request's way.
    """
    app.state.origins = frozenset(origins)
    if origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(origins),
            # A proxy in front may go by a cookie of the page's visitors.
            allow_credentials="*" not in origins,
            # What changes items and users one by one is for back ends.
            allow_methods=("GET", "POST"),
            allow_headers=("Authorization", "Content-Type", "X-Request-ID"),
            expose_headers=(
                "X-Request-ID",
                "X-Homefeed-Candidates",
                "X-Homefeed-Degraded",
                "Retry-After",
                "RateLimit",
                "Date",
            ),
            max_age=_KEPT_SECONDS,
        )


def is_beacon(request: Request, media_type: str) -> bool:
    """Whether a body of plain text comes from a page of an allowed origin.

    `navigator.sendBeacon` cannot send JSON to another origin: browsers ask first, and a page that ends waits for
    nothing.
    """
    allowed: frozenset[str] = request.app.state.origins
    if media_type != _PLAIN_TEXT or not allowed:
        return False
    origin = request.headers.get("origin")
    return origin is not None and (origin in allowed or "*" in allowed)
