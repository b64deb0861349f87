"""Logs: lines of a request carry its id, libraries' lines are written as all else."""

from __future__ import annotations

import logging

import orjson
import pytest
import structlog
from structlog.contextvars import bound_contextvars

from homefeed.log import configure_logging


def lines(captured: pytest.CaptureFixture[str]) -> list[dict[str, str]]:
    return [orjson.loads(line) for line in captured.readouterr().err.splitlines()]


def test_each_line_within_a_request_has_its_id(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("info", "json")
    log = structlog.get_logger("any")
    with bound_contextvars(request_id="r1"):
        log.info("within")
    log.info("outside")
    within, outside = lines(capsys)
    assert within["request_id"] == "r1"
    assert "request_id" not in outside


def test_what_a_library_warns_of_is_a_line_like_others(capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):  # configured again, as a worker does
        configure_logging("info", "json")
    logging.getLogger("uvicorn.error").warning("Invalid HTTP request %s", "received")
    logging.getLogger("library").info("nothing of note")
    (line,) = lines(capsys)
    assert (line["event"], line["level"], line["logger"]) == (
        "Invalid HTTP request received",
        "warning",
        "uvicorn.error",
    )


def test_its_traceback_is_in_the_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("info", "json")
    try:
        _ = 1 / 0
    except ZeroDivisionError:
        logging.getLogger("library").exception("failed")
    (line,) = lines(capsys)
    assert "ZeroDivisionError" in line["exception"]
