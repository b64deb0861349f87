"""Who may know of what: the own group's items and nothing else, whatever the user's attribute is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from homefeed.errors import RecipeError
from homefeed.policy.isolation import Isolation
from homefeed.protocols import Filter, FilterExplainer
from homefeed.testing import FilterContract, World, make_world, toy_world
from homefeed.types import Item, Query

GROUPS = ("North", "north", "South", "7", "true", "[]", "None", "nan", "  ", "", None)
WORLD = make_world([Item(f"i{n}", n, {"content_type": group}, None) for n, group in enumerate(GROUPS)], ())


def isolation(world: World) -> Isolation:
    return Isolation(Isolation.Config(item="content_type", user="group"), world.resources)


def asked_by(group: Any, user_id: str | None = "u") -> Query:
    return WORLD.query(user_id, attributes={"group": group})


def seen_by(query: Query) -> list[str | None]:
    return [GROUPS[position] for position in np.flatnonzero(isolation(WORLD).filter(query)).tolist()]


class TestIsolation(FilterContract):
    def make(self, world: World) -> Filter:
        return isolation(world)

    def requests(self, world: World) -> dict[str, Query]:
        groups = {
            str(group): world.query("da", attributes={"group": group}) for group in ("series", "", ["movie"])
        }
        return super().requests(world) | groups


@pytest.mark.parametrize(
    ("group", "expected"),
    [
        ("North", ["North"]),
        ("north", ["north"]),
        ("nOrTH", []),
        ("South", ["South"]),
        (7, ["7"]),
        ("7", ["7"]),
        ("true", ["true"]),
        ("West", []),
        ("nort", []),
    ],
)
def test_users_see_their_own_group(group: str | int, expected: list[str]) -> None:
    assert seen_by(asked_by(group)) == expected


@pytest.mark.parametrize("group", [None, "", " ", "\t\n", True, 7.0, float("nan"), [], ["North"], {"North": 1}])
def test_who_belongs_to_no_group_sees_nothing(group: Any) -> None:
    assert seen_by(asked_by(group)) == []


def test_who_is_not_known_sees_nothing() -> None:
    assert seen_by(WORLD.query()) == []
    assert seen_by(WORLD.query("u")) == []
    assert seen_by(WORLD.query("u", attributes={"Group": "North"})) == []
    assert seen_by(asked_by("North", user_id=None)) == []


def test_an_item_that_changes_sides_changes_at_once() -> None:
    world = toy_world()
    filter_ = isolation(world)
    query = world.query("u", attributes={"group": "opera"})
    assert not filter_.filter(query).any()
    world.catalog.apply([Item("d1", 7, {"content_type": "opera"}, None)])
    assert world.ids(np.flatnonzero(filter_.filter(query)).astype(np.int32)) == ("d1",)


def test_why_tells_of_no_other_group() -> None:
    part = isolation(WORLD)
    assert isinstance(part, FilterExplainer)
    assert part.why(asked_by("South"), 0) == "not of the user's group"
    assert part.why(asked_by("South"), len(GROUPS) - 1) == "it has no content_type"
    assert part.why(asked_by(["South"]), 0) == "the user has no group"


def test_the_field_has_to_be_a_category() -> None:
    with pytest.raises(RecipeError, match="genre"):
        Isolation(Isolation.Config(item="genre", user="group"), WORLD.resources)


ANYTHING = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.sampled_from(GROUPS), st.lists(st.text())
)


@given(ANYTHING, st.sampled_from(["u", None]))
def test_nobody_ever_sees_what_is_not_of_their_group(group: Any, user_id: str | None) -> None:
    for seen in seen_by(asked_by(group, user_id)):
        assert user_id is not None
        assert isinstance(group, str | int)
        assert seen is not None
        assert seen.strip()
        assert seen.casefold() == str(group).casefold()
