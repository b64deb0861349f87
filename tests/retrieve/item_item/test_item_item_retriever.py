"""Item-item as it serves: sums of similarities, and who contributed most, by brute force."""

from __future__ import annotations

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
from homefeed.retrieve.item_item import ItemItem
from homefeed.retrieve.item_item.model import ItemItemModel
from homefeed.taste import weighted_seeds
from homefeed.testing import RetrieverContract, World, make_world, toy_world
from homefeed.testing.requests import NEW_ITEM, toy_history
from homefeed.testing.world import BECAUSE, ITEMS, NEIGHBOURS, NOW, PLAYS, RECIPE, USERS
from homefeed.types import History, Query

WORLD = toy_world()


def item_item(world: World, **config: float | str) -> ItemItem:
    """All places count the same, unless it is configured."""
    return ItemItem(ItemItem.Config.model_validate({"place_exponent": 0} | config), world.resources)


class TestItemItem(RetrieverContract):
    def make(self, world: World) -> Retriever:
        return item_item(world)


def gains(world: World, query: Query, position: int) -> dict[int, float]:
    """What each item of the taste adds to the item at a position."""
    model = world.resources.model("item_item", ItemItemModel)
    assert model is not None
    row_of = {int(number): row for row, number in enumerate(model.numbers)}
    added = {}
    items, weights = weighted_seeds(query, 50, ItemItem.Config().half_life_days, model.place_exponent)
    for item, weight in zip(items.tolist(), weights.tolist(), strict=True):
        row = row_of.get(int(world.catalog.numbers[item]))
        part = slice(0, 0) if row is None else slice(model.indptr[row], model.indptr[row + 1])
        for neighbour, similar in zip(model.indices[part].tolist(), model.weights[part].tolist(), strict=True):
            if world.catalog.positions(model.numbers[neighbour : neighbour + 1])[0] == position:
                added[item] = weight * similar
    return added


@given(history=histories, anchor=st.none() | st.sampled_from([item.item_id for item in ITEMS]))
def test_scores_and_contributors_by_brute_force(history: History, anchor: str | None) -> None:
    query = WORLD.query("u", history=history, anchor=anchor)
    retriever = ItemItem(ItemItem.Config(), WORLD.resources)
    positions, scores = retriever.retrieve(query, 100)
    by_position = {position: gains(WORLD, query, position) for position in range(WORLD.catalog.size)}
    expected = {p: sum(added.values()) for p, added in by_position.items()}
    assert dict(zip(positions.tolist(), scores.tolist(), strict=True)) == pytest.approx(
        {p: score for p, score in expected.items() if score > 1e-9 and query.eligible[p]}, rel=1e-4
    )
    users, own = WORLD.counters.events.tolist(), anchor is None
    itself = {item: max(gains(WORLD, query, p).get(item, 0.0) for p in by_position) for item in by_position}
    # One by one: in a list what was named twice gives way to near equals.
    named = [retriever._grounds(query, each).items.item() for each in positions[:, None]]
    for position, item in zip(positions.tolist(), named, strict=True):
        added = by_position[position] | {position: itself[position]}
        added = {other: gain for other, gain in added.items() if gain > 0 and WORLD.catalog.available[other]}
        assert item in may_be_named(added, position, users, own=own)


@pytest.mark.parametrize("item_id", NEIGHBOURS)
def test_similar_to_an_item_are_its_neighbours_that_can_be_seen(item_id: str) -> None:
    world = toy_world()
    positions, _ = item_item(world).retrieve(world.query(anchor=item_id), 100)
    assert world.ids(positions) == tuple(other for other in NEIGHBOURS[item_id] if other != "h1")


@pytest.mark.parametrize(("user_id", "item_id"), BECAUSE)
def test_the_reason_names_what_speaks_most_for_it(user_id: str, item_id: str) -> None:
    world = toy_world()
    title = world.catalog.title(world.position(BECAUSE[user_id, item_id]))
    assert item_item(world).reasons(world.query(user_id), world.positions(item_id)) == [
        f"Because you chose {title}"
    ]


def test_the_reason_on_an_items_page_is_about_that_item() -> None:
    world = toy_world()
    reasons = item_item(world).reasons(world.query("sa", anchor="d1"), world.positions("d2", "s2"))
    assert reasons == ["Goes with Harbour Lights", None]


def test_the_latest_events_speak_loudest() -> None:
    world = toy_world()
    events = [(world.position("d1"), 1.0, 300.0), (world.position("s1"), 1.0, 0.0)]
    positions, _ = item_item(world).retrieve(world.query("u", history=history_of(events)), 3)
    assert world.ids(positions) == ("s2", "s3", "d2")
    forgetful = item_item(world, max_events=1).retrieve(world.query("u", history=history_of(events)), 9)[0]
    assert world.ids(forgetful) == ("s2", "s3")


