"""What the cells of a file of products mean, and what becomes of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from homefeed.apps.shop.prepare import prepare_items
from homefeed.apps.shop.products import asins, discount_ratios, id_of, parse_counts, parse_prices
from homefeed.ingest import Prepared

LINK = "https://shop.example/Some-Words/dp/B0BRKXTSBT/ref=sr_1_4?s=kitchen"
PRODUCT = {
    "name": "Kettle",
    "main_category": "appliances",
    "sub_category": "Kitchen",
    "image": "k.jpg",
    "link": LINK,
    "ratings": "4.2",
    "no_of_ratings": "2,255",
    "discount_price": "₹600",
    "actual_price": "₹1,000",
}


def texts(cells: list[str | None]) -> pl.Series:
    return pl.Series(cells, dtype=pl.String)


def prepared(*products: Mapping[str, str | None]) -> Prepared:
    """What becomes of products that are as the one above, but for what is said."""
    rows = [{**PRODUCT, **product} for product in products]
    names = list(dict.fromkeys(name for row in rows for name in row))
    return prepare_items(pl.DataFrame({name: texts([row.get(name) for row in rows]) for name in names}), {})


def made(**product: str | None) -> dict[str, Any]:
    """The one row, what cannot be used left out."""
    return {name: cell for name, cell in prepared(product).frame.row(0, named=True).items() if cell is not None}


def test_the_id_of_a_parent_product_stays() -> None:
    assert made(parent_id="B0PARENT01")["parent_id"] == "B0PARENT01"


def found(items: Prepared) -> tuple[dict[str, list[int]], dict[str, list[int]]]:
    """The rows by reason: of rejections and of warnings."""
    rejected, warnings = (
        {reason: rows.nonzero()[0].tolist() for reason, rows in findings if rows.any()}
        for findings in (items.rejected, items.warnings)
    )
    return rejected, warnings


class TestPrices:
    @pytest.mark.parametrize(
        ("cell", "price"),
        [
            ("1240", 1240),
            ("1240.00", 1240),
            ("58.99", 58.99),
            (".99", 0.99),
            ("0", 0),
            ("₹1,240", 1240),
            ("₹9,99,999", 999_999),
            ("₹ 1,00,00,000.50", 10_000_000.5),
            ("$ 12.50", 12.5),
            ("US$1,240,000.99", 1_240_000.99),
            ("€1.240,50", 1240.5),
            ("1.240.000,5 €", 1_240_000.5),
            ("1.240.000", 1_240_000),
            ("1\u00a0240,50\u00a0€", 1240.5),
            ("CHF 1'240.50", 1240.5),
            ("CHF 1\u2019240.50", 1240.5),
            ("Rs. 1,240/-", 1240),
            ("MRP ₹499", 499),
            ("499 kr", 499),
            (" £5 ", 5),
            # What is ambiguous: a point alone is a decimal point, a comma before three digits is none.
            ("1.240", 1.24),
            ("12,500", 12_500),
            ("12,50", 12.5),
            ("0,125", 0.125),
        ],
    )
    def test_are_written_in_many_ways(self, cell: str, price: float) -> None:
        assert parse_prices(texts([cell])).to_list() == [price]

    @given(
        amount=st.integers(0, 10**9).map(lambda cents: cents / 100),
        mark=st.sampled_from(["", "₹", "$ ", "EUR ", "Rs.", "\u00a0"]),
    )
    def test_read_as_they_were_written(self, amount: float, mark: str) -> None:
        american = f"{mark}{amount:,.2f}"
        german = american.translate(str.maketrans(".,", ",.")) if not mark.startswith("Rs") else american
        french = f"{amount:,.2f}".replace(",", "\u202f").replace(".", ",") + f"\u202f{mark}"
        assert parse_prices(texts([american, german, french, str(amount)])).to_list() == [amount] * 4

    @pytest.mark.parametrize(
        "cell",
        [
            None, "", " ", "Get", "FREE", "₹", "-5", "₹-5", "(5)",
            "1,2,3", "1,24,0", "1.2.3", "1,240.50,2", "1.2,3.4",
            "12 50", "10 - 20", "₹1,240 - ₹2,000", "1e3", "nan", "inf", "٣", "²", "5 pieces", "5\x00", "9" * 400,
            "1,,240", "Price 5", "1.240.50",
        ],
    )  # fmt: skip
    def test_what_is_none_is_missing(self, cell: str | None) -> None:
        assert parse_prices(texts([cell])).to_list() == [None]

    def test_a_column_of_nothing(self) -> None:
        assert parse_prices(texts([])).dtype == pl.Float64
        assert parse_prices(texts([None, None])).to_list() == [None, None]


class TestCounts:
    def test_are_whole_numbers(self) -> None:
        cells: list[str | None] = ["2,255", "1.0", "69", " 7 ", "1,00,000", "0", "12.000"]
        assert parse_counts(texts(cells)).to_list() == [2255, 1, 69, 7, 100_000, 0, 12]

    def test_what_is_none_is_missing(self) -> None:
        cells = ["FREE Delivery by Amazon", "Only 2 left in stock.", "", None, "1.5", "-1", "1,2", "9" * 30, "1e3"]
        assert parse_counts(texts(cells)).to_list() == [None] * len(cells)


class TestIds:
    def test_of_links(self) -> None:
        links = [
            LINK,
            "https://shop.example/dp/B000000001",
            "/gp/product/B000000002?th=1",
            "/dp/B00000000",
            "/dp/B0000000012",
            "/dp/b000000001",
            "/sp/B000000001/",
            "",
            None,
        ]
        expected = ["B0BRKXTSBT", "B000000001", "B000000002", None, None, None, None, None, None]
        assert asins(texts(links)).to_list() == expected

    def test_of_names_are_the_same_however_they_are_spaced_and_whatever_their_case(self) -> None:
        assert id_of("Red  Straße ", "Toys") == id_of(" red STRASSE", "toys\n")
        assert id_of("Red shoes", "Toys") != id_of("Red shoes", "Shoes") != id_of("Red", "shoes Shoes")

    def test_of_names_stay_what_they_are(self) -> None:
        """Events name them: another way to make them would leave those of earlier files without their items."""
        assert id_of("Kettle", "Kitchen") == "SK9ZPM1I4G"

    def test_of_names_fill_their_letters(self) -> None:
        ids = [id_of(f"Kettle {number}", "Kitchen") for number in range(500)]
        assert len(set(ids)) == 500
        assert all(re.fullmatch("[A-Z0-9]{10}", product) for product in ids)
        assert len(set("".join(ids))) == 36

    def test_that_are_given_come_first(self) -> None:
        items = prepared(
            {"id": "ABCD1234XY"},
            {"id": "", "link": LINK},
            {"id": None, "link": "/nowhere"},
            {"id": " ", "link": None, "sub_category": None},
        )
        ids = ["ABCD1234XY", "B0BRKXTSBT", id_of("Kettle", "Kitchen"), id_of("Kettle", "")]
        assert items.frame["item_id"].to_list() == ids
        assert found(items) == ({}, {})
        assert "id" not in items.frame.columns

    def test_may_have_their_house_name(self) -> None:
        assert made(item_id="ABCD1234XY")["item_id"] == "ABCD1234XY"


class TestDiscounts:
    def test_by_hand(self) -> None:
        prices, originals = pl.Series([600.0, 59.99, 5.0, 7.0, None]), pl.Series([1000.0, 99.99, 5.0, 6.0, 1.0])
        assert discount_ratios(prices, originals).to_list() == [0.4, 0.4, 0.0, 0.0, None]

    def prices(self, **product: str | None) -> tuple[Any, ...]:
        row = made(**product)
        return tuple(row.get(name) for name in ("price", "original_price", "discount_ratio"))

    def test_of_both_prices(self) -> None:
        assert self.prices() == ("600.0", "1000.0", "0.4")
        assert self.prices(discount_price="₹32,999", actual_price="₹58,990") == ("32999.0", "58990.0", "0.4406")

    def test_of_one_price_there_is_none(self) -> None:
        assert self.prices(discount_price="") == ("1000.0", "1000.0", "0.0")
        assert self.prices(actual_price=None) == ("600.0", "600.0", "0.0")
        assert found(prepared({"discount_price": ""})) == ({}, {})

    def test_without_a_price_nothing_is_known(self) -> None:
        empty = {"discount_price": "", "actual_price": None}
        assert self.prices(**empty) == (None, None, None)
        assert found(prepared({}, empty)) == ({}, {"no price": [1]})
        assert self.prices(**empty, discount_ratio="0.3") == (None, None, "0.3")

    def test_what_is_no_price(self) -> None:
        items = prepared({"discount_price": "ask us"}, {"actual_price": "₹0"}, {"discount_price": "-3"})
        assert found(items) == (
            {},
            {"discount_price is not a price": [0, 2], "actual_price is 0": [1]},
        )
        assert items.frame["price"].to_list() == ["1000.0", "600.0", "1000.0"]
        assert items.frame["original_price"].to_list() == ["1000.0", "600.0", "1000.0"]

    def test_a_price_above_the_one_before_the_discount(self) -> None:
        dear = {"discount_price": "1200"}
        assert self.prices(**dear) == ("1200.0", "1000.0", "0.0")
        assert found(prepared(dear, {}))[1] == {"discount_price above actual_price": [0]}

    def test_the_ratio_of_the_file_counts_unless_the_prices_say_otherwise(self) -> None:
        items = prepared(
            {"discount_ratio": "0.4001"},
            {"discount_ratio": "0.9"},
            {"discount_ratio": "0.25", "discount_price": ""},
            {"discount_ratio": "1.5"},
            {"discount_ratio": "-0.1", "actual_price": ""},
            {"discount_ratio": "half"},
            {"discount_ratio": ""},
            {"discount_ratio": "0", "discount_price": "1200"},
        )
        assert items.frame["discount_ratio"].to_list() == [
            "0.4001",
            "0.4",
            "0.25",
            "0.4",
            "0.0",
            "0.4",
            "0.4",
            "0.0",
        ]
        assert found(items)[1] == {
            "discount_ratio is not that of the prices": [1],
            "discount_ratio outside 0 to 1": [3, 4],
            "discount_ratio is not a number": [5],
            "discount_price above actual_price": [7],
        }


class TestRatings:
    def test_what_is_none_is_missing_with_a_warning(self) -> None:
        cells = ["4.2", "Get", "FREE", "", None, "5.1", "-1", "0", "5", "nan"]
        items = prepared(*({"ratings": cell} for cell in cells))
        assert items.frame["rating"].to_list() == ["4.2", *[None] * 6, "0.0", "5.0", None]
        assert found(items) == (
            {},
            {
                "empty ratings": [3, 4],
                "ratings is not a number": [1, 2, 9],
                "ratings outside 0 to 5": [5, 6],
            },
        )

    def test_how_many_rated(self) -> None:
        items = prepared(*({"no_of_ratings": cell} for cell in ("2,255", "Only 2 left in stock.", "", "1.0")))
        assert items.frame["reviews"].to_list() == ["2255", None, None, "1"]
        assert found(items)[1] == {"empty no_of_ratings": [2], "no_of_ratings is not a whole number": [1]}


class TestRows:
    def test_a_header_that_comes_again(self) -> None:
        header = {name: name for name in PRODUCT}
        items = prepared({}, {**header, "Unnamed: 0": ""}, {"name": "name"}, {**header, "link": ""})
        assert found(items)[0] == {"repeated header": [1, 3]}

    def test_no_name(self) -> None:
        assert found(prepared({"name": ""}, {"name": None}, {"name": "\t"}, {}))[0] == {"missing name": [0, 1, 2]}

    def test_columns(self) -> None:
        items = prepared({"Unnamed: 0": "7", "": "x", "colour": "red", "created_at": "2025-01-01", "price": "1"})
        assert items.frame.columns == [
            "name",
            "main_category",
            "sub_category",
            "image",
            "link",
            "colour",
            "created_at",
            "item_id",
            "rating",
            "reviews",
            "price",
            "original_price",
            "discount_ratio",
        ]
        assert items.ignored == ("Unnamed: 0", "price")
        assert items.frame["price"].to_list() == ["600.0"]

    def test_a_file_of_other_columns_is_not_complained_about_row_by_row(self) -> None:
        items = prepare_items(pl.DataFrame({"name": ["Kettle", "Pot"], "price": ["5", ""]}), {})
        assert items.frame.row(0, named=True) == {
            "name": "Kettle",
            "item_id": id_of("Kettle", ""),
            "rating": None,
            "reviews": None,
            "price": "5.0",
            "original_price": "5.0",
            "discount_ratio": "0.0",
        }
        assert found(items) == ({}, {"no price": [1]})

    def test_without_rows_it_tells_the_columns(self) -> None:
        empty = prepare_items(pl.DataFrame({name: texts([]) for name in (*PRODUCT, "Unnamed: 0")}), {})
        assert empty.frame.columns == prepared({}).frame.columns
        assert empty.ignored == ("Unnamed: 0",)
        assert prepare_items(pl.DataFrame(), {}).frame.height == 0

    @pytest.mark.parametrize("name", ["", "id", "Unnamed: 0"])
    def test_of_a_file_of_which_nothing_is_kept_no_row_is_lost(self, name: str) -> None:
        """As lines of JSON without any key are read."""
        assert prepare_items(pl.DataFrame({name: texts([None, "A000000001"])}), {}).frame.height == 2
