"""Online Retail's invoice lines into items and events that Homefeed imports: python convert.py FILE FOLDER

FILE is the data set of the UCI Machine Learning Repository (id 352, CC BY 4.0) as CSV, gzip allowed; FOLDER takes
items.csv and events.csv. Every line is accounted for on standard output: kept, or left out for a reason. With a
third word, `shop`, the files are those of the ready-made app of that name: products.csv and events.csv.
"""

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl

LEFT_OUT = {
    "cancelled (InvoiceNo begins with C)": pl.col("InvoiceNo").str.starts_with("C"),
    "no sale (Quantity of 0 or less)": pl.col("Quantity") <= 0,
    "no product (StockCode does not begin with five digits)": ~pl.col("StockCode").str.contains(r"^\d{5}"),
    "no customer (CustomerID is missing)": pl.col("CustomerID").is_null(),
}
"""Why a line is left out; where several reasons hold the first counts."""


def read_lines(file: Path) -> pl.DataFrame:
    """The invoice lines. Codes are in upper case: 85123a and 85123A are one product."""
    lines = pl.read_csv(file, infer_schema=False)
    return lines.with_columns(
        pl.col("Quantity").cast(pl.Int64),
        pl.col("UnitPrice").cast(pl.Float64),
        pl.col("StockCode").str.strip_chars().str.to_uppercase(),
        pl.col("Description").str.strip_chars(),
    )


def why_left_out() -> pl.Expr:
    """The reason why a line is left out, null where it is kept."""
    reasons = [pl.when(which).then(pl.lit(reason)) for reason, which in LEFT_OUT.items()]
    return pl.coalesce(reasons)


def items_of(sales: pl.DataFrame) -> pl.DataFrame:
    """Products by what they were called most often and their median price, in the order of their codes."""
    title = pl.col("Description").drop_nulls().mode().min().alias("title")
    price = pl.col("UnitPrice").filter(pl.col("UnitPrice") > 0).median().round(2).alias("price")
    return sales.group_by("StockCode").agg(title, price).sort("StockCode").rename({"StockCode": "item_id"})


def events_of(sales: pl.DataFrame) -> pl.DataFrame:
    """Who bought what when: lines of one customer, moment and product are one event, their quantities summed."""
    names = {"CustomerID": "user_id", "StockCode": "item_id", "InvoiceDate": "timestamp"}
    same = sales.group_by(list(names), maintain_order=True)
    return same.agg(pl.col("Quantity").sum().alias("value")).rename(names)


def products_of(items: pl.DataFrame) -> pl.DataFrame:
    """Products as the app `shop` has them: their ids have ten characters."""
    return items.select(_ten("item_id").alias("id"), name="title", discount_price="price", actual_price="price")


def purchases_of(events: pl.DataFrame) -> pl.DataFrame:
    """Events as the app `shop` has them: all of an invoice at one moment."""
    what = pl.lit("purchase").alias("event_type")
    return events.select("user_id", what, _ten("item_id").alias("product_id"), "timestamp")


def _ten(code: str) -> pl.Expr:
    return pl.col(code).str.replace_all(r"[^A-Z0-9]", "").str.zfill(10)


def main(file: Path, folder: Path, for_shop: bool = False) -> None:
    """Write both files and say what became of every line."""
    lines = read_lines(file).with_columns(why_left_out().alias("reason"))
    sales = lines.filter(pl.col("reason").is_null())
    items, events = items_of(sales), events_of(sales)
    folder.mkdir(parents=True, exist_ok=True)
    if for_shop:
        products_of(items).write_csv(folder / "products.csv")
        purchases_of(events).write_csv(folder / "events.csv")
    else:
        items.write_csv(folder / "items.csv")
        events.write_csv(folder / "events.csv")
    print(f"{len(lines):9,} lines")
    for reason in LEFT_OUT:
        print(f"{lines['reason'].eq(reason).sum():9,} left out: {reason}")
    print(f"{len(sales):9,} kept")
    print(f"{len(sales) - len(events):9,} of those added to a line of the same customer, moment and product")
    print(f"{len(events):9,} events of {events['user_id'].n_unique():,} customers about {len(items):,} products")


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4) or sys.argv[3:] not in ([], ["shop"]):
        sys.exit("usage: python convert.py FILE FOLDER [shop]")
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:] == ["shop"])
