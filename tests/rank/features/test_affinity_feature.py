"""Affinity: sums of strengths by category, against adding them up one by one."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.rank.features.feature_sample import history_of

from homefeed.errors import RecipeError
from homefeed.protocols import FeatureExtractor
from homefeed.rank.features.affinity import Affinity
from homefeed.testing import World, make_world, toy_item, toy_world
from homefeed.testing.features import FeatureContract, everything
from homefeed.types import History

CREATORS = ("ann", "bob", "ann", None, "cyd", "Ann")
WORLD = make_world(
    [toy_item(place, f"i{place}", 1, content_type=creator) for place, creator in enumerate(CREATORS)], ()
)


def affinity(world: World, **config: float | str) -> Affinity:
    return Affinity(Affinity.Config.model_validate({"field": "content_type", **config}), world.resources)


def values(history: History, **config: float) -> list[float]:
    found = affinity(WORLD, **config).extract(WORLD.query("u", history=history), everything(WORLD))
    return [float(value) for value in found[:, 0]]


class TestAffinity(FeatureContract):
    def make(self, world: World) -> FeatureExtractor:
        return affinity(world)


def test_events_of_a_category_add_up_and_fade() -> None:
    # ann: 1 a half-life before the latest event, and 0.5 with it; bob: a dislike; nobody's item counts for none.
    history = history_of((0, 1.0, 61), (1, -0.5, 1), (3, 1.0, 1), (2, 0.5, 1))
    ann, bob = math.tanh(1.0 / 2), math.tanh(-0.5 / 2)
    assert values(history) == pytest.approx([ann, bob, ann, 0, 0, ann])
    ann, bob = math.tanh(1.0 / 0.5), math.tanh(-0.5 / 0.5)
    assert values(history, scale=0.5) == pytest.approx([ann, bob, ann, 0, 0, ann])
    ann = math.tanh((2**-6 + 0.5) / 2)
    assert values(history, half_life_days=10)[0] == pytest.approx(ann)


def test_coming_back_counts_every_time() -> None:
    once, often = values(history_of((0, 0.5, 0))), values(history_of(*[(0, 0.5, 0)] * 4))
    assert once[0] == pytest.approx(math.tanh(0.25))
    assert often[0] == pytest.approx(math.tanh(1.0))


def test_without_history_there_is_none() -> None:
    assert values(history_of()) == [0] * len(CREATORS)


@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.sampled_from([-1.0, 0.0, 0.25, 1.0]), st.integers(0, 200)), max_size=12
    )
)
def test_sums_by_brute_force(events: list[tuple[int, float, float]]) -> None:
    events.sort(key=lambda event: -event[2])
    expected = []
    for creator in CREATORS:
        alike = [e for e in events if creator and (CREATORS[e[0]] or "").lower() == creator.lower()]
        total = sum(strength * 2 ** ((events[-1][2] - days) / 60) for _, strength, days in alike)
        expected.append(math.tanh(total / 2))
    assert values(history_of(*events)) == pytest.approx(expected, abs=1e-5)


def test_it_is_named_after_the_field() -> None:
    assert affinity(toy_world()).names == ("content_type_affinity",)


@pytest.mark.parametrize("field", ["creator_id", "genre"])
def test_a_field_that_is_no_category_is_refused(field: str) -> None:
    with pytest.raises(RecipeError, match='expected "category"'):
        affinity(toy_world(), field=field)
