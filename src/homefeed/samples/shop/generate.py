"""Sample data for the shop app: seeded, realistic, with its truth in separate files.

Shoppers like a few shelves, a level of prices and some brands. They search, look at what they searched for and at
its complements, and buy in baskets. Times are whole seconds since 1970-01-01 UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Unpack

import numpy as np
import polars as pl

from homefeed.samples import (
    Options,
    Progress,
    Rhythm,
    Sample,
    Summary,
    Tables,
    ids,
    iso,
    plan_rhythm,
    write_sample,
)
from homefeed.samples.shop.complements import KINDS, pairs
from homefeed.samples.shop.queries import write_queries
from homefeed.samples.shop.sellers import BRANDS
from homefeed.samples.shop.shoppers import ROLES, WEEKEND, WORKDAY, Shoppers, plan_shoppers
from homefeed.samples.shop.stock import KIND_SHELF, Stock, plan_stock
from homefeed.samples.shop.trips import SEARCH, Actions, Shop, draw_actions
from homefeed.samples.shop.wares import MAINS, SHELVES

ACTIONS: Final = ("search_query", "product_click", "purchase")
"""The event types of the app, in the order in which they occur in a trip."""


@dataclass(frozen=True)
class World:
    """The shoppers, the products and the window of time."""

    rhythm: Rhythm
    stock: Stock
    people: Shoppers


DEFAULTS: Final = Sample(users=600, items=2_000, events=40_000, days=90)


def generate(folder: Path, *, progress: Progress | None = None, **options: Unpack[Options]) -> Summary:
    """Write products, users and events to `folder`, and their truth to its `truth`.

    Raises:
        InvalidError: an option is out of bounds.
    """
    sample = replace(DEFAULTS, **options)
    return write_sample(folder, sample, lambda: _tables(sample, progress))


def _tables(sample: Sample, progress: Progress | None) -> Tables:
    world = plan_world(sample)
    actions = draw_actions(Shop(world.stock, world.people, world.rhythm), sample.events, sample.rng(2), progress)
    sought = actions.item[actions.action == SEARCH]
    queries = write_queries(world.stock, sought, sample.rng(3))
    return {
        f"products.{sample.format}": _products_table(world.stock, sample.dated),
        f"users.{sample.format}": pl.LazyFrame({"user_id": ids("u", sample.users)}),
        f"events.{sample.format}": _events_table(world.stock, actions, queries),
        "truth/users.csv": _true_users(world.people),
        "truth/products.csv": _true_products(world.stock),
        "truth/complements.csv": _true_complements(),
        "truth/queries.csv": _true_queries(queries, world.stock.kind[sought]),
    }


def plan_world(sample: Sample) -> World:
    """The shoppers and products of a sample, with all that the files leave out."""
    rhythm = plan_rhythm(sample.last, sample.days, WORKDAY, WEEKEND)
    return World(
        rhythm,
        plan_stock(sample.items, rhythm.begin, rhythm.end, sample.rng(1)),
        plan_shoppers(sample.users, rhythm, sample.rng(0)),
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


def _events_table(stock: Stock, actions: Actions, queries: list[str]) -> pl.LazyFrame:
    is_search = actions.action == SEARCH
    query = np.full(len(is_search), None, object)
    query[is_search] = queries
    columns = {
        "user": actions.user,
        "event_type": np.array(ACTIONS)[actions.action],
        "product_id": pl.Series(stock.id).gather(actions.item),
        "query": pl.Series(query.tolist(), dtype=pl.String),
        "timestamp": actions.time,
    }
    return pl.LazyFrame(columns).select(
        pl.format("u{}", pl.col("user") + 1).alias("user_id"),
        "event_type",
        pl.when(pl.col("query").is_null()).then("product_id"),
        "query",
        iso("timestamp"),
    )


def _true_users(people: Shoppers) -> pl.LazyFrame:
    """The shelves each likes, the favourite first, with shares that sum to one; price level, brands and role."""
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
    """The kind of each, its demand, whether it is rising, the product it copies, its best complements."""
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
    """The complements of each kind, with the strength of the link: 0 to 1."""
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
    """The kind of product each query was for, and how often."""
    table = pl.LazyFrame(
        {"query": pl.Series(queries, dtype=pl.String), "product_type": np.array(KINDS)[kind].tolist()},
        schema_overrides={"product_type": pl.String},
    )
    counted = table.group_by("query", "product_type").agg(searches=pl.len())
    return counted.sort("searches", "query", "product_type", descending=[True, False, False])
