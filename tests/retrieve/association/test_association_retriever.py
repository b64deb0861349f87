"""Association as it serves: sums of rules, and what it says of them."""

from __future__ import annotations

from typing import Any

import pytest
from tests.retrieve.association.association_sample import rules_world

from homefeed.catalog import Resources
from homefeed.protocols import Retriever
from homefeed.recipe import find_part
from homefeed.retrieve.association import Association
from homefeed.retrieve.association.model import AssociationModel
from homefeed.testing import RetrieverContract, World
from homefeed.testing.requests import NEW_ITEM, toy_history
from homefeed.testing.world import ITEMS

# Baskets of more than one item: da, dn {d1 d2}, do {d1 d2 d3 h1}, de {d1 d3 h1}, sa {s1 s2}, sk, so {s1 s2 s3},
# mi {d1 c1 c2}.


def association(world: World, **config: Any) -> Association:
    return Association(Association.Config.model_validate(config), world.resources)


class TestAssociation(RetrieverContract):
    @pytest.fixture
    def world(self) -> World:
        return rules_world()

    def make(self, world: World) -> Retriever:
        if "association" not in world.resources.models:
            models = {**world.resources.models, **rules_world().resources.models}
            return Association(
                Association.Config(), Resources(world.catalog, world.counters, models, world.resources.verbs)
            )
        return association(world)


class TestAssociationWithFpGrowth(TestAssociation):
    @pytest.fixture
    def world(self) -> World:
        return rules_world(method="fp_growth")


def test_it_is_found_by_its_name() -> None:
    assert find_part("retrieve", "association") is Association
    assert find_part("model", "association") is AssociationModel
    assert find_part("trainer", "association").__name__ == "AssociationTrainer"


def test_about_an_item_it_gives_that_items_own_rules_and_never_the_item() -> None:
    world = rules_world(shrinkage=0)
    retriever = association(world)
    # d1 is in five of eight baskets: d2 in three of these, d3 and the hidden h1 in two, c1 and c2 in one.
    positions, scores = retriever.retrieve(world.query(anchor="d1"), 100)
    assert world.ids(positions) == ("d2", "d3", "c1", "c2")
    log_lift = 0.4700036  # ln(8/5), of each
    assert scores.tolist() == pytest.approx([3 / 5 * log_lift, 2 / 5 * log_lift, *[1 / 5 * log_lift] * 2])
    for item in ITEMS:
        own = retriever.retrieve(world.query(anchor=item.item_id), 100)[0]
        assert item.item_id not in world.ids(own)


def test_rules_of_the_latest_events_are_summed() -> None:
    world = rules_world(shrinkage=0, sharpness=1)
    query = world.query("u", history=toy_history(world, {"d2": 1.0, "d1": 0.5}))
    positions, scores = association(world, half_life_days=1e6).retrieve(query, 100)
    found = dict(zip(world.ids(positions), scores.tolist(), strict=True))
    # d2 is in three baskets, and d3, which is in two, in one of these.
    assert found["d3"] == pytest.approx(0.5 * 2 / 5 * 0.4700036 + 1 / 3 * 0.2876821, rel=1e-4)
    latest = association(world, max_events=1).retrieve(query, 100)[0]
    assert "d1" not in world.ids(latest)


def test_scores_are_on_the_scale_of_a_rule_whatever_the_sharpness() -> None:
    worlds = [rules_world(sharpness=sharpness) for sharpness in (1, 2.5)]
    plain, sharp = (association(world).retrieve(world.query(anchor="d1"), 9) for world in worlds)
    assert plain[0].tolist() == sharp[0].tolist()
    assert plain[1].tolist() == pytest.approx(sharp[1].tolist(), rel=1e-4)


def test_reasons_name_what_the_weightiest_rule_starts_from() -> None:
    world = rules_world()
    asked = world.positions("d3", "s2", "x1")
    retriever = association(world)
    liked = world.query("u", history=toy_history(world, {"d2": 1.0, "d1": 1.0}))
    assert retriever.reasons(liked, asked) == ["Often chosen together with Harbour Lights", None, None]
    about = world.query("da", anchor="s1")
    assert retriever.reasons(about, asked) == [None, "Often chosen together with Star Harvest", None]


def test_templates_may_tell_what_the_user_did_and_differ_on_an_items_page() -> None:
    world = rules_world()
    retriever = association(
        world, reason="Goes with {title}, which you {verb}", reason_anchored="Goes with {title}"
    )
    asked = world.positions("d2")
    assert retriever.reasons(world.query("da"), asked)[0] is not None
    verb = next(iter(world.resources.verbs.values()))
    liked = world.query("u", history=toy_history(world, {"d1": 1.0}))
    assert retriever.reasons(liked, asked) == [f"Goes with Harbour Lights, which you {verb}"]
    assert retriever.reasons(world.query("da", anchor="d1"), asked) == ["Goes with Harbour Lights"]


def test_a_hidden_or_disliked_item_is_not_named() -> None:
    world = rules_world()
    retriever = association(world)
    hidden = world.query("u", history=toy_history(world, {"h1": 1.0}))
    assert world.ids(retriever.retrieve(hidden, 1)[0]) == ("d3",)
    assert retriever.reasons(hidden, world.positions("d3")) == [None]
    disliked = world.query("u", history=toy_history(world, {"s1": 1.0, "d1": -1.0}))
    assert world.ids(retriever.retrieve(disliked, 100)[0]) == ("s2", "s3")
    assert retriever.reasons(disliked, world.positions("d2")) == [None]


def test_items_newer_than_the_model_neither_speak_nor_are_spoken_for() -> None:
    world = rules_world()
    retriever = association(world)
    world.catalog.apply([NEW_ITEM])
    assert len(retriever.retrieve(world.query(anchor="new"), 9)[0]) == 0
    query = world.query("u", history=toy_history(world, {"new": 1.0, "d1": 1.0}))
    assert world.ids(retriever.retrieve(query, 1)[0]) == ("d2",)
    assert retriever.reasons(query, world.positions("new", "d2"))[0] is None


def test_without_a_model_nothing_is_proposed() -> None:
    world = rules_world()
    retriever = Association(Association.Config(), Resources(world.catalog, world.counters, {}))
    positions, scores = retriever.retrieve(world.query("da"), 5)
    assert (positions.shape, scores.shape) == ((0,), (0,))
    assert retriever.reasons(world.query("da"), world.positions("d1", "d2")) == [None, None]
