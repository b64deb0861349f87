"""Items as a contract shows them: kept as JSON, and never older than the catalogue."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from homefeed.api import cards
from homefeed.api.cards import cards_of
from homefeed.catalog import CatalogView
from homefeed.types import Item


def catalogue(*names: str) -> CatalogView:
    catalog = CatalogView({"name": "text", "price": "number"}, "name")
    for position, name in enumerate(names):
        change(catalog, position, name=name, price=10)
    return catalog


def change(catalog: CatalogView, position: int, **attributes: Any) -> None:
    catalog.apply([Item(f"i{position}", position + 1, attributes, None)])


def described(catalog: CatalogView, position: int) -> dict[str, Any]:
    return {"id": catalog.item_id(position), **catalog.attributes(position)}


def titles(catalog: CatalogView, position: int) -> dict[str, Any]:
    return {"title": catalog.title(position)}


def listed(catalog: CatalogView, *positions: int, describe: cards.Describe = described) -> list[dict[str, Any]]:
    additions = [orjson.dumps({"reason": f"at {place}"}) for place in range(len(positions))]
    found: list[dict[str, Any]] = orjson.loads(cards_of(catalog, describe).listed(positions, additions))
    return found


def test_a_card_is_what_is_described_and_what_is_added() -> None:
    assert listed(catalogue("Kettle", 'a "quoted" ü'), 1, 0) == [
        {"id": "i1", "name": 'a "quoted" ü', "price": 10, "reason": "at 0"},
        {"id": "i0", "name": "Kettle", "price": 10, "reason": "at 1"},
    ]


def test_an_empty_list() -> None:
    assert cards_of(catalogue(), described).listed([], []) == b"[]"


def test_a_card_follows_its_item() -> None:
    catalog = catalogue("Kettle", "Pot")
    assert [card["price"] for card in listed(catalog, 0, 1)] == [10, 10]
    change(catalog, 0, name="Kettle", price=9)
    assert [card["price"] for card in listed(catalog, 0, 1)] == [9, 10]


def test_a_card_is_made_once() -> None:
    calls = []

    def counted(catalog: CatalogView, position: int) -> dict[str, Any]:
        calls.append(position)
        return described(catalog, position)

    catalog = catalogue("Kettle", "Pot")
    for _ in range(3):
        listed(catalog, 0, 1, 0, describe=counted)
    assert calls == [0, 1]


def test_only_so_many_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cards, "_MAX_KEPT", 2)
    catalog = catalogue("Kettle", "Pot", "Pan")
    for _ in range(2):
        assert [card["id"] for card in listed(catalog, 0, 1, 2)] == ["i0", "i1", "i2"]
    assert len(cards_of(catalog, described)._cards) <= 2


def test_a_catalogue_has_one_set_of_cards_for_each_description() -> None:
    catalog = catalogue("Kettle")
    assert cards_of(catalog, described) is cards_of(catalog, described)
    assert listed(catalog, 0, describe=titles) == [{"title": "Kettle", "reason": "at 0"}]
    assert listed(catalog, 0)[0]["id"] == "i0"
