"""The files of a generated shop, and their truth."""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from homefeed.samples import END

DAY = 86_400
LAST = int(END.timestamp())
COLUMNS = {
    "products": "id name main_category sub_category image link ratings no_of_ratings discount_price actual_price "
    "discount_ratio",
    "users": "user_id",
    "events": "user_id event_type product_id query timestamp",
    "truth/users": "user_id tastes price_level brands role",
    "truth/products": "id product_type price_level appeal rising duplicate_of fits",
    "truth/complements": "product_type complement sub_category complement_sub_category strength",
    "truth/queries": "query product_type searches",
}


@dataclass(frozen=True)
class Sample:
    """The files, `time` of an event in seconds; `of` are the events of products, with what is known of each."""

    products: pl.DataFrame
    users: pl.DataFrame
    events: pl.DataFrame
    true_users: pl.DataFrame
    true_products: pl.DataFrame
    complements: pl.DataFrame
    queries: pl.DataFrame

    @property
    def of(self) -> pl.DataFrame:
        known = self.products.join(self.true_products, on="id")
        return self.events.join(known, left_on="product_id", right_on="id")

    @property
    def kind(self) -> dict[str, str]:
        return dict(self.true_products.select("id", "product_type").iter_rows())

    @property
    def baskets(self) -> list[list[str]]:
        bought = self.events.filter(pl.col("event_type") == "purchase")
        together = bought.group_by("user_id", "time", maintain_order=True).agg("product_id")
        baskets: list[list[str]] = together["product_id"].to_list()
        return baskets


def read(folder: Path) -> Sample:
    tables = {name: pl.read_csv(folder / f"{name}.csv") for name in COLUMNS}
    time = pl.col("timestamp").str.to_datetime("%Y-%m-%dT%H:%M:%SZ").dt.epoch("s").alias("time")
    tables["events"] = tables["events"].with_columns(time, pl.col("product_id", "query").cast(pl.String))
    return Sample(*tables.values())
