"""A live app: answers feeds from memory, takes events and catalogue changes, follows the store."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import structlog

from homefeed.catalog import Counters, Resources
from homefeed.engine import build_feeds, empty_catalog, event_weights, resources_of
from homefeed.environment import Environment
from homefeed.errors import NotFoundError
from homefeed.explain import Trace
from homefeed.funnel import Feed, Work, explain, page, rank, recommend_together
from homefeed.protocols import Refreshable
from homefeed.recipe import Recipe
from homefeed.serving import cursor as cursors
from homefeed.serving.answer import Answer, FeedRequest
from homefeed.serving.counting import count_rows
from homefeed.serving.fair_lock import FairLock
from homefeed.serving.impressions import ImpressionLog
from homefeed.serving.models import ModelSet, load_models, wanted_versions
from homefeed.serving.slates import SharedSlates, SlateCache
from homefeed.serving.users import StoredUser, UserCache, apply_opt_out
from homefeed.serving.writer import EventWriter
from homefeed.store import Store, Watermarks
from homefeed.store.artifacts import ArtifactStore
from homefeed.store.events import Outcome, append_events, rows_after
from homefeed.store.items import changed_items
from homefeed.store.users import changed_users
from homefeed.types import Event, Query, Slate, UserState

_PAGE = 20_000
_LAST_NUMBER = 2**31 - 1

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Parts:
    """What is replaced as one when models change, `serial` times so far."""

    serial: int
    counters: Counters
    models: ModelSet
    feeds: Mapping[str, Feed]


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request as it is put to the funnel. `state` is what a slate made now depends on."""

    feed: Feed
    query: Query
    cursor: cursors.Cursor
    state: tuple[object, ...]
    number: int | None
    models: Mapping[str, str]


