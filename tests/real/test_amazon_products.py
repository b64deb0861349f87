"""Amazon Products (10,930 rows of a public shop's catalogue) imported into shop: every row loaded or counted."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from homefeed.apps import find_preparation, find_recipe
from homefeed.ingest import DataReport, Files, import_files
from homefeed.ingest.tallies import Tallies, total
from homefeed.store import Store, open_store
from homefeed.store.items import list_items

PRODUCTS = Path(__file__).parents[3] / "shared" / "data" / "amazon-products" / "Amazon-Products.csv"
NOW = 1_767_225_600_000_000
ROWS = 10_930

pytestmark = pytest.mark.skipif(not PRODUCTS.is_file(), reason=f"needs Amazon Products in {PRODUCTS.parent}")


def counts(tallies: Tallies) -> dict[str, int]:
    return {reason: tally.count for reason, tally in tallies.items()}


async def load(store: Store) -> DataReport:
    return await import_files(
        store, find_recipe("shop"), Files(items=PRODUCTS), now=NOW, prepare_items=find_preparation("shop")
    )


async def products(store: Store) -> dict[str, Mapping[str, Any]]:
    return {item.item_id: item.attributes for item in await list_items(store, "shop", 0, 2 * ROWS)}


def rupees(cell: str) -> float | None:
    """The price by another way than the importer's: the digits, and what they say."""
    digits = "".join(character for character in cell if character in "0123456789.")
    return float(Decimal(digits)) or None if digits else None


def expected() -> dict[str, dict[str, Any]]:
    """The products row by row, with nothing but the standard library."""
    found: dict[str, dict[str, Any]] = {}
    with PRODUCTS.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            asin = row["link"].split("/dp/")[1][:10]
            price, original = rupees(row["discount_price"]), rupees(row["actual_price"])
            fields: dict[str, Any] = {
                name: row[name] for name in ("name", "main_category", "sub_category", "image", "link")
            }
            if re.fullmatch(r"[0-5](\.\d)?", row["ratings"]):
                fields["rating"] = float(row["ratings"])
            if re.fullmatch(r"[\d,.]+", row["no_of_ratings"]):
                fields["reviews"] = int(float(row["no_of_ratings"].replace(",", "")))
            if price or original:
                fields |= {"price": price or original, "original_price": original or price}
                ratio = 1 - fields["price"] / fields["original_price"]
                fields["discount_ratio"] = pytest.approx(ratio, abs=0.5001e-4)
            found[asin] = found.get(asin, {}) | fields
    return found


async def test_every_row_is_a_product_or_counted(tmp_path: Path) -> None:
    async with open_store(f"sqlite:///{tmp_path / 'shop.db'}") as store:
        items = (await load(store)).files[0]
        assert items.rows == ROWS == items.loaded + total(items.rejected) + total(items.duplicates)
        assert (items.loaded, items.new) == (9_898, 9_898)
        assert counts(items.rejected) == {}
        assert counts(items.duplicates) == {"repeated id; its rows are joined": 1_032}
        assert counts(items.warnings) == {
            "empty ratings": 604,
            "empty no_of_ratings": 604,
            "no price": 94,
            "ratings is not a number": 33,
            "no_of_ratings is not a whole number": 33,
            "actual_price is 0": 1,
        }
        assert (items.notes, items.ignored_columns) == ((), ("Unnamed: 0",))
        found = await products(store)
        assert all(re.fullmatch("[A-Z0-9]{10}", product) for product in found)
        assert found == expected()
        again = (await load(store)).files[0]
        assert (again.loaded, again.new, again.updated) == (9_898, 0, 9_898)
        assert await products(store) == found
