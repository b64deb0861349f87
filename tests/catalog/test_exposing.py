"""What was shown and chosen, counted by hand, and the same in whatever steps it is told."""

from __future__ import annotations

import math
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from homefeed.catalog.exposing import MOST_PAIRS, SETTLED, advanced, settled_at
from homefeed.catalog.exposures import MOST_PLACES, Choices, ExposuresModel, Showings, place_rates
from homefeed.errors import ArtifactError
from homefeed.testing.model import arrays_of, write_arrays
from homefeed.types import DAY, SECOND

START = 20_000 * DAY + 3_600 * SECOND
MINUTE, WINDOW = 60 * SECOND, DAY
RATE = 0.05
DAY_LEFT, WEEK_LEFT = math.exp(-1), math.exp(-1 / 7)


def shown(*rows: tuple[int, ...]) -> Showings:
    """Rows of (minute, user, item, place)."""
    minutes, users, items, places = zip(*rows, strict=True) if rows else ((), (), (), ())
    times = START + np.array(minutes, np.int64) * MINUTE
    return Showings(times, *(np.array(column, np.int32) for column in (users, items, places)))


def chosen(*rows: tuple[int, ...]) -> Choices:
    """Rows of (minute, user, item)."""
    minutes, users, items = zip(*rows, strict=True) if rows else ((), (), ())
    times = START + np.array(minutes, np.int64) * MINUTE
    return Choices(times, *(np.array(column, np.int32) for column in (users, items)))


def told(showings: Showings, choices: Choices, minutes: int = 60) -> ExposuresModel:
    return advanced(ExposuresModel(), showings, choices, START + minutes * MINUTE, WINDOW)


def test_what_was_shown_is_expected_to_be_chosen_as_often_as_others_in_its_place() -> None:
    model = told(shown((0, 1, 5, 0), (0, 1, 6, 1), (60, 2, 5, 0)), chosen(), 60)
    expected, clicked = model.of(np.array([5, 6, 7, 999], np.int32))
    left = [math.exp(-1), math.exp(-1 / 24), math.exp(-1 / 168)]
    # The last was shown at the moment itself: it counts from the next on.
    np.testing.assert_allclose(expected, [[RATE * each for each in left]] * 2 + [[0, 0, 0]] * 2)
    assert not clicked.any()
    assert model.place_shown[:3].tolist() == [1, 1, 0]


def test_a_choice_belongs_to_the_latest_showing_before_it_and_a_showing_has_one() -> None:
    showings = shown((0, 1, 5, 0), (10, 1, 5, 3), (10, 1, 6, 4))
    model = told(showings, chosen((12, 1, 5), (13, 1, 5), (11, 2, 5), (9, 1, 6)), 60)
    assert model.place_chosen[:5].tolist() == [0, 0, 0, 1, 0]
    _, clicked = model.of(np.array([5, 6], np.int32))
    np.testing.assert_allclose(clicked[0], np.exp([-48 / 60, -48 / 1440, -48 / 10080]))
    assert not clicked[1].any()


def test_each_showing_may_be_chosen() -> None:
    model = told(shown((0, 1, 5, 0), (10, 1, 5, 3)), chosen((5, 1, 5), (12, 1, 5)))
    assert model.place_chosen[:4].tolist() == [1, 0, 0, 1]


def test_a_choice_beyond_the_window_belongs_to_none() -> None:
    for minute, count in ((1_440, 1), (1_441, 0)):
        model = told(shown((0, 1, 5, 0)), chosen((minute, 1, 5)), 3_000)
        assert np.ceil(model.place_chosen.sum()) == count


def test_a_choice_of_a_time_to_come_waits() -> None:
    model = told(shown((0, 1, 5, 0)), chosen((70, 1, 5)), 60)
    assert len(model.waiting) == 1
    assert model.place_chosen.sum() == 0
    later = advanced(model, shown(), chosen(), START + 71 * MINUTE, WINDOW)
    assert len(later.waiting) == 0
    assert later.place_chosen[0] == 1


