"""Products as the contract shows them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from homefeed.api.cards import cards_of
from homefeed.catalog import CatalogView


def products(catalog: CatalogView, positions: Iterable[int], reasons: Sequence[str]) -> bytes:
    """A JSON list of products, each with its reason."""
    return cards_of(catalog, _product).listed(positions, [orjson.dumps({"reason": reason}) for reason in reasons])


def _product(catalog: CatalogView, position: int) -> dict[str, Any]:
    attributes = catalog.attributes(position)
    return {
        "id": catalog.item_id(position),
        "name": catalog.title(position),
        "category": " > ".join(
            str(attributes[name]) for name in ("main_category", "sub_category") if attributes.get(name)
        ),
        "image": None if attributes.get("image") is None else str(attributes["image"]),
        "price": _number(attributes, "price"),
        "original_price": _number(attributes, "original_price"),
        "rating": _number(attributes, "rating"),
        "reviews": None if (reviews := _number(attributes, "reviews")) is None else round(reviews),
        "discount_ratio": _number(attributes, "discount_ratio"),
    }


def _number(attributes: Mapping[str, Any], name: str) -> float | None:
    # Stored before the recipe declared it a number, it may be anything.
    try:
        return None if attributes.get(name) is None else float(attributes[name])
    except (TypeError, ValueError):
        return None
