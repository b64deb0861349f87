"""What counts as seen."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from homefeed.errors import RecipeError
from homefeed.policy.seen import Seen
from homefeed.protocols import Filter, FilterExplainer
from homefeed.testing import FilterContract, Play, World, make_world, toy_world
from homefeed.testing.world import ITEMS, RECIPE

DECLARED = {**RECIPE, "events": {"play": {}, "open": {}, "glance": {}}}
SLIM = {name: DECLARED[name] for name in ("app", "items", "events")} | {
    "feeds": {"popular": RECIPE["feeds"]["popular"]}
}
OF_EACH = {"open": 1, "glance": 3}

WORLD = make_world(
    ITEMS,
    [
        *(Play("u", "d1", 1, days, "glance") for days in (9, 5, 1)),
        *(Play("u", "d2", 1, days, "glance") for days in (9, 5)),
        Play("u", "s1", 1, 8, "open"),
        Play("u", "s2", 1, 1, "play"),
        Play("v", "s3", 1, 1, "open"),
    ],
    declared=DECLARED,
)


def seen(world: World, events: dict[str, int], days: float | None = None) -> Seen:
    return Seen(Seen.Config(events=events, history_days=days), world.resources)


def stopped(events: dict[str, int], days: float | None = None, **query: Any) -> set[str]:
    mask = seen(WORLD, events, days).filter(WORLD.query("u", **query))
    return set(WORLD.ids(np.flatnonzero(~mask).astype(np.int32)))


class TestSeen(FilterContract):
    def make(self, world: World) -> Filter:
        return seen(world, {"play": 2}, 30)


def test_enough_events_of_one_type() -> None:
    assert stopped(OF_EACH) == {"d1", "s1"}
    assert stopped({"glance": 2}) == {"d1", "d2"}
    assert stopped({"play": 1}) == {"s2"}
    assert stopped({"open": 2}) == set()


def test_by_default_one_whole_event_is_enough() -> None:
    declared = {**SLIM, "events": {"read": {"full": 1.0}, "glance": {"weight": 0.5}, "buy": {"weight": 3}}}
    reads = [("d1", 1.0, "read"), ("d2", 0.9, "read"), ("s1", 1.0, "glance"), ("s2", 1.0, "buy")]
    world = make_world(ITEMS, [Play("u", item, value, 9, kind) for item, value, kind in reads], declared=declared)
    part = Seen(Seen.Config(), world.resources)
    mask = part.filter(world.query("u"))
    assert world.ids(np.flatnonzero(~mask).astype(np.int32)) == ("d1", "s2")
    assert part.why(world.query("u"), world.position("s2")) == "the user's events on it: buy"
    assert part.concerns(world.query("u"))
    assert not part.concerns(world.query("v"))


def test_events_of_several_types_do_not_add_up() -> None:
    world = make_world(ITEMS, [Play("u", "d1", 1, 2, "open"), Play("u", "d1", 1, 1, "glance")], declared=DECLARED)
    assert seen(world, {"open": 2, "glance": 2}).filter(world.query("u")).all()


def test_what_was_seen_long_ago_returns() -> None:
    assert stopped(OF_EACH, days=8) == {"s1"}
    assert stopped(OF_EACH, days=7.9) == set()
    assert stopped({"glance": 1}, days=5) == {"d1", "d2"}
    assert stopped({"glance": 1}, days=4.9) == {"d1"}
    assert stopped(OF_EACH, days=1e12) == {"d1", "s1"}


def test_newcomers_have_seen_nothing() -> None:
    assert seen(WORLD, OF_EACH).filter(WORLD.query()).all()


def test_why_counts() -> None:
    part = seen(WORLD, OF_EACH | {"play": 1})
    assert isinstance(part, FilterExplainer)
    query = WORLD.query("u")
    assert part.why(query, WORLD.position("d1")) == "the user's events on it: glance 3 (limit 3)"
    recent = seen(WORLD, {"glance": 1, "open": 1}, 8)
    assert recent.why(query, WORLD.position("d1")) == "the user's events on it within 8 days: glance 2 (limit 1)"


def test_events_are_named_and_declared() -> None:
    with pytest.raises(RecipeError, match="open"):
        seen(toy_world(), OF_EACH)
    for events in ({}, {"play": 0}):
        with pytest.raises(ValidationError):
            Seen.Config(events=events)


IDS = ("d1", "s1", "c1")
EVENTS = st.tuples(st.sampled_from(IDS), st.sampled_from(["play", "open", "glance"]), st.integers(1, 9))


@given(
    st.lists(EVENTS, min_size=1, max_size=12),
    st.dictionaries(st.sampled_from(["play", "open", "glance"]), st.integers(1, 3), min_size=1),
    st.none() | st.integers(1, 9),
)
def test_counts_by_brute_force(told: list[tuple[str, str, int]], events: dict[str, int], days: int | None) -> None:
    world = make_world(ITEMS[:7], [Play("u", i, 1, ago, name) for i, name, ago in told], declared=SLIM)
    counts = Counter((item_id, name) for item_id, name, ago in told if days is None or ago <= days)
    expected = {item_id for (item_id, name), count in counts.items() if count >= events.get(name, 99)}
    mask = seen(world, events, days).filter(world.query("u"))
    assert set(world.ids(np.flatnonzero(~mask).astype(np.int32))) == expected
