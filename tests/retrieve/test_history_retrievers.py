"""What holds of every retriever that starts from a user's history and goes by a model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from tests.retrieve.association.association_sample import rules_world
from tests.retrieve.history_sample import histories, history_of
from tests.retrieve.similar.similar_sample import similar_world

from homefeed.catalog import Resources
from homefeed.protocols import Refreshable, Retriever, RetrieverExplainer
from homefeed.recipe import Kind, find_part
from homefeed.retrieve.als.model import AlsConfig
from homefeed.retrieve.als.trainer import AlsTrainer
from homefeed.retrieve.arrays import Doubles
from homefeed.retrieve.contributions import Grounds
from homefeed.retrieve.history import HistoryConfig
from homefeed.retrieve.lightgcn.model import LightgcnModel
from homefeed.retrieve.sentences import HistorySentences
from homefeed.retrieve.sequence.model import SequenceConfig
from homefeed.retrieve.sequence.trainer import SequenceTrainer
from homefeed.retrieve.user_user.model import UserUserConfig
from homefeed.retrieve.user_user.trainer import UserUserTrainer
from homefeed.scope import RequestScope
from homefeed.taste import weighted_seeds
from homefeed.testing import World, make_world, toy_world
from homefeed.testing.requests import NEW_ITEM, toy_history
from homefeed.testing.world import ITEMS
from homefeed.types import History, Item, Positions, Query

WORLD = toy_world()
ALS = AlsTrainer(AlsConfig(factors=8)).fit(WORLD.data)
MODELS = {
    **{name: WORLD.resources.models[name] for name in ("content", "item_item")},
    "association": rules_world().resources.models["association"],
    "similar": similar_world().resources.models["similar"],
    "als": ALS,
    # A model of other vectors: to train its own takes PyTorch, which not every machine has.
    "lightgcn": LightgcnModel(ALS.numbers, ALS.factors, ALS.factors, np.ones(len(ALS.numbers), np.float32)),
    "sequence": SequenceTrainer(SequenceConfig(content=0)).fit(WORLD.data),
    "user_user": UserUserTrainer(UserUserConfig()).fit(WORLD.data),
}
every = pytest.mark.parametrize("name", sorted(MODELS))


def made(name: str, world: World) -> Retriever:
    """The retriever on a world's catalogue, with the model of the toy world."""
    part = find_part("retrieve", name)
    retriever: Retriever = part(part.Config(), replace(world.resources, models={name: MODELS[name]}))
    return retriever


@every
def test_it_is_found_by_its_name_and_explains(name: str) -> None:
    kinds: tuple[Kind, ...] = "retrieve", "model", "trainer"
    for kind in kinds:
        assert find_part(kind, name).__module__.startswith(f"homefeed.retrieve.{name}.")
    assert isinstance(MODELS[name], find_part("model", name))
    assert isinstance(made(name, WORLD), RetrieverExplainer)


@every
def test_without_a_model_nothing_is_proposed(name: str) -> None:
    part = find_part("retrieve", name)
    retriever = part(part.Config(), Resources(WORLD.catalog, WORLD.counters, {}))
    if isinstance(retriever, Refreshable):
        retriever.refresh()
    positions, scores = retriever.retrieve(WORLD.query("da"), 5)
    assert (positions.shape, scores.shape) == ((0,), (0,))
    assert retriever.reasons(WORLD.query("da"), WORLD.positions("d1", "d2")) == [None, None]


class Told(NamedTuple):
    """What a retriever said of items, and what each item of the history had added (m, n), as it counted itself."""

    reasons: Sequence[str | None]
    items: list[int]
    added: Doubles


def told(name: str, query: Query, positions: Positions) -> Told:
    counted: list[Told] = []

    def count(
        sentences: HistorySentences, query: Query, at: Positions, items: Positions, added: Doubles
    ) -> Grounds:
        counted.append(Told((), items.tolist(), added))
        return found(sentences, query, at, items, added)

    found = HistorySentences.grounds
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(HistorySentences, "grounds", count)
        reasons = made(name, WORLD).reasons(query, positions)  # type: ignore[attr-defined]
    return (counted or [Told((), [], np.empty((0, len(positions))))])[0]._replace(reasons=reasons)


