"""What parts share within one request: computed once, timed, and judged again at its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count

import pytest

from homefeed.scope import RequestScope


def counting() -> Callable[[], int]:
    counter = count(1)
    return lambda: next(counter)


def test_each_part_computes_each_kind_once() -> None:
    scope, one, other, compute = RequestScope(), object(), object(), counting()
    assert [scope.once(one, "rank", compute) for _ in range(3)] == [1, 1, 1]
    assert scope.once(other, "rank", compute) == 2
    assert scope.once(one, "merge", compute) == 3
    assert scope.once(one, "rank", compute, "of", 7) == 4
    assert scope.once(one, "rank", compute, "of", 7) == 4
    assert RequestScope().once(one, "rank", compute) == 5


def test_a_part_that_nothing_else_holds_shares_with_no_later_one() -> None:
    scope, compute = RequestScope(), counting()
    assert [scope.once(object(), "rank", compute) for _ in range(9)] == list(range(1, 10))


def test_parts_that_have_no_hash_can_share() -> None:
    assert RequestScope().once([], "rank", counting()) == 1


def test_what_raised_is_tried_again() -> None:
    scope = RequestScope()
    answers: Iterator[Exception | int] = iter([ValueError("no"), 7])

    def compute() -> int:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    with pytest.raises(ValueError, match="no"):
        scope.once(None, "rank", compute)
    assert scope.once(None, "rank", compute) == 7


def test_views_of_the_history_share_nothing_but_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("homefeed.scope.perf_counter", count(0.0).__next__)
    scope, compute = RequestScope(), counting()
    assert scope.once(None, "history", compute) == 1
    assert scope.view(30.0).once(None, "history", compute) == 2
    assert scope.view(30.0).once(None, "history", compute) == 2
    assert scope.view(7.0).once(None, "history", compute) == 3
    assert scope.seconds == {"history": 3.0}


def test_time_spent_within_another_kind_counts_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("homefeed.scope.perf_counter", count(0.0).__next__)
    scope = RequestScope()
    scope.timed("retrieve.a", lambda: scope.timed("history", lambda: scope.timed("decode", int)))
    scope.timed("retrieve.a", int)
    # Each reading of the clock is a second later: decode has two readings of its own, one second between them.
    assert scope.seconds == {"decode": 1.0, "history": 2.0, "retrieve.a": 3.0}


def test_the_final_filter_judges_anew_and_keeps_the_rest() -> None:
    scope, compute = RequestScope(), counting()
    for kind in ("filter", "filter.seen", "retrieve.a"):
        scope.once(None, kind, compute)
    scope.view(1.0).once(None, "filter.seen", compute)
    final = scope.for_final_filter()
    assert final.once(None, "retrieve.a", compute) == 3
    assert final.once(None, "filter.seen", compute) == 5
    assert final.view(1.0).once(None, "filter.seen", compute) == 6
    assert final.once(None, "filter", compute) == 7
    assert scope.once(None, "filter.seen", compute) == 2
    assert final.seconds is scope.seconds
