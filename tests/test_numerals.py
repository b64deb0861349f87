"""Numbers of JSON keep their digits."""

from __future__ import annotations

import json
import math
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from homefeed.numerals import attribute_texts, has_many_digits, load_json, number_text, read_number

BIG = 2**64


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("77", 77), ("77.0", 77), ("-77.00", -77), ("0.0", 0), ("77.5", 77.5), ("0.05", 0.05), ("1.005", 1.005),
        ("7.0e1", 70.0), ("1e3", 1000.0),
        ("9007199254740993", 2**53 + 1), ("9007199254740993.0", 2**53 + 1),
        (f"{BIG - 1}", BIG - 1), (f"{-(2**63)}", -(2**63)), (f"{BIG - 1}.0", BIG - 1),
        (f"{BIG}", f"{BIG}"), (f"{BIG + 1}.0", f"{BIG + 1}"), (f"{-(2**63) - 1}", f"{-(2**63) - 1}"),
        ("1" * 300, "1" * 300),
        ('"77.0"', "77.0"), (f'"{BIG}"', f"{BIG}"), ("null", None), ("true", True),
    ],
)  # fmt: skip
def test_a_number_is_what_is_written(text: str, value: Any) -> None:
    for body, expected in ((text, value), (f'[{{"a": [{text}]}}]', [{"a": [value]}])):
        read = load_json(body.encode())
        assert (read, type(read)) == (expected, type(expected))


@pytest.mark.parametrize(
    "text", ["", "{", "NaN", "-Infinity", '"\\ud800"', "77.", "077", "[1.0,]", "\ufeff7.0", "1" * 5_000]
)
def test_what_is_not_json_is_refused(text: str) -> None:
    with pytest.raises(orjson.JSONDecodeError):
        load_json(text.encode())


def test_what_is_nested_very_deep_is_read_or_refused_like_any_other() -> None:
    for depth in (500, 1_000):
        read = load_json(b"[" * depth + b"7.0" + b"]" * depth)
        for _ in range(depth):
            (read,) = read
        assert read == 7
    with pytest.raises(orjson.JSONDecodeError):
        load_json(b"[" * 100_000 + b"7.0" + b"]" * 100_000)


VALUES = st.recursive(
    st.none() | st.booleans() | st.text(st.characters(exclude_categories=["Cs"])) | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("a.0"), inner, max_size=3),
)  # fmt: skip


@given(VALUES)
def test_everything_else_is_what_it_was(value: Any) -> None:
    def expected(value: Any) -> Any:
        if isinstance(value, list):
            return [expected(one) for one in value]
        if isinstance(value, dict):
            return {key: expected(one) for key, one in value.items()}
        is_integer = isinstance(value, int) and not isinstance(value, bool)
        return str(value) if is_integer and not -(2**63) <= value < BIG else value

    text = json.dumps(value).encode()
    assert load_json(text) == expected(value)
    if not has_many_digits(text):
        assert orjson.loads(text) == load_json(text)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (77, "77"), (77.0, "77"), (-0.0, "0"), (77.5, "77.5"), (1e-7, "1e-07"), (BIG + 1, f"{BIG + 1}"),
        (2.0**53, "9007199254740992"), (1e22, "10000000000000000000000"), (1.5e300, "15" + "0" * 299),
        (math.inf, "inf"),
    ],
)  # fmt: skip
def test_whole_numbers_are_digits(number: float, text: str) -> None:
    assert number_text(number) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_no_number_is_another(number: float) -> None:
    assert float(number_text(number)) == number


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (3, 3.0), (0.5, 0.5), (" 7.5 ", 7.5), ("-1e3", -1000.0),
        (None, None), (True, None), ("", None), ("far", None), ("nan", None), ("inf", None), (math.nan, None),
        (-math.inf, None), (10**400, None), ([1], None), ({"a": 1}, None),
    ],
)  # fmt: skip
def test_an_attribute_is_a_finite_number_or_none(value: Any, number: float | None) -> None:
    assert read_number(value) == number


@pytest.mark.parametrize(
    ("value", "texts"),
    [
        (["a", " b ", "", None, {}], ("a", "b")),
        (3, ("3",)),
        (3.0, ("3",)),
        (True, ("true",)),
        (float("nan"), ()),
        (10**400, (str(10**400),)),
        (None, ()),
        ([str(n) for n in range(101)], tuple(str(n) for n in range(100))),
    ],
)
def test_the_values_that_an_attribute_holds(value: Any, texts: tuple[str, ...]) -> None:
    assert attribute_texts(value) == texts
