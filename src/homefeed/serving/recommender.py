"""Answers feeds from memory: prepares requests, pages through what was ranked, explains."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from homefeed.environment import Clock
from homefeed.errors import NotFoundError
from homefeed.explain import Trace
from homefeed.funnel import Feed, Ranked, page, rank, recommend_together, visible
from homefeed.privacy import apply_opt_out
from homefeed.recipe import Recipe
from homefeed.retrieve.search.prices import Priced, with_prices
from homefeed.serving import cursor as cursors
from homefeed.serving.answer import Answer, FeedRequest, without_what_is_above
from homefeed.serving.fair_lock import FairLock
from homefeed.serving.follower import Follower
from homefeed.serving.places import place_of
from homefeed.serving.recent import RecentAnswers
from homefeed.serving.scrolls import Scroll, Scrolls, holds, shown_first
from homefeed.serving.slates import SharedSlates, SlateCache
from homefeed.serving.users import StoredUser
from homefeed.tracing import explain
from homefeed.types import NO_POSITIONS, Positions, Query, Slate, UserState

_MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class _PreparedRequest:
    """A request as the funnel takes it. `state` is what a slate made now depends on."""

    feed: Feed
    query: Query
    cursor: cursors.Cursor
    state: tuple[object, ...]
    number: int | None
    models: Mapping[str, str]
    priced: Priced | None


class Recommender:
    """Answers the feeds of an app from what its follower holds.

    `turns` is whose turn it is to compute; apps of one process share it. It refuses what would wait too long.
    """

    def __init__(
        self,
        recipe: Recipe,
        clock: Clock,
        follower: Follower,
        *,
        slate_cache: int,
        reuse_cache_megabytes: float,
        turns: FairLock | None = None,
    ) -> None:
        self._recipe, self._clock, self._follower = recipe, clock, follower
        self._slates = SlateCache(slate_cache, clock())
        self._recent = RecentAnswers(reuse_cache_megabytes * _MEGABYTE)
        self._shared, self._scrolls, self._turns = SharedSlates(), Scrolls(), turns or FairLock()

    async def recommend(self, request: FeedRequest) -> Answer:
        """Answer a feed.

        Raises:
            NotFoundError: no such feed, or no such anchor.
            InvalidError: a filter, the place or the cursor cannot be used.
        """
        stored = await self._follower.stored_user(request.user_id)
        recent = self._find_recent(request, stored)
        if recent is not None:
            return recent
        async with self._turns:
            with self._follower.catalog.reading():
                return self._recommend(request, stored)

    async def recommend_at(self, request: FeedRequest, offset: int) -> Answer:
        """Answer a page of a feed by the place where it begins, from 0; the first begins a new scroll.

        As long as the user scrolls, pages go on with the slate of the first, whatever arrives meanwhile. What may
        not be shown any more leaves a gap that is filled from below. None repeats what another has shown, and a
        page that is requested once more shows the same.

        Raises:
            NotFoundError: no such feed, or no such anchor.
            InvalidError: a filter or the place cannot be used.
        """
        stored = await self._follower.stored_user(request.user_id)
        async with self._turns:
            with self._follower.catalog.reading():
                return self._recommend_at(request, offset, stored)

    async def recommend_together(self, requests: Sequence[FeedRequest]) -> list[Answer]:
        """Answer several feeds at one moment for one user; what they share is done once. They have no next pages.

        The requests differ in nothing but `feed` and `n`. What one shows, those below it leave out.

        Raises:
            NotFoundError: no such feed, or no such anchor.
            InvalidError: a filter or the place cannot be used.
        """
        return without_what_is_above(requests, await self._all_of(self._widened(requests)), self._below)

    async def _all_of(self, requests: Sequence[FeedRequest]) -> list[Answer]:
        stored = await self._follower.stored_user(requests[0].user_id)
        recent = [self._find_recent(request, stored, paged=False) for request in requests]
        missing = [request for request, answer in zip(requests, recent, strict=True) if answer is None]
        made: Iterator[Answer] = iter(())
        if missing:
            async with self._turns:
                with self._follower.catalog.reading():
                    made = iter(self._recommend_together(missing, stored))
        return [next(made) if answer is None else answer for answer in recent]

    def _below(self, feed: str) -> tuple[str, ...]:
        declared = self._recipe.feeds.get(feed)
        return () if declared is None else declared.settings.below

    def _widened(self, requests: Sequence[FeedRequest]) -> list[FeedRequest]:
        """The requests with room for what is above them."""
        room = [sum(other.n for other in requests if other.feed in self._below(each.feed)) for each in requests]
        return [
            replace(each, n=each.n + more) if more else each for each, more in zip(requests, room, strict=True)
        ]

    async def explain(self, request: FeedRequest, item_id: str) -> Trace:
        """Why an item is, or is not, in the answer to the request.

        Raises:
            NotFoundError: no such feed, or no such item; one that the user may not know of is none to them.
            OverloadedError: more is requested than can be computed.
        """
        stored = await self._follower.stored_user(request.user_id)
        async with self._turns:
            with self._follower.catalog.reading() as catalog:
                (prepared,) = self._prepare([request], stored)
                isolation = prepared.feed.isolation
                known = visible(isolation, prepared.query) if isolation else catalog.available
                position = self._position(item_id)
                if isolation and not known[position]:
                    raise self._unknown(item_id)
                return explain(prepared.feed, prepared.query, position)

    async def user_state(self, user_id: str | None) -> UserState:
        """The user as the next request sees them."""
        return self._state(user_id, await self._follower.stored_user(user_id))

    def forget_slates(self) -> None:
        """Drop the slates that earlier models ranked: none holds any more, and each holds its models."""
        self._slates.clear()

    def forget_expired(self) -> None:
        """Drop answers that are too old to be given again."""
        self._recent.forget_expired(self._clock())

    def _find_recent(self, request: FeedRequest, stored: StoredUser, *, paged: bool = True) -> Answer | None:
        if request.user_id is None:
            return None
        return self._recent.find(request, stored.version, self._follower.state, self._clock(), paged=paged)

    def _keep_recent(
        self,
        request: FeedRequest,
        stored: StoredUser,
        prepared: _PreparedRequest,
        answer: Answer,
        *,
        paged: bool = True,
    ) -> None:
        if prepared.query.user.opted_out:
            return  # of them nothing is remembered
        seconds = prepared.feed.settings.reuse_seconds
        self._recent.keep(request, stored.version, self._follower.state, answer, seconds, paged=paged)

    def _recommend(self, request: FeedRequest, stored: StoredUser) -> Answer:
        (prepared,) = self._prepare([request], stored)
        first_page = replace(request, cursor=None, n=0)
        ranked = self._slates.find(prepared.cursor.slate, first_page, prepared.state)
        slate = page(ranked, prepared.query) if ranked is not None else None
        slate_id = prepared.cursor.slate
        if slate is None or not slate.remaining or set(slate.filtered_late) - {"request"}:
            # A kept slate that is at its end, where the catalogue may not be; or one whose order does not hold.
            ranked, slate = self._ranked(prepared.feed, prepared.query)
            slate_id = self._slates.keep(first_page, prepared.state, ranked) if slate.remaining else 0
        numbers = self._follower.catalog.numbers[slate.positions]
        every = np.concatenate([prepared.cursor.shown, numbers])
        last = np.concatenate([prepared.cursor.last, numbers])[-cursors.LAST :]
        more = slate.remaining > 0 and len(every) < cursors.MOST_SHOWN
        answer = self._answer(prepared, slate, cursors.Cursor(slate_id, every, last) if more else None)
        self._keep_recent(request, stored, prepared, answer)
        return answer

    def _ranked(self, feed: Feed, query: Query, again: Positions = NO_POSITIONS) -> tuple[Ranked, Slate]:
        """What is ranked for a request now, what the page has shown before first, and the page.

        A request reads one snapshot of the catalogue, and one user: filters would say the same again.
        """
        ranked = shown_first(rank(feed, query, again), again)
        return ranked, page(ranked, query, judged=True)

    def _recommend_at(self, request: FeedRequest, offset: int, stored: StoredUser) -> Answer:
        first_page = replace(request, n=0)
        key = (request.user_id, first_page.key())
        scroll = self._scrolls.find(key) if offset else Scroll()
        before, on_page, after = scroll.split(offset, request.n)
        missing = max(min(offset, cursors.MOST_SHOWN) - len(before), 0)
        gone = cursors.Cursor(scroll.slate, np.concatenate([before, after]), before[-cursors.LAST :])
        (prepared,) = self._prepare([replace(request, n=missing + request.n)], stored, gone)
        feed, query = prepared.feed, prepared.query
        # Who refuses to be known in the midst of it is not to see what was ranked for them before.
        kept = ("scroll", self._follower.parts.serial, query.user.opted_out)
        again = self._follower.catalog.positions(on_page)
        again = again[again >= 0]
        ranked = self._slates.find(scroll.slate, first_page, kept) if scroll.goes_on(query.now) else None
        slate = page(shown_first(ranked, again), query) if ranked is not None and holds(ranked, again) else None
        if slate is None or (len(slate) < query.n and not len(on_page)):
            ranked, slate = self._ranked(feed, query, again)
            scroll = replace(scroll, slate=self._slates.keep(first_page, kept, ranked), made=query.now)
        shown = np.concatenate([before, self._follower.catalog.numbers[slate.positions], after])
        self._scrolls.keep(key, replace(scroll, shown=shown[: cursors.MOST_SHOWN]))
        room = max(cursors.MOST_SHOWN - len(before) - missing, 0)
        slate = slate.take(np.arange(missing, max(min(len(slate), missing + room), missing)))
        return replace(self._answer(prepared, slate, None), start=offset)

    def _recommend_together(self, requests: Sequence[FeedRequest], stored: StoredUser) -> list[Answer]:
        every = self._prepare(requests, stored)
        state = (self._follower.parts.serial, self._follower.catalog.revisions)
        known = [self._shared.find(prepared.feed, prepared.query, state) for prepared in every]
        own = [prepared for prepared, slate in zip(every, known, strict=True) if slate is None]
        slates = iter(recommend_together([(prepared.feed, prepared.query) for prepared in own]))
        answers = []
        for request, prepared, found in zip(requests, every, known, strict=True):
            slate = next(slates) if found is None else found
            answer = self._answer(prepared, slate, None)
            if found is None:
                self._shared.keep(prepared.feed, prepared.query, state, slate)
                self._keep_recent(request, stored, prepared, answer, paged=False)
            answers.append(answer)
        return answers

    def _answer(self, prepared: _PreparedRequest, slate: Slate, following: cursors.Cursor | None) -> Answer:
        return Answer(
            slate,
            following,
            self._follower.catalog,
            None if prepared.query.user.opted_out else prepared.number,
            len(prepared.cursor.shown),
            prepared.query.now,
            prepared.models,
            f"{slate.made_by}/{self._follower.parts.feeds[slate.made_by].ranked_by}",
            priced=prepared.priced,
            place=prepared.query.place,
        )

    def _prepare(
        self, requests: Sequence[FeedRequest], stored: StoredUser, cursor: cursors.Cursor | None = None
    ) -> list[_PreparedRequest]:
        """The requests of one user, by one reading of the clock and of the user; the cursor may be told."""
        parts, catalog, (request, *_) = self._follower.parts, self._follower.catalog, requests
        feeds = [self._feed(parts.feeds, each.feed) for each in requests]
        cursor = cursor or (cursors.decode(request.cursor) if request.cursor else cursors.Cursor())
        exclude, recently_shown = self._left_out(request, cursor)
        user = self._state(request.user_id, stored)
        query = Query(
            app=self._recipe.app,
            feed=request.feed,
            user=user,
            now=self._clock(),
            n=min(request.n, max(catalog.size, 1)),
            anchor=None if request.item_id is None else self._position(request.item_id),
            conditions=request.conditions,
            exclude=exclude,
            recently_shown=recently_shown,
            context=request.context,
            place=place_of(request, user.attributes, self._recipe),
            radius_km=request.radius_km,
        )
        isolation = feeds[0].isolation
        if query.anchor is not None and isolation and not visible(isolation, query)[query.anchor]:
            raise self._unknown(str(request.item_id))  # as if it were not there
        state = (stored.version, parts.serial, catalog.revisions)
        every = []
        for feed, each in zip(feeds, requests, strict=True):
            own = query if each is request else replace(query, feed=each.feed, n=min(each.n, max(catalog.size, 1)))
            own, prices = with_prices(own, feed.settings.price)
            every.append(_PreparedRequest(feed, own, cursor, state, stored.number, parts.models.versions, prices))
        return every

    def _left_out(self, request: FeedRequest, cursor: cursors.Cursor) -> tuple[Positions, Positions]:
        """The items that the page is not to show, and the last places of the pages before, in order."""
        if not request.exclude and not len(cursor.shown):
            return NO_POSITIONS, NO_POSITIONS
        catalog = self._follower.catalog
        excluded = [catalog.position(item_id) for item_id in request.exclude]
        gone = [*catalog.positions(cursor.shown).tolist(), *(p for p in excluded if p is not None)]
        before = catalog.positions(cursor.last)
        return np.array([position for position in gone if position >= 0], np.int32), before[before >= 0]

    def _state(self, user_id: str | None, stored: StoredUser) -> UserState:
        return apply_opt_out(self._follower.state_of(user_id, stored), self._recipe)

    def _feed(self, feeds: Mapping[str, Feed], name: str) -> Feed:
        feed = feeds.get(name)
        if feed is None:
            raise NotFoundError(f'no feed "{name}" in {self._recipe.app}; there are: {", ".join(feeds)}')
        return feed

    def _position(self, item_id: str) -> int:
        position = self._follower.catalog.position(item_id)
        if position is None:
            raise self._unknown(item_id)
        return position

    def _unknown(self, item_id: str) -> NotFoundError:
        return NotFoundError(f'no item "{item_id}" in {self._recipe.app}')
