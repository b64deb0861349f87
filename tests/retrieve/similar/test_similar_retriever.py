"""Similar items as they are served, those that came after training included."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.retrieve.similar.similar_sample import named_items, similar_world

from homefeed.catalog import Resources
from homefeed.protocols import Refreshable, Retriever
from homefeed.recipe import find_part
from homefeed.retrieve.similar import Similar
from homefeed.retrieve.similar.incremental import NewItem
from homefeed.retrieve.similar.model import SimilarModel
from homefeed.scope import RequestScope
from homefeed.testing import RetrieverContract, World
from homefeed.testing.requests import NEW_ITEM, toy_history
from homefeed.testing.world import ITEMS, LOOKALIKES


def similar(world: World, **config: Any) -> Similar:
    return Similar(Similar.Config.model_validate(config), world.resources)


def about(world: World, retriever: Similar, item_id: str) -> dict[str, float]:
    """What is proposed about an item, best first."""
    positions, scores = retriever.retrieve(world.query(anchor=item_id), 100)
    return dict(zip(world.ids(positions), scores.tolist(), strict=True))


class TestSimilar(RetrieverContract):
    @pytest.fixture
    def world(self) -> World:
        return similar_world()

    def make(self, world: World) -> Retriever:
        models = {**similar_world().resources.models, **world.resources.models}
        return Similar(Similar.Config(), Resources(world.catalog, world.counters, models, world.resources.verbs))


def test_it_is_found_by_its_name_and_refreshes() -> None:
    assert find_part("retrieve", "similar") is Similar
    assert find_part("model", "similar") is SimilarModel
    assert find_part("trainer", "similar").__name__ == "SimilarTrainer"
    assert isinstance(similar(similar_world()), Refreshable)


@pytest.mark.parametrize("item_id", LOOKALIKES)
def test_about_an_item_the_most_alike_comes_first_and_the_item_never(item_id: str) -> None:
    world = similar_world()
    found = about(world, similar(world), item_id)
    assert next(iter(found)) == LOOKALIKES[item_id]
    assert item_id not in found
    assert "h1" not in found


def test_reasons_by_the_anchor_or_by_what_the_user_did() -> None:
    world = similar_world()
    retriever = similar(world)
    asked = world.positions("d4", "x1")
    assert retriever.reasons(world.query("sa", anchor="d1"), asked) == ['Similar to "Harbour Lights"', None]
    verb = next(iter(world.resources.verbs.values()))
    liked = world.query("u", history=toy_history(world, {"d1": 1.0, "s2": 1.0}))
    assert retriever.reasons(liked, asked) == [f'Because you {verb} "Harbour Lights"', None]
    assert retriever.reasons(liked, world.positions("s4")) == [f'Because you {verb} "Orbital Dawn"']


def test_exact_duplicates_are_never_proposed_for_each_other() -> None:
    world = similar_world(named_items("red shoe", "Red  Shoe", "red hat", "RED SHOE", "pen case"))
    retriever = similar(world)
    for item_id in ("p0", "p1", "p3"):
        assert about(world, retriever, item_id).keys() == {"p2", "p4"}


def test_a_new_item_is_served_after_a_refresh_both_ways() -> None:
    world = similar_world()
    retriever = similar(world)
    before = about(world, retriever, "d1")
    world.catalog.apply([NEW_ITEM])
    assert about(world, retriever, "new") == {}
    assert about(world, retriever, "d1") == before
    retriever.refresh()
    assert next(iter(about(world, retriever, "new"))) in ("d1", "d4")
    found = about(world, retriever, "d1")
    assert found["new"] == pytest.approx(about(world, retriever, "new")["d1"])
    assert {item_id: score for item_id, score in found.items() if item_id != "new"} == before
    query = world.query("u", history=toy_history(world, {"new": 1.0}))
    assert retriever.reasons(query, world.positions("d4"))[0] is not None
    assert retriever.reasons(world.query(anchor="d1"), world.positions("new")) == ['Similar to "Harbour Lights"']


def test_new_items_are_neighbours_of_one_another_but_duplicates_are_not() -> None:
    world = similar_world(named_items("red shoe", "pen case", "green hat"))
    retriever = similar(world)
    later = named_items("x", "y", "z", "blue vase", "Blue  Vase", "blue vases", "RED shoe")[3:]
    world.catalog.apply([replace(item, number=200 + item.number) for item in later])
    retriever.refresh()
    everything = {"p0", "p1", "p2", "p3", "p4", "p5", "p6"}
    assert about(world, retriever, "p3").keys() == everything - {"p3", "p4"}
    assert about(world, retriever, "p4").keys() == everything - {"p3", "p4"}
    assert about(world, retriever, "p5").keys() == everything - {"p5"}
    assert about(world, retriever, "p6").keys() == everything - {"p0", "p6"}
    assert about(world, retriever, "p0").keys() == everything - {"p0", "p6"}


def test_a_new_item_joins_full_lists_only_where_it_is_more_similar_than_the_last() -> None:
    world = similar_world(named_items("red shoe wide", "red shoe", "pen case", "pen"), neighbours=1)
    retriever = similar(world)
    assert [next(iter(about(world, retriever, f"p{at}"))) for at in range(4)] == ["p1", "p0", "p3", "p2"]
    later = named_items(*"abcd", "red shoes wide", "pen pen case")[4:]
    world.catalog.apply([replace(item, number=90 + item.number) for item in later])
    retriever.refresh()
    assert "p5" in about(world, retriever, "p2")
    assert about(world, retriever, "p0").keys() == {"p1"}
    assert len(about(world, retriever, "p4")) == 2  # of the old the best one, and of the new


def test_a_changed_item_is_what_it_is_now_and_again_what_it_was() -> None:
    world = similar_world()
    retriever = similar(world)
    before = {item_id: about(world, retriever, item_id) for item_id in ("d1", "d4", "s2")}
    [d4] = [item for item in ITEMS if item.item_id == "d4"]
    [s2] = [item for item in ITEMS if item.item_id == "s2"]
    world.catalog.apply([replace(d4, attributes=s2.attributes)])
    retriever.refresh()
    assert "d4" not in about(world, retriever, "d1")
    # It says the very same as s2 now.
    assert "d4" not in about(world, retriever, "s2")
    assert "s2" not in about(world, retriever, "d4")
    assert next(iter(about(world, retriever, "d4"))) == "s4"
    assert "d4" in about(world, retriever, "s4")
    world.catalog.apply([d4])
    retriever.refresh()
    assert {item_id: about(world, retriever, item_id) for item_id in before} == before


def test_a_new_item_that_changes_is_what_it_is_now() -> None:
    world = similar_world(named_items("red shoe", "pen case"))
    retriever = similar(world)
    [new] = named_items("", "", "red hat")[2:]
    new = replace(new, number=90)
    world.catalog.apply([new])
    retriever.refresh()
    of_shoe, of_pen = (about(world, retriever, item_id)["p2"] for item_id in ("p0", "p1"))
    assert of_shoe > of_pen
    world.catalog.apply([replace(new, attributes={**new.attributes, "title": "pen hat"})])
    retriever.refresh()
    assert about(world, retriever, "p0")["p2"] == pytest.approx(of_pen)
    assert about(world, retriever, "p1")["p2"] == pytest.approx(of_shoe)
    assert list(about(world, retriever, "p2")) == ["p1", "p0"]


def test_a_change_of_other_fields_compares_nothing_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    world = similar_world()
    retriever = similar(world)
    asked: list[int] = []
    compare = retriever._comparison.compare

    def counted(items: Sequence[Mapping[str, Sequence[str]]], partitions: Sequence[str | None]) -> list[NewItem]:
        asked.append(len(items))
        return compare(items, partitions)

    monkeypatch.setattr(retriever._comparison, "compare", counted)
    lists = retriever._lists
    world.catalog.apply([replace(ITEMS[0], attributes={**ITEMS[0].attributes, "year": 1999})])
    retriever.refresh()
    assert retriever._lists is lists
    world.catalog.apply([NEW_ITEM])
    retriever.refresh()
    retriever.refresh()
    assert retriever._lists is not lists
    assert asked == [0, 1]


def test_items_that_came_between_training_and_start_are_served_at_once() -> None:
    world = similar_world()
    world.catalog.apply([NEW_ITEM, replace(ITEMS[3], attributes=ITEMS[1].attributes)])
    retriever = similar(world)
    assert "new" in about(world, retriever, "d1")
    assert "d1" in about(world, retriever, "s1")
    assert "d2" not in about(world, retriever, "s1")


def test_a_request_under_way_keeps_to_the_lists_it_began_with() -> None:
    world = similar_world()
    retriever = similar(world)
    world.catalog.apply([NEW_ITEM])
    query = world.query("da")
    positions, _ = retriever.retrieve(query, 100)
    reasons = retriever.reasons(query, positions)
    assert world.position("new") not in positions
    retriever.refresh()
    assert retriever.reasons(query, positions) == reasons
    assert retriever.retrieve(query, 100)[0].tolist() == positions.tolist()
    later, _ = retriever.retrieve(replace(query, user=replace(query.user), scope=RequestScope()), 100)
    assert world.position("new") in later


def test_positions_may_differ_from_those_of_training() -> None:
    trained = similar_world()
    served = similar_world([item for item in reversed(ITEMS) if item.item_id != "d4"])
    models = trained.resources.models
    retriever = Similar(Similar.Config(), Resources(served.catalog, served.counters, models))
    expected = about(trained, similar(trained), "d1")
    del expected["d4"]
    assert about(served, retriever, "d1") == expected


def test_without_a_model_nothing_is_proposed() -> None:
    world = similar_world()
    retriever = Similar(Similar.Config(), Resources(world.catalog, world.counters, {}))
    positions, scores = retriever.retrieve(world.query("da"), 5)
    assert (positions.shape, scores.shape) == ((0,), (0,))
    assert retriever.reasons(world.query("da"), world.positions("d1", "d2")) == [None, None]
    retriever.refresh()


names = st.lists(st.sampled_from(["ab cd", "ab ef", "cd ef gh", "gh", "AB cd", "ij ab"]), min_size=1, max_size=8)


@settings(deadline=None, max_examples=60)
@given(first=names, later=names)
def test_later_items_and_others_by_brute_force(first: list[str], later: list[str]) -> None:
    every = ["ab", "cd", "ef", "gh", "ij", "ab cd", "ab ef", "cd ef gh", "ij ab"]
    old = named_items(*every, *first)
    new = named_items(*every, *first, *later)[len(old) :]
    world = similar_world(old, neighbours=200, min_similarity=0.0)
    retriever = similar(world)
    world.catalog.apply([replace(item, number=300 - item.number) for item in new])
    retriever.refresh()
    model = world.resources.model("similar", SimilarModel)
    assert model is not None
    items = [{f: world.catalog.terms_at(f, at) for f in model.compared} for at in range(world.catalog.size)]
    vectors = model.vectors(items).toarray()
    cosines = vectors @ vectors.T
    plain = [" ".join(item.attributes["title"].casefold().split()) for item in [*old, *new]]
    for row in range(len(items)):
        found = about(world, retriever, f"p{row}")
        expected = {
            f"p{other}": cosines[row, other]
            for other in range(len(items))
            if plain[other] != plain[row] and cosines[row, other] > 1e-6
        }
        assert found == pytest.approx(expected, rel=1e-4)
        assert np.isfinite(list(found.values())).all()
