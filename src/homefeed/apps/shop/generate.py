"""Sample data for the shop app: seeded, realistic, with the truth beside it.

Shoppers like a few shelves, a level of prices and some brands. They search, look at what they searched for and at
what goes with it, and buy it in baskets. Times are whole seconds since 1970-01-01 UTC.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from homefeed.apps.shop.complements import KINDS, pairs
from homefeed.apps.shop.queries import write_queries
from homefeed.apps.shop.sellers import BRANDS
from homefeed.apps.shop.shoppers import ROLES, WEEKEND, WORKDAY, Shoppers, plan_shoppers
from homefeed.apps.shop.stock import KIND_SHELF, Stock, plan_stock
from homefeed.apps.shop.trips import SEARCH, Deeds, Shop, draw_deeds
from homefeed.apps.shop.wares import MAINS, SHELVES
from homefeed.samples import (
    END,
    Format,
    Rhythm,
    Summary,
    check_events,
    check_sizes,
    ids,
    iso,
    plan_rhythm,
    write_tables,
)

ACTIONS: Final = ("search_query", "product_click", "purchase")
"""The event types of the app, in the order in which a trip shows them."""


@dataclass(frozen=True)
class World:
    """Who could buy what, and when."""

    rhythm: Rhythm
    stock: Stock
    people: Shoppers


def generate(
    folder: Path,
    *,
    users: int = 600,
    items: int = 2_000,
    events: int = 40_000,
    days: int = 90,
    seed: int = 42,
    end: datetime = END,
    dated: bool = False,
    format: Format = "csv",  # noqa: A002 - the word a caller looks for
    progress: Callable[[int, int], None] | None = None,
) -> Summary:
    """Write products, users and events to `folder`, and their truth to its `truth`: same seed, same bytes.

    `events` covers the `days` before `end`; `progress` is told how many events of how many are drawn. `dated`
    products tell when they arrived, in a column `created_at` that the contract does not ask for.
    """
    world = plan_world(users=users, items=items, days=days, seed=seed, end=end)
    check_events(events, users, days)
    shop = Shop(world.stock, world.people, world.rhythm)
    deeds = draw_deeds(shop, events, np.random.default_rng([seed, 2]), progress)
    sought = deeds.item[deeds.deed == SEARCH]
    queries = write_queries(world.stock, sought, np.random.default_rng([seed, 3]))
    tables = {
        f"products.{format}": _products_table(world.stock, dated),
        f"users.{format}": pl.LazyFrame({"user_id": ids("u", users)}),
        f"events.{format}": _events_table(world.stock, deeds, queries),
        "truth/users.csv": _true_users(world.people),
        "truth/products.csv": _true_products(world.stock),
        "truth/complements.csv": _true_complements(),
        "truth/queries.csv": _true_queries(queries, world.stock.kind[sought]),
    }
    return Summary(users, items, events, write_tables(tables, folder))


def plan_world(*, users: int, items: int, days: int, seed: int, end: datetime) -> World:
    """The shoppers and products of a seed, with all that the files do not tell."""
    check_sizes(end, users=users, items=items, days=days)
    rhythm = plan_rhythm(int(end.timestamp()), days, WORKDAY, WEEKEND)
    return World(
        rhythm,
        plan_stock(items, rhythm.begin, rhythm.end, np.random.default_rng([seed, 1])),
        plan_shoppers(users, rhythm, np.random.default_rng([seed, 0])),
    )


def _products_table(stock: Stock, dated: bool) -> pl.LazyFrame:
    ids, names = pl.Series(stock.id), pl.Series(stock.name)
    slug = names.str.to_lowercase().str.replace_all(r"[^a-z0-9]+", "-").str.extract(r"^((?:[^-]+-?){1,6})")
    table = pl.LazyFrame(
        {
            "id": ids,
            "name": names,
            "main_category": [SHELVES[shelf].main for shelf in stock.shelf.tolist()],
            "sub_category": [SHELVES[shelf].name for shelf in stock.shelf.tolist()],
            "image": "https://images.shop.example/" + ids + ".jpg",
            "link": "https://shop.example/" + slug.str.strip_chars("-") + "/dp/" + ids,
            "ratings": stock.rating,
            "no_of_ratings": stock.reviews,
            "discount_price": stock.price,
            "actual_price": stock.full_price,
            "discount_ratio": (1 - stock.price / stock.full_price).round(4),
            "created_at": stock.arrives,
        }
    ).with_columns(
        pl.col("ratings").fill_nan(None), pl.col("no_of_ratings").fill_nan(None).cast(pl.Int64), iso("created_at")
    )
    return table if dated else table.drop("created_at")


def _events_table(stock: Stock, deeds: Deeds, queries: list[str]) -> pl.LazyFrame:
    is_search = deeds.deed == SEARCH
    query = np.full(len(is_search), None, object)
    query[is_search] = queries
    columns = {
        "user": deeds.user,
        "event_type": np.array(ACTIONS)[deeds.deed],
        "product_id": pl.Series(stock.id).gather(deeds.item),
        "query": pl.Series(query.tolist(), dtype=pl.String),
        "timestamp": deeds.time,
    }
    return pl.LazyFrame(columns).select(
        pl.format("u{}", pl.col("user") + 1).alias("user_id"),
        "event_type",
        pl.when(pl.col("query").is_null()).then("product_id"),
        "query",
        iso("timestamp"),
    )


def _true_users(people: Shoppers) -> pl.LazyFrame:
    """What each likes, most first, the shares summing to one; their level of prices, brands and role."""
    parts = (people.taste * 1_000).round().astype(np.int32)
    parts[np.arange(len(parts)), parts.argmax(axis=1)] += 1_000 - parts.sum(axis=1)
    best = np.argsort(-parts, axis=1, kind="stable")[:, :5]
    tastes, brands = [], []
    for row, shelves, favourites in zip(parts, best.tolist(), people.brand.tolist(), strict=True):
        liked = [shelf for shelf in shelves if row[shelf]]
        tastes.append("|".join(f"{SHELVES[shelf].name}:{row[shelf] / 1_000:.3f}" for shelf in liked))
        mains = sorted({MAINS.index(SHELVES[shelf].main) for shelf in liked})
        brands.append("|".join(BRANDS[MAINS[main]][favourites[main]] for main in mains if favourites[main] >= 0))
    return pl.LazyFrame(
        {
            "user_id": ids("u", len(tastes)),
            "tastes": tastes,
            "price_level": people.level.round(3),
            "brands": brands,
            "role": np.array(ROLES)[people.role],
        }
    ).with_columns(pl.col("brands").replace("", None))


def _true_products(stock: Stock) -> pl.LazyFrame:
    """The kind of each, how much it is in demand, whether it rises, what it is a copy of, what fits it best."""
    ids = np.array([*stock.id, ""])
    rising = np.zeros(len(stock.id), np.bool_)
    rising[stock.rising] = True
    return pl.LazyFrame(
        {
            "id": stock.id,
            "product_type": np.array(KINDS)[stock.kind],
            "price_level": stock.level.round(3),
            "appeal": (stock.appeal / stock.appeal.max()).round(6),
            "rising": rising,
            "duplicate_of": ids[stock.original],
            "fits": ["|".join(filter(None, row)) for row in ids[stock.partners].tolist()],
        }
    ).with_columns(pl.col("duplicate_of", "fits").replace("", None))


def _true_complements() -> pl.LazyFrame:
    """Which kind leads to which, and how strongly: 0 to 1."""
    one, other = (np.array(codes) for codes in zip(*pairs(), strict=True))
    names = np.array([shelf.name for shelf in SHELVES])
    return pl.LazyFrame(
        {
            "product_type": np.array(KINDS)[one],
            "complement": np.array(KINDS)[other],
            "sub_category": names[KIND_SHELF[one]],
            "complement_sub_category": names[KIND_SHELF[other]],
            "strength": list(pairs().values()),
        }
    )


def _true_queries(queries: list[str], kind: np.ndarray[tuple[int], np.dtype[np.int32]]) -> pl.LazyFrame:
    """What kind of thing the queries were for, and how often."""
    table = pl.LazyFrame(
        {"query": pl.Series(queries, dtype=pl.String), "product_type": np.array(KINDS)[kind].tolist()},
        schema_overrides={"product_type": pl.String},
    )
    counted = table.group_by("query", "product_type").agg(searches=pl.len())
    return counted.sort("searches", "query", "product_type", descending=[True, False, False])
