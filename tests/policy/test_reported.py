"""What too many users complained of: the app's count and the users' events together."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from homefeed.errors import RecipeError
from homefeed.policy.reported import Reported
from homefeed.protocols import Filter, FilterExplainer
from homefeed.recipe import parse_recipe
from homefeed.testing import FilterContract, Play, World, make_world
from homefeed.testing.world import RECIPE
from homefeed.types import Item

DECLARED = {
    "app": "toy",
    "items": {"fields": {"title": "text", "reports": "number"}},
    "events": {"play": {}, "report": {}},
    "signals": {"distinct": ["report"]},
    "feeds": RECIPE["feeds"] | {"home": RECIPE["feeds"]["popular"]},
}


def reported(world: World, **config: Any) -> Reported:
    return Reported(Reported.Config.model_validate(config), world.resources)


def told(counts: tuple[float | None, ...], *reports: tuple[str, int]) -> World:
    """A world of items i0, i1, ... with those counts, and users who reported them."""
    items = [Item(f"i{n}", 5 + 2 * n, {"reports": count}, None) for n, count in enumerate(counts)]
    plays = [Play(user_id, f"i{n}", 0, 1, "report") for user_id, n in reports]
    return make_world(items, [*plays, Play("a", "i0", 60, 2), Play("b", "i0", 60, 2)], declared=DECLARED)


WORLD = told(
    (0, 1, 2, 3, None, None), ("a", 0), ("a", 2), ("a", 4), ("b", 4), ("c", 4), ("a", 5), ("a", 5), ("a", 5)
)


def stopped(**config: Any) -> list[int]:
    return np.flatnonzero(~reported(WORLD, **config).filter(WORLD.query("a"))).tolist()


class TestReported(FilterContract):
    def make(self, world: World) -> Filter:
        return reported(world, field="year", event="", min_reports=2021)


def test_what_the_app_counted_and_what_users_told_add_up() -> None:
    assert stopped() == [2, 3, 4]
    assert stopped(min_reports=1) == [0, 1, 2, 3, 4, 5]
    assert stopped(min_reports=2) == [2, 3, 4]
    assert stopped(min_reports=4) == []


def test_either_may_do_alone() -> None:
    assert stopped(event=None) == [3]
    assert stopped(event="") == [3]
    assert stopped(field=None) == [4]
    assert stopped(field="", min_reports=1) == [0, 2, 4, 5]


def test_without_either_there_is_nothing_to_go_by() -> None:
    with pytest.raises(RecipeError, match="`field` and `event`"):
        reported(WORLD, field=None, event=None)
    home = DECLARED["feeds"]["home"] | {"filter": {"reported": {"field": "", "event": ""}}}
    with pytest.raises(RecipeError, match=r"the file: feeds\.home\.filter\.reported: .*`field` and `event`"):
        parse_recipe(DECLARED | {"feeds": DECLARED["feeds"] | {"home": home}}, "the file")


def test_a_report_counts_at_once() -> None:
    world = told((2, 0), ("a", 1))
    part = reported(world)
    assert part.filter(world.query()).tolist() == [True, True]
    world.counters.add_distinct("report", np.array([9], np.int32), np.array([5], np.int32))
    assert part.filter(world.query()).tolist() == [False, True]


def test_why_tells_the_counts_and_nobodys_name() -> None:
    part = reported(WORLD)
    assert isinstance(part, FilterExplainer)
    assert part.why(WORLD.query(), 2) == "reported 3 times (reports: 2, told by users: 1); the limit is 3"
    assert part.why(WORLD.query(), 3) == "reported 3 times (reports: 3); the limit is 3"
    assert part.why(WORLD.query(), 4) == "reported 3 times (told by users: 3); the limit is 3"
    assert (
        reported(WORLD, min_reports=1).why(WORLD.query(), 0)
        == "reported 1 time (told by users: 1); the limit is 1"
    )


@pytest.mark.parametrize(
    ("config", "named"),
    [({"field": "title"}, "title"), ({"field": "flags"}, "flags"), ({"event": "hide"}, "hide")],
)
def test_both_have_to_be_declared(config: dict[str, str], named: str) -> None:
    with pytest.raises(RecipeError, match=named):
        reported(WORLD, **config)


def test_an_app_that_counts_no_event_by_user_is_told_so() -> None:
    with pytest.raises(RecipeError, match=r'event "report" is not one of signals\.distinct \(none is there\)'):
        reported(make_world([], (), declared=DECLARED | {"signals": {}}), field=None)
    with pytest.raises(RecipeError, match=r"is not one of signals\.distinct \(report\)"):
        reported(WORLD, event="play")


@given(
    st.lists(st.sampled_from([None, 0, 1, 2, 3]), min_size=1, max_size=4),
    st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 3)), max_size=12),
    st.integers(1, 5),
)
def test_counts_by_brute_force(
    counts: list[float | None], reports: list[tuple[str, int]], min_reports: int
) -> None:
    reports = [(user_id, n) for user_id, n in reports if n < len(counts)]
    world = told(tuple(counts), *reports)
    users = [{user_id for user_id, n in reports if n == item} for item in range(len(counts))]
    expected = [(count or 0) + len(by) < min_reports for count, by in zip(counts, users, strict=True)]
    assert reported(world, min_reports=min_reports).filter(world.query()).tolist() == expected


def test_where_the_counts_overlap_the_larger_goes() -> None:
    assert stopped(min_reports=3) == [2, 3, 4]
    assert stopped(min_reports=3, overlap=True) == [3, 4]
