"""Hometown is best first, and as varied as its settings ask."""

from __future__ import annotations

from typing import Any

import numpy as np

from homefeed.apps import find_recipe
from homefeed.catalog import CatalogView
from homefeed.engine import build_feeds, empty_catalog, resources_of
from homefeed.engine.build import counters_of
from homefeed.funnel import recommend
from homefeed.geo import Place
from homefeed.recipe.variety import varied_fields
from homefeed.types import Item, Query, Slate, UserState

PARIS = Place(48.8566, 2.3522)


def stream(number: int, city: str, category: int, quality: float) -> Item:
    told = {"city": city, "category_id": str(category), "stream_quality_score": quality, "is_live": "true"}
    return Item(f"s{number}", number, told | {"location": {"latitude": 48.8, "longitude": 2.3}}, None)


def shown(n: int, **changes: Any) -> tuple[Slate, CatalogView]:
    """Hometown of six streams, four of them in Paris and the best."""
    recipe = find_recipe("live", changes={"live": {"feeds": {"hometown": changes}}})
    catalog = empty_catalog(recipe)
    cities = ("Paris", "Paris", "Paris", "Paris", "Versailles", "Meaux")
    catalog.apply([stream(row + 1, city, row % 2, 9 - row) for row, city in enumerate(cities)])
    feed = build_feeds(recipe, resources_of(recipe, catalog, counters_of(recipe, catalog), {}))["hometown"]
    query = Query(app="live", feed="hometown", user=UserState("u"), now=0, n=n, place=PARIS)
    return recommend(feed, query), catalog


def values(slate: Slate, catalog: CatalogView, field: str) -> list[str]:
    terms = catalog.all_terms()[field]
    return ["".join(terms[position]) for position in slate.positions.tolist()]


def test_it_is_best_first_as_it_comes() -> None:
    slate, catalog = shown(6)
    assert values(slate, catalog, "city") == ["Paris"] * 4 + ["Versailles", "Meaux"]
    assert (np.diff(slate.scores) <= 0).all()


def test_no_more_than_so_many_of_one_city_where_the_settings_ask_for_it() -> None:
    caps = {"field": "city", "max_items": 1, "window": 3}
    slate, catalog = shown(4, rerank={"caps": caps})
    assert values(slate, catalog, "city") == ["Paris", "Versailles", "Meaux", "Paris"]


def test_cities_and_categories_vary_where_the_settings_ask_for_it() -> None:
    diversity = {"fields": ["city", "category_id"], "balance": 0.3}
    slate, catalog = shown(4, rerank={"diversity": diversity})
    assert set(values(slate, catalog, "city")) == {"Paris", "Versailles", "Meaux"}


def test_cities_and_categories_of_what_is_shown_are_counted() -> None:
    assert varied_fields(find_recipe("live")) == ("city", "category_id")
    assert varied_fields(find_recipe("community")) == ()
