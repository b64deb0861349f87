"""The rhythm: when people come."""

import numpy as np

from homefeed.samples import plan_rhythm

HOUR = 3_600
DAY = 24 * HOUR
MONDAY = 4 * DAY  # 1970-01-05


def at(hour: int) -> list[int]:
    """Busy in one hour of a day, and in no other."""
    return [int(each == hour) for each in range(24)]


def test_people_come_in_the_busy_hours_of_workdays_and_of_weekends() -> None:
    rhythm = plan_rhythm(MONDAY + 7 * DAY, 7, at(9), at(20))
    assert (rhythm.begin, rhythm.end) == (MONDAY, MONDAY + 7 * DAY)
    moments = rhythm.draw(rhythm.begin, rhythm.end, np.random.default_rng(1), 2_000)
    since = moments - MONDAY
    assert set((since // HOUR % 24)[since < 5 * DAY]) == {9}
    assert set((since // HOUR % 24)[since >= 5 * DAY]) == {20}
    assert set(since // DAY) == set(range(7))


def test_moments_stay_within_their_own_bounds() -> None:
    rhythm = plan_rhythm(MONDAY + 7 * DAY, 7, [1] * 24, [1] * 24)
    first = MONDAY + np.arange(100) * HOUR
    moments = rhythm.draw(first, first + 60, np.random.default_rng(1), 100)
    assert ((first <= moments) & (moments < first + 60)).all()


def test_a_window_that_ends_within_an_hour_ends_there() -> None:
    rhythm = plan_rhythm(MONDAY + 90 * 60, 1, [1] * 24, [1] * 24)
    moments = rhythm.draw(rhythm.begin, rhythm.end, np.random.default_rng(1), 5_000)
    assert rhythm.begin <= moments.min() < rhythm.begin + HOUR
    assert rhythm.end - HOUR < moments.max() < rhythm.end
