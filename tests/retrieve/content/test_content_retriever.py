"""Content as it serves: cosines with the taste, new and changed items included."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.retrieve.grounds_sample import may_be_named, own_in_words

from homefeed.catalog import Resources
from homefeed.protocols import Retriever
from homefeed.retrieve.content import Content
from homefeed.retrieve.content.model import ContentModel
from homefeed.taste import weighted_seeds
from homefeed.testing import RetrieverContract, World, make_world, toy_world
from homefeed.testing.requests import NEW_ITEM, toy_history
from homefeed.testing.world import ITEMS, LOOKALIKES
from homefeed.types import Floats

WORLD = toy_world()


def content(world: World) -> Content:
    return Content(Content.Config(), world.resources)


def vectors(world: World) -> Floats:
    model = world.resources.model("content", ContentModel)
    assert model is not None
    return model.vectors


class TestContent(RetrieverContract):
    def make(self, world: World) -> Retriever:
        return content(world)


@given(
    strengths=st.dictionaries(
        st.sampled_from([item.item_id for item in ITEMS]), st.sampled_from([-1.0, 0.0, 0.25, 1.0]), max_size=5
    ),
    anchor=st.none() | st.sampled_from([item.item_id for item in ITEMS]),
)
# d3 and s3 have nothing in common but what rounding leaves: that is nothing to name.
@example(strengths={"c1": -1.0, "h1": 0.25, "s3": 0.25, "d1": 0.0}, anchor=None)
def test_scores_and_reasons_by_brute_force(strengths: dict[str, float], anchor: str | None) -> None:
    query = WORLD.query("u", history=toy_history(WORLD, strengths), anchor=anchor)
    retriever = content(WORLD)
    positions, scores = retriever.retrieve(query, 100)
    items, weights = weighted_seeds(query, 50, Content.Config().half_life_days)
    profile = sum((w * vectors(WORLD)[i] for i, w in zip(items, weights, strict=True)), np.zeros(1))
    length = float(np.linalg.norm(profile))
    cosines = vectors(WORLD) @ profile / length if length > 1e-6 else np.zeros(WORLD.catalog.size)
    found = dict(zip(positions.tolist(), scores.tolist(), strict=True))
    for position in np.flatnonzero(query.eligible).tolist():
        assert found.get(position, 0.0) == pytest.approx(max(cosines[position], 0), abs=1e-5)
    users = WORLD.counters.events.tolist()
    # One by one: in a list what was named twice gives way to near equals.
    for (position,) in positions[:, None]:
        (reason,) = retriever.reasons(query, np.array([position], np.int32))
        added = {
            i: float(w * vectors(WORLD)[position] @ vectors(WORLD)[i])
            for i, w in zip(items.tolist(), weights.tolist(), strict=True)
            if w > 0 and WORLD.catalog.available[i]
        }
        named = may_be_named(added, position, users, above=1e-5, own=anchor is None)
        true: dict[int, str | None] = {i: f"Similar to {WORLD.catalog.title(i)}" for i in added}
        true |= {-1: None, position: own_in_words(query, position)}
        assert reason in {true[item] for item in named}


@pytest.mark.parametrize("item_id", LOOKALIKES)
def test_similar_to_an_item_is_first_of_all_its_lookalike(item_id: str) -> None:
    world = toy_world()
    retriever, query = content(world), world.query(anchor=item_id)
    positions, _ = retriever.retrieve(query, 1)
    assert world.ids(positions) == (LOOKALIKES[item_id],)
    assert retriever.reasons(query, positions) == [f"Similar to {world.catalog.title(world.position(item_id))}"]


def test_an_item_is_not_similar_to_itself() -> None:
    world = toy_world()
    query = replace(world.query(anchor="d1"), eligible=np.ones(world.catalog.size, np.bool_))
    positions, _ = content(world).retrieve(query, 100)
    assert world.position("d1") not in positions
    watched = world.query("u", history=toy_history(world, {"d1": 1.0}))
    assert content(world).reasons(watched, world.positions("d1")) == ["You chose this before"]


def test_a_new_item_is_found_once_refreshed() -> None:
    world = toy_world()
    retriever = content(world)
    world.catalog.apply([NEW_ITEM])
    new = world.position("new")
    query = world.query(anchor="d1")
    assert new not in retriever.retrieve(query, 100)[0]
    assert retriever.reasons(world.query(anchor="d2"), world.positions("new", "d1")) == [
        None,
        "Similar to Winter Letters",
    ]
    retriever.refresh()
    positions, scores = retriever.retrieve(query, 100)
    found = dict(zip(world.ids(positions), scores.tolist(), strict=True))
    # "Harbour Dawn", a drama series: as near to d1 as the like-worded d4 but for what Dawn weighs.
    assert found["new"] > found["d2"] > 0
    assert retriever.reasons(query, world.positions("new")) == ["Similar to Harbour Lights"]


def test_an_item_that_came_before_the_server_but_after_training_is_embedded_at_once() -> None:
    trained = toy_world()
    served = make_world([*ITEMS, NEW_ITEM], ())
    retriever = Content(Content.Config(), Resources(served.catalog, served.counters, trained.resources.models))
    assert "new" in served.ids(retriever.retrieve(served.query(anchor="d1"), 100)[0])


def test_a_changed_item_moves_once_refreshed() -> None:
    world = toy_world()
    retriever = content(world)
    as_scifi = {"title": "Orbital Letters", "content_type": "movie", "genre": ["SciFi"]}
    world.catalog.apply([replace(ITEMS[1], attributes=as_scifi)])
    retriever.refresh()
    assert "d2" in world.ids(retriever.retrieve(world.query(anchor="s2"), 2)[0])


def test_the_same_vectors_whether_trained_or_embedded() -> None:
    world = toy_world()
    retriever = content(world)
    before = retriever._items.array.copy()
    world.catalog.apply(ITEMS)
    retriever.refresh()
    np.testing.assert_allclose(retriever._items.array, before, atol=1e-6)


def test_an_item_without_words_is_similar_to_nothing() -> None:
    world = toy_world()
    assert len(content(world).retrieve(world.query(anchor="x1"), 10)[0]) == 0


def test_likes_and_dislikes_that_cancel_out_leave_no_taste() -> None:
    world = make_world([ITEMS[0], replace(ITEMS[0], item_id="twin", number=99), ITEMS[1]], ())
    history = toy_history(world, {"d1": 1.0, "twin": -1.0}, last=0)
    history = replace(history, times=np.full(2, history.times[0]))
    assert len(content(world).retrieve(world.query("u", history=history), 10)[0]) == 0


def test_numbers_that_a_recipe_leaves_out_are_these() -> None:
    expected = {"interests_weight": 1.0}
    assert {name: Content.Config.model_fields[name].default for name in expected} == expected
