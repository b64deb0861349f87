"""What was known of a user at a moment holds as long as nothing was followed of them since."""

from __future__ import annotations

import pytest

from homefeed.serving.features.changes import Changes
from homefeed.serving.features.layout import Moment, UserFeatures
from homefeed.serving.users import StoredUser

NOW = Moment(100, 50, 2)


@pytest.fixture
def changes() -> Changes:
    found = Changes(most=4)
    found.begin(10, 5)
    return found


def holds(changes: Changes, event_seq: int, revision: int = 50, erasures: int = 2, number: int | None = 1) -> bool:
    told = UserFeatures(Moment(event_seq, revision, erasures), StoredUser(number))
    return changes.holds(f"u{number}", told, NOW)


def test_it_holds_where_nothing_happened(changes: Changes) -> None:
    assert holds(changes, 10, 5)
    assert holds(changes, 200, 60)


def test_what_was_before_is_not_known(changes: Changes) -> None:
    assert not holds(changes, 9)
    assert not holds(changes, 10, 4)


def test_an_event_since_ends_it_for_its_user_alone(changes: Changes) -> None:
    changes.note_events([1, 2, 1], [20, 21, 22])
    assert [holds(changes, seq) for seq in (21, 22, 23)] == [False, True, True]
    assert [holds(changes, seq, number=2) for seq in (20, 21)] == [False, True]
    assert holds(changes, 10, number=3)


def test_so_do_other_attributes(changes: Changes) -> None:
    changes.note_users([(30, 1, "u1")])
    assert [holds(changes, 100, revision) for revision in (29, 30)] == [False, True]
    assert holds(changes, 100, 29, number=2)


def test_an_erasure_ends_all(changes: Changes) -> None:
    assert not holds(changes, 100, erasures=1)
    assert not holds(changes, 100, erasures=3)


def test_who_is_unknown_may_be_anybody(changes: Changes) -> None:
    assert not holds(changes, 100, number=None)


def test_what_no_longer_has_room_is_no_longer_known(changes: Changes) -> None:
    changes.note_events([1, 2, 3, 4, 1, 5], [20, 21, 22, 23, 24, 25])
    assert [holds(changes, seq, number=9) for seq in (20, 21, 22)] == [False, False, True]
    assert [holds(changes, seq) for seq in (22, 23, 24)] == [False, False, True]
    changes.note_users((30 + n, n, f"u{n}") for n in range(5))
    assert [holds(changes, 100, revision, number=9) for revision in (30, 31)] == [False, True]


def test_what_was_not_followed_row_by_row_is_not_known(changes: Changes) -> None:
    changes.passed_over(40)
    assert [holds(changes, seq) for seq in (39, 40)] == [False, True]
