"""LightGCN as it serves: scores and reasons from the model's own vectors, item by item."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from tests.retrieve.history_sample import histories
from tests.retrieve.lightgcn.lightgcn_sample import fitted

from homefeed.protocols import Retriever
from homefeed.retrieve.lightgcn import Lightgcn
from homefeed.retrieve.lightgcn.model import LightgcnModel
from homefeed.taste import weighted_seeds
from homefeed.testing import RetrieverContract, World, toy_world
from homefeed.testing.requests import toy_history
from homefeed.testing.world import BECAUSE
from homefeed.types import History

WORLD = toy_world()
MODEL = fitted(WORLD.data)


def lightgcn(world: World, model: LightgcnModel = MODEL) -> Lightgcn:
    return Lightgcn(Lightgcn.Config(), replace(world.resources, models={"lightgcn": model}))


class TestLightgcn(RetrieverContract):
    def make(self, world: World) -> Retriever:
        untouched = np.array_equal(world.catalog.numbers, WORLD.catalog.numbers)
        return lightgcn(world, MODEL if untouched else fitted(world.data))


@given(history=histories)
def test_scores_by_the_equations(history: History) -> None:
    query = WORLD.query("u", history=history)
    rows = {int(WORLD.catalog.positions(MODEL.numbers)[row]): row for row in range(len(MODEL.numbers))}
    taste = zip(*(column.tolist() for column in weighted_seeds(query, 50, 90.0)), strict=True)
    known = [(rows[item], weight) for item, weight in taste if item in rows]
    total = sum(abs(weight) for _, weight in known)
    user = np.zeros(8)
    for row, weight in known:
        user += weight * MODEL.passed[row] / np.sqrt(total * max(MODEL.degrees[row], abs(weight)))
    expected = {position: float(MODEL.vectors[row] @ user) for position, row in rows.items()}
    positions, scores = lightgcn(WORLD).retrieve(query, 100)
    found = dict(zip(positions.tolist(), scores.tolist(), strict=True))
    able = {p: s for p, s in expected.items() if query.eligible[p]}
    assert found == pytest.approx({p: s for p, s in able.items() if p in found}, rel=1e-3, abs=1e-5)
    assert all(score < 1e-4 for position, score in able.items() if position not in found)


@pytest.mark.parametrize("item_id", ["d1", "d2", "s1", "s2"])
def test_who_likes_an_item_likes_what_others_liked_with_it(item_id: str) -> None:
    positions, _ = lightgcn(WORLD).retrieve(WORLD.query(anchor=item_id), 2)
    assert {found[0] for found in WORLD.ids(positions)} == {item_id[0]}


@pytest.mark.parametrize(("user_id", "item_id"), BECAUSE)
def test_the_reason_names_what_speaks_most_for_it(user_id: str, item_id: str) -> None:
    title = WORLD.catalog.title(WORLD.position(BECAUSE[user_id, item_id]))
    assert lightgcn(WORLD).reasons(WORLD.query(user_id), WORLD.positions(item_id)) == [
        f"Because you chose {title}"
    ]


def test_a_dislike_takes_from_what_is_like_it_and_is_never_named() -> None:
    retriever, d3 = lightgcn(WORLD), WORLD.position("d3")
    scores = {}
    for name, weights in {"likes": {"d2": 1.0}, "torn": {"d2": 1.0, "d1": -0.5}}.items():
        query = WORLD.query("u", history=toy_history(WORLD, weights))
        found = dict(zip(*(column.tolist() for column in retriever.retrieve(query, 100)), strict=True))
        scores[name] = found[d3]
        assert retriever.reasons(query, WORLD.positions("d3")) == ["Because you chose Winter Letters"]
    assert scores["torn"] < scores["likes"]