def test_a_disliked_item_takes_its_neighbours_along() -> None:
    world = toy_world()
    query = world.query("u", history=toy_history(world, {"d2": 1.0, "d1": -1.0}))
    positions, _ = item_item(world).retrieve(query, 100)
    # Only d2 speaks for d1; for d3, d1 speaks against more than d2 for.
    assert world.ids(positions) == ("d1",)


VERBAL: Mapping[str, Any] = {
    **RECIPE,
    "events": {
        "play": {"weight": 0.5, "verb": "watched", "full": "typical"},
        "save": {"weight": 1.0, "verb": "saved"},
        "hide": {"weight": -1.0, "verb": "hid"},
    },
}
VERBAL_WORLD = make_world(ITEMS, PLAYS, declared=VERBAL)


def events_of(*events: tuple[str, str]) -> History:
    """Events as (item, type), a minute apart, as `VERBAL` weighs them."""
    kinds = list(VERBAL["events"])
    return History(
        VERBAL_WORLD.positions(*(item_id for item_id, _ in events)),
        np.array([kinds.index(kind) for _, kind in events], np.int32),
        np.full(len(events), np.nan, np.float32),
        np.array([VERBAL["events"][kind]["weight"] for _, kind in events], np.float32),
        NOW - 60_000_000 * np.arange(len(events), 0, -1, dtype=np.int64),
    )


@pytest.mark.parametrize(
    ("events", "said"),
    [
        ([("d1", "play")], 'Because you watched "Harbour Lights"'),
        ([("d1", "save"), ("d1", "play")], 'Because you saved "Harbour Lights"'),
        ([("d1", "play"), ("d2", "save"), ("d1", "play")], 'Because you saved "Winter Letters"'),
        ([("d1", "hide"), ("d1", "save")], 'Because you saved "Harbour Lights"'),
        ([("d1", "save"), ("d1", "hide"), ("d2", "play")], 'Because you watched "Winter Letters"'),
        ([("d1", "save"), ("d1", "hide")], None),
        ([("d1", "hide"), ("d1", "play")], None),
    ],
)
def test_the_reason_says_what_the_user_did_to_what_they_like(
    events: list[tuple[str, str]], said: str | None
) -> None:
    retriever = item_item(VERBAL_WORLD, reason='Because you {verb} "{title}"')
    query = VERBAL_WORLD.query("u", history=events_of(*events))
    # d3 is near both d1 and d2.
    assert retriever.reasons(query, VERBAL_WORLD.positions("d3")) == [said]


def test_on_an_items_page_nobody_did_anything_to_it() -> None:
    retriever = item_item(VERBAL_WORLD, reason_anchored="By those who {verb} {title}")
    query = VERBAL_WORLD.query("u", history=events_of(("d1", "save")), anchor="d1")
    assert retriever.reasons(query, VERBAL_WORLD.positions("d2")) == ["By those who chose Harbour Lights"]


def test_what_was_liked_and_then_hidden_leads_to_nothing() -> None:
    retriever = item_item(VERBAL_WORLD)
    liked = VERBAL_WORLD.query("u", history=events_of(("s1", "save"), ("d1", "save")))
    assert {"s2", "d2"} <= set(VERBAL_WORLD.ids(retriever.retrieve(liked, 100)[0]))
    hidden = VERBAL_WORLD.query("u", history=events_of(("s1", "save"), ("d1", "save"), ("d1", "hide")))
    assert VERBAL_WORLD.ids(retriever.retrieve(hidden, 100)[0]) == ("s2", "s3")


def test_items_newer_than_the_model_neither_speak_nor_are_spoken_for() -> None:
    world = toy_world()
    retriever = item_item(world)
    world.catalog.apply([NEW_ITEM, replace(NEW_ITEM, item_id="newer", number=999)])
    query = world.query("u", history=toy_history(world, {"newer": 1.0, "d1": 1.0, "new": 1.0}))
    assert world.ids(retriever.retrieve(query, 2)[0]) == ("d2", "d3")
    asked = world.positions("new", "d2", "newer")
    assert retriever.reasons(query, asked) == [None, "Because you chose Harbour Lights", None]


def test_nobody_is_asked_about_items_twice() -> None:
    for user_id in USERS:
        query = WORLD.query(user_id)
        positions, _ = item_item(WORLD).retrieve(query, 100)
        played = {play.item_id for play in PLAYS if play.user_id == user_id}
        # What someone played may be proposed again, by what else they played: policies decide about that.
        assert len(positions) == len(set(positions.tolist()))
        assert played or not len(positions)
