"""The sequence model as it serves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.retrieve.history_sample import history_of

from homefeed.protocols import Retriever
from homefeed.retrieve.sequence import Sequence
from homefeed.retrieve.sequence.model import SequenceConfig
from homefeed.retrieve.sequence.trainer import SequenceTrainer
from homefeed.testing import RetrieverContract, World, make_world
from homefeed.testing.world import ITEMS, PLAYS, RECIPE, Play

DECLARED: dict[str, Any] = {
    **RECIPE,
    "models": {**RECIPE["models"], "sequence": {"content": 0.0, "together": 0.0, "penalty": 1.0}},
}
# Everybody watches d1, then s1, then c1, a day apart.
IN_ORDER = tuple(
    Play(f"u{user}", item_id, 1_200, float(10 - day))
    for user in range(20)
    for day, item_id in enumerate(("d1", "s1", "c1"))
)


def sequence(world: World, **config: Any) -> Sequence:
    return Sequence(Sequence.Config.model_validate(config), world.resources)


class TestSequence(RetrieverContract):
    def make(self, world: World) -> Retriever:
        model = SequenceTrainer(SequenceConfig()).fit(world.data)
        return Sequence(Sequence.Config(), replace(world.resources, models={"sequence": model}))


def test_what_comes_next_is_first() -> None:
    world = make_world(ITEMS, IN_ORDER, declared=DECLARED)
    query = world.query("new", history=history_of([(world.position("d1"), 1.0, 0.0)]))
    positions, scores = sequence(world).retrieve(query, 2)
    assert world.ids(positions) == ("s1", "c1")
    assert scores[0] > scores[1]
    last = world.query("new", history=history_of([(world.position("c1"), 1.0, 0.0)]))
    assert not len(sequence(world).retrieve(last, 9)[0])


def test_reasons_name_what_it_follows() -> None:
    world = make_world(ITEMS, IN_ORDER, declared=DECLARED)
    title = world.catalog.title(world.position("d1"))
    query = world.query("new", history=history_of([(world.position("d1"), 1.0, 0.0)]))
    assert sequence(world).reasons(query, world.positions("s1", "x1")) == [f"Because you chose {title}", None]
    anchored = world.query(anchor="d1")
    assert sequence(world).reasons(anchored, world.positions("s1")) == [f"Next after {title}"]


def test_before_it_is_trained_nothing_is_proposed() -> None:
    world = make_world(ITEMS, PLAYS)
    assert not len(sequence(world).retrieve(world.query("da"), 9)[0])
    assert sequence(world).reasons(world.query("da"), world.positions("d1")) == [None]
