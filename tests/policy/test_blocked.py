"""What the user does not want to see again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from homefeed.errors import RecipeError
from homefeed.policy.blocked import Blocked
from homefeed.protocols import Filter, FilterExplainer
from homefeed.testing import FilterContract, Play, World, make_world, toy_world
from homefeed.testing.world import ITEMS, NOW, RECIPE
from homefeed.types import DAY, History

NAMES = ("play", "hide", "save", "report")
DECLARED = {**RECIPE, "events": {"play": {}, "hide": {"weight": -1}, "save": {}, "report": {"weight": -1.5}}}
WORLD = make_world(
    ITEMS,
    [
        Play("u", "d1", 1, 900, "hide"),
        Play("u", "d1", 1, 1, "play"),
        Play("u", "s1", 1, 5, "report"),
        Play("u", "s1", 1, 4, "hide"),
        Play("u", "s2", 1, 5, "play"),
        Play("u", "s3", 1, 5, "save"),
        Play("v", "c1", 1, 5, "hide"),
    ],
    declared=DECLARED,
)


def blocked(world: World, *events: str) -> Blocked:
    return Blocked(Blocked.Config(events=events) if events else Blocked.Config(), world.resources)


def stopped(*events: str, user_id: str | None = "u") -> set[str]:
    mask = blocked(WORLD, *events).filter(WORLD.query(user_id, now=NOW + 4_000 * DAY))
    return set(WORLD.ids(np.flatnonzero(~mask).astype(np.int32)))


class TestBlocked(FilterContract):
    def make(self, world: World) -> Filter:
        return blocked(world, "play")


def test_what_was_hidden_or_reported_never_returns() -> None:
    assert stopped() == {"d1", "s1"}
    assert stopped("report") == {"s1"}
    assert stopped("save", "play") == {"d1", "s2", "s3"}


def test_others_see_it() -> None:
    assert stopped(user_id="v") == {"c1"}
    assert stopped(user_id=None) == set()


def test_why_names_the_events() -> None:
    part, query = blocked(WORLD), WORLD.query("u")
    assert isinstance(part, FilterExplainer)
    assert part.why(query, WORLD.position("d1")) == "the user told of it: hide"
    assert part.why(query, WORLD.position("s1")) == "the user told of it: hide and report"


def test_named_events_are_declared() -> None:
    with pytest.raises(RecipeError, match="hide"):
        blocked(toy_world(), "hide")


def test_with_no_event_type_nothing_is_blocked() -> None:
    part = Blocked(Blocked.Config(events=()), WORLD.resources)
    assert part.filter(WORLD.query("u")).all()
    assert not part.concerns(WORLD.query("u"))


def test_what_was_told_before_the_days_of_a_feed_stays_away() -> None:
    recent = WORLD.query("u").user.since(NOW - 2 * DAY)
    assert len(recent.history) == 1
    query = replace(WORLD.query("u"), user=recent)
    assert not blocked(WORLD).filter(query)[WORLD.positions("d1", "s1")].any()
    assert blocked(WORLD).why(query, WORLD.position("d1")) == "the user told of it: hide"


@given(st.lists(st.tuples(st.integers(0, len(ITEMS) - 1), st.integers(0, 3)), max_size=20))
def test_nothing_blocked_passes_and_all_else_does(told: list[tuple[int, int]]) -> None:
    count, codes = len(told), np.array([code for _, code in told], np.int32)
    history = History(
        np.array([position for position, _ in told], np.int32),
        codes,
        np.ones(count, np.float32),
        np.array([1, -1, 1, -1.5], np.float32)[codes],
        np.arange(count, dtype=np.int64),
    )
    mask = blocked(WORLD).filter(WORLD.query("u", history=history))
    unwanted = {position for position, code in told if NAMES[code] in ("hide", "report")}
    assert set(np.flatnonzero(~mask).tolist()) == unwanted
