"""Numbers by what they are worth, and amounts by what they measure: 0,5 l, .50 litres and 500 ml are one."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache
from typing import Final

_THOUSANDS: Final = re.compile(r"[1-9]\d{0,2}(?:,\d{2,3})*,\d{3}(?:\.\d+)?")
_DECIMAL_COMMA: Final = re.compile(r"(?:0,\d+|\d+,\d{1,2})")
_LONGEST: Final = 20
"""Digits: a longer number is a code."""

_UNITS: Final = {
    ("l", "1"): "l lt ltr ltrs litre litres liter liters",
    ("l", "0.001"): "ml millilitre millilitres milliliter milliliters",
    ("kg", "1"): "kg kgs kilo kilos kilogram kilograms kilogramme kilogrammes",
    ("kg", "0.001"): "g gm gms gr gram grams gramme grammes",
    ("cm", "1"): "cm cms centimetre centimetres centimeter centimeters",
    ("cm", "0.1"): "mm millimetre millimetres millimeter millimeters",
    ("cm", "100"): "m mtr mtrs metre metres meter meters",
    ("inch", "1"): "inch inches",
    ("ft", "1"): "ft feet foot",
    ("tb", "1"): "tb",
    ("gb", "1"): "gb",
    ("mb", "1"): "mb",
    ("mah", "1"): "mah",
    ("w", "1"): "w watt watts",
    ("w", "1000"): "kw kilowatt kilowatts",
    ("v", "1"): "v volt volts",
    ("hz", "1"): "hz hertz",
    ("mp", "1"): "mp megapixel megapixels",
    ("ton", "1"): "ton tons",
    ("oz", "1"): "oz ounce ounces",
    ("lb", "1"): "lb lbs pound pounds",
}
_UNIT_OF: Final = {word: (unit, Decimal(by)) for (unit, by), words in _UNITS.items() for word in words.split()}


def words_for(*measures: str) -> str:
    """The words for units of those measures, as alternatives of a regular expression."""
    words = (word for word, (measure, _) in _UNIT_OF.items() if measure in measures)
    return "|".join(sorted(words, key=len, reverse=True))


UNITS: Final = words_for(*(measure for measure, _ in _UNITS))
"""The words for units, as alternatives of a regular expression."""

INCHES: Final = "\"|''|\u2032\u2032|\u201d"
"""What stands for inches after a number."""


@lru_cache(100_000)
def values_of(number: str) -> tuple[str, ...]:
    """What is written as one number: 3.0 is 3, .5 is 0.5, 1,00,000 is 100000, 0,5 is 0.5; 6,7 are two numbers.

    Versions, with several points, and codes, with zeros before, stay as they are.
    """
    if _THOUSANDS.fullmatch(number):
        number = number.replace(",", "")
    elif number.startswith("0,") and _DECIMAL_COMMA.fullmatch(number):
        number = number.replace(",", ".")
    return tuple([_worth(part) for part in number.split(",") if part])


@lru_cache(100_000)
def amount_of(number: str, unit: str) -> tuple[str, str]:
    """A number before a unit: what both are as one word, and what the number is alone. A comma is a point here."""
    if _DECIMAL_COMMA.fullmatch(number):
        number = number.replace(",", ".")
    (value,) = values_of(number)
    measure, by = _UNIT_OF[unit]
    amount = value if len(value) > _LONGEST else _worth(format(Decimal(value) * by, "f"))
    return amount + measure, value


def _worth(number: str) -> str:
    if number.startswith("."):
        number = f"0{number}"
    if number.count(".") == 1 and len(number) <= _LONGEST:
        number = number.rstrip("0").rstrip(".")
    return number