def test_the_next_day_goes_by_what_was_chosen_in_each_place() -> None:
    rows = [(0, user, 5, place) for user in range(1, 101) for place in (0, 1)]
    model = told(shown(*rows), chosen(*((1, user, 5) for user in range(1, 101))), 23 * 60)
    # Each user chose once: of two showings of a moment the last of those that were told.
    rates = place_rates(np.array([100.0] * 2 + [0.0] * 198), model.place_chosen * math.exp(1 / 30))
    np.testing.assert_allclose(model.place_rates, rates)
    np.testing.assert_allclose(model.place_rates[:3], [125 / 1_100, 225 / 1_100, 0.125])


def test_places_beyond_the_last_count_as_the_last() -> None:
    model = told(shown((0, 1, 5, 100_000)), chosen((1, 1, 5)))
    assert model.place_chosen[MOST_PLACES - 1] == 1


def test_exposures_are_settled_after_one_to_two_minutes() -> None:
    assert SETTLED == MINUTE
    assert settled_at(START + 90 * SECOND) == START
    assert settled_at(START + 119 * SECOND) == START
    assert settled_at(START + 120 * SECOND) == START + MINUTE


ROWS = st.tuples(st.integers(0, 4_000), st.integers(1, 3), st.integers(0, 3), st.integers(0, 3))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(ROWS, max_size=40),
    st.lists(ROWS, max_size=20),
    st.lists(st.integers(1, 4_100), max_size=4),
)
def test_the_steps_do_not_matter(
    showings: list[tuple[int, ...]], choices: list[tuple[int, ...]], steps: list[int]
) -> None:
    rows: Any = sorted(set(showings))
    one = told(shown(*rows), chosen(*(row[:3] for row in choices)), 4_100)
    # Choices are told when they happen, or later.
    many, before = ExposuresModel(), 0
    for step in [*sorted(steps), 4_100]:
        now: Any = [row for row in rows if before <= row[0] < step]
        done = [row[:3] for row in choices if before <= row[0] < step]
        many = advanced(many, shown(*now), chosen(*done), START + step * MINUTE, WINDOW)
        before = max(before, step)
    for each in fields(ExposuresModel):
        if each.name not in ("latest", "waiting"):
            once, often = (np.ravel(getattr(model, each.name)) for model in (one, many))
            np.testing.assert_allclose(once[: len(often)], often[: len(once)], rtol=1e-9, err_msg=each.name)
    np.testing.assert_array_equal(one.latest.keys, many.latest.keys)
    np.testing.assert_array_equal(one.latest.chosen, many.latest.chosen)


def test_of_too_many_pairs_the_latest_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    assert MOST_PAIRS == 4_000_000
    monkeypatch.setattr("homefeed.catalog.exposing.MOST_PAIRS", 2)
    model = told(shown((0, 1, 5, 0), (1, 1, 6, 0), (2, 1, 7, 0), (3, 1, 8, 0)), chosen())
    assert (model.latest.keys & 0xFFFFFFFF).tolist() == [7, 8]


def test_a_model_is_read_as_it_was_written(tmp_path: Path) -> None:
    model = told(shown((0, 1, 5, 0), (10, 1, 6, 3)), chosen((12, 1, 6), (90, 1, 5)))
    model.save(tmp_path)
    read = ExposuresModel.load(tmp_path)
    np.testing.assert_array_equal(read.expected, model.expected)
    assert (read.until, read.waiting.items.tolist(), read.latest.chosen.tolist()) == (
        model.until,
        [5],
        [False, True],
    )
    again = [advanced(each, shown(), chosen(), START + 100 * MINUTE, WINDOW) for each in (model, read)]
    np.testing.assert_array_equal(again[0].chosen, again[1].chosen)


def test_a_damaged_model_is_refused(tmp_path: Path) -> None:
    told(shown((0, 1, 5, 0), (10, 1, 6, 3)), chosen((12, 1, 6), (90, 1, 5))).save(tmp_path)
    path = tmp_path / "exposures.npz"
    sound = arrays_of(path)
    for name, wrong in {
        "expected": -sound["expected"],
        "chosen": sound["chosen"][:-1],
        "place_rates": sound["place_rates"] * np.nan,
        "latest.keys": sound["latest.keys"][::-1].copy(),
        "latest.places": sound["latest.places"] + MOST_PLACES,
        "waiting.items": sound["waiting.items"] - 9,
        "place_shown": sound["place_shown"][:5],
    }.items():
        write_arrays(path, {**sound, name: wrong})
        with pytest.raises(ArtifactError):
            ExposuresModel.load(tmp_path)
