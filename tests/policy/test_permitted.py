"""What is only for those who allow it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from homefeed.errors import RecipeError
from homefeed.policy.permitted import Permitted
from homefeed.protocols import ExplanationFilter, Filter, FilterExplainer, PersonalFilter
from homefeed.testing import FilterContract, World, make_world, toy_item, toy_world
from homefeed.testing.requests import toy_requests
from homefeed.types import Query

MATURE = ("true", "false", None, "Yes")
WORLD = make_world([toy_item(n, f"i{n}", 1, content_type=told) for n, told in enumerate(MATURE)], ())


def permitted(world: World, **config: Any) -> Permitted:
    told = {"field": "content_type", "user_field": "allows"} | config
    return Permitted(Permitted.Config.model_validate(told), world.resources)


class TestPermitted(FilterContract):
    def make(self, world: World) -> Filter:
        return permitted(world, values=["microdrama"])

    def requests(self, world: World) -> dict[str, Query]:
        return toy_requests(world) | {"allowing": world.query("da", attributes={"allows": True})}


@pytest.mark.parametrize("allows", [True, 1, 1.0, "true", " YES ", "y", "1"])
def test_who_allows_it_sees_all(allows: Any) -> None:
    query = WORLD.query("u", attributes={"allows": allows})
    assert permitted(WORLD).filter(query).all()
    assert permitted(WORLD).concerns(query)


@pytest.mark.parametrize("allows", [None, False, 0, 2, "no", "false", "maybe", "", [True], {"allows": True}])
def test_nobody_else_sees_what_is_marked(allows: Any) -> None:
    query = WORLD.query("u", attributes={"allows": allows})
    assert np.flatnonzero(permitted(WORLD).filter(query)).tolist() == [1, 2]
    assert not permitted(WORLD).concerns(query)


def test_it_is_personal_and_no_reason_may_name_what_it_stops() -> None:
    part = permitted(WORLD)
    assert isinstance(part, PersonalFilter)
    assert isinstance(part, ExplanationFilter)
    assert part.restricts_explanations


def test_why_tells_what_would_allow_it() -> None:
    part = permitted(WORLD)
    assert isinstance(part, FilterExplainer)
    assert part.why(WORLD.query(), 3) == "content_type is Yes, and the user has no allows"


def test_the_field_has_to_be_a_category() -> None:
    with pytest.raises(RecipeError, match='expected "category"'):
        permitted(toy_world(), field="year")
