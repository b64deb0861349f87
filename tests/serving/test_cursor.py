"""Cursors: what they hold, and that no other string is taken for one."""

from __future__ import annotations

import base64
import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from homefeed.errors import InvalidError
from homefeed.serving.cursor import LAST, MOST_SHOWN, Cursor, decode, encode

NUMBERS = st.lists(st.integers(1, 2**31 - 1), min_size=1, max_size=300, unique=True)


def check_refused_or_harmless(text: str) -> None:
    try:
        cursor = decode(text)
    except InvalidError:
        return
    for numbers in (cursor.shown, cursor.last):
        assert numbers.dtype == np.int32
        assert (numbers >= 0).all()
    assert len(cursor.shown) <= 2 * MOST_SHOWN
    assert len(cursor.last) <= LAST
    again = decode(encode(cursor))
    assert (again.slate, again.shown.tolist(), again.last.tolist()) == (
        cursor.slate,
        cursor.shown.tolist(),
        cursor.last.tolist(),
    )


def cursor_of(numbers: list[int], slate: int = 7) -> Cursor:
    """As a request that showed them in that order makes it."""
    shown = np.array(numbers, np.int32)
    return Cursor(slate, shown, shown[-LAST:])


def written(text: bytes) -> str:
    """A well-formed cursor that says `text`."""
    return base64.urlsafe_b64encode(zlib.compress(text, 9)).decode().rstrip("=")


@given(NUMBERS)
def test_a_cursor_holds_its_numbers(numbers: list[int]) -> None:
    decoded = decode(encode(cursor_of(numbers)))
    assert decoded.shown.dtype == decoded.last.dtype == np.int32
    assert decoded.shown.tolist() == sorted(numbers)
    assert decoded.last.tolist() == numbers[-LAST:]
    assert decoded.slate == 7


def test_the_longest_cursor_is_taken_back_and_fits_a_url() -> None:
    rng = np.random.default_rng(0)
    for numbers in (np.arange(1, MOST_SHOWN), rng.choice(2**31 - 1, MOST_SHOWN, replace=False)):
        cursor = encode(cursor_of(numbers.tolist()))
        assert len(cursor) < 16_000
        assert sorted(decode(cursor).shown.tolist()) == sorted(numbers.tolist())


def test_a_cursor_needs_no_escaping_in_a_url() -> None:
    for seed in range(50):
        cursor = encode(cursor_of(np.random.default_rng(seed).integers(1, 10_000, 40).tolist()))
        assert cursor.replace("-", "").replace("_", "").isalnum()
        assert cursor.isascii()


@given(st.text() | st.from_regex(r"[A-Za-z0-9_-]{1,40}", fullmatch=True) | st.binary().map(written))
@example("")
@example("é")
@example("\ud800")
@example("a" * 1_000_001)
@example(written(b""))
@example(written(b"1;1"))
@example(written(b"-1;1;1"))
@example(written(b"1;1;2147483648"))
@example(written(b"1;1;" + b"1," * 60 + b"1"))
@example(written(b"1;" + b"1,,2" + b";1"))
@example(written(b"1;" + b"1,-1" + b";1"))
@example(written(b"1;" + b"1.5" + b";1"))
@example(written(b"1;" + b"nan" + b";1"))
@example(written(b"1;" + b"9" * 5_000 + b";1"))
@example(written(b"1;" + b"2147483648" + b";1"))
@example(written(b"1;" + b"2147483647,1" + b";1"))
@example(written(b"1;" + b"9223372036854775807,9223372036854775807,5" + b";1"))
@example(written(b"1;" + b"9223372036854775808" + b";1"))
@example(written(b"1;" + b"\xd9\xa1" + b";1"))
@example(written(b"1;" + b"1," * 16_000 + b"1" + b";1"))
@example(written(b"1;" + b"0," * 15_000 + b"0" + b";1"))
@example(written(b"1;" + b"0" * 1_000_000 + b";1"))
@example(written(zlib.compress(b"0" * 10_000_000)))
def test_any_other_string_is_refused_or_harmless(text: str) -> None:
    check_refused_or_harmless(text)


@given(NUMBERS, st.data())
def test_a_tampered_cursor_is_refused_or_harmless(numbers: list[int], data: st.DataObject) -> None:
    cursor = encode(cursor_of(numbers))
    at = data.draw(st.integers(0, len(cursor) - 1))
    how = data.draw(st.sampled_from(["replace", "cut", "insert", "repeat"]))
    character = data.draw(st.characters())
    changed = {
        "replace": cursor[:at] + character + cursor[at + 1 :],
        "cut": cursor[:at],
        "insert": cursor[:at] + character + cursor[at:],
        "repeat": cursor + cursor[at:],
    }[how]
    check_refused_or_harmless(changed)


@pytest.mark.parametrize("text", [b"1", b"1,"])
@pytest.mark.parametrize("size", [40_000, 20_000_000])
def test_a_bomb_is_refused_before_it_goes_off(text: bytes, size: int) -> None:
    cursor = written(text * size + b"1")
    tracemalloc.start()
    try:
        with pytest.raises(InvalidError, match="send next_cursor as it was received"):
            decode(cursor)
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()
