"""The page of limits tells the numbers of the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from homefeed.api import bulk, connections, features, intake, middleware, schemas
from homefeed.conditions import MAX_VALUES, MAX_VALUES_IN_ALL
from homefeed.limits import MAX_PARAMETER
from homefeed.serving import cursor
from homefeed.settings import Settings
from homefeed.validation import LONGEST_ID

PAGE = (Path(__file__).parents[2] / "docs" / "limits.md").read_text(encoding="utf-8")
SETTINGS = {name: field.default for name, field in Settings.model_fields.items()}


def at_most(what: str) -> str:
    """What the table says of the row that begins so."""
    found = re.search(rf"^\| {re.escape(what)}[^|]*(?:\\\|[^|]*)* \| ([^|]+) \|", PAGE, re.MULTILINE)
    assert found is not None, what
    return found[1].replace(",", "")


@pytest.mark.parametrize(
    ("what", "number"),
    [
        ("a body", SETTINGS["max_body_megabytes"]),
        ("a line of NDJSON", bulk._LONGEST_LINE),
        ("headers", connections._LONGEST_HEAD),
        ("time for a request", SETTINGS["receive_seconds"]),
        ("connections of a process", SETTINGS["max_connections"]),
        ("parameters of a query", middleware._MOST_PARAMETERS),
        ("a name or value of the context", MAX_PARAMETER),
        ("an id", LONGEST_ID),
        ("values of one condition", MAX_VALUES),
        ("values of all conditions", MAX_VALUES_IN_ALL),
        ("a cursor", cursor.LONGEST_TEXT),
        ("pages of a feed", cursor.MOST_SHOWN),
        ("events, items or users", intake.MAX_EVENTS),
        ("events, items or users", bulk.MOST_IN_LIST),
        ("ids that", features._MOST),
        ("nesting of attributes", schemas._DEEPEST),
    ],
)
def test_a_limit_is_the_one_of_the_code(what: str, number: float) -> None:
    assert at_most(what).startswith(f"{number:g}" if number < 1_000 else str(number))


@pytest.mark.parametrize("name", ["max_store_wait_seconds", "redis_timeout_seconds", "shutdown_seconds"])
def test_a_wait_is_the_default_of_its_setting(name: str) -> None:
    assert f"`{name}`, {SETTINGS[name]:g} s" in PAGE
