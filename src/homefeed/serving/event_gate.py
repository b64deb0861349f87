"""The way of events into the log: checked for isolation, committed in groups, followed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from homefeed.environment import Clock
from homefeed.recipe import Recipe
from homefeed.serving.follower import Follower
from homefeed.serving.writer import EventWriter
from homefeed.store import Store
from homefeed.store.events import Outcome, append_events
from homefeed.types import Event, Query, UserState


class EventGate:
    """Takes events: durable, and seen by the next request of their users, when `append` returns.

    `shown` has the users of the latest pages, whose impressions may not be in the store yet.
    """

    def __init__(
        self, recipe: Recipe, store: Store, clock: Clock, follower: Follower, shown: Mapping[str, int | None]
    ) -> None:
        self._recipe, self._store, self._clock, self._follower = recipe, store, clock, follower
        self._shown = shown
        self._writer = EventWriter(self._commit, store.deadline)

    @property
    def waiting(self) -> int:
        """How many events wait to be written."""
        return self._writer.waiting

    async def append(self, events: Sequence[Event]) -> list[Outcome]:
        """Write events: durable, and seen by the next request, on return.

        Where users are kept apart, an item that a user may not see is unknown to them, and the group of a user
        that no one declared is not known: their events are refused.
        """
        inaccessible = await self._find_inaccessible(events) if self._recipe.isolation else {}
        if not inaccessible:
            return await self._writer.write(events)
        written = iter(await self._writer.write([e for i, e in enumerate(events) if i not in inaccessible]))
        return [inaccessible[i] if i in inaccessible else next(written) for i in range(len(events))]

    async def _commit(self, events: Sequence[Event]) -> list[Outcome]:
        outcomes = await append_events(self._store, self._recipe.app, events, self._clock(), self._shown)
        await self._follower.follow_written({event.user_id for event in events})
        return outcomes

    async def _find_inaccessible(self, events: Sequence[Event]) -> dict[int, Outcome]:
        """The outcomes of the events, by index, that are of items that their user may not see, or that nobody can.

        Both take the same way, or else the time it took would tell which it was.
        """
        inaccessible = await self._inaccessible(events)
        if inaccessible:
            await self._follower.follow()  # another process may have written the item just now
            inaccessible = await self._inaccessible(events)
        return inaccessible

    async def _inaccessible(self, events: Sequence[Event]) -> dict[int, Outcome]:
        follower = self._follower
        by_user: dict[str, list[int]] = {}
        for index, event in enumerate(events):
            by_user.setdefault(event.user_id, []).append(index)
        # All users first: from here on nothing waits, so that the catalogue stays as it is.
        stored = {user_id: await follower.stored_user(user_id) for user_id in by_user}
        feed = next(iter(follower.parts.feeds.values()))
        inaccessible: dict[int, Outcome] = {}
        for user_id, indices in by_user.items():
            user = UserState(user_id, attributes=stored[user_id].attributes)
            query = Query(self._recipe.app, feed.name, user, self._clock(), 1)
            visible = feed.isolation.filter(query) if feed.isolation else None
            why = Outcome.UNKNOWN_USER if stored[user_id].number is None else Outcome.UNKNOWN_ITEM
            for index in indices:
                item_id = events[index].item_id
                position = follower.catalog.position(item_id) if item_id else None
                unseen = position is None or (visible is not None and not visible[position])
                # A search is about no item: it is refused where nobody declared its user.
                if unseen and (item_id or why is Outcome.UNKNOWN_USER):
                    inaccessible[index] = why
        return inaccessible
