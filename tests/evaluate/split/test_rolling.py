"""The rolling split: requests worked out by hand, and a slow reference in plain Python."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.evaluate.split.split_sample import Row, interactions_of, many_events, many_rows, trained_rows

from homefeed.errors import InvalidError
from homefeed.evaluate.split import Cases, Split, assert_no_leak, by_time, rolling

Requests = list[tuple[int, int, list[int], list[int]]]  # time, user, rows of the history, targets

# Eight events before T = 100, eight from then on: cutoff_share 0.5.
CLOCK: list[Row] = [
    (0, 10, 1), (0, 11, 2), (1, 10, 3), (1, 12, 4),
    (0, 10, 5), (2, 13, 6), (2, 10, 7), (1, 13, 8),
    (0, 12, 100),  # row 8: new to user 0
    (0, 10, 101),  # a repeat
    (3, 10, 102),  # user 3 was never there before
    (0, 13, 104),  # new, and soon after what was new at 100
    (0, 12, 105),  # a repeat
    (1, 11, 110),
    (0, 14, 111),  # more than 10 after 100, and less after 104
    (1, 14, 111),
]  # fmt: skip


def requests_of(split: Split) -> Requests:
    return [(case.time, case.user, case.history.tolist(), case.targets.tolist()) for case in split.cases]


def split_of(rows: Sequence[Row] = CLOCK, counted: Sequence[bool] | None = None, **options: object) -> Split:
    marked = None if counted is None else np.array(counted)
    return rolling(interactions_of(rows), marked, 0.5, **{"horizon": 10, **options})  # type: ignore[arg-type]


def test_requests_worked_out_by_hand() -> None:
    split = split_of()
    assert (split.kind, split.cutoff, split.repeats, split.left_out) == ("rolling", 100, False, {})
    assert trained_rows(split) == list(range(8))
    assert requests_of(split) == [
        (100, 0, [0, 1, 4], [12, 13]),
        (102, 3, [], [10]),
        (104, 0, [0, 1, 4, 8, 9], [13, 14]),
        (110, 1, [2, 3, 7], [11, 14]),
        (111, 0, [0, 1, 4, 8, 9, 11, 12], [14]),
        (111, 1, [2, 3, 7, 13], [14]),
    ]
    assert split.cases.target_rows.tolist() == [8, 11, 10, 11, 14, 13, 15, 14, 15]


@pytest.mark.parametrize(("horizon", "targets"), [(3, [12]), (4, [12, 13]), (10, [12, 13]), (11, [12, 13, 14])])
def test_what_is_chosen_within_the_horizon_is_to_be_foreseen(horizon: int, targets: list[int]) -> None:
    assert split_of(horizon=horizon).cases[0].targets.tolist() == targets


def test_with_repeats_every_choice_is_a_request_and_whatever_is_chosen_soon_a_target() -> None:
    split = split_of(repeats=True)
    assert split.repeats
    assert requests_of(split)[:4] == [
        (100, 0, [0, 1, 4], [12, 10, 13]),
        (101, 0, [0, 1, 4, 8], [10, 13, 12, 14]),
        (102, 3, [], [10]),
        (104, 0, [0, 1, 4, 8, 9], [13, 12, 14]),
    ]
    assert len(split.cases) == 8


# User 0 sees items and buys some of them; what is bought has True.
SHOP: list[tuple[int, int, int, bool]] = [
    (0, 1, 1, False), (1, 1, 2, True), (1, 2, 3, True), (1, 3, 4, False), (0, 9, 5, True), (1, 4, 6, True),
    (0, 2, 100, False),  # row 6: seen first, bought at 103
    (0, 3, 101, False),  # seen, and never bought
    (0, 2, 103, True),
    (0, 1, 104, True),  # bought at last, but it was met before the cutoff
    (0, 5, 105, False),  # seen, and bought too late
    (0, 5, 116, True),
]  # fmt: skip


def test_what_was_viewed_first_counts_when_an_event_of_the_goal_follows() -> None:
    rows = [(user, item, time) for user, item, time, _ in SHOP]
    split = split_of(rows, [bought for *_, bought in SHOP])
    assert requests_of(split) == [(100, 0, [0, 4], [2])]
    assert split.cases.target_rows.tolist() == [8], "what is to be foreseen is that it is bought"
    assert_no_leak(split, interactions_of(rows))


def test_with_repeats_whatever_is_bought_is_requested_when_it_is_bought() -> None:
    rows = [(user, item, time) for user, item, time, _ in SHOP]
    split = split_of(rows, [bought for *_, bought in SHOP], repeats=True)
    assert requests_of(split) == [
        (103, 0, [0, 4, 6, 7], [2, 1]),
        (104, 0, [0, 4, 6, 7, 8], [1]),
        (116, 0, [0, 4, 6, 7, 8, 9, 10], [5]),
    ]


def test_what_comes_at_one_moment_is_one_request() -> None:
    rows = [(1, 9, 0), (1, 8, 1), (0, 1, 10), (0, 2, 10), (1, 7, 10)]
    split = rolling(interactions_of(rows), cutoff_share=0.4, horizon=1)
    assert requests_of(split) == [(10, 0, [], [1, 2]), (10, 1, [0, 1], [7])]


def meetings(count: int) -> list[Row]:
    """As many before the cutoff as after it, one at a time."""
    return [(0, item, item) for item in range(2 * count)]


@pytest.mark.parametrize("seed", range(5))
def test_requests_are_drawn_evenly_over_time(seed: int) -> None:
    times = split_of(meetings(100), max_requests=10, seed=seed).cases.times
    assert np.diff(times).tolist() == [10] * 9
    assert 100 <= times[0] < 110
    uneven = split_of(meetings(100), max_requests=30, seed=seed).cases.times
    assert len(uneven) == 30
    assert set(np.diff(uneven).tolist()) == {3, 4}


def test_the_latest_are_those_of_as_many_users_as_there_are() -> None:
    # Of all six of the clock: user 1's at 111, user 0's at 111, user 3's at 102; then 110, 104 and 100.
    moments = {
        count: [(case.time, case.user) for case in split_of(latest=True, max_requests=count).cases]
        for count in (2, 3, 4, 9)
    }
    assert moments[2] == [(111, 0), (111, 1)]
    assert moments[3] == [(102, 3), (111, 0), (111, 1)]
    assert moments[4] == [(102, 3), (110, 1), (111, 0), (111, 1)]
    assert moments[9] == [(100, 0), (102, 3), (104, 0), (110, 1), (111, 0), (111, 1)]


def test_the_seed_draws_where_it_starts_and_nothing_else() -> None:
    starts = {int(split_of(meetings(100), max_requests=4, seed=seed).cases.times[0]) for seed in range(20)}
    assert len(starts) > 10
    first, again = (split_of(meetings(100), max_requests=4, seed=3) for _ in range(2))
    assert requests_of(first) == requests_of(again)
    for most in (100, 101):
        assert split_of(meetings(100), max_requests=most).cases.times.tolist() == list(range(100, 200))


def test_the_past_is_that_of_the_split_by_time() -> None:
    events = many_events()
    assert rolling(events).cutoff == by_time(events).cutoff
    assert trained_rows(rolling(events)) == trained_rows(by_time(events))


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"cutoff_share": 0.0}, "cutoff_share: expected a share above 0 and below 1, got 0"),
        ({"cutoff_share": 1.0}, "cutoff_share"),
        ({"horizon": 0}, "horizon, max_requests: expected 1 or more, got 0 and 2000"),
        ({"max_requests": 0}, "horizon, max_requests"),
    ],
)
def test_what_cannot_be_meant_is_refused(arguments: dict[str, float], named: str) -> None:
    with pytest.raises(InvalidError, match=named):
        rolling(interactions_of(CLOCK), **arguments)  # type: ignore[arg-type]


def test_no_events_are_refused() -> None:
    with pytest.raises(InvalidError, match="no events"):
        rolling(interactions_of(CLOCK).take(slice(0, 0)))


def planted(history: list[int], target_rows: list[int], time: int, user: int = 0) -> Cases:
    """The one request of a user of `CLOCK`."""
    return Cases(
        users=np.array([user], np.int32),
        times=np.array([time], np.int64),
        history=np.array(history, np.int64),
        history_starts=np.array([0, len(history)]),
        targets=interactions_of(CLOCK).items[target_rows],
        target_rows=np.array(target_rows),
        target_starts=np.array([0, len(target_rows)]),
    )


@pytest.mark.parametrize(
    ("leak", "cases"),
    [
        ("requests before the cutoff", planted([0, 1], [8], 5)),
        ("history of another user", planted([0, 2, 4], [8], 100)),
        ("targets of another user", planted([0, 1, 4], [10], 100)),
        ("history later than its request", planted([0, 1, 4, 8], [11], 100)),
        ("history later than its request", planted([0, 1, 4, 11], [14], 104)),
        ("targets earlier than their request", planted([0, 1, 4], [8], 101)),
        ("targets already in the history", planted([0, 1, 4, 8], [9], 101)),
        ("history that lacks an earlier event", planted([0, 4], [8], 100)),
        ("history that lacks an earlier event", planted([], [8], 100)),
    ],
)
def test_each_leak_is_named(leak: str, cases: Cases) -> None:
    events = interactions_of(CLOCK)
    split = split_of()
    assert_no_leak(split, events)
    broken = Split(split.train, split.cutoff, cases, {}, "rolling")
    with pytest.raises(AssertionError, match=f"leak: {leak}: 1 of "):
        assert_no_leak(broken, events)


def test_requests_that_do_not_come_in_the_order_of_time_are_named() -> None:
    swapped = [planted([0, 1, 4, 8, 9], [11], 104), planted([0, 1, 4], [8], 100)]
    joined = Cases(
        users=np.array([0, 0], np.int32),
        times=np.array([104, 100]),
        history=np.concatenate([cases.history for cases in swapped]),
        history_starts=np.array([0, 5, 8]),
        targets=np.concatenate([cases.targets for cases in swapped]),
        target_rows=np.array([11, 8]),
        target_starts=np.array([0, 1, 2]),
    )
    split = split_of()
    with pytest.raises(AssertionError, match="leak: requests later than the next: 1 of 1"):
        assert_no_leak(Split(split.train, split.cutoff, joined, {}, "rolling"), interactions_of(CLOCK))


def test_a_training_on_the_future_is_named() -> None:
    events, split = interactions_of(CLOCK), split_of()
    with pytest.raises(AssertionError, match="leak: training events at or after the cutoff: 1 of 9"):
        assert_no_leak(Split(events.take(slice(0, 9)), split.cutoff, split.cases, {}, "rolling"), events)


horizons = st.integers(1, 30)
marks = st.lists(st.booleans(), min_size=60, max_size=60)


@given(many_rows, marks, horizons, st.integers(1, 20), st.booleans(), st.integers(0, 5))
def test_what_is_known_comes_before_the_request_and_what_is_foreseen_from_then_on(
    rows: list[Row], marked: list[bool], horizon: int, most: int, repeats: bool, seed: int
) -> None:
    events, counted = interactions_of(rows), np.array(marked[: len(rows)])
    split = rolling(events, counted, 0.5, horizon, most, repeats, seed)
    assert_no_leak(split, events)
    times = [case.time for case in split.cases]
    assert times == sorted(times)
    assert len(times) <= most
    assert all(time >= split.cutoff for time in times)
    for case in split.cases:
        assert (events.times[case.history] < case.time).all()
        chosen = events.times[case.target_rows]
        assert ((case.time <= chosen) & (chosen <= case.time + horizon)).all()
        assert counted[case.target_rows].all()
        assert len(set(case.targets.tolist())) == len(case.targets) > 0
        if not repeats:
            assert not np.isin(case.targets, events.items[case.history]).any()


@given(many_rows, marks, horizons, st.booleans())
def test_it_is_what_plain_python_finds(rows: list[Row], marked: list[bool], horizon: int, repeats: bool) -> None:
    split = rolling(interactions_of(rows), np.array(marked[: len(rows)]), 0.5, horizon, 1_000, repeats)
    assert requests_of(split) == _in_plain_python(rows, marked, split.cutoff, horizon, repeats)


def _in_plain_python(rows: list[Row], counted: list[bool], cutoff: int, horizon: int, repeats: bool) -> Requests:
    found: Requests = []
    for time, user in sorted({(time, user) for user, _, time in rows if time >= cutoff}):
        mine = [row for row in range(len(rows)) if rows[row][0] == user]
        history = [row for row in mine if rows[row][2] < time]
        had = {rows[row][1] for row in history}
        soon = [row for row in mine if time <= rows[row][2] <= time + horizon]
        targets = [rows[row][1] for row in soon if counted[row] and (repeats or rows[row][1] not in had)]
        # The user comes at this moment to something that they choose now, or soon if it is new to them.
        starting = {rows[row][1] for row in soon if rows[row][2] == time and (counted[row] or not repeats)} & set(
            targets
        )
        if starting:
            found.append((time, user, history, list(dict.fromkeys(targets))))
    return found
