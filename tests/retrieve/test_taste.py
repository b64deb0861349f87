"""What a history weighs."""

from __future__ import annotations

from dataclasses import replace
from itertools import count

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from homefeed.retrieve.taste import OncePerRequest, taste_of
from homefeed.types import DAY, History, Query, UserState

NOW = 20_000 * DAY


def query(events: list[tuple[int, float, float]], anchor: int | None = None) -> Query:
    """Events as (item, strength, days ago), oldest first."""
    items, strengths, days = zip(*events, strict=True) if events else ((), (), ())
    history = History(
        np.array(items, np.int32),
        np.zeros(len(events), np.int32),
        np.zeros(len(events), np.float32),
        np.array(strengths, np.float32),
        np.array([NOW - int(day * DAY) for day in days], np.int64),
    )
    return Query("app", "feed", UserState("u", history), NOW, 10, anchor)


def taste(asked: Query, events: int = 50, half_life: float = 10.0) -> dict[int, float]:
    items, weights = taste_of(asked, events, half_life)
    assert items.dtype == np.int32
    assert weights.dtype == np.float32
    assert len(set(items.tolist())) == len(items) == len(weights)
    return dict(zip(items.tolist(), weights.tolist(), strict=True))


def test_strength_halves_between_an_event_and_the_latest() -> None:
    assert taste(query([(3, 1.0, 120), (5, 0.5, 110), (7, 1.0, 100)])) == pytest.approx({3: 0.25, 5: 0.25, 7: 1.0})


def test_an_anchor_is_all_the_taste_there_is() -> None:
    assert taste(query([(3, 1.0, 1)], anchor=9)) == {9: 1.0}


def test_no_history_no_taste() -> None:
    assert taste(query([])) == {}


def test_an_item_weighs_as_much_as_its_weightiest_event() -> None:
    assert taste(query([(3, 1.0, 10), (3, 0.75, 0), (5, 0.25, 0)])) == pytest.approx({3: 0.75, 5: 0.25})


def test_dislikes_weigh_against_and_nothing_weighs_nothing() -> None:
    assert taste(query([(3, -1.0, 10), (5, 0.0, 0)])) == pytest.approx({3: -0.5})


def test_only_the_latest_events_count() -> None:
    assert taste(query([(3, 1.0, 2), (5, 1.0, 1), (7, 1.0, 0)]), events=2) == pytest.approx({5: 2**-0.1, 7: 1.0})


def test_an_event_to_come_does_not_age_the_others_away() -> None:
    assert taste(query([(3, 1.0, 10), (5, 1.0, -100_000)])) == pytest.approx({3: 0.5, 5: 1.0})


@given(
    st.lists(st.tuples(st.integers(0, 4), st.floats(-1, 1, width=16), st.floats(0, 100, width=16)), max_size=12),
    st.integers(1, 14),
)
def test_tastes_by_brute_force(events: list[tuple[int, float, float]], count: int) -> None:
    events.sort(key=lambda event: -event[2])
    expected: dict[int, float] = {}
    latest = events[-count:]
    for item, strength, days in latest:
        weight = strength * 2.0 ** ((latest[-1][2] - days) / 10)
        if abs(weight) > abs(expected.get(item, 0.0)):
            expected[item] = weight
    found = taste(query(events), events=count)
    assert {item: abs(weight) for item, weight in found.items()} == pytest.approx(
        {item: abs(weight) for item, weight in expected.items()}, rel=1e-5
    )


def test_a_request_computes_once_and_another_user_moment_or_anchor_anew() -> None:
    counter = count(1)
    once = OncePerRequest(lambda _query: next(counter))
    first = query([(1, 1.0, 0)])
    assert once(first) == once(replace(first, eligible=np.ones(3, np.bool_))) == 1
    others = (
        query([(1, 1.0, 0)]),  # the same events, another user state
        replace(first, now=NOW + 1),
        replace(first, anchor=1),
        first,
    )
    assert [once(other) for other in others] == [2, 3, 4, 5]
