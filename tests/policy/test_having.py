"""What has a certain value."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from homefeed.errors import RecipeError
from homefeed.policy.having import Having
from homefeed.protocols import Filter, FilterExplainer
from homefeed.testing import FilterContract, World, make_world, toy_item, toy_world
from homefeed.types import Condition, Mask

LIVE = ("true", "TRUE", "1", True, "false", "0", "", None)
WORLD = make_world([toy_item(n, f"i{n}", 1, content_type=told) for n, told in enumerate(LIVE)], ())


def having(world: World, **config: Any) -> Having:
    return Having(Having.Config.model_validate({"field": "content_type"} | config), world.resources)


def passing(world: World, part: Having) -> list[int]:
    return np.flatnonzero(part.filter(world.query())).tolist()


class TestHaving(FilterContract):
    def make(self, world: World) -> Filter:
        return having(world, values=["Movie", "microdrama"])


def test_what_says_yes_passes() -> None:
    assert passing(WORLD, having(WORLD)) == [0, 1, 2, 3]


def test_the_values_can_be_others() -> None:
    assert passing(WORLD, having(WORLD, values=["FALSE", "0"])) == [4, 5]


def test_a_change_counts_at_once() -> None:
    world = make_world([toy_item(0, "a", 1, content_type="true"), toy_item(1, "b", 1, content_type="true")], ())
    part = having(world)
    assert passing(world, part) == [0, 1]
    world.catalog.apply([toy_item(0, "a", 1, content_type="false")])
    assert passing(world, part) == [1]


def test_what_changes_while_it_looks_counts_from_the_next_request_on(monkeypatch: pytest.MonkeyPatch) -> None:
    world = make_world([toy_item(0, "a", 1, content_type="true")], ())
    part, look = having(world), world.catalog.mask

    def interrupted(condition: Condition) -> Mask:
        found = look(condition).copy()
        monkeypatch.undo()
        world.catalog.apply([toy_item(0, "a", 1, content_type="false")])
        return found

    monkeypatch.setattr(world.catalog, "mask", interrupted)
    assert passing(world, part) == [0]
    assert passing(world, part) == []


def test_why_tells_the_value() -> None:
    part = having(WORLD)
    assert isinstance(part, FilterExplainer)
    assert part.why(WORLD.query(), 4) == "content_type is false, not true"
    assert part.why(WORLD.query(), 7) == "content_type is not known, not true"


@pytest.mark.parametrize("field", ["year", "live"])
def test_the_field_has_to_be_a_category(field: str) -> None:
    with pytest.raises(RecipeError, match='expected "category"'):
        having(toy_world(), field=field)
