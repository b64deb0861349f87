"""Who belongs together: by exactly one value of a field of items and an attribute of users."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from homefeed.catalog import CatalogView, Partitions
from homefeed.catalog.partitions import name_in, unnamed
from homefeed.types import Item, UserState

ITEMS = [
    Item(f"i{n}", n, {} if town is None else {"town": town}, None) for n, town in enumerate(["a", "A", None, "a"])
]


def partitions() -> Partitions:
    catalog = CatalogView({"title": "text", "town": "category"}, "title", apart="town")
    catalog.apply(ITEMS)
    return Partitions(catalog.apart, "home")


def user(user_id: str | None = "u", **attributes: Any) -> UserState:
    return UserState(user_id, attributes=attributes)


def test_letter_case_makes_two_and_an_item_without_a_value_is_of_none() -> None:
    found = partitions()
    assert [found.of_item(position) for position in range(4)] == ["a", "A", None, "a"]
    codes = found.codes(4).tolist()
    assert codes[0] == codes[3] != codes[1]
    assert codes[2] == -1
    assert [found.code(user(home=name)) for name in ("a", "A")] == codes[:2]


@pytest.mark.parametrize("attributes", [{}, {"home": " "}, {"home": True}, {"home": ["a"]}, {"home": "elsewhere"}])
def test_a_user_of_none_or_of_one_without_items_has_the_code_of_no_item(attributes: Mapping[str, Any]) -> None:
    assert partitions().code(user(**attributes)) not in {-1, *partitions().codes(4).tolist()}


def test_nobody_is_of_none() -> None:
    assert partitions().of_user(user(None, home="a")) is None
    assert partitions().of_user(user(home=7)) == "7"


def test_without_isolation_all_are_of_one() -> None:
    together = Partitions()
    assert not together.are_apart
    assert together.of_item(3) == together.of_user(user(None)) == ""
    assert together.codes(3).tolist() == [0, 0, 0]
    assert together.code(user()) == 0


def test_a_name_in_a_partition_is_no_name_in_another() -> None:
    assert len({name_in("word", ""), name_in("word", "a"), name_in("word", "A")}) == 3
    assert unnamed(name_in("word", "a=b")) == ("word", "a=b")
    assert unnamed(name_in("word", "")) == ("word", "")
