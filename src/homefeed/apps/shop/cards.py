"""Products as the contract shows them, kept as JSON: a list of thousands is put together from ready pieces."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from homefeed.catalog import CatalogView


class Cards:
    """The JSON of every product that was asked for, but for its reason; in step with the catalogue."""

    def __init__(self, catalog: CatalogView) -> None:
        self._catalog = catalog
        self._cards: dict[int, bytes] = {}
        self._seen = catalog.generation

    def listed(self, positions: Iterable[int], reasons: Sequence[str]) -> bytes:
        """A JSON list of products, each with its reason."""
        self._forget_changed()
        known = self._cards
        shown = [
            (known.get(position) or self._card(position)) + orjson.dumps(reason) + b"}"
            for position, reason in zip(positions, reasons, strict=True)
        ]
        return b"[" + b",".join(shown) + b"]"

    def _forget_changed(self) -> None:
        generation = self._catalog.generation
        if generation != self._seen:
            for position in self._catalog.changed_since(self._seen).tolist():
                self._cards.pop(position, None)
            self._seen = generation

    def _card(self, position: int) -> bytes:
        card = orjson.dumps(_product(self._catalog, position))[:-1] + b',"reason":'
        self._cards[position] = card
        return card


def cards_of(catalog: CatalogView) -> Cards:
    """The cards of a catalogue: one set, whoever asks."""
    return catalog.derived("shop cards", lambda: Cards(catalog))


def _product(catalog: CatalogView, position: int) -> dict[str, Any]:
    said = catalog.attributes(position)
    return {
        "id": catalog.item_id(position),
        "name": catalog.title(position),
        "category": " > ".join(str(said[name]) for name in ("main_category", "sub_category") if said.get(name)),
        "image": None if said.get("image") is None else str(said["image"]),
        "price": _number(said, "price"),
        "original_price": _number(said, "original_price"),
        "rating": _number(said, "rating"),
        "reviews": None if (reviews := _number(said, "reviews")) is None else round(reviews),
        "discount_ratio": _number(said, "discount_ratio"),
    }


def _number(said: Mapping[str, Any], name: str) -> float | None:
    # Stored before the recipe declared it a number, it may be anything.
    try:
        return None if said.get(name) is None else float(said[name])
    except (TypeError, ValueError):
        return None
