"""Reasons that name an item of the history."""

from __future__ import annotations

import numpy as np
import pytest

from homefeed.catalog import Resources
from homefeed.retrieve.sentences import reasons_naming
from homefeed.testing import toy_world
from homefeed.testing.requests import toy_history
from homefeed.types import History


def test_each_item_is_named_with_what_the_user_did_to_it_and_none_is_not() -> None:
    world = toy_world()
    resources = Resources(world.catalog, world.counters, {}, {"play": "watched"})
    query = world.query("u", history=toy_history(world, {"d1": 1.0}))
    d1, s1 = world.position("d1"), world.position("s1")
    items = np.array([d1, -1, s1, d1], np.int32)
    named = ["watched Harbour Lights", None, "chose Star Harvest", "watched Harbour Lights"]
    assert reasons_naming("{verb} {title}", query, items, resources) == named
    assert reasons_naming("Like {title}", query, items[:2], resources) == ["Like Harbour Lights", None]
    assert reasons_naming("Like {title}", query, items[:0], resources) == []


@pytest.mark.parametrize(
    ("strengths", "reason"),
    [
        ([1.0], "You watched this before"),
        ([0.5, 1.0, 0.2], "You watched this often"),
        ([1.0, 1.0, 1.0, -1.0], "Because of Harbour Lights"),
        ([1.0, -1.0, 1.0], "You watched this before"),
        ([], "Because of Harbour Lights"),
    ],
)
def test_what_the_user_did_to_the_item_itself_comes_first(strengths: list[float], reason: str) -> None:
    world = toy_world()
    resources = Resources(world.catalog, world.counters, {}, {"play": "watched"})
    d1, s1 = world.position("d1"), world.position("s1")
    count = len(strengths)
    history = History(
        items=np.full(count, s1, np.int32),
        strengths=np.array(strengths, np.float32),
        types=np.zeros(count, np.int32),
        values=np.full(count, np.nan, np.float32),
        times=np.arange(count, dtype=np.int64),
    )
    query = world.query("u", history=history)
    named, shown = np.array([d1], np.int32), np.array([s1], np.int32)
    assert reasons_naming("Because of {title}", query, named, resources, shown) == [reason]
    anchored = world.query("u", history=history, anchor="d1")
    assert reasons_naming("Like {title}", anchored, named, resources, shown) == ["Like Harbour Lights"]
    nothing = np.array([-1], np.int32)
    assert reasons_naming("Because of {title}", query, nothing, resources, shown) == [None]
