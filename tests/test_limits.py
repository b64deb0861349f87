"""Limits by the number: what is just within is taken, what is just beyond is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest

from homefeed import limits
from homefeed.errors import InvalidError
from homefeed.limits import check_limits, check_merged, find_excess

KINDS: Final = {"title": "text", "kind": "category", "tags": "tags"}
ROOT: Final = Path(__file__).parents[1]


@pytest.mark.parametrize(
    ("within", "beyond", "excess"),
    [
        ({"title": "x" * 50_000}, {"title": "x" * 50_001}, "title: longer than 50,000 characters"),
        ({"other": "é" * 50_000}, {"other": "é" * 50_001}, "other: longer than 50,000 characters"),
        ({"kind": "x" * 255}, {"kind": "x" * 256}, "kind: longer than 255 characters"),
        ({"tags": ["x"] * 1_000}, {"tags": ["x"] * 1_001}, "tags: more than 1,000 tags"),
        ({"tags": ["x" * 255]}, {"tags": ["y", "x" * 256]}, "tags: a tag longer than 255 characters"),
        ({"n" * 255: 1}, {"n" * 256: 1}, "a name of an attribute is longer than 255 characters"),
        ({f"a{n}": 1 for n in range(1_000)}, {f"a{n}": 1 for n in range(1_001)}, "more than 1,000 attributes"),
        ({"deep": [1] * 99_990}, {"deep": [1] * 100_000}, "more than 200,000 bytes as JSON"),
    ],
)
def test_what_is_beyond_a_limit_is_named(within: dict[str, Any], beyond: dict[str, Any], excess: str) -> None:
    assert find_excess(within, 200_000, KINDS) is None
    assert find_excess(beyond, 200_000, KINDS) == excess
    check_limits("attributes", within, 200_000, KINDS)
    with pytest.raises(InvalidError, match=rf"^attributes: {excess}; send less$"):
        check_limits("attributes", beyond, 200_000, KINDS)


def test_what_only_takes_away_is_never_refused() -> None:
    merged = {"a": "x" * 60_000}
    check_merged("attributes", {"b": None}, merged, 100_000)
    check_merged("attributes", {}, merged, 100_000)
    with pytest.raises(InvalidError, match=r"a: longer than 50,000 characters"):
        check_merged("attributes", {"b": 1}, merged, 100_000)


def test_the_documents_tell_every_limit() -> None:
    section = (ROOT / "docs" / "data.md").read_text(encoding="utf-8").partition("## Sizes")[2]
    for name, value in vars(limits).items():
        if name.startswith("MAX_"):
            assert f"{value:,}" in section, name
