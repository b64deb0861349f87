"""What counts whatever is searched."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import zip_longest

import numpy as np
import pytest
from tests.retrieve.search.shelves import shelf

from homefeed.catalog import CatalogView, Resources
from homefeed.catalog.counters import Counters
from homefeed.errors import RecipeError
from homefeed.retrieve.search import Search
from homefeed.retrieve.search.prior import Prior, PriorConfig
from homefeed.types import DAY, Item, Query, UserState

FIELDS = {"title": "text", "stars": "number", "reviews": "number"}


def gains(
    counts: Sequence[float | None],
    ratings: Sequence[float | None] = (),
    clicks: Sequence[int] = (),
    **config: object,
) -> list[float]:
    catalog = CatalogView(FIELDS, "title")
    catalog.apply(
        Item(f"i{n}", n + 1, {"title": "a", "reviews": count, "stars": rating}, None)
        for n, (count, rating) in enumerate(zip_longest(counts, ratings))
    )
    prior = Prior(
        PriorConfig.model_validate({"count": "reviews", **config}),
        Resources(catalog, clicked(catalog, clicks), {}),
    )
    found: list[float] = prior.gains(np.arange(len(counts), dtype=np.int32)).tolist()
    return found


def clicked(catalog: CatalogView, clicks: Sequence[int]) -> Counters:
    counters = Counters(catalog, DAY, None, 1.0)
    items = np.array(clicks, np.int32)
    users = np.arange(len(items), dtype=np.int32)
    counters.add(users, items, np.ones(len(items), np.float32), np.zeros(len(items), np.int64))
    return counters


def test_more_ratings_count_more_beside_the_most() -> None:
    expected = [1.5, 1 + 0.5 * math.log(11) / math.log(101), 1.0, 1.0]
    assert gains([100, 10, None, -3]) == pytest.approx(expected)
    assert gains([100, 10], weight=1.0)[0] == pytest.approx(2.0)


def test_of_many_ratings_the_mean_counts_and_of_few_hardly() -> None:
    many = gains([1_000, 1_000], [4.8, 2.0], rating="stars")
    few = gains([1, 1], [4.8, 2.0], rating="stars")
    assert many[0] == few[0] == pytest.approx(1.5)
    assert many[1] < 1.25 < few[1]
    assert gains([9, 9, 9], [2.5, None, 77], rating="stars") == pytest.approx([1.5, 1.5, 1.5]), "no rating is half"


def test_what_was_clicked_counts_as_much_as_what_was_rated() -> None:
    assert gains([None, None], clicks=[1, 1, 1]) == pytest.approx([1.0, 1.5])
    assert gains([100, None], clicks=[1]) == pytest.approx([1.25, 1.25])


def test_without_ratings_and_events_nothing_is_said() -> None:
    assert gains([None, 0]) == [1.0, 1.0]
    assert gains([]) == []


def test_fields_must_hold_numbers() -> None:
    with pytest.raises(RecipeError, match="title"):
        gains([1], count="title")


def test_of_what_matches_alike_the_better_known_comes_first() -> None:
    catalog = shelf("red shoe", "red shoe", "red shoe")
    resources = Resources(catalog, clicked(catalog, [2, 2]), {})
    everything = np.ones(3, np.bool_)
    query = Query("shop", "search", UserState(None), 0, 10, context={"query": "shoe"}, eligible=everything)
    for prior, expected in ((None, [0, 1, 2]), ({}, [2, 0, 1])):
        config = Search.Config.model_validate({"fields": {"name": 1.0}, "prior": prior})
        positions, scores = Search(config, resources).retrieve(query, 3)
        assert positions.tolist() == expected
        assert scores.tolist() == sorted(scores.tolist(), reverse=True)
