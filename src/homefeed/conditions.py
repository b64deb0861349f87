"""Conditions of a request as text: `genre:Drama|Comedy`, `genre!=War`, `year>=2000`, `within_km:25`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from homefeed.errors import InvalidError
from homefeed.limits import MAX_PARAMETER
from homefeed.types import Condition

MAX_VALUES: Final = 50
"""How many values one condition may name."""
MAX_VALUES_IN_ALL: Final = 100
"""How many the conditions of a request may name together: each is compared with every item."""

_CONDITION: Final = re.compile(r"([a-z][a-z0-9_]*)(!=|>=|<=|:|>|<)(.*)", re.DOTALL)
_BETWEEN: Final = re.compile(r"(?<!\\)\|")
_WITH_SEVERAL: Final = (":", "!=")


def parse_condition(text: str) -> Condition:
    r"""A condition from its text: `field:value`, `field:a|b`, `field!=value`, `field>=number`, `created_at<time`.

    A `|` that belongs to a value is written `\|`.

    Raises:
        InvalidError: it is not of that form, or too long.
    """
    match = _CONDITION.fullmatch(text)
    if match is None:
        raise InvalidError(
            f"filter: expected field:value, field:a|b, field!=value or field>=number, got {text!r:.80}"
        )
    field, operator, said = match.groups()
    values = _values(said) if operator in _WITH_SEVERAL else [said]
    longest = max(map(len, (field, *values)))
    if longest > MAX_PARAMETER:
        raise InvalidError(
            f"filter: expected up to {MAX_PARAMETER} characters of a field and a value, got {longest:,}"
        )
    if len(values) > MAX_VALUES:
        raise InvalidError(f"filter: expected up to {MAX_VALUES} values of {field}, got {len(values):,}")
    return Condition(field, operator, values[0], tuple(values[1:]))  # type: ignore[arg-type]


def parse_conditions(texts: Iterable[str]) -> tuple[Condition, ...]:
    """The conditions of a request.

    Raises:
        InvalidError: one is none, or they name too many values.
    """
    found = tuple(map(parse_condition, texts))
    count = sum(1 + len(condition.others) for condition in found)
    if count > MAX_VALUES_IN_ALL:
        raise InvalidError(f"filter: expected up to {MAX_VALUES_IN_ALL} values in all conditions, got {count:,}")
    return found


def _values(said: str) -> list[str]:
    """The values that are told apart by `|`, each once; empty ones are none, unless there is no other."""
    values = [value.replace("\\|", "|") for value in _BETWEEN.split(said)]
    return list(dict.fromkeys(value for value in values if value)) or [""]
