"""What the cells of a shop's files of products mean: ids, prices, ratings and how many gave them.

A price is written in many ways. Its currency, spaces and thousands separators are left out; what separates the
cents is, in this order: the later of a point and a comma where both are there; none where one of them comes twice
or more; a point; a comma, unless exactly three digits come after it and the number does not begin with a 0.
"""

from __future__ import annotations

import hashlib
from typing import Final

import polars as pl

_ASIN: Final = r"/(?:dp|gp/product)/([A-Z0-9]{10})(?:[^A-Za-z0-9]|$)"
_LETTERS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ID_LENGTH: Final = 10

_CURRENCY: Final = r"(?:[A-Z]{0,3}\s*\p{Sc}|[A-Z]{3}|(?i:rs)\.?|(?i:kr)\.?)"
_AMOUNT: Final = rf"^\s*(?:{_CURRENCY}\s*)?([0-9.](?:[0-9.,'\u2019\s]*[0-9])?)(?:\s*{_CURRENCY}|\s*/-)?\s*$"
_PLAIN: Final = r"^(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)$"
_BY_COMMAS: Final = r"^[1-9][0-9]{0,2}(?:,[0-9]{2,3})*,[0-9]{3}(?:\.[0-9]+)?$"
_BY_POINTS: Final = r"^[1-9][0-9]{0,2}(?:\.[0-9]{2,3})*\.[0-9]{3}(?:,[0-9]+|\.[0-9]{3})$"
_BY_SPACES: Final = r"^[1-9][0-9]{0,2}(?:[\s'\u2019][0-9]{3})+(?:[.,][0-9]+)?$"
_DECIMAL_COMMA: Final = r"^[0-9]+,[0-9]+$"

_COUNT: Final = r"^(?:[0-9]+|[1-9][0-9]{0,2}(?:,[0-9]{2,3})*,[0-9]{3})(?:\.0+)?$"
_MOST: Final = 2.0**53


def parse_prices(cells: pl.Series) -> pl.Series:
    """Finite amounts, 0 or more; null where a cell is none."""
    amount = pl.col("amount")
    written = (
        pl.when(amount.str.contains(_PLAIN))
        .then(amount)
        .when(amount.str.contains(_BY_COMMAS))
        .then(amount.str.replace_all(",", "", literal=True))
        .when(amount.str.contains(_BY_POINTS))
        .then(amount.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True))
        .when(amount.str.contains(_DECIMAL_COMMA))
        .then(amount.str.replace(",", ".", literal=True))
        .when(amount.str.contains(_BY_SPACES))
        .then(amount.str.replace_all(r"[\s'\u2019]", "").str.replace(",", ".", literal=True))
    )
    numbers = written.cast(pl.Float64, strict=False)
    frame = pl.DataFrame({"amount": cells.str.extract(_AMOUNT)})
    return frame.select(pl.when(numbers.is_finite()).then(numbers)).to_series()


def parse_counts(cells: pl.Series) -> pl.Series:
    """Whole numbers, 0 or more, below 2^53, thousands apart by commas or not; null where a cell is none."""
    text = pl.col("cell").str.strip_chars()
    digits = pl.when(text.str.contains(_COUNT)).then(text.str.replace_all(",", "", literal=True))
    number = digits.cast(pl.Float64, strict=False)
    frame = pl.DataFrame({"cell": cells})
    return frame.select(pl.when(number < _MOST).then(number).cast(pl.Int64)).to_series()


def asins(links: pl.Series) -> pl.Series:
    """The product numbers that links lead to; null where they lead elsewhere."""
    return links.str.extract(_ASIN)


def id_of(name: str, sub_category: str) -> str:
    """An id of 10 letters and digits that is always the same for a product of that name, however it is spaced.

    To the base of 36, the last ten digits of the BLAKE2b hash, of 128 bits, of both texts on lines of their own.
    """
    words = (" ".join(text.casefold().split()) for text in (name, sub_category))
    number = int.from_bytes(hashlib.blake2b("\n".join(words).encode(), digest_size=16).digest(), "big")
    found = ""
    for _ in range(_ID_LENGTH):
        number, digit = divmod(number, len(_LETTERS))
        found = _LETTERS[digit] + found
    return found


def discount_ratios(prices: pl.Series, originals: pl.Series) -> pl.Series:
    """1 - price / original price to four places, within 0 to 1; null where either is missing."""
    return (1 - prices / originals).round(4).clip(0, 1)
