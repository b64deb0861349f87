"""How much places are looked at: by hand, and where it is planted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from tests.policy.in_order import candidates

from homefeed.policy.swap import Swap
from homefeed.rank.examination import (
    Examination,
    Showings,
    examination_by_lot,
    examination_by_swaps,
    unknown_examination,
    weights_of,
)
from homefeed.testing import toy_world
from homefeed.testing.world import NOW

Doubles = npt.NDArray[np.floating[Any]]
RNG = np.random.default_rng


def showings(*lists: list[tuple[float, int]]) -> Showings:
    """Lists of (propensity, clicked), the places in order."""
    rows = [(request, place, *row) for request, each in enumerate(lists) for place, row in enumerate(each)]
    requests, places, propensities, clicked = (np.array(column) for column in zip(*rows, strict=True))
    return Showings(requests, places, clicked.astype(np.bool_), propensities)


def curve_of(examination: Examination) -> list[float]:
    found: list[float] = examination.places.tolist()
    return found


def test_clicks_of_one_pair_are_weighed_by_hand() -> None:
    # Stayed with 3/4: upper 2 / 0.75, lower 1 / 0.75. Changed with 1/4: upper 1 / 0.25, lower 1 / 0.25.
    stayed = [[(0.75, 1), (0.75, 0)], [(0.75, 1), (0.75, 1)], [(0.75, 0), (0.75, 0)]]
    changed = [[(0.25, 1), (0.25, 0)], [(0.25, 0), (0.25, 1)]]
    found = examination_by_swaps(showings(*stayed, *changed), RNG(0), min_clicks=1)
    assert curve_of(found) == pytest.approx([1, (1 / 0.75 + 4) / (2 / 0.75 + 4)])
    assert found.known == 2
    assert (found.low <= found.places).all()
    assert (found.places <= found.high).all()


def test_what_came_from_elsewhere_is_left_out() -> None:
    # Pairs (0, 1) and (1, 2), 0.2 each: those who stay have 0.8, 0.6 and 0.8.
    stayed = [[(0.8, 1), (0.6, 1), (0.8, 1)]]
    first = [[(0.2, 1), (0.2, 1), (0.8, 1)]]
    second = [[(0.8, 1), (0.2, 1), (0.2, 0)], [(0.8, 0), (0.2, 0), (0.2, 1)]]
    found = examination_by_swaps(showings(*stayed, *first, *second), RNG(0), falling=False, min_clicks=1)
    # (0, 1): above 1/0.8 + 5 + 1/0.8 (its home, the pair moved further below), below 1/0.6 + 5.
    one = (1 / 0.6 + 5) / (2 / 0.8 + 5)
    # (1, 2): above 1/0.6 + 5, below 1/0.8 + 5, and the third item of the first exchange, which stayed.
    two = (2 / 0.8 + 5) / (1 / 0.6 + 5)
    assert curve_of(found) == pytest.approx([1, one, one * two])
    # It rises: taken as falling, the second and the third are one, and so with the first.
    assert curve_of(examination_by_swaps(showings(*stayed, *first, *second), RNG(0), min_clicks=1))[2] <= 1


def test_pairs_that_never_change_say_nothing() -> None:
    # The pair (1, 2) is held by a rule: only (0, 1) and (2, 3) change, in one of five each.
    stayed = [[(0.8, 1)] * 4] * 3
    changed = [[(0.2, 1), (0.2, 1), (0.8, 1), (0.8, 1)], [(0.8, 1), (0.8, 1), (0.2, 1), (0.2, 1)]]
    found = examination_by_swaps(showings(*stayed, *changed), RNG(0), min_clicks=1)
    assert curve_of(found) == [1, 1], "below it nothing is known"


def test_rows_that_other_chances_put_there_are_no_pairs() -> None:
    drawn = [[(0.8, 1), (0.8, 0), (0.4, 1)], [(0.2, 1), (0.2, 0), (0.4, 1)], [(0.2, 0), (0.2, 1), (0.4, 1)]]
    found = examination_by_swaps(showings(*drawn), RNG(0), min_clicks=1)
    assert curve_of(found) == pytest.approx([1, 5 / (1 / 0.8 + 5)])


@pytest.mark.parametrize(
    "nothing",
    [
        Showings(*(np.empty(0, kind) for kind in (np.int64, np.int32, np.bool_, np.float32))),  # type: ignore[arg-type]
        showings([(1, 1), (1, 1)]),
        showings([(0.9, 0), (0.9, 0)], [(0.1, 0), (0.1, 0)]),
        showings(*[[(0.1, 1), (0.1, 1)]] * 19),
    ],
    ids=["no rows", "no chance", "no clicks", "too few clicks"],
)
def test_without_enough_to_go_by_every_place_is_as_the_first(nothing: Showings) -> None:
    for measured in (examination_by_swaps(nothing, RNG(0)), examination_by_lot(nothing, RNG(0))):
        assert curve_of(measured) == [1]
        assert measured.known == 1
    assert curve_of(unknown_examination()) == [1]
    assert weights_of(np.arange(3), unknown_examination()).tolist() == [1, 1, 1]


def test_twenty_clicks_are_enough() -> None:
    enough = showings(*[[(0.1, 1), (0.1, 1)]] * 20)
    assert examination_by_swaps(enough, RNG(0)).known == 2


def test_by_lot_it_is_the_share_of_clicks_over_that_of_the_first() -> None:
    # One item has 0.5, another 0.25: 4 clicks of weight 2 and 4 of 10 showings; then 4 of 4 and 16 of 4.
    lists = [[(0.5, 1), (0.25, 0)], [(0.5, 1), (0.25, 1)], [(0.25, 0), (0.5, 0)], [(0.25, 0), (0.5, 0)]]
    found = examination_by_lot(showings(*lists), RNG(0), min_clicks=1)
    assert curve_of(found) == pytest.approx([1, (4 / 12) / (4 / 12)])
    lists[1][1] = (0.25, 0)
    lists[3][1] = (0.5, 1)
    assert curve_of(examination_by_lot(showings(*lists), RNG(0), min_clicks=1)) == pytest.approx([1, 0.5])


def test_weights_are_one_over_it_up_to_the_cap() -> None:
    examination = Examination(np.array([1, 0.5, 0.05]), np.zeros(3), np.ones(3), 3)
    places = np.array([0, 1, 2, 9])
    assert weights_of(places, examination).tolist() == [1, 2, 10, 10]
    assert weights_of(places, examination, cap=4).tolist() == [1, 2, 4, 4]
    assert weights_of(places, examination, cap=100).tolist() == pytest.approx([1, 2, 20, 20])
    assert examination.at(places).tolist() == [1, 0.5, 0.05, 0.05]


def planted(curve: Doubles, requests: int, share: float, seed: int) -> Showings:
    """Requests whose items are wanted from 0.3 at the first place to 0.9 at the last, and one pair may change."""
    rng, size = RNG(seed), len(curve)
    wanted = np.tile(np.linspace(0.3, 0.9, size), (requests, 1))
    one = share / (size - 1)
    propensities = np.tile(1 - one * np.array([1, *[2] * (size - 2), 1]), (requests, 1))
    drawn = rng.random(requests)
    rows = np.flatnonzero(drawn < share)
    upper = (drawn[rows] / one).astype(np.int64)
    wanted[rows, upper], wanted[rows, upper + 1] = wanted[rows, upper + 1], wanted[rows, upper]
    propensities[rows, upper] = propensities[rows, upper + 1] = one
    clicked = rng.random(wanted.shape) < curve * wanted
    request, place = (each.ravel() for each in np.indices(wanted.shape))
    return Showings(request, place, clicked.ravel(), propensities.ravel().astype(np.float32))


@settings(max_examples=8, phases=[Phase.generate])
@given(st.lists(st.floats(0.4, 1), min_size=2, max_size=5), st.integers(0, 1_000))
def test_a_planted_curve_is_found(ratios: list[float], seed: int) -> None:
    curve = np.cumprod([1.0, *ratios])
    found = examination_by_swaps(planted(curve, 30_000, 0.2 * len(ratios), seed), RNG(seed))
    assert found.places == pytest.approx(curve[: found.known], abs=0.08)
    assert (np.diff(found.places) <= 0).all()


def test_the_naive_share_of_clicks_is_not_it_where_what_is_wanted_stands_low() -> None:
    curve = 1 / np.sqrt(1 + np.arange(6))
    log = planted(curve, 60_000, 1.0, 0)
    naive = np.bincount(log.places[log.clicked]) / np.bincount(log.places)
    assert abs(naive / naive[0] - curve).max() > 0.5
    found = examination_by_swaps(log, RNG(0))
    assert found.places == pytest.approx(curve, abs=0.03)
    assert found.known == 6


def test_the_interval_holds_the_truth_nineteen_times_in_twenty() -> None:
    curve = 1 / np.sqrt(1 + np.arange(4))
    inside = 0
    for seed in range(60):
        found = examination_by_swaps(planted(curve, 8_000, 0.6, seed), RNG(seed), falling=False)
        inside += int((found.low[2] <= curve[2]) & (curve[2] <= found.high[2]))
    assert 51 <= inside <= 60, "57 on average"


def test_the_order_of_rows_makes_no_difference() -> None:
    log = planted(1 / (1 + np.arange(4)), 20_000, 0.5, 1)
    order = RNG(2).permutation(len(log))
    columns: dict[str, Any] = {
        "requests": log.requests[order] * 7 + 3,
        "places": log.places[order],
        "clicked": log.clicked[order],
        "propensities": log.propensities[order],
    }
    np.testing.assert_array_equal(
        examination_by_swaps(replace(log, **columns), RNG(0)).places, examination_by_swaps(log, RNG(0)).places
    )


def test_what_swap_logs_is_what_is_measured() -> None:
    world, rng, curve = toy_world(), RNG(0), 1 / (1 + np.arange(5))
    part = Swap(Swap.Config(share=1, places=5), world.resources)
    wanted, rows = np.linspace(0.2, 0.9, 7), []
    for request in range(6_000):
        shown = part.rerank(world.query("u", now=NOW + request), candidates(*range(7)))
        assert shown.propensities is not None
        for place in range(5):
            clicked = rng.random() < curve[place] * wanted[shown.positions[place]]
            rows.append((request, place, clicked, shown.propensities[place]))
    requests, places, clicked, propensities = (np.array(column) for column in zip(*rows, strict=True))
    found = examination_by_swaps(Showings(requests, places, clicked, propensities), RNG(0))
    assert found.places == pytest.approx(curve, abs=0.05)
