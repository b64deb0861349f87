"""The kinds of field: what each accepts, and what its filters mean."""

from __future__ import annotations

import math
from typing import Any

import pytest

from homefeed.catalog.columns import COLUMNS, Column
from homefeed.errors import InvalidError
from homefeed.types import Filter


def column(kind: str, *values: Any) -> Column:
    made = COLUMNS[kind]()
    for position, value in enumerate(values):
        made.set(position, value)
    return made


def masked(kind: str, values: list[Any], operator: Any, value: str) -> list[bool]:
    found: list[bool] = column(kind, *values).mask(Filter("f", operator, value), len(values)).tolist()
    return found


@pytest.mark.parametrize(
    ("kind", "given", "kept"),
    [
        ("text", "Ran", "Ran"),
        ("text", 1984, "1984"),
        ("text", None, None),
        ("category", True, "true"),
        ("category", 2.5, "2.5"),
        ("tags", "a|b||", ["a", "b"]),
        ("tags", " a | b ", ["a", "b"]),
        ("tags", ["a", " ", "b "], ["a", "b"]),
        ("tags", [], []),
        ("tags", None, None),
        ("number", 3, 3),
        ("number", "3.5", 3.5),
        ("number", None, None),
    ],
)
def test_what_is_accepted_and_how_it_is_kept(kind: str, given: Any, kept: Any) -> None:
    assert COLUMNS[kind]().check("f", given) == kept


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("text", ["a"]),
        ("category", {"a": 1}),
        ("tags", 5),
        ("tags", ["a", 1]),
        ("number", "abc"),
        ("number", ""),
        ("number", [1]),
        ("number", math.nan),
        ("number", math.inf),
        ("number", "-inf"),
        ("number", 10**400),
    ],
)
def test_what_is_refused_names_the_field(kind: str, given: Any) -> None:
    with pytest.raises(InvalidError, match=r"^price: expected"):
        COLUMNS[kind]().check("price", given)


def test_text_is_equal_to_the_letter() -> None:
    assert masked("text", ["Heat", "heat", None], ":", "Heat") == [True, False, False]


def test_a_category_does_not_mind_letter_case() -> None:
    assert masked("category", ["Movie", "MOVIE", "tv", None, ""], ":", "movie") == [
        True,
        True,
        False,
        False,
        False,
    ]
    assert masked("category", ["Movie", None], ":", "") == [False, False]


def test_a_category_is_told_by_its_first_spelling() -> None:
    made = column("category", "Movie", "MOVIE")
    assert [made.terms(position) for position in (0, 1, 2)] == [("Movie",), ("Movie",), ()]


def test_tags_hold_any_of_several() -> None:
    assert masked("tags", [["Drama", "War"], ["war"], [], None], ":", "WAR") == [True, True, False, False]


def test_tags_can_be_replaced_after_they_were_looked_up() -> None:
    made = column("tags", ["a", "A"], ["b"])
    assert made.mask(Filter("f", ":", "a"), 2).tolist() == [True, False]
    made.set(0, ["b"])
    assert made.mask(Filter("f", ":", "a"), 2).tolist() == [False, False]
    made.set(1, ["a"])
    assert made.mask(Filter("f", ":", "a"), 2).tolist() == [False, True]
    assert made.mask(Filter("f", ":", "b"), 2).tolist() == [True, False]


@pytest.mark.parametrize(
    ("operator", "expected"),
    [
        (":", [False, True, False, False]),
        (">=", [False, True, True, False]),
        (">", [False, False, True, False]),
        ("<=", [True, True, False, False]),
        ("<", [True, False, False, False]),
    ],
)
def test_numbers_compare_and_a_missing_one_never_does(operator: str, expected: list[bool]) -> None:
    assert masked("number", [1, 2.0, 3, None], operator, "2") == expected


def test_a_number_as_a_term_keeps_its_digits() -> None:
    made = column("number", 1234567, 2.5, None, 19.99)
    assert [made.terms(position) for position in range(5)] == [("1234567",), ("2.5",), (), ("19.99",), ()]


@pytest.mark.parametrize("kind", ["text", "category", "tags"])
def test_only_numbers_compare(kind: str) -> None:
    with pytest.raises(InvalidError, match=r"f>=3: f is a .* field; expected f:value"):
        COLUMNS[kind]().mask(Filter("f", ">=", "3"), 0)


@pytest.mark.parametrize("value", ["abc", "", "nan", "inf", "9" * 400])
def test_numbers_compare_with_numbers(value: str) -> None:
    with pytest.raises(InvalidError, match="f: expected a number"):
        COLUMNS["number"]().mask(Filter("f", ">=", value), 0)


@pytest.mark.parametrize("kind", list(COLUMNS))
def test_items_beyond_the_last_one_written_have_nothing(kind: str) -> None:
    made = column(kind, "1")
    assert made.terms(5) == ()
    assert made.mask(Filter("f", ":", "1"), 3).tolist() == [True, False, False]
