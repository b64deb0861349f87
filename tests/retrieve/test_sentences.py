"""Reasons that name an item of the history."""

from __future__ import annotations

import numpy as np

from homefeed.catalog import Resources
from homefeed.retrieve.sentences import reasons_naming
from homefeed.testing import toy_world
from homefeed.testing.requests import toy_history


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
