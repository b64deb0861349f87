"""The kinds of field: what each accepts, and what its filters mean."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from homefeed.catalog.columns import (
    COLUMNS,
    CategoryColumn,
    Column,
    NumberColumn,
    TagsColumn,
    TextColumn,
    TimeColumn,
)
from homefeed.errors import InvalidError
from homefeed.types import NO_TIME, SECOND, Codes, Condition


def column(kind: str, *values: Any) -> Column:
    made = COLUMNS[kind]()
    for position, value in enumerate(values):
        made.set(position, value)
    return made


def masked(kind: str, values: list[Any], operator: Any, value: str) -> list[bool]:
    found: list[bool] = column(kind, *values).mask(Condition("f", operator, value), len(values)).tolist()
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
        ("time", "2026-01-15", "2026-01-15T00:00:00Z"),
        ("time", " 2026-01-15T12:30:00.250+02:00 ", "2026-01-15T10:30:00.250000Z"),
        ("time", "1768478400", "2026-01-15T12:00:00Z"),
        ("time", 1768478400.5, "2026-01-15T12:00:00.500000Z"),
        ("time", "1970", "1970-01-01T00:00:00Z"),
        ("time", "", None),
        ("time", None, None),
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
        ("time", "soon"),
        ("time", " "),
        ("time", True),
        ("time", ["2026-01-15"]),
        ("time", "2026-13-15"),
        ("time", -1),
        ("time", 0),
        ("time", "2400-01-01"),
        ("time", math.nan),
        ("time", 10**400),
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


@pytest.mark.parametrize("kind", ["text", "tags"])
def test_there_is_room_for_the_items_there_are_and_no_more(kind: str) -> None:
    made = column(kind, *["a"] * 5)
    made.set(9, "a")
    rows = made._texts if isinstance(made, TextColumn) else made._tags  # type: ignore[attr-defined]
    assert len(rows) == 10
    assert [made.terms(position) for position in (4, 5, 9, 10)] == [("a",), (), ("a",), ()]


@pytest.mark.parametrize("position", [1023, 1024, 1025, 2048, 5000])
def test_the_table_of_codes_grows_with_the_items(position: int) -> None:
    made = TagsColumn()
    made.set(0, ["first"])
    made.set(position, ["last", "of", "all", "the", "tags"])
    codes = made.codes(position + 1)
    assert len(codes) == position + 1
    assert codes[0].tolist() == [made.code("first")]
    assert codes[position].tolist() == list(range(1, 6))
    assert not any(len(codes[between]) for between in range(1, position))


def test_tags_can_be_replaced_after_they_were_looked_up() -> None:
    made = column("tags", ["a", "A"], ["b"])
    assert made.mask(Condition("f", ":", "a"), 2).tolist() == [True, False]
    made.set(0, ["b"])
    assert made.mask(Condition("f", ":", "a"), 2).tolist() == [False, False]
    made.set(1, ["a"])
    assert made.mask(Condition("f", ":", "a"), 2).tolist() == [False, True]
    assert made.mask(Condition("f", ":", "b"), 2).tolist() == [True, False]


@pytest.mark.parametrize(
    ("kind", "values", "terms"),
    [
        ("text", ["Ran", ["x"], 7, None], [("Ran",), (), ("7",), ()]),
        ("category", ["tv", {"a": 1}, 2.5, "TV"], [("tv",), (), ("2.5",), ("tv",)]),
        ("tags", [["a", "B"], [["x"]], {"a": 1}, ["a", "B"], 5], [("a", "B"), (), (), ("a", "B"), ()]),
        ("number", [1, "soon", "2.5", math.inf], [("1",), (), ("2.5",), ()]),
        ("time", ["2026-01-15", "soon", None, True], [("2026-01-15T00:00:00Z",), (), (), ()]),
    ],
)
def test_many_values_are_those_of_one_after_the_other_and_what_does_not_fit_is_left_out(
    kind: str, values: list[Any], terms: list[tuple[str, ...]]
) -> None:
    made = COLUMNS[kind]()
    positions = np.arange(len(values), dtype=np.int32)
    made.set_many(positions, values)
    assert [made.terms(position) for position in range(len(values))] == terms
    assert made.all_terms(len(values)) == terms == column(kind, *values).all_terms(len(values))
    made.set_many(positions, [None] * len(values))
    assert made.all_terms(len(values)) == [()] * len(values)


def test_values_that_come_while_all_are_read_belong_to_no_item_that_was_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = column("category", "tv", "film")
    assert isinstance(made, CategoryColumn)
    codes = CategoryColumn.codes

    def and_then_a_new_value(self: CategoryColumn, size: int) -> Codes:
        found = codes(self, size).copy()
        self.set(0, "radio")
        return found

    monkeypatch.setattr(CategoryColumn, "codes", and_then_a_new_value)
    assert made.all_terms(2) == [("tv",), ("film",)]
    assert made.all_terms(2) == [("radio",), ("film",)], "a value that came before the items were read is known"


def test_tags_keep_their_spelling_and_their_order() -> None:
    made = column("tags", ["b", "A", "a", "b"], ["B"])
    assert made.all_terms(3) == [("b", "A", "a", "b"), ("B",), ()]
    assert made.all_terms(1)[0] == made.terms(0)


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
        COLUMNS[kind]().mask(Condition("f", ">=", "3"), 0)


@pytest.mark.parametrize("value", ["abc", "", "nan", "inf", "9" * 400])
def test_numbers_compare_with_numbers(value: str) -> None:
    with pytest.raises(InvalidError, match="f: expected a number"):
        COLUMNS["number"]().mask(Condition("f", ">=", value), 0)


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
@pytest.mark.parametrize("value", ["2026-01-15T12:00:00Z", "1768478400", "2026-01-15T13:00+01:00"])
def test_times_compare_and_a_missing_one_never_does(operator: str, expected: list[bool], value: str) -> None:
    times = ["2026-01-15T11:59:59.999999Z", "2026-01-15T12:00:00Z", 1768478401, None]
    assert masked("time", times, operator, value) == expected


def test_a_time_as_a_term_is_iso_8601() -> None:
    made = column("time", "2026-01-15", 1_000_000_001.5, None, "")
    expected = [("2026-01-15T00:00:00Z",), ("2001-09-09T01:46:41.500000Z",), (), (), ()]
    assert [made.terms(position) for position in range(5)] == expected


@pytest.mark.parametrize("value", ["soon", "", "nan", "2300-01-01"])
def test_times_compare_with_times(value: str) -> None:
    with pytest.raises(InvalidError, match="f: expected a"):
        COLUMNS["time"]().mask(Condition("f", ">=", value), 0)


def test_times_as_numbers() -> None:
    made = TimeColumn()
    made.set(0, "1970-01-01T00:00:02Z")
    made.set(1, 1_000_000_007)
    made.set(0, None)
    assert made.times(3).tolist() == [NO_TIME, 1_000_000_007 * SECOND, NO_TIME]


def test_numbers_as_numbers() -> None:
    made = NumberColumn()
    made.set(1, "2.5")
    numbers = made.numbers(3).tolist()
    assert numbers[1] == 2.5
    assert [math.isnan(number) for number in numbers] == [True, False, True]


def test_a_code_has_the_value_it_first_had() -> None:
    column = CategoryColumn()
    for position, value in enumerate(("Audio", "Video", "AUDIO")):
        column.set(position, value)
    assert [column.value(code) for code in column.codes(3).tolist()] == ["Audio", "Video", "Audio"]


def test_categories_as_codes() -> None:
    made = CategoryColumn()
    for position, value in enumerate(["Movie", None, "tv", "MOVIE", ""]):
        made.set(position, value)
    codes = made.codes(7).tolist()
    assert codes[0] == codes[3] == made.code("movie") == made.code("MoViE")
    assert codes[2] == made.code("tv") != codes[0]
    assert [codes[position] for position in (1, 4, 5, 6)] == [-1] * 4
    assert made.code("radio") == made.code("") == -2, "no item is of what no item ever was"
    assert made.code(7) == -2
    made.set(5, 7)
    assert made.codes(7)[5] == made.code(7) == made.code("7")


def test_what_a_category_equals_exactly() -> None:
    made = CategoryColumn()
    for position, value in enumerate(["a1", "A1", None, "a1 ", "", "a1", 7]):
        made.set(position, value)
    assert np.flatnonzero(made.equals("a1", 8)).tolist() == [0, 5]
    assert np.flatnonzero(made.equals("A1", 8)).tolist() == [1]
    assert np.flatnonzero(made.equals("7", 8)).tolist() == [6]
    assert not made.equals("", 8).any()
    assert not made.equals("b", 8).any()
    made.set(0, "A1")
    assert np.flatnonzero(made.equals("A1", 8)).tolist() == [0, 1]


def test_tags_as_codes() -> None:
    made = TagsColumn()
    made.set(0, ["a", "b", "A"])
    made.set(2, ["b", *"cdefgh"])
    made.set(3, ["x"])
    made.set(3, [])
    assert made.distinct == 9
    codes = made.codes(5)
    assert codes[0].tolist() == [made.code("A"), made.code("b")], "a tag counts once"
    assert codes[2].tolist() == [made.code(tag) for tag in "bcdefgh"]
    assert [len(codes[position]) for position in (1, 3, 4)] == [0, 0, 0]
    assert made.code("none") == -2


def test_a_table_of_tags_that_somebody_reads_stays_whole_while_it_grows() -> None:
    made = TagsColumn()
    made.set(0, ["a"])
    before = made.codes(1)
    made.set(1, [f"t{n}" for n in range(20)])
    assert before[0].tolist() == [made.code("a")]
    assert made.codes(2)[0].tolist() == before[0].tolist()


def test_an_item_of_very_many_tags_takes_room_for_its_own_alone() -> None:
    made = TagsColumn()
    made.set_many(np.arange(10_000, dtype=np.int32), [["a", "b", "c"]] * 10_000)
    made.set(10_000, [f"t{n}" for n in range(100_000)])
    rows = made.codes(10_001)
    # As wide a row for each would be 4 GB.
    assert rows.codes.nbytes + rows.places.nbytes < 2_000_000
    assert made.mask(Condition("f", ":", "t99999"), 10_001).nonzero()[0].tolist() == [10_000]
    assert made.mask(Condition("f", ":", "b"), 10_001).sum() == 10_000


@pytest.mark.parametrize("kind", [kind for kind in COLUMNS if kind != "location"])
def test_items_beyond_the_last_one_written_have_nothing(kind: str) -> None:
    made = column(kind, "2026")
    assert made.terms(5) == ()
    assert made.mask(Condition("f", ":", "2026"), 3).tolist() == [True, False, False]


@pytest.mark.parametrize("kind", ["category", "tags"])
def test_filters_know_a_value_in_any_form_of_unicode(kind: str) -> None:
    values = ["Caf\u00e9", "CAFE\u0301", "Cafe"]
    assert masked(kind, values, ":", "cafe\u0301") == [True, True, False]
