"""A shop to test: made by hand, trained on, and served by a server of its own."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from homefeed.apps import find_recipe
from homefeed.apps.shop.prepare import prepare_items
from homefeed.environment import Environment, system_clock
from homefeed.ingest import find_files, import_files
from homefeed.store import open_store
from homefeed.store.artifacts import ArtifactStore
from homefeed.train import train_app

if TYPE_CHECKING:
    from tests.conftest import StartServer

HOME, SEARCH, PRODUCT = "/recommendations/home", "/recommendations/search", "/recommendations/product/"
INTERACTIONS = "/api/v1/interactions/interactions"
FIELDS = ("id", "name", "category", "image", "price", "original_price", "rating", "reviews", "discount_ratio")
LISTS = ("personalized", "trending", "best_value", "diverse_picks")


def product(number: int, name: str, main: str, sub: str, **more: Any) -> dict[str, Any]:
    """A row of products.csv, at half its price, rated 4.0 by 100."""
    row = {
        "id": f"P{number:09d}",
        "name": name,
        "main_category": main,
        "sub_category": sub,
        "image": f"https://shop.example/{number}.jpg",
        "link": f"https://shop.example/dp/{number}",
        "ratings": 4.0,
        "no_of_ratings": 100,
        "discount_price": 50.0,
        "actual_price": 100.0,
        "discount_ratio": 0.5,
    }
    return row | more


PRODUCTS = [
    product(1, "Wireless Earbuds with Charging Case", "Electronics", "Audio"),
    product(2, "Wireless Headphones over Ear", "Electronics", "Audio"),
    product(3, "Wired Earphones with Microphone", "Electronics", "Audio"),
    product(4, "Charging Cable USB C", "Electronics", "Cables"),
    product(5, "Phone Case Leather", "Electronics", "Cases"),
    product(6, "Red Running Shoes for Men", "Fashion", "Shoes"),
    product(7, "Blue Running Shoes for Women", "Fashion", "Shoes"),
    product(8, "Red Evening Dress", "Fashion", "Dresses"),
    product(9, "Badminton Racket Carbon", "Sports", "Badminton"),
    product(10, "Badminton Shuttlecocks, Tube of Six", "Sports", "Badminton"),
    product(11, "Coffee Machine with Grinder", "Kitchen", "Coffee"),
    product(12, "Coffee Beans Dark Roast", "Kitchen", "Coffee"),
    # The very same as 1 under another id, but for letter case.
    product(13, "WIRELESS earbuds with charging case", "Electronics", "Audio"),
    # One five-star rating, and nothing off; nearly nothing known; a true bargain.
    product(
        14,
        "Espresso Cups",
        "Kitchen",
        "Coffee",
        ratings=5.0,
        no_of_ratings=1,
        discount_price=100.0,
        discount_ratio=0.0,
    ),
    product(
        15,
        "Mystery Box",
        "Gifts",
        "",
        image="",
        ratings="",
        no_of_ratings="",
        discount_price="",
        actual_price="",
        discount_ratio="",
    ),
    product(
        16,
        "Bargain Blender",
        "Kitchen",
        "Appliances",
        ratings=4.8,
        no_of_ratings=9000,
        discount_price=20.0,
        discount_ratio=0.8,
    ),
    *(
        product(
            100 + n,
            f"Garden Chair Model {n}",
            "Garden",
            "Chairs",
            discount_price=200.0 + n,
            actual_price=300.0,
            discount_ratio="",
        )
        for n in range(80)
    ),
]


def pid(number: int) -> str:
    """A product's id."""
    return f"P{number:09d}"


def _events(now: datetime) -> list[dict[str, str]]:
    """Shoppers who buy rackets with shuttlecocks, and others who look at earphones; one stale, one searching."""
    rows = []

    def tell(user: str, what: str, days_ago: float, item: int | None = None, query: str = "") -> None:
        time = (now - timedelta(days=days_ago)).isoformat(timespec="seconds")
        rows.append(
            {
                "user_id": user,
                "event_type": what,
                "product_id": "" if item is None else pid(item),
                "query": query,
                "timestamp": time,
            }
        )

    for n in range(20):
        tell(f"player{n}", "product_click", 10 + n / 10, 9)
        tell(f"player{n}", "product_click", 10 + n / 10 - 0.001, 10)
        tell(f"player{n}", "product_click", 10 + n / 10 - 0.002, 16)
        tell(f"player{n}", "purchase", 9.5, 9)
        tell(f"player{n}", "purchase", 9.5, 10)
        for item in (1, 2, 3):
            tell(f"listener{n}", "product_click", 5 + n / 10 + item / 1000, item)
    tell("drinker", "product_click", 2, 11)
    tell("runner", "search_query", 1, query="running shoes")
    tell("stale", "product_click", 31, 9)
    tell("recent", "product_click", 29, 9)
    return rows


@dataclass(frozen=True)
class Shop:
    """A running shop."""

    api: httpx.Client
    store_url: str
    home: Path
    names: dict[str, str] = field(default_factory=lambda: {row["id"]: row["name"] for row in PRODUCTS})


async def fill(store_url: str, home: Path) -> None:
    """Import the shop's files and train."""
    folder = home / "shop-files"
    folder.mkdir(parents=True)
    now = datetime.now(UTC)
    for name, rows in (("products", PRODUCTS), ("events", _events(now))):
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    recipe = find_recipe("shop")
    async with open_store(store_url) as store:
        files = find_files(folder, recipe.sources)
        report = await import_files(store, recipe, files, now=system_clock(), prepare_items=prepare_items)
        for told in report.files:
            assert not told.rejected, told.rejected
        await train_app(recipe, store, ArtifactStore(home / "models"), Environment())


@contextmanager
def serving(start_server: StartServer, store_url: str, home: Path, **settings: str) -> Iterator[httpx.Client]:
    """A client of a server of the shop."""
    told = {"apps": "shop", "poll_seconds": "0.1"} | settings
    with (
        start_server(store_url, home, **told) as server,
        httpx.Client(base_url=server.url, timeout=20) as client,
    ):
        yield client
