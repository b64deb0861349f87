"""Numbers as they were written: JSON without a digit lost, whole numbers as text, and what attributes hold."""

from __future__ import annotations

import json
import math
import re
from decimal import Decimal
from typing import Any, Final

import orjson

_FRACTION: Final = re.compile(rb"\.0+(?![0-9eE])")
_ANY_AS_ZERO: Final = bytes.maketrans(b"123456789", b"000000000")
_MANY_DIGITS: Final = b"0" * 16
_WHOLE: Final = re.compile(r"(-?[0-9]+)\.0+")
_MOST_VALUES: Final = 100
_MOST_DIGITS: Final = 20
_LEAST, _MOST = -(2**63), 2**64 - 1


def load_json(text: bytes) -> Any:
    """What JSON says, whole numbers as integers (77.0 is 77); those beyond 64 bits as the text of their digits.

    Raises:
        orjson.JSONDecodeError: it is not JSON.
    """
    value = orjson.loads(text)
    if _FRACTION.search(text) is None and not has_many_digits(text):
        return value
    try:
        return _EXACT.decode(text.decode())
    except RecursionError:  # so deep that whatever takes it refuses it
        return value


def has_many_digits(text: bytes) -> bool:
    """Whether there may be a number in one or several JSON texts that orjson reads without all its digits."""
    return _MANY_DIGITS in text.translate(_ANY_AS_ZERO)


def number_text(number: float) -> str:
    """A number as text: whole ones by their digits, without a fraction or an exponent."""
    if isinstance(number, int) or not number.is_integer():
        return repr(number)
    return str(int(number)) if abs(number) < 2**53 else f"{Decimal(repr(number)):f}".removesuffix(".0")


def read_number(value: Any) -> float | None:
    """A finite number that an attribute holds, be it written as text; None for all else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def attribute_texts(value: Any) -> tuple[str, ...]:
    """The values that an attribute holds, one or a list, of which the first 100 count, as categories are kept.

    A number is its digits, what is true or false that word; nothing else is a value.
    """
    held = value[:_MOST_VALUES] if isinstance(value, list | tuple) else (value,)
    return tuple(text for one in held if (text := _attribute_text(one)))


def _attribute_text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return number_text(value) if isinstance(value, int) or math.isfinite(value) else ""
    return value.strip() if isinstance(value, str) else ""


def _integer(digits: str) -> int | str:
    if len(digits) > _MOST_DIGITS or not _LEAST <= (number := int(digits)) <= _MOST:
        return digits
    return number


def _number(digits: str) -> float | str:
    whole = _WHOLE.fullmatch(digits)
    return float(digits) if whole is None else _integer(whole[1])


_EXACT: Final = json.JSONDecoder(parse_int=_integer, parse_float=_number)
