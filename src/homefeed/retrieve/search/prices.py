"""Prices in a query: in "earphones under 500" 500 is no word, but a condition."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any, Final

from homefeed.types import Condition, Query
from homefeed.words.quantities import UNITS, values_of

_SIGN: Final = "[\u20b9$\u20ac\u00a3\u00a5]"
_CURRENCY: Final = rf"(?:rs\.?|inr|usd|eur|gbp|{_SIGN})"
_CURRENCY_AFTER: Final = rf"(?:(?:rs|inr|usd|eur|gbp|rupees?|dollars?|euros?|pounds|bucks)\b\.?|{_SIGN}|/-)"
_MEASURES: Final = (
    rf"{UNITS}|years?|yrs?|months?|days?|hours?|minutes?|stars?|pcs|pieces?|people|persons?|seats?|pages?|mbps|rpm|hp|"
    r"degrees?|sq|in|x"
)
_NO_MEASURE: Final = rf"(?![\d.,]*\d|\s*-?\s*(?:{_MEASURES})\b|\s*[%\"'\u2032\u2033\u201d])"
_AMOUNT: Final = rf"(?:{_CURRENCY}\s*)?(\d[\d,]*(?:\.\d+)?)(\s*k\b)?(?:\s*{_CURRENCY_AFTER}|{_NO_MEASURE})"

_AT_MOST: Final = (
    r"(?:under|below|(?:less|lower|cheaper)\s+than|(?:not|no)\s+more\s+than|up\s*to|within|at\s+most|maximum|<=?)"
)
_AT_LEAST: Final = r"(?:over|above|more\s+than|at\s+least|minimum|starting\s+(?:at|from)|>=?)"
_BETWEEN: Final = r"(?:between|from)"
_PEOPLE: Final = "kid kids child children boys girls babies toddlers age aged ages"
_NOT_OF_PEOPLE: Final = "".join(f"(?<!{word} )" for word in _PEOPLE.split())
"""Of people a number is their age."""
_BEFORE: Final = rf"{_NOT_OF_PEOPLE}(?<!\S)(?:priced?\s+)?"

_RANGE: Final = re.compile(rf"{_BEFORE}{_BETWEEN}\s+{_AMOUNT}\s*(?:and|to|-)\s*{_AMOUNT}", re.I)
_LIMIT: Final = re.compile(rf"{_BEFORE}(?:(?P<most>{_AT_MOST})|{_AT_LEAST})\s*{_AMOUNT}", re.I)


@dataclass(frozen=True, slots=True)
class Priced:
    """A query without the prices that it names, and those: the least and the most that something may cost."""

    text: str
    low: float | None = None
    high: float | None = None

    @property
    def said(self) -> str:
        """The same in words: `earphones, price up to 500`."""
        limits = {"from": self.low, "up to": self.high}
        return f"{self.text}, price {' '.join(f'{word} {n:,.15g}' for word, n in limits.items() if n is not None)}"

    def to_json(self) -> dict[str, Any]:
        """The same for programs."""
        limits = {"min_price": self.low, "max_price": self.high}
        return {"query": self.text, **{name: value for name, value in limits.items() if value is not None}}

    def conditions(self, field: str) -> tuple[Condition, ...]:
        """What an item's price has to be."""
        low = () if self.low is None else (Condition(field, ">=", repr(self.low)),)
        return low if self.high is None else (*low, Condition(field, "<=", repr(self.high)))


def priced(text: str) -> Priced | None:
    """What a query says of prices: "under 500", "above rs. 1,000", "between 100 and 200", "from 10k to 15k".

    None where it says nothing, or nothing else. A number before a unit is no price, nor is the age of children.
    """
    low: float | None = None
    high: float | None = None
    left = text
    found = _RANGE.search(left)
    if found is not None:
        low, high = sorted((_value(found[1], found[2]), _value(found[3], found[4])))
        left = _without(left, found)
    while (limit := _LIMIT.search(left)) is not None:
        value = _value(limit[2], limit[3])
        if limit["most"] is not None:
            high = value if high is None else min(high, value)
        else:
            low = value if low is None else max(low, value)
        left = _without(left, limit)
    if (low is None and high is None) or not any(map(str.isalnum, left)):
        return None
    return Priced(left, low, high)


def with_prices(query: Query, field: str | None) -> tuple[Query, Priced | None]:
    """The query with the prices that its text names as conditions on a field; the same without a field."""
    text = query.context.get("query", "")
    found = None if field is None or not text else priced(text)
    if found is None or field is None:
        return query, None
    context = {**query.context, "query": found.text}
    return replace(query, context=context, conditions=(*query.conditions, *found.conditions(field))), found


def _value(number: str, thousands: str | None) -> float:
    value = float(values_of(number.rstrip(","))[0]) if "," in number else float(number)
    return value * 1_000 if thousands else value


def _without(text: str, found: re.Match[str]) -> str:
    return " ".join((text[: found.start()] + " " + text[found.end() :]).split())
