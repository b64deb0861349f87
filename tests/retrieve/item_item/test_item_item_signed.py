"""Item-item as it serves weights of either sign, places of a history, and neighbours by content."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.retrieve.grounds_sample import may_be_named_in_a_list
from tests.retrieve.item_item.item_item_sample import Dense

from homefeed.catalog import Resources
from homefeed.protocols import Retriever
from homefeed.retrieve.item_item import ItemItem
from homefeed.retrieve.item_item.model import ItemItemModel
from homefeed.taste import weighted_seeds
from homefeed.testing import RetrieverContract, World, toy_world
from homefeed.testing.requests import NEW_ITEM, toy_history
from homefeed.testing.world import ITEMS, NOW
from homefeed.types import DAY, History, Query

WORLD = toy_world()
SIZE = len(ITEMS)


def model_of(world: World, weights: Dense, *derived: str, place_exponent: float = 0.0) -> ItemItemModel:
    """Weights from and to the item at each position; its rows are in another order than the catalogue."""
    size = world.catalog.size
    row_of = np.random.default_rng(6).permutation(size)
    numbers, by_row = np.empty(size, np.int32), np.empty((size, size))
    numbers[row_of] = world.catalog.numbers
    by_row[np.ix_(row_of, row_of)] = weights[:size, :size]
    near = [order[row[order] != 0] for row, order in zip(by_row, np.argsort(-by_row), strict=True)]
    marked = np.zeros(size, np.bool_)
    marked[row_of[world.positions(*derived)]] = True
    return ItemItemModel(
        numbers,
        np.cumsum([0, *map(len, near)]).astype(np.int64),
        np.concatenate([[], *near]).astype(np.int32),
        np.concatenate([[], *(row[others] for row, others in zip(by_row, near, strict=True))]).astype(np.float32),
        marked,
        place_exponent,
    )


def serving(world: World, model: ItemItemModel, **config: float | str) -> ItemItem:
    resources = Resources(world.catalog, world.counters, {"item_item": model})
    return ItemItem(ItemItem.Config.model_validate(config), resources)


def weights_between(world: World, pairs: dict[tuple[str, str], float]) -> Dense:
    weights = np.zeros((SIZE, SIZE))
    for (one, other), weight in pairs.items():
        weights[world.position(one), world.position(other)] = weight
    return weights


def random_weights(seed: int) -> Dense:
    rng = np.random.default_rng(seed)
    weights: Dense = rng.normal(0.2, 1, (SIZE, SIZE)) * (rng.random((SIZE, SIZE)) < 0.5)
    np.fill_diagonal(weights, 0)
    return weights


class TestSigned(RetrieverContract):
    def make(self, world: World) -> Retriever:
        derived = ("d4", "x1") if world.catalog.size == SIZE else ()
        return serving(world, model_of(world, random_weights(0), *derived, place_exponent=0.5))


def history_of(events: list[tuple[int, float, int]]) -> History:
    """Events as (position, strength, days ago), sorted here."""
    events = sorted(events, key=lambda event: -event[2])
    return History(
        np.array([item for item, _, _ in events], np.int32),
        np.zeros(len(events), np.int32),
        np.zeros(len(events), np.float32),
        np.array([strength for _, strength, _ in events], np.float32),
        np.array([NOW - days * DAY for _, _, days in events], np.int64),
    )


histories = st.builds(
    history_of,
    st.lists(
        st.tuples(st.integers(0, SIZE - 1), st.sampled_from([-1.0, -0.5, 0.0, 0.25, 1.0]), st.integers(0, 200)),
        max_size=10,
    ),
)


@given(
    history=histories,
    anchor=st.none() | st.sampled_from([item.item_id for item in ITEMS]),
    seed=st.integers(0, 99),
    exponent=st.sampled_from([0.0, 0.7]),
)
def test_scores_and_contributors_by_brute_force(
    history: History, anchor: str | None, seed: int, exponent: float
) -> None:
    weights = random_weights(seed)
    retriever = serving(WORLD, model_of(WORLD, weights, place_exponent=exponent))
    query = WORLD.query("u", history=history, anchor=anchor)
    items, taste = weighted_seeds(query, 50, ItemItem.Config().half_life_days, exponent)
    added = taste.astype(np.float64)[:, None] * weights[items]
    expected = added.sum(axis=0)
    positions, scores = retriever.retrieve(query, 100)
    assert (scores > 0).all()
    close = np.abs(expected) < 1e-5
    found = {p: s for p, s in zip(positions.tolist(), scores.tolist(), strict=True) if not close[p]}
    wanted = np.flatnonzero((expected > 0) & query.eligible & ~close)
    assert found == pytest.approx({p: expected[p] for p in wanted.tolist()}, rel=1e-4, abs=1e-5)
    # Nothing is more like an item than it is itself.
    added[np.arange(len(items)), items] = added.max(axis=1, initial=0)
    added *= ((taste > 0) & query.explainable[items])[:, None]
    every, users = np.arange(SIZE, dtype=np.int32), WORLD.counters.events.tolist()
    times = Counter[int]()
    for position, item in enumerate(retriever._grounds(query, every).items.tolist()):
        gains = dict(zip(items.tolist(), added[:, position].tolist(), strict=True))
        assert item in may_be_named_in_a_list(gains, position, users, times, own=anchor is None)
        times[item] += item != position


def liked(world: World, **strengths: float) -> Query:
    return world.query("u", history=toy_history(world, strengths))


def test_what_speaks_against_more_than_for_is_not_proposed() -> None:
    pairs = {("d1", "s1"): 1.0, ("d2", "s1"): -1.5, ("d2", "s2"): -0.5, ("d1", "s3"): 1.0, ("d2", "s3"): -0.75}
    retriever = serving(WORLD, model_of(WORLD, weights_between(WORLD, pairs)))
    positions, scores = retriever.retrieve(liked(WORLD, d1=1.0, d2=1.0), 10)
    assert WORLD.ids(positions) == ("s3",)
    assert scores.tolist() == pytest.approx([0.25], rel=1e-3)
    # The reason of an item is what speaks for it, were it proposed or not; nothing speaks for s2.
    assert retriever.reasons(liked(WORLD, d1=1.0, d2=1.0), WORLD.positions("s3", "s1", "s2")) == [
        "Because you chose Harbour Lights",
        "Because you chose Harbour Lights",
        None,
    ]


def test_nobody_is_told_that_they_chose_what_they_dislike() -> None:
    # A dislike of d1 speaks for what d1 speaks against, but d1 is no reason to give.
    pairs = {("d1", "s1"): -1.0, ("d2", "s1"): 0.5, ("d1", "s2"): -1.0}
    retriever = serving(WORLD, model_of(WORLD, weights_between(WORLD, pairs)))
    query = liked(WORLD, d1=-1.0, d2=1.0)
    positions, scores = retriever.retrieve(query, 10)
    assert WORLD.ids(positions) == ("s1", "s2")
    assert scores.tolist() == pytest.approx([1.5, 1.0], rel=1e-3)
    assert retriever.reasons(query, positions) == ["Because you chose Winter Letters", None]


def test_with_a_place_exponent_the_latest_of_a_session_decides() -> None:
    pairs = {("d1", "s1"): 1.0, ("d2", "s2"): 0.75}
    weights = weights_between(WORLD, pairs)
    query = liked(WORLD, d1=1.0, d2=1.0)
    plain, _ = serving(WORLD, model_of(WORLD, weights)).retrieve(query, 10)
    assert WORLD.ids(plain) == ("s1", "s2")
    placed, scores = serving(WORLD, model_of(WORLD, weights, place_exponent=1.0)).retrieve(query, 10)
    assert WORLD.ids(placed) == ("s2", "s1")
    assert scores.tolist() == pytest.approx([0.75, 0.5], rel=1e-3)


@pytest.mark.parametrize(
    ("exponent", "expected"), [(0.0, [1.0, 0.75]), (0.1, [0.93303, 0.75]), (1.0, [0.75, 0.5])]
)
def test_the_retrievers_place_exponent_takes_the_place_of_the_models(
    exponent: float, expected: list[float]
) -> None:
    weights = weights_between(WORLD, {("d1", "s1"): 1.0, ("d2", "s2"): 0.75})
    retriever = serving(WORLD, model_of(WORLD, weights, place_exponent=1.0), place_exponent=exponent)
    _, scores = retriever.retrieve(liked(WORLD, d1=1.0, d2=1.0), 10)
    assert scores.tolist() == pytest.approx(expected, rel=1e-3)


CONTENT = {("d1", "d4"): 1.0, ("d4", "d1"): 1.0, ("d1", "d2"): 1.0, ("d4", "s4"): 1.0, ("x1", "d2"): 2.0}


@pytest.mark.parametrize(
    ("anchor", "strengths", "asked", "said"),
    [
        (None, {"d1": 1.0}, "d2", "Because you chose Harbour Lights"),
        (None, {"d1": 1.0}, "d4", "Similar to Harbour Lights"),
        (None, {"d4": 1.0}, "d1", "Similar to Harbour Nights"),
        (None, {"d4": 1.0}, "s4", "Similar to Harbour Nights"),
        (None, {"d4": 1.0, "d1": 1.0}, "d2", "Because you chose Harbour Lights"),
        (None, {"d1": 1.0}, "s1", None),
        (None, {"d1": -1.0}, "d4", None),
        (None, {"d4": 1.0}, "x1", None),
        ("d1", {"s1": 1.0}, "d2", "Goes with Harbour Lights"),
        ("d1", {"s1": 1.0}, "d4", "Similar to Harbour Lights"),
        ("d4", {}, "d1", "Similar to Harbour Nights"),
        ("d4", {}, "s1", None),
    ],
)
def test_neighbours_by_content_are_called_similar(
    anchor: str | None, strengths: dict[str, float], asked: str, said: str | None
) -> None:
    retriever = serving(WORLD, model_of(WORLD, weights_between(WORLD, CONTENT), "d4", "s4", "x1"))
    query = WORLD.query("u", history=toy_history(WORLD, strengths), anchor=anchor)
    assert retriever.reasons(query, WORLD.positions(asked)) == [said]


def test_what_is_said_of_similar_items_may_be_chosen() -> None:
    model = model_of(WORLD, weights_between(WORLD, CONTENT), "d4")
    retriever = serving(WORLD, model, reason_cold_item="{title} is like it; you {verb} that")
    assert retriever.reasons(liked(WORLD, d1=1.0), WORLD.positions("d4", "d2")) == [
        "Harbour Lights is like it; you chose that",
        "Because you chose Harbour Lights",
    ]


def test_an_item_newer_than_the_model_is_similar_to_nothing() -> None:
    world = toy_world()
    retriever = serving(world, model_of(world, weights_between(world, CONTENT), "d4"))
    # Added between two requests, when the retriever is already there.
    world.catalog.apply([NEW_ITEM, replace(NEW_ITEM, item_id="newer", number=999)])
    query = liked(world, new=1.0, d1=1.0)
    assert retriever.reasons(query, world.positions("new", "d4", "newer", "d2")) == [
        None,
        "Similar to Harbour Lights",
        None,
        "Because you chose Harbour Lights",
    ]
