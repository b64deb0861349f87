"""The access log: a line a request, where the log level is debug or the setting `access_log` asks for it."""

from __future__ import annotations

from typing import Any

import structlog
from starlette.types import Scope

from homefeed.log import logs_debug
from homefeed.principals import REFUSED, STATE

_log = structlog.get_logger(__name__)


class AccessLog:
    """Tells of each request its route, status, time, who asked and why they were refused; no path, no query, for
    they name users.
    """

    def __init__(self, asked_for: bool) -> None:
        self.is_on = asked_for or logs_debug()

    def note(self, scope: Scope, route: str, status: int, seconds: float) -> None:
        """Write a line; the request's id is in it as in every other."""
        principal = scope["state"].get(STATE)
        told: dict[str, Any] = {"method": scope["method"], "route": route, "status": status}
        told["ms"] = round(seconds * 1e3, 2)
        if principal is not None:
            told["principal"] = principal.name
        if (why := scope["state"].get(REFUSED)) is not None:
            told["why"] = why
        _log.info("request", **told)
