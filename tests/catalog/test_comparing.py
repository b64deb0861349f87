"""Which items meet a condition."""

from __future__ import annotations

import pytest

from homefeed.catalog import CatalogView
from homefeed.errors import InvalidError
from homefeed.testing import make_world
from homefeed.times import parse_time
from homefeed.types import Condition, Item

FIELDS = {"title": "text", "kind": "category", "tags": "tags", "year": "number", "ends": "time"}
DECLARED = {
    "app": "compared",
    "items": {"fields": FIELDS},
    "events": {"play": {}},
    "feeds": {"popular": {"retrieve": {"popular": {}}, "rank": {"weighted": {"weights": {"popular": 1.0}}}}},
}
ROWS = [
    ("2026-10-31T23:59:59Z", {"kind": "a", "tags": ["x", "y"], "year": 1, "ends": "2026-12-01T00:00:00Z"}),
    ("2026-11-01T00:00:00Z", {"kind": "B", "tags": ["y"], "year": 2, "ends": "2026-12-02T00:00:00Z"}),
    ("2026-11-02T00:00:00Z", {"kind": "c", "tags": [], "year": 3}),
    (None, {}),
]


def catalog() -> CatalogView:
    items = [
        Item(f"i{n}", n, attributes, None if created is None else parse_time("", created))
        for n, (created, attributes) in enumerate(ROWS)
    ]
    return make_world(items, (), declared=DECLARED).catalog


def found(field: str, operator: str, value: str, *others: str) -> list[int]:
    rows: list[int] = catalog().mask(Condition(field, operator, value, others)).nonzero()[0].tolist()  # type: ignore[arg-type]
    return rows


@pytest.mark.parametrize(
    ("condition", "rows"),
    [
        (("kind", ":", "b"), [1]),
        (("kind", ":", "b", "A"), [0, 1]),
        (("kind", "!=", "b"), [0, 2, 3]),
        (("kind", "!=", "b", "A"), [2, 3]),
        (("tags", "!=", "x"), [1, 2, 3]),
        (("tags", "!=", "x", "y"), [2, 3]),
        (("year", "!=", "2"), [0, 2, 3]),
        (("year", ":", "1", "3"), [0, 2]),
        (("ends", "!=", "2026-12-01T00:00:00Z"), [1, 2, 3]),
        (("created_at", ">=", "2026-11-01"), [1, 2]),
        (("created_at", "<", "2026-11-01"), [0]),
        (("created_at", ":", "2026-11-02T00:00:00Z"), [2]),
        (("created_at", "!=", "2026-11-02T00:00:00Z"), [0, 1, 3]),
    ],
)
def test_what_meets_a_condition(condition: tuple[str, ...], rows: list[int]) -> None:
    assert found(*condition) == rows


def test_what_a_field_cannot_be_asked_is_said() -> None:
    with pytest.raises(
        InvalidError, match='no field "colour"; expected one of title, kind, tags, year, ends, created_at'
    ):
        found("colour", "!=", "red")
    with pytest.raises(InvalidError, match="created_at"):
        found("created_at", ">=", "soon")
    with pytest.raises(InvalidError, match="year: expected a number"):
        found("year", "!=", "many")
    with pytest.raises(InvalidError, match="expected kind:value or kind!=value"):
        found("kind", ">", "a")
