"""Preferred range: the user's own bounds, obeyed or not."""

from __future__ import annotations

from typing import Any

import pytest

from homefeed.policy.preferred_range import PreferredRange
from homefeed.testing import World, make_world, toy_item

WORLD = make_world(
    [toy_item(place, f"i{place}", 1, year=year) for place, year in enumerate((50, 100, 400, None))], ()
)


def within(world: World, **config: Any) -> PreferredRange:
    given = {"field": "year", "min_user_field": "low", "max_user_field": "high", **config}
    return PreferredRange(PreferredRange.Config.model_validate(given), world.resources)


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        ({}, [True, True, True, True]),
        ({"low": 100}, [False, True, True, True]),
        ({"high": "100"}, [True, True, False, True]),
        ({"low": 60, "high": 70}, [False, False, False, True]),
        ({"low": "much"}, [True, True, True, True]),
    ],
)
def test_what_is_outside_the_bounds_is_stopped(bounds: dict[str, Any], expected: list[bool]) -> None:
    part, query = within(WORLD), WORLD.query("u", attributes=bounds)
    assert part.filter(query).tolist() == expected
    assert part.concerns(query) == (bounds not in ({}, {"low": "much"}))


def test_it_says_which_bound() -> None:
    query = WORLD.query("u", attributes={"low": 100, "high": 300})
    assert within(WORLD).why(query, 0) == "year 50 is below the user's minimum, 100"
    assert within(WORLD).why(query, 2) == "year 400 is above the user's maximum, 300"


def test_it_can_be_switched_off() -> None:
    query = WORLD.query("u", attributes={"low": 100})
    assert within(WORLD, enabled=False).filter(query).all()
    assert not within(WORLD, enabled=False).concerns(query)