@every
@given(history=histories)
def test_whatever_a_reason_tells_of_added_most_or_nearly_of_all_that_can_be_named(
    name: str, history: History
) -> None:
    query = WORLD.query("u", history=history)
    positions, users = np.arange(WORLD.catalog.size, dtype=np.int32), WORLD.counters.events.tolist()
    by_places = getattr(MODELS[name], "place_exponent", 0.0)
    weights = dict(zip(*(column.tolist() for column in weighted_seeds(query, 50, 90.0, by_places)), strict=True))
    said = told(name, query, positions)
    by_title = {WORLD.catalog.title(item): item for item in positions.tolist()}
    times = Counter[int]()
    for position, reason in enumerate(said.reasons):
        added = dict(zip(said.items, said.added[:, position].tolist(), strict=True))
        assert all(query.explainable[item] and (gain <= 0 or weights[item] > 0) for item, gain in added.items())
        most = max((gain for item, gain in added.items() if item != position), default=0.0)
        own = added.get(position, 0.0)
        if reason is None:
            assert max(most, own) <= 0
        elif reason.startswith("You chose this "):
            assert own > 0
            assert own >= most
        else:
            item = next(item for title, item in by_title.items() if title in reason)
            assert own < most
            near = {other for other, gain in added.items() if other != position and gain >= 0.9 * most}
            best = {other for other in near if users[other] == max(users[each] for each in near)}
            # What was named twice gives way to what added half as much.
            named_before = any(times[other] >= 2 for other in best)
            assert added[item] >= 0.5 * most > 0 if named_before else item in best
            times[item] += 1


@every
def test_what_was_chosen_again_is_told_so(name: str) -> None:
    again = WORLD.query("u", history=history_of([(WORLD.position("d1"), 1.0, day) for day in (1, 2, 3)]))
    retriever = made(name, WORLD)
    assert isinstance(retriever, RetrieverExplainer)
    assert retriever.reasons(again, WORLD.positions("d1")) == ["You chose this 3 times"]
    about = replace(again, anchor=WORLD.position("d2"), scope=RequestScope())
    assert "You chose" not in str(retriever.reasons(about, WORLD.positions("d1")))


@pytest.mark.parametrize(
    ("name", "likely", "beside"),
    [
        ("als", {"d1", "d3"}, "d3"),
        ("lightgcn", {"d1", "d3"}, "d3"),
        ("content", {"d2"}, "d3"),
        ("item_item", {"d3"}, "d3"),
        ("sequence", {"d3"}, "d3"),
        ("user_user", {"d3"}, "d1"),
    ],
)
def test_a_hidden_item_of_the_history_counts_but_is_not_named(name: str, likely: set[str], beside: str) -> None:
    retriever = made(name, WORLD)
    alone = WORLD.query("u", history=toy_history(WORLD, {"h1": 1.0}))
    best = retriever.retrieve(alone, 1)[0]
    assert WORLD.ids(best)[0] in likely
    assert isinstance(retriever, RetrieverExplainer)
    assert retriever.reasons(alone, WORLD.positions(*likely)) == [None] * len(likely)
    both = WORLD.query("u", history=toy_history(WORLD, {"h1": 1.0, "d2": 1.0}))
    (said,) = retriever.reasons(both, WORLD.positions(beside))
    assert said is not None
    assert "Winter Letters" in said


@pytest.mark.parametrize(
    ("name", "whole"),
    [("als", False), ("lightgcn", False), ("item_item", True), ("sequence", False), ("user_user", False)],
)
def test_positions_may_differ_from_those_of_training(name: str, whole: bool) -> None:
    # A replica that read the items in another order, without d3, and with one more.
    others = [*(item for item in reversed(ITEMS) if item.item_id != "d3"), Item("extra", 901, {}, None)]
    served = make_world(others, ())
    retriever = made(name, served)
    assert isinstance(retriever, RetrieverExplainer)
    near = {anchor: served.ids(retriever.retrieve(served.query(anchor=anchor), 9)[0]) for anchor in ("s1", "d1")}
    assert near["s1"][:2] == ("s2", "s3")
    assert near["d1"][:1] == ("d2",)
    if whole:
        assert near == {"s1": ("s2", "s3"), "d1": ("d2", "c1", "c2")}
    assert len(retriever.retrieve(served.query(anchor="extra"), 9)[0]) == 0
    served.catalog.apply([NEW_ITEM])
    asked = served.positions("extra", "new", "d2")
    assert [bool(reason) for reason in retriever.reasons(served.query(anchor="d1"), asked)] == [False, False, True]


def test_fifty_events_of_a_quarter_of_a_year_count_unless_told() -> None:
    config = HistoryConfig()
    assert (config.max_events, config.half_life_days) == (50, 90)
