"""Of which users something was written lately."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Any

from homefeed.serving.features.layout import Moment, UserFeatures


class Changes:
    """What was followed of users, as far back as there is room for `most` of them: so what was known of one at a
    moment can be told to hold still.
    """

    def __init__(self, most: int = 100_000) -> None:
        self._most = most
        self._events: dict[int, int] = {}
        self._users: dict[str, int] = {}
        self._first_seq = self._first_revision = 0

    def begin(self, event_seq: int, user_revision: int) -> None:
        """What comes after these watermarks will be noted; what was before is not known."""
        self._first_seq, self._first_revision = event_seq, user_revision

    def passed_over(self, event_seq: int) -> None:
        """Note that rows of the log up to this place were not followed one by one."""
        self._first_seq = max(self._first_seq, event_seq)

    def note_events(self, numbers: Iterable[int], seqs: Iterable[int]) -> None:
        """Take over rows of the log, in its order: of the users with these numbers, at these places."""
        for number, seq in zip(numbers, seqs, strict=True):
            self._events.pop(number, None)  # so that the first are those not changed for longest
            self._events[number] = seq
        if len(self._events) > self._most:
            self._first_seq = max(self._first_seq, _halve(self._events))

    def note_users(self, changes: Iterable[tuple[int, int, str]]) -> None:
        """Take over changes of attributes, in their order, as (revision, number, id)."""
        for revision, _, user_id in changes:
            self._users.pop(user_id, None)
            self._users[user_id] = revision
        if len(self._users) > self._most:
            self._first_revision = max(self._first_revision, _halve(self._users))

    def holds(self, user_id: str, features: UserFeatures, now: Moment) -> bool:
        """Whether what is told of a user is as new as what was followed until now."""
        told, number = features.moment, features.stored.number
        if number is None or told.erasures != now.erasures:
            return False
        if told.event_seq < self._first_seq or told.user_revision < self._first_revision:
            return False
        same_events = self._events.get(number, 0) <= told.event_seq
        return same_events and self._users.get(user_id, 0) <= told.user_revision


def _halve(latest: dict[Any, int]) -> int:
    """Forget the half that was changed first; up to which place nothing is known of any more."""
    gone = list(islice(latest, len(latest) // 2))
    return max(latest.pop(key) for key in gone)
