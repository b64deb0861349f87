"""Items as a contract shows them, kept as JSON: a list of thousands is put together from ready pieces."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeAlias

import orjson

from homefeed.catalog import CatalogView

Describe: TypeAlias = Callable[[CatalogView, int], Mapping[str, Any]]
"""The fields of a contract for the item at a position: the same for every user."""

_MAX_KEPT: Final = 50_000


class Cards:
    """The JSON of the items that were shown; in step with the catalogue."""

    def __init__(self, catalog: CatalogView, describe: Describe) -> None:
        self._catalog, self._describe = catalog, describe
        self._cards: dict[int, bytes] = {}
        self._generation = catalog.generation

    def listed(self, positions: Iterable[int], additions: Iterable[bytes]) -> bytes:
        """A JSON list of items, each with the fields of its addition: a JSON object that is not empty."""
        self._forget_changed()
        known = self._cards
        shown = [
            (known.get(position) or self._card(position)) + addition[1:]
            for position, addition in zip(positions, additions, strict=True)
        ]
        return b"[" + b",".join(shown) + b"]"

    def _forget_changed(self) -> None:
        generation = self._catalog.generation
        if generation != self._generation:
            for position in self._catalog.changed_since(self._generation).tolist():
                self._cards.pop(position, None)
            self._generation = generation

    def _card(self, position: int) -> bytes:
        if len(self._cards) >= _MAX_KEPT:
            self._cards.clear()
        card = orjson.dumps(self._describe(self._catalog, position))[:-1] + b","
        self._cards[position] = card
        return card


def cards_of(catalog: CatalogView, describe: Describe) -> Cards:
    """The cards of a catalogue by a description: one set for all requests."""
    return catalog.derived((Cards, describe), lambda: Cards(catalog, describe))
