"""The latest answers of each user: given again to the same request while nothing has changed for it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from typing import Final

from homefeed.serving.answer import Answer, FeedRequest
from homefeed.types import SECOND

_MAX_OF_A_USER: Final = 16
_OVERHEAD: Final = 3_500
"""About how many bytes the objects of an answer take besides its arrays and reasons."""
_OVERHEAD_OF_AN_ITEM: Final = 100


@dataclass(frozen=True, slots=True)
class _Recent:
    answer: Answer
    until: int
    size: int


@dataclass(slots=True)
class _User:
    """A user's answers, by request. They hold while the user is of that version."""

    version: object
    answers: OrderedDict[Hashable, _Recent] = field(default_factory=OrderedDict)
    since: int = 0
    until: int = 0
    size: int = 0

    def holds(self, now: int) -> bool:
        """Whether an answer may still be given again."""
        return self.since <= now <= self.until


class RecentAnswers:
    """What users were answered a moment ago, in up to `max_bytes`; the user who waited longest goes first.

    An answer belongs to one user and request, to a version of the user (events and attributes), and to a state of
    the app (catalogue, models, erasures, reports): once the state is another nothing is kept, once the version is
    another nothing of the user.
    """

    def __init__(self, max_bytes: float) -> None:
        self._max_bytes = max_bytes
        self._users: OrderedDict[str, _User] = OrderedDict()
        self._state: object = None
        self._size = 0

    def __len__(self) -> int:
        return sum(len(user.answers) for user in self._users.values())

    def find(
        self, request: FeedRequest, version: object, state: object, now: int, *, paged: bool = True
    ) -> Answer | None:
        """The answer to the same request, as it is given again now, if nothing has changed since."""
        if state != self._state:
            self._state = state
            self._users.clear()
            self._size = 0
        user = self._users.get(request.user_id or "")
        if user is None or user.version != version:
            self._drop(request.user_id or "")
            return None
        found = user.answers.get(request.key(paged))
        # Not before it was made either, by a clock that went back since.
        if found is None or not found.answer.time <= now <= found.until:
            return None
        return replace(found.answer, time=now, reused=True)

    def keep(
        self,
        request: FeedRequest,
        version: object,
        state: object,
        answer: Answer,
        seconds: float,
        *,
        paged: bool = True,
    ) -> None:
        """Keep an answer that was made just now, for so many seconds; `paged` ones lead to a next page.

        Those of no user, and those that a failure narrowed, are not kept.
        """
        if not seconds or state != self._state or request.user_id is None or answer.slate.failed:
            return
        self.forget_expired(answer.time)
        user = self._users.get(request.user_id)
        if user is None or user.version != version:
            self._drop(request.user_id)
            user = self._users[request.user_id] = _User(version)
        until = min(answer.time + round(seconds * SECOND), answer.slate.stale_from - 1)
        kept = _Recent(answer, until, _size(request, answer))
        key = request.key(paged)
        self._take_out(user, key)
        user.answers[key] = kept
        user.since, user.until = answer.time, max(user.until, kept.until)
        user.size += kept.size
        self._size += kept.size
        if len(user.answers) > _MAX_OF_A_USER:
            self._take_out(user, next(iter(user.answers)))
        self._users.move_to_end(request.user_id)
        while self._size > self._max_bytes:
            self._drop(next(iter(self._users)))

    def forget_expired(self, now: int) -> None:
        """Drop the users at the front whose answers are all too old, or of a time to come."""
        while self._users and not (first := next(iter(self._users.items())))[1].holds(now):
            self._drop(first[0])

    def _drop(self, user_id: str) -> None:
        dropped = self._users.pop(user_id, None)
        if dropped is not None:
            self._size -= dropped.size

    def _take_out(self, user: _User, key: Hashable) -> None:
        gone = user.answers.pop(key, None)
        if gone is not None:
            user.size -= gone.size
            self._size -= gone.size


def _size(request: FeedRequest, answer: Answer) -> int:
    slate = answer.slate
    arrays = (slate.positions, slate.scores, slate.features, slate.propensities)
    cursor = 0 if answer.next is None else answer.next.shown.nbytes + answer.next.last.nbytes
    texts = sum(map(len, slate.reasons)) + _OVERHEAD_OF_AN_ITEM * len(slate) + _characters(request)
    return _OVERHEAD + sum(array.nbytes for array in arrays) + cursor + texts


def _characters(request: FeedRequest) -> int:
    """How many characters a request names, besides a few."""
    texts = [request.cursor or "", *request.exclude, *request.context, *request.context.values()]
    for condition in request.conditions:
        texts += [condition.value, *condition.others]
    return sum(map(len, texts))
