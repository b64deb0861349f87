"""Prices in a query, and numbers that are none."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homefeed.retrieve.search.prices import Priced, priced, with_prices
from homefeed.types import Condition, Query, UserState


@pytest.mark.parametrize(
    ("text", "left", "low", "high"),
    [
        ("earphones under 500", "earphones", None, 500),
        ("phone under 15000", "phone", None, 15_000),
        ("shoes between 100 and 200", "shoes", 100, 200),
        ("shoes between 200 and 100", "shoes", 100, 200),
        ("tv above rs. 1,00,000", "tv", 100_000, None),
        ("laptop from 30k to 50k", "laptop", 30_000, 50_000),
        ("5g Phone UNDER \u20b915,000 with camera", "5g Phone with camera", None, 15_000),
        ("watch below $99.50", "watch", None, 99.5),
        ("gift under 500 rupees for kids", "gift for kids", None, 500),
        ("saree up to 499/-", "saree", None, 499),
        ("bag minimum 500 maximum 900", "bag", 500, 900),
        ("earphones under 500 under 400", "earphones", None, 400),
        ("shirt <500", "shirt", None, 500),
        ("less than 300 cups", "cups", None, 300),
    ],
)
def test_prices_are_conditions(text: str, left: str, low: float | None, high: float | None) -> None:
    assert priced(text) == Priced(left, low, high)


@pytest.mark.parametrize(
    "text",
    [
        "under 500",
        "tv under 43 inch",
        'tv under 43"',
        "bottle less than 2 litre",
        "toys for kids under 5",
        "books for children above 10",
        "under armour shoes",
        "usb 3 hub",
        "fan above 2000 rpm",
        "tent between 2 and 4 people",
        "100 to 200",
        "more than 50% off",
        "iphone 14 pro max 256",
        "thunder 500",
        "",
    ],
)
def test_other_numbers_are_words(text: str) -> None:
    assert priced(text) is None


def test_a_query_gets_the_conditions_of_its_text() -> None:
    own = Condition("kind", ":", "x")
    query = Query(
        "shop",
        "search",
        UserState(None),
        0,
        10,
        conditions=(own,),
        context={"query": "cap between 1 and 2", "a": "b"},
    )
    found, said = with_prices(query, "cost")
    assert found.conditions == (own, Condition("cost", ">=", "1.0"), Condition("cost", "<=", "2.0"))
    assert found.context == {"query": "cap", "a": "b"}
    assert said is not None
    assert said.said == "cap, price from 1 up to 2"
    assert with_prices(query, None) == (query, None)


@given(st.text(st.sampled_from("under 15k,.-bewn and to \u20b9rs<>="), max_size=60))
def test_any_text_can_be_asked(text: str) -> None:
    found = priced(text)
    if found is not None:
        assert any(map(str.isalnum, found.text))
        assert found.conditions("price")


@pytest.mark.parametrize("unit", ["under ", "under 1", "1,", "between 1 and ", "from 1 to 2 "])
def test_a_long_query_takes_no_time(unit: str) -> None:
    began = time.perf_counter()
    priced((unit * 500)[:1_000])
    assert time.perf_counter() - began < 2
