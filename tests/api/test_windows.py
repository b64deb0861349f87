"""Rates in memory: by hand, against what slides past, and at the same cost for any number of names."""

from __future__ import annotations

import sys

import pytest
from limits import parse

from homefeed.api import windows
from homefeed.api.windows import Standing, Windows


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def made(rate: str = "10/10seconds") -> tuple[Windows, Clock]:
    clock = Clock()
    return Windows("user", parse(rate), clock), clock


def test_the_window_before_counts_by_the_part_still_in_sight() -> None:
    counted, clock = made()
    assert [counted.count("u").remaining for _ in range(10)] == list(range(9, -1, -1))
    assert counted.count("u") == Standing("user", 10, 10, 0, 11, admitted=False)
    clock.now = 1010.0  # all ten are in sight
    assert not counted.count("u").admitted
    clock.now = 1012.5  # three quarters of ten, 7.5: three more
    assert [counted.count("u").admitted for _ in range(4)] == [True, True, True, False]
    clock.now = 1020.0  # three of the window before
    assert counted.look("u").remaining == 7
    clock.now = 1040.0  # nothing of late
    assert counted.look("u") == Standing("user", 10, 10, 10, 11, admitted=True)


@pytest.mark.parametrize("asked", [(1000.0,), (1009.9,), (1000.0, 1014.0), (1003.0, 1012.5, 1019.0)])
def test_who_waits_as_told_is_admitted(asked: tuple[float, ...]) -> None:
    counted, clock = made("7/10seconds")
    for clock.now in asked:
        while counted.count("u").admitted:
            pass
    refused = counted.look("u")
    assert not refused.admitted
    assert 1 <= refused.reset <= 11
    clock.now += refused.reset - 1.01
    assert not counted.look("u").admitted, "and need not wait much longer than that"
    clock.now += 1.01
    assert counted.look("u").admitted


def test_looking_counts_nothing_and_a_refusal_neither() -> None:
    counted, _ = made("2/hour")
    assert [counted.look("u").remaining for _ in range(3)] == [2, 2, 2]
    assert [counted.count("u").admitted for _ in range(4)] == [True, True, False, False]
    assert counted.count("v").admitted


def test_a_request_costs_the_same_for_any_number_of_names() -> None:
    def calls(names: int) -> int:
        """How many calls, of Python and of C, the next request takes."""
        counted, _ = made("9/hour")
        for number in range(names):
            counted.count(f"u{number}")
        made_calls = 0

        def note(frame: object, event: str, arg: object) -> None:
            nonlocal made_calls
            made_calls += event in ("call", "c_call")

        sys.setprofile(note)
        try:
            counted.count("u0")
        finally:
            sys.setprofile(None)
        return made_calls

    assert calls(3_000) == calls(1)


def test_the_names_in_memory_are_bound_and_the_latest_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windows, "MOST_NAMES", 100)
    counted, _ = made("2/hour")
    assert [counted.count("busy").admitted for _ in range(2)] == [True, True]
    for number in range(98):
        counted.count(f"u{number}")
    assert [counted.count(name).remaining for name in ("u0", "x", "y", "z")] == [0, 1, 1, 1]
    assert counted.look("busy").remaining == 2, "the first of 102 is forgotten"
    assert counted.look("u1").remaining == 2
    assert [counted.look(name).remaining for name in ("u0", "u2", "u97", "y")] == [0, 1, 1, 1]
