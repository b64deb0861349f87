"""What is good enough."""

from __future__ import annotations

import numpy as np
import pytest

from homefeed.errors import RecipeError
from homefeed.policy.quality import Quality
from homefeed.protocols import Filter, FilterExplainer
from homefeed.testing import FilterContract, World, make_world, toy_world
from homefeed.types import Item

WORLD = make_world([Item(f"i{n}", n, {"year": q}, None) for n, q in enumerate((0.29, 0.3, 1, -1, 0, None))], ())


def quality(world: World, **config: str | float) -> Quality:
    return Quality(Quality.Config.model_validate({"field": "year"} | config), world.resources)


def seen(**config: float) -> list[int]:
    return np.flatnonzero(quality(WORLD, **config).filter(WORLD.query())).tolist()


class TestQuality(FilterContract):
    def make(self, world: World) -> Filter:
        return quality(world, min_value=2021)


def test_the_least_is_good_enough_and_the_unknown_passes() -> None:
    assert seen() == [1, 2, 5]
    assert seen(min_value=0.0) == [0, 1, 2, 4, 5]
    assert seen(min_value=1.5) == [5]


def test_why_names_both_figures() -> None:
    part = quality(WORLD)
    assert isinstance(part, FilterExplainer)
    assert part.why(WORLD.query(), 0) == "year 0.29 is below 0.3"


def test_the_field_has_to_be_a_number() -> None:
    with pytest.raises(RecipeError, match=r"items\.fields\.quality is not declared"):
        quality(toy_world(), field="quality")
    with pytest.raises(RecipeError, match="genre"):
        quality(toy_world(), field="genre")
