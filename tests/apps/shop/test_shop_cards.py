"""Products as the contract shows them."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from homefeed.apps.shop.cards import products
from homefeed.apps.shop.schemas import ProductOut
from homefeed.catalog import CatalogView
from homefeed.types import Item

FIELDS = {"name": "text", "main_category": "category", "sub_category": "category", "price": "number"}


def catalogue(**attributes: Any) -> CatalogView:
    catalog = CatalogView(FIELDS, "name")
    change(catalog, **attributes)
    return catalog


def change(catalog: CatalogView, **attributes: Any) -> None:
    catalog.apply([Item("P000000001", 1, attributes, None)])


def card(catalog: CatalogView, reason: str = "Because") -> dict[str, Any]:
    (found,) = orjson.loads(products(catalog, [0], [reason]))
    ProductOut.model_validate(found, strict=True)
    return dict(found)


def test_a_card_follows_its_product() -> None:
    catalog = catalogue(name="Kettle", price=10)
    assert card(catalog)["price"] == 10
    change(catalog, name="Kettle", price=9)
    assert card(catalog)["price"] == 9


@pytest.mark.parametrize(
    ("said", "category"),
    [
        ({"main_category": "A", "sub_category": "B"}, "A > B"),
        ({"main_category": "A"}, "A"),
        ({"sub_category": "B"}, "B"),
        ({}, ""),
    ],
)
def test_categories_are_a_path(said: dict[str, str], category: str) -> None:
    assert card(catalogue(name="Kettle", **said))["category"] == category


def test_whatever_is_stored_a_card_keeps_to_the_contract() -> None:
    odd = {"rating": "good", "reviews": 12.6, "discount_ratio": [1], "image": 7, "original_price": "12.5"}
    found = card(catalogue(name="Kettle", **odd))
    assert [found[name] for name in odd] == [None, 13, None, "7", 12.5]


def test_reasons_and_names_are_escaped() -> None:
    found = card(catalogue(name='19" Monitor \\ "new" ü'), 'Similar to "x"')
    assert (found["name"], found["reason"]) == ('19" Monitor \\ "new" ü', 'Similar to "x"')
