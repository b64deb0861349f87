"""Files of products made ready to be mapped: the contract's, and the public ones of its shape."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import numpy as np
import polars as pl

from homefeed.apps.shop.products import asins, discount_ratios, id_of, parse_counts, parse_prices
from homefeed.ingest import Prepared
from homefeed.ingest.cells import as_mask, is_missing, parse_numbers
from homefeed.types import Mask

REPEATED_HEADER: Final = "repeated header"
NO_PRICE: Final = "no price"

_SOURCES: Final = {
    "item_id": ("id", "item_id"),
    "rating": ("ratings", "rating"),
    "reviews": ("no_of_ratings", "reviews"),
    "price": ("discount_price", "price"),
    "original_price": ("actual_price", "original_price"),
    "discount_ratio": ("discount_ratio",),
}
"""What is made, and of which column: of the first that is there."""

_INDEX: Final = re.compile(r"Unnamed: \d+|")
_HIGHEST_RATING: Final = 5
_ROUNDING: Final = 0.00501
"""How far a ratio may be from that of the prices: they may be rounded to whole per cents."""


def prepare_items(frame: pl.DataFrame, mapped: Mapping[str, str]) -> Prepared:
    """The products of some rows: what cannot be read in a cell is left out with a warning.

    A product whose file does not name it by `id` is named by its link's ASIN, else by its name and sub-category.
    """
    products = _Products(frame, mapped)
    products.reject_headers()
    products.reject_nameless()
    columns = {"item_id": products.ids(), "rating": products.ratings(), "reviews": products.reviews()}
    columns |= products.prices()
    kept = [cells for cells in frame if cells.name not in products.taken]
    made = [cells.cast(pl.String).alias(name) for name, cells in columns.items()]
    unused = tuple(name for name in products.taken - set(products.labels.values()) if name)
    found = (tuple(products.rejected), tuple(products.warnings))
    return Prepared(pl.DataFrame([*kept, *made]), *found, tuple(sorted(unused)))


class _Products:
    """The rows of a file, and what is found to be the matter with them."""

    def __init__(self, frame: pl.DataFrame, mapped: Mapping[str, str]) -> None:
        self._frame = frame
        self._mapped = mapped
        self._missing = np.ones(frame.height, dtype=np.bool_)
        self.labels = {
            made: made if made in mapped else next((name for name in names if name in frame.columns), None)
            for made, names in _SOURCES.items()
        }
        named = {name for names in _SOURCES.values() for name in names}
        self.taken = {name for name in frame.columns if name in named or _INDEX.fullmatch(name)}
        self.rejected: list[tuple[str, Mask]] = []
        self.warnings: list[tuple[str, Mask]] = []

    def reject_headers(self) -> None:
        """Rows that repeat the names of the columns, as joined files have them."""
        names = [name for name in self._frame.columns if not _INDEX.fullmatch(name)]
        if not names:
            return
        same = np.array([as_mask(self._frame[name].str.strip_chars() == self._shown(name)) for name in names])
        empty = np.array([is_missing(self._frame[name]) for name in names])
        is_header = (same | empty).all(axis=0) & (same.sum(axis=0) >= min(2, len(names)))
        self.rejected.append((REPEATED_HEADER, is_header))

    def reject_nameless(self) -> None:
        """Products without a name, in a file that has a column of names."""
        if "name" in self._frame.columns:
            self.rejected.append((f"missing {self._shown('name')}", is_missing(self._frame["name"])))

    def ids(self) -> pl.Series:
        """The ids as they are given, or made."""
        given, _, missing = self._cells("item_id")
        links, _, _ = self._cells("link")
        ids = pl.select(pl.when(pl.lit(~missing)).then(given).otherwise(asins(links))).to_series()
        names, _, nameless = self._cells("name")
        sub_categories, _, _ = self._cells("sub_category")
        unknown = np.flatnonzero(as_mask(ids.is_null()) & ~nameless)
        pairs = zip(names.gather(unknown), sub_categories.fill_null("").gather(unknown), strict=True)
        return ids.scatter(unknown, [id_of(name, sub_category) for name, sub_category in pairs])

    def ratings(self) -> pl.Series:
        """How well a product is liked, from 0 to 5."""
        cells, label, missing = self._cells("rating")
        self._warn_of_empty("rating", missing)
        found = parse_numbers(cells)
        self._warn(found.is_null(), ~missing, f"{label} is not a number")
        outside = ~found.is_between(0, _HIGHEST_RATING)
        self._warn(outside, ~missing, f"{label} outside 0 to {_HIGHEST_RATING}")
        return _without(found, as_mask(outside))

    def reviews(self) -> pl.Series:
        """How many rated a product."""
        cells, label, missing = self._cells("reviews")
        self._warn_of_empty("reviews", missing)
        found = parse_counts(cells)
        self._warn(found.is_null(), ~missing, f"{label} is not a whole number")
        return found

    def prices(self) -> dict[str, pl.Series]:
        """The price, the one before the discount, and the discount. A product with one price has no discount."""
        price, original = self._price("price"), self._price("original_price")
        self._warn(price.is_null() & original.is_null(), ~np.zeros_like(self._missing), NO_PRICE)
        above = f"{self._label('price')} above {self._label('original_price')}"
        self._warn(price > original, ~np.zeros_like(self._missing), above)
        ratio = self._ratio(discount_ratios(price, original))
        either, before = (
            pl.select(pl.coalesce(pair)).to_series() for pair in ((price, original), (original, price))
        )
        undiscounted = pl.select(pl.when(ratio.is_null() & either.is_not_null()).then(0.0).otherwise(ratio))
        return {"price": either, "original_price": before, "discount_ratio": undiscounted.to_series()}

    def _price(self, made: str) -> pl.Series:
        cells, label, missing = self._cells(made)
        found = parse_prices(cells)
        self._warn(found.is_null(), ~missing, f"{label} is not a price")
        self._warn(found == 0, ~missing, f"{label} is 0")
        return _without(found, as_mask(found == 0))

    def _ratio(self, of_prices: pl.Series) -> pl.Series:
        """The file's ratio, where it is one and the prices do not say otherwise."""
        cells, label, missing = self._cells("discount_ratio")
        found = parse_numbers(cells)
        self._warn(found.is_null(), ~missing, f"{label} is not a number")
        outside = ~found.is_between(0, 1)
        self._warn(outside, ~missing, f"{label} outside 0 to 1")
        other = (found - of_prices).abs() > _ROUNDING
        self._warn(other & ~outside, ~missing, f"{label} is not that of the prices")
        told = _without(found, as_mask(outside | other.fill_null(False)))
        return pl.select(pl.coalesce(told, of_prices)).to_series()

    def _label(self, made: str) -> str:
        return self._shown(self.labels.get(made) or made)

    def _shown(self, name: str) -> str:
        """What the file calls a column."""
        return self._mapped.get(name, name)

    def _cells(self, made: str) -> tuple[pl.Series, str, Mask]:
        """The cells something is made of, what the file calls them, and where they are empty."""
        name, label = self.labels.get(made) or made, self._label(made)
        if name not in self._frame.columns:
            return pl.repeat(None, self._frame.height, dtype=pl.String, eager=True), label, self._missing
        return self._frame[name], label, is_missing(self._frame[name])

    def _warn_of_empty(self, made: str, missing: Mask) -> None:
        if self.labels[made] is not None:
            self.warnings.append((f"empty {self._label(made)}", missing))

    def _warn(self, odd: pl.Series, among: Mask, reason: str) -> None:
        self.warnings.append((reason, as_mask(odd) & among))


def _without(cells: pl.Series, bad: Mask) -> pl.Series:
    return pl.select(pl.when(pl.lit(~bad)).then(cells)).to_series()