class LiveApp:
    """One app, serving. Open it with `open_app`; call `follow` every now and then to see others' writes."""

    def __init__(
        self,
        recipe: Recipe,
        store: Store,
        artifacts: ArtifactStore,
        environment: Environment,
        *,
        user_cache: int = 20_000,
        slate_cache: int = 1_000,
        replicas: bool = False,
    ) -> None:
        self.recipe, self.store, self.artifacts, self.environment = recipe, store, artifacts, environment
        self.catalog = empty_catalog(recipe)
        self._weights = event_weights(recipe)
        self._users = UserCache(store, recipe.app, self._weights, user_cache)
        self._slates = SlateCache(slate_cache, environment.clock())
        self._shared, self._fair_lock = SharedSlates(), FairLock()
        self.impressions = ImpressionLog(store, recipe.app)
        self._replicas = replicas
        self._writer = EventWriter(self._commit)
        self._following, self._reloading = asyncio.Lock(), asyncio.Lock()
        self._known = Watermarks()
        self._items_after = self._users_after = (0, 0)
        counters = self._new_counters(ModelSet())
        self._parts = _Parts(0, counters, ModelSet(), build_feeds(recipe, self._resources(counters, ModelSet())))

    @property
    def feeds(self) -> Mapping[str, Feed]:
        """The feeds that answer now."""
        return self._parts.feeds

    @property
    def model_versions(self) -> dict[str, str]:
        """The models that answer now."""
        return self._parts.models.versions

    async def start(self) -> None:
        """Read catalogue, models and what the models have not seen of the log: after this the app can answer."""
        await self._follow_items()
        # No user is in memory yet: those who changed before now need not be looked up.
        self._users_after = ((await self.store.watermarks(self.recipe.app)).user_revision, _LAST_NUMBER)
        await self.reload_models()
        await self.follow()
        await self.refresh()

    async def recommend(self, request: FeedRequest) -> Answer:
        """Answer a feed.

        Raises:
            NotFoundError: no such feed, or no such anchor.
            InvalidError: a filter or the cursor cannot be used.
        """
        stored = await self._stored(request.user_id)
        async with self._fair_lock:
            return self._recommended(request, stored)

    def _recommended(self, request: FeedRequest, stored: StoredUser) -> Answer:
        (asked,) = self._asked([request], stored)
        whose = replace(request, cursor=None, n=0)
        ranked = self._slates.find(asked.cursor.slate, whose, asked.state)
        slate = page(ranked, asked.query) if ranked is not None else None
        slate_id = asked.cursor.slate
        if slate is None or not slate.remaining or set(slate.filtered_late) - {"request"}:
            # A kept slate that is at its end, where the catalogue may not be; or one whose order does not hold.
            work = Work()
            ranked = rank(asked.feed, asked.query, work)
            slate = page(ranked, asked.query, work.gate())
            slate_id = self._slates.keep(whose, asked.state, ranked) if slate.remaining else 0
        numbers = self.catalog.numbers[slate.positions]
        every = np.concatenate([asked.cursor.shown, numbers])
        last = np.concatenate([asked.cursor.last, numbers])[-cursors.LAST :]
        more = slate.remaining > 0 and len(every) < cursors.MOST_SHOWN
        return self._answer(asked, slate, cursors.Cursor(slate_id, every, last) if more else None)

    async def recommend_together(self, requests: Sequence[FeedRequest]) -> list[Answer]:
        """Answer several feeds at one moment for one user; what they share is done once. They have no next pages.

        The requests differ in nothing but `feed` and `n`.

        Raises:
            NotFoundError: no such feed, or no such anchor.
            InvalidError: a filter cannot be used.
        """
        stored = await self._stored(requests[0].user_id)
        async with self._fair_lock:
            return self._recommended_together(requests, stored)

    def _recommended_together(self, requests: Sequence[FeedRequest], stored: StoredUser) -> list[Answer]:
        every = self._asked(requests, stored)
        state = (self._parts.serial, self.catalog.revisions)
        known = [self._shared.find(asked.feed, asked.query, state) for asked in every]
        own = [asked for asked, slate in zip(every, known, strict=True) if slate is None]
        slates = iter(recommend_together([(asked.feed, asked.query) for asked in own]))
        answers = []
        for asked, found in zip(every, known, strict=True):
            slate = next(slates) if found is None else found
            if found is None:
                self._shared.keep(asked.feed, asked.query, state, slate)
            answers.append(self._answer(asked, slate, None))
        return answers

    async def explain(self, request: FeedRequest, item_id: str) -> Trace:
        """Tell why an item is, or is not, in the answer to the request."""
        (asked,) = self._asked([request], await self._stored(request.user_id))
        return explain(asked.feed, asked.query, self._position(item_id))

    async def append(self, events: Sequence[Event]) -> list[Outcome]:
        """Write events: durable, and seen by the next request, on return.

        Where users are kept apart, an item that a user may not see is unknown to them, and nobody knows of which
        group a user is whom nobody declared: their events are refused.
        """
        foreign = await self._find_inaccessible(events) if self.recipe.isolation else {}
        if not foreign:
            return await self._writer.write(events)
        written = iter(await self._writer.write([e for i, e in enumerate(events) if i not in foreign]))
        return [foreign[i] if i in foreign else next(written) for i in range(len(events))]

    async def user_state(self, user_id: str | None) -> UserState:
        """The user as the next request sees them."""
        return self._state(user_id, await self._stored(user_id))

    def forget_users(self) -> None:
        """Read every user anew when they ask next."""
        self._users.clear()

    async def follow(self) -> None:
        """Take over what was written to the store since the last time, by whomever."""
        async with self._following:
            before, now = self._known, await self.store.watermarks(self.recipe.app)
            if now.item_revision != before.item_revision:
                await self._follow_items()
            if now.erasures != before.erasures:
                self._users.clear()
            if now.user_revision != before.user_revision:
                await self._follow_users()
            await self._follow_events(self._parts.counters, now.event_seq)
            # Known only now: what fails or is cancelled half way is taken up again.
            self._known = now

    async def catch_up(self) -> bool:
        """Take over all that others did: writes, new models, new orders. Whether models changed."""
        await self.follow()
        reloaded = await self.reload_models()
        await self.refresh()
        return reloaded

    async def reload_models(self) -> bool:
        """Serve newly published models, if there are any; requests go on meanwhile."""
        async with self._reloading:
            return await self._reload()

    async def _reload(self) -> bool:
        before = self._parts.models
        wanted = await asyncio.to_thread(wanted_versions, self.recipe, self.artifacts)
        if wanted == before.wanted:
            return False
        models = await asyncio.to_thread(load_models, self.recipe, self.artifacts, before)
        async with self._following:
            await self._follow_items()  # the models may know newer ones
        counters = self._parts.counters
        if models.signals is not before.signals:
            counters = await asyncio.to_thread(self._new_counters, models)
            # Models may be ahead of a store that was restored from a backup: what is written next counts.
            written = (await self.store.watermarks(self.recipe.app)).event_seq
            counters.watermark = min(counters.watermark, written)
            await self._follow_events(counters, self._known.event_seq)
        feeds = await asyncio.to_thread(self._built_feeds, counters, models)
        async with self._following:
            await self._follow_events(counters, self._known.event_seq)
            if counters.watermark > self._known.event_seq:
                self._users.clear()  # the model counted events that were not followed: whose, nobody knows
            self._parts = _Parts(self._parts.serial + 1, counters, models, feeds)
        return True

    async def refresh(self) -> None:
        """Have the parts of the feeds sort anew what changed, beside the requests."""
        await asyncio.to_thread(_refresh, self._parts.feeds)

    def _resources(self, counters: Counters, models: ModelSet) -> Resources:
        return resources_of(self.recipe, self.catalog, counters, models.models)

    def _built_feeds(self, counters: Counters, models: ModelSet) -> dict[str, Feed]:
        feeds = build_feeds(self.recipe, self._resources(counters, models))
        _refresh(feeds)
        return feeds

    def _new_counters(self, models: ModelSet) -> Counters:
        signals = self.recipe.signals
        half_life, group = signals.trending_half_life, signals.full_group
        if models.signals is None:
            return Counters(self.catalog, half_life, group, signals.full_default)
        return Counters.from_model(models.signals, self.catalog, half_life, group)

    async def _commit(self, events: Sequence[Event]) -> list[Outcome]:
        outcomes = await append_events(self.store, self.recipe.app, events, self.environment.clock())
        try:
            await self.follow()
        except Exception as error:
            # They are durable: who is told otherwise tells them again. The next time they are followed.
            self._users.forget({event.user_id for event in events})
            _log.error("events written, not followed yet", app=self.recipe.app, error=repr(error))
        return outcomes

    async def _follow_items(self) -> None:
        while changes := await changed_items(self.store, self.recipe.app, self._items_after, _PAGE):
            self.catalog.apply(item for _, item in changes)
            revision, last = changes[-1]
            self._items_after = (revision, last.number)

    async def _follow_users(self) -> None:
        while changes := await changed_users(self.store, self.recipe.app, self._users_after, _PAGE):
            self._users.forget(user_id for _, _, user_id in changes)
            self._users_after = changes[-1][:2]

    async def _follow_events(self, counters: Counters, until: int) -> None:
        # No further than `until`, which was read before the items were: later events may be of newer items.
        app, store = self.recipe.app, self.store
        while counters.watermark < until and len(
            rows := await rows_after(store, app, counters.watermark, _PAGE, until)
        ):
            count_rows(counters, rows, self.catalog, self._weights, self.recipe, self.environment.clock())
            self._users.forget(numbers=set(rows.users))
        counters.watermark = max(counters.watermark, until)

    async def _stored(self, user_id: str | None) -> StoredUser:
        if user_id is None:
            return StoredUser(None)
        return await (self._users.load(user_id) if self._replicas else self._users.get(user_id))

    def _state(self, user_id: str | None, stored: StoredUser) -> UserState:
        if user_id is None:
            return UserState(None)
        state = stored.state(user_id, self.catalog, self._parts.counters, self._weights)
        return apply_opt_out(state, self.recipe)

    async def _find_inaccessible(self, events: Sequence[Event]) -> dict[int, Outcome]:
        """What is to become of the events, by index, that are of items that their user may not see."""
        if any(event.item_id and self.catalog.position(event.item_id) is None for event in events):
            await self.follow()  # another process may have written the item just now
        told: dict[str, list[int]] = {}
        for index, event in enumerate(events):
            told.setdefault(event.user_id, []).append(index)
        # All users first: from here on nothing waits, so that the catalogue stays as it is.
        stored = {user_id: await self._stored(user_id) for user_id in told}
        feed = next(iter(self._parts.feeds.values()))
        foreign: dict[int, Outcome] = {}
        for user_id, indices in told.items():
            user = UserState(user_id, attributes=stored[user_id].attributes)
            query = Query(self.recipe.app, feed.name, user, self.environment.clock(), 1)
            visible = feed.isolation.filter(query) if feed.isolation else None
            why = Outcome.UNKNOWN_USER if stored[user_id].number is None else Outcome.UNKNOWN_ITEM
            for index in indices:
                position = self.catalog.position(events[index].item_id)
                unseen = position is not None and visible is not None and not visible[position]
                if unseen or (not events[index].item_id and why is Outcome.UNKNOWN_USER):
                    foreign[index] = why
        return foreign

    def _answer(self, asked: _Asked, slate: Slate, following: cursors.Cursor | None) -> Answer:
        return Answer(
            slate,
            following,
            self.catalog,
            None if asked.query.user.opted_out else asked.number,
            len(asked.cursor.shown),
            asked.query.now,
            asked.models,
        )

    def _asked(self, requests: Sequence[FeedRequest], stored: StoredUser) -> list[_Asked]:
        """The requests of one user, by one reading of the clock and of who they are."""
        parts, (request, *_) = self._parts, requests
        feeds = [self._feed(parts, each.feed) for each in requests]
        cursor = cursors.decode(request.cursor) if request.cursor else cursors.Cursor()
        excluded = [self.catalog.position(item_id) for item_id in request.exclude]
        gone = [*self.catalog.positions(cursor.shown).tolist(), *(p for p in excluded if p is not None)]
        before = self.catalog.positions(cursor.last)
        query = Query(
            app=self.recipe.app,
            feed=request.feed,
            user=self._state(request.user_id, stored),
            now=self.environment.clock(),
            n=min(request.n, max(self.catalog.size, 1)),
            anchor=None if request.item_id is None else self._position(request.item_id),
            conditions=request.conditions,
            exclude=np.array([position for position in gone if position >= 0], np.int32),
            recently_shown=before[before >= 0],
            context=request.context,
        )
        isolation = feeds[0].isolation
        if query.anchor is not None and isolation and not isolation.filter(query)[query.anchor]:
            raise self._unknown(str(request.item_id))  # as if it were not there
        state = (stored.version, parts.serial, self.catalog.revisions)
        return [
            _Asked(
                feed,
                replace(query, feed=each.feed, n=min(each.n, max(self.catalog.size, 1))),
                cursor,
                state,
                stored.number,
                parts.models.versions,
            )
            for feed, each in zip(feeds, requests, strict=True)
        ]

    def _feed(self, parts: _Parts, name: str) -> Feed:
        feed = parts.feeds.get(name)
        if feed is None:
            known = ", ".join(parts.feeds)
            raise NotFoundError(f'no feed "{name}" in {self.recipe.app}; there are: {known}')
        return feed

    def _position(self, item_id: str) -> int:
        position = self.catalog.position(item_id)
        if position is None:
            raise self._unknown(item_id)
        return position

    def _unknown(self, item_id: str) -> NotFoundError:
        return NotFoundError(f'no item "{item_id}" in {self.recipe.app}')


def _refresh(feeds: Mapping[str, Feed]) -> None:
    for feed in feeds.values():
        for part in (*(retriever for retriever, _ in feed.retrievers.values()), *feed.rerankers.values()):
            if isinstance(part, Refreshable):
                part.refresh()
