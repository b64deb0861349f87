"""JSON in memory: all of it, and no more than its text."""

from __future__ import annotations

import sys
from typing import Any

import orjson
import pytest

from homefeed.packing import packed_json


@pytest.mark.parametrize("value", [{}, {"title": "Ä", "tags": ["a", "b"], "year": 1999}, {"text": "x" * 5_000}])
def test_it_takes_no_more_than_its_text(value: dict[str, Any]) -> None:
    packed = packed_json(value)
    assert orjson.loads(packed) == value
    assert sys.getsizeof(packed) == sys.getsizeof(b"") + len(packed)
