"""Logs: readable lines or JSON, each of a request with its id. Never a secret, never a URL with a password."""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog

_log = structlog.get_logger(__name__)


def configure_logging(level: str, form: str) -> None:
    """Log to standard error from `level` on, as "console" lines or "json"; of libraries, from warnings on."""
    renderer: Any = structlog.processors.JSONRenderer()
    if form == "console":
        renderer = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    if not any(isinstance(handler, _OfLibraries) for handler in root.handlers):
        root.addHandler(_OfLibraries(logging.WARNING))


def logs_debug() -> bool:
    """Whether what is logged at level debug is written."""
    return bool(_log.is_enabled_for(logging.DEBUG))


class _OfLibraries(logging.Handler):
    """Writes what libraries log by the standard library as all else is written."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        _log.log(record.levelno, record.getMessage(), logger=record.name, exc_info=record.exc_info)
