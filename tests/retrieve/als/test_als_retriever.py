"""ALS as it serves: scores and contributions from the model's own vectors, item by item."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.retrieve.grounds_sample import may_be_named
from tests.retrieve.history_sample import histories, history_of

from homefeed.protocols import Retriever
from homefeed.retrieve.als import Als
from homefeed.retrieve.als.model import AlsConfig, AlsModel
from homefeed.retrieve.als.trainer import AlsTrainer
from homefeed.retrieve.cells import Cells
from homefeed.taste import weighted_seeds
from homefeed.testing import RetrieverContract, World, make_world, toy_world
from homefeed.testing.requests import NEW_ITEM, toy_history
from homefeed.testing.world import BECAUSE, ITEMS, PLAYS, RECIPE
from homefeed.types import History

# A trainer for every world would be slow: worlds of the same plays have the same model.
MODEL = AlsTrainer(AlsConfig(factors=8, alpha=10)).fit(toy_world().data)
WORLD = toy_world()
TASTES = {"d1": ("d2", "d3"), "d2": ("d1", "d3"), "s1": ("s2", "s3"), "s2": ("s1", "s3")}
"""What those who like an item like most; c1 and c2 have two viewers, too few to be sure of."""


def als(world: World, model: AlsModel = MODEL, **config: float | str) -> Als:
    return Als(Als.Config.model_validate(config), replace(world.resources, models={"als": model}))


class TestAls(RetrieverContract):
    def make(self, world: World) -> Retriever:
        untouched = np.array_equal(world.catalog.numbers, WORLD.catalog.numbers)
        return als(world, MODEL if untouched else AlsTrainer(AlsConfig(factors=8, alpha=10)).fit(world.data))


class TestAlsOfSomeItemsOnly(RetrieverContract):
    """A model whose items are a subset of the catalogue's, in another order, and one that is there no more."""

    def make(self, world: World) -> Retriever:
        numbers = np.array([7 + 3 * 4, 99_999, 7, 7 + 3], np.int32)
        factors = np.array([[1, 0], [1, 1], [0.5, 0.5], [0.2, 0.9]], np.float32)
        gram = factors.T.astype(np.float64) @ factors + np.eye(2)
        return als(world, AlsModel(numbers, factors, gram, 2.0))


def in_two_cells(model: AlsModel) -> AlsModel:
    """The model with every other item in a cell of its own, and a search that looks into one at first."""
    count = len(model.numbers)
    rows = np.concatenate([np.arange(0, count, 2), np.arange(1, count, 2)]).astype(np.int32)
    centers = np.stack([model.factors[rows[0]], -model.factors[rows[0]]])
    return model.in_cells(rows, Cells(centers, np.array([0, (count + 1) // 2, count]), 2))


class TestAlsInCells(RetrieverContract):
    def make(self, world: World) -> Retriever:
        untouched = np.array_equal(world.catalog.numbers, WORLD.catalog.numbers)
        model = MODEL if untouched else AlsTrainer(AlsConfig(factors=8, alpha=10)).fit(world.data)
        return als(world, in_two_cells(model) if len(model.numbers) else model)

    def test_it_proposes_what_the_exact_search_does(self) -> None:
        query = WORLD.query("u", history=toy_history(WORLD, {"d1": 1.0, "s2": 0.5}))
        exact, by_cells = als(WORLD).retrieve(query, 5), self.make(WORLD).retrieve(query, 5)
        assert exact[0].tolist() == by_cells[0].tolist() != []
        np.testing.assert_allclose(exact[1], by_cells[1], rtol=1e-5)


@given(history=histories, anchor=st.none() | st.sampled_from([item.item_id for item in ITEMS]))
def test_scores_and_contributors_by_the_equations(history: History, anchor: str | None) -> None:
    query = WORLD.query("u", history=history, anchor=anchor)
    rows = {int(WORLD.catalog.positions(MODEL.numbers)[row]): row for row in range(len(MODEL.numbers))}
    taste = zip(*(column.tolist() for column in weighted_seeds(query, 50, 90.0)), strict=True)
    known = [(item, weight) for item, weight in taste if item in rows]
    vectors = MODEL.factors[[rows[item] for item, _ in known]].astype(np.float64)
    c = 1 + MODEL.alpha * np.abs([weight for _, weight in known])
    inverse = np.linalg.inv(MODEL.gram + (vectors.T * (c - 1)) @ vectors)
    added = {
        position: {
            item: float(MODEL.factors[row] @ inverse @ vectors[place] * c[place])
            for place, (item, weight) in enumerate(known)
            if weight > 0
        }
        for position, row in rows.items()
    }
    expected = {position: sum(of.values()) for position, of in added.items()}

    positions, scores = als(WORLD).retrieve(query, 100)
    found = dict(zip(positions.tolist(), scores.tolist(), strict=True))
    able = {p: s for p, s in expected.items() if query.eligible[p] and p != query.anchor}
    assert found == pytest.approx({p: s for p, s in able.items() if p in found}, rel=1e-3, abs=1e-6)
    assert all(score < 1e-5 for position, score in able.items() if position not in found)

    users, own = WORLD.counters.events.tolist(), anchor is None
    # One by one: in a list what was named twice gives way to near equals.
    served = als(WORLD)
    named = [served._grounds(query, each).items.item() for each in positions[:, None]]
    for position, item in zip(positions.tolist(), named, strict=True):
        gains = {other: gain for other, gain in added[position].items() if WORLD.catalog.available[other]}
        assert item in may_be_named(gains, position, users, above=1e-5, own=own)


@pytest.mark.parametrize("item_id", TASTES)
def test_who_likes_an_item_likes_what_others_liked_with_it(item_id: str) -> None:
    positions, _ = als(WORLD).retrieve(WORLD.query(anchor=item_id), 2)
    assert WORLD.ids(positions) == TASTES[item_id]
    liked = WORLD.query("u", history=toy_history(WORLD, {item_id: 1.0}), exclude=(item_id,))
    assert WORLD.ids(als(WORLD).retrieve(liked, 2)[0]) == TASTES[item_id]


@pytest.mark.parametrize(("user_id", "item_id"), BECAUSE)
def test_the_reason_names_what_speaks_most_for_it(user_id: str, item_id: str) -> None:
    title = WORLD.catalog.title(WORLD.position(BECAUSE[user_id, item_id]))
    assert als(WORLD).reasons(WORLD.query(user_id), WORLD.positions(item_id)) == [f"Because you chose {title}"]


def test_the_reason_on_an_items_page_is_about_that_item() -> None:
    reasons = als(WORLD).reasons(WORLD.query("sa", anchor="d1"), WORLD.positions("d2", "d4", "d1"))
    assert reasons == ["For people who chose Harbour Lights", None, None]


def test_the_next_click_is_seen_without_training() -> None:
    before = WORLD.query("u", history=toy_history(WORLD, {"d1": 1.0}))
    after = WORLD.query("u", history=toy_history(WORLD, {"d1": 1.0, "s1": 1.0}))
    retriever = als(WORLD)
    assert "s2" not in WORLD.ids(retriever.retrieve(before, 3)[0])
    scores = dict(zip(*(column.tolist() for column in retriever.retrieve(after, 9)), strict=True))
    assert scores[WORLD.position("s2")] > 0.2


def test_the_latest_events_speak_loudest() -> None:
    events = [(WORLD.position("d1"), 1.0, 900.0), (WORLD.position("s1"), 1.0, 0.0)]
    query = WORLD.query("u", history=history_of(events), exclude=("s1", "d1"))
    positions, _ = als(WORLD).retrieve(query, 2)
    assert WORLD.ids(positions) == ("s2", "s3")
    forgetful = als(WORLD, max_events=1).retrieve(query, 9)
    alone = als(WORLD).retrieve(WORLD.query("u", history=toy_history(WORLD, {"s1": 1.0}), exclude=("s1", "d1")), 9)
    np.testing.assert_array_equal(forgetful, alone)


def test_a_dislike_takes_from_what_is_like_it_and_is_never_named() -> None:
    retriever, d3 = als(WORLD), WORLD.position("d3")
    scores = {}
    for name, weights in {"likes": {"d2": 1.0}, "torn": {"d2": 1.0, "d1": -1.0}}.items():
        query = WORLD.query("u", history=toy_history(WORLD, weights))
        found = dict(zip(*(column.tolist() for column in retriever.retrieve(query, 100)), strict=True))
        scores[name] = found[d3]
        assert retriever.reasons(query, WORLD.positions("d3")) == ["Because you chose Winter Letters"]
    assert scores["torn"] < 0.8 * scores["likes"]


def test_of_someone_who_only_dislikes_nothing_is_known() -> None:
    query = WORLD.query("u", history=toy_history(WORLD, {"d1": -1.0, "s1": -0.5}))
    assert len(als(WORLD).retrieve(query, 9)[0]) == 0
    assert als(WORLD).reasons(query, WORLD.positions("d2")) == [None]


def test_the_reason_says_what_the_user_did() -> None:
    declared: Mapping[str, Any] = {
        **RECIPE,
        "events": {"play": {"verb": "watched", "full": "typical"}, "save": {"verb": "saved"}},
    }
    world = make_world(ITEMS, PLAYS, declared=declared)
    retriever = als(world, reason='Because you {verb} "{title}"', reason_anchored="By those who {verb} {title}")
    saved = replace(toy_history(world, {"d1": 1.0}), types=np.array([1], np.int32))
    query = world.query("u", history=saved)
    assert retriever.reasons(query, world.positions("d2")) == ['Because you saved "Harbour Lights"']
    anchored = world.query("u", history=saved, anchor="d1")
    assert retriever.reasons(anchored, world.positions("d2")) == ["By those who chose Harbour Lights"]


def test_items_without_events_or_newer_than_the_model_are_not_proposed() -> None:
    world = toy_world()
    retriever = als(world)
    world.catalog.apply([NEW_ITEM])
    query = world.query("u", history=toy_history(world, {"new": 1.0, "d4": 1.0, "d1": 1.0}))
    assert not {"new", "d4", "s4", "x1"} & set(world.ids(retriever.retrieve(query, 100)[0]))
    assert retriever.reasons(query, world.positions("new", "d2", "d4")) == [
        None,
        "Because you chose Harbour Lights",
        None,
    ]


def test_deleted_items_go_and_the_others_stay_as_they_were() -> None:
    world = toy_world()
    before = als(world)
    gone = next(item for item in ITEMS if item.item_id == "d2")
    query = world.query("u", history=toy_history(world, {"d1": 1.0}), exclude=("d2",))
    expected = before.retrieve(query, 9)
    world.catalog.apply([replace(gone, deleted=True)])
    query = world.query("u", history=toy_history(world, {"d1": 1.0}))
    for retriever in (before, als(world)):  # built before and after the deletion
        np.testing.assert_array_equal(retriever.retrieve(query, 9), expected)
        assert retriever.reasons(query, world.positions("d3")) == ["Because you chose Harbour Lights"]


def test_where_few_are_eligible_their_scores_are_the_same() -> None:
    query = WORLD.query("u", history=toy_history(WORLD, {"d1": 1.0, "s2": 0.5}))
    positions, scores = als(WORLD).retrieve(query, 100)
    for position, score in zip(positions.tolist(), scores.tolist(), strict=True):
        alone = replace(query, eligible=np.arange(WORLD.catalog.size) == position)
        found = als(WORLD).retrieve(alone, 5)
        assert found[0].tolist() == [position]
        assert found[1].item() == pytest.approx(score, rel=1e-4, abs=1e-6)


def test_serving_does_without_implicit() -> None:
    asked = "import sys, homefeed.retrieve.als.trainer, homefeed.retrieve.als; print('implicit' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
