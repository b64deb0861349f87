"""Follows the store: an app's catalogue, counters, models and users in memory, in step with what was written."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial

import structlog

from homefeed.catalog import Counters, Exposures, Resources
from homefeed.catalog.exposing import settled_at
from homefeed.collector import without_collector
from homefeed.dataset.exposed import expose
from homefeed.dataset.set_aside import apply_changes, use_rows
from homefeed.engine import (
    build_feeds,
    counters_of,
    empty_catalog,
    event_weights,
    refresh,
    resources_of,
    told_anew,
)
from homefeed.environment import Clock
from homefeed.errors import UnavailableError
from homefeed.funnel import Feed
from homefeed.recipe import Recipe
from homefeed.serving.counting import count_rows
from homefeed.serving.features.sharing import Sharing
from homefeed.serving.models import ModelSet, load_models, wanted_models
from homefeed.serving.set_aside import SetAside
from homefeed.serving.trends import Trends
from homefeed.serving.user_cache import UserCache
from homefeed.serving.users import UNKNOWN, StoredUser
from homefeed.store import BRIEF, Store, Watermarks
from homefeed.store.artifacts import ArtifactStore
from homefeed.store.events import LogRows, rows_after
from homefeed.store.items import changed_items
from homefeed.store.users import changed_users
from homefeed.types import SECOND, UserState

_log = structlog.get_logger(__name__)

_PAGE = 20_000
_MEGABYTE = 1_000_000
_LAST_NUMBER = 2**31 - 1
_TOLD_SECONDS = 0.25
"""So long a request waits for what others wrote to be followed, such as a large import."""
_CLOCK_SLACK = 60 * SECOND
"""Clocks are set back by less than this all the time, which changes no count to speak of."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What is replaced as one when models change, `serial` times so far."""

    serial: int
    counters: Counters
    exposures: Exposures
    models: ModelSet
    feeds: Mapping[str, Feed]


class Follower:
    """What an app answers from. `follow` takes over whatever was written since the last time, by any process.

    With `replicas` other processes take events too: each user is read from the store every time. Where `sharing`
    is by a store that they share, they tell when they wrote, and the store is asked for what is new only then.
    """

    def __init__(
        self,
        recipe: Recipe,
        store: Store,
        artifacts: ArtifactStore,
        clock: Clock,
        *,
        user_cache_megabytes: float,
        replicas: bool,
        sharing: Sharing,
    ) -> None:
        self._recipe, self._store, self._artifacts, self._clock = recipe, store, artifacts, clock
        self.catalog = empty_catalog(recipe)
        self.set_aside = SetAside(recipe.app)
        self._weights = event_weights(recipe)
        self._trends = Trends(recipe, store, self.catalog, self._weights, clock)
        self._users = UserCache(store, recipe, self._weights, user_cache_megabytes * _MEGABYTE)
        is_shared = sharing.store.shared
        self._replicas, self._sharing = replicas or is_shared, sharing if is_shared else None
        self._changes = sharing.changes
        self._following, self._reloading = asyncio.Lock(), asyncio.Lock()
        self._known = Watermarks()
        self._distinct, self._distinct_events = frozenset(recipe.signals.distinct), 0
        self._items_after = self._users_after = (0, 0)
        self._missing: Mapping[str, str] = {}
        self._refreshed: tuple[int, ...] = ()
        self._refreshed_generation = 0
        counters, exposures, models = counters_of(recipe, self.catalog), Exposures(), ModelSet()
        feeds = build_feeds(recipe, self._resources(counters, exposures, models))
        self._parts = Parts(0, counters, exposures, models, feeds)

    @property
    def parts(self) -> Parts:
        """Counters, models and feeds that answer now."""
        return self._parts

    @property
    def degraded(self) -> dict[str, str]:
        """The models that are not served as they were published, and why."""
        models = self._parts.models
        kept = {name: f"{why}; serving: {models.versions[name]}" for name, why in self._missing.items()}
        return {**models.degraded, **kept}

    @property
    def state(self) -> tuple[int, ...]:
        """What is equal as long as no model, item, erasure or report changes what users may see."""
        seen = self.catalog.generation, self._refreshed_generation
        return self._parts.serial, *seen, self._known.erasures, self._distinct_events

    async def start(self) -> None:
        """Read catalogue, models and what the models have not seen of the log."""
        with without_collector():
            await self._follow_items()
            # No user is in memory yet: those who changed before now need not be looked up.
            self._users_after = ((await self._store.watermarks(self._recipe.app)).user_revision, _LAST_NUMBER)
            await self.reload_models()
            self._changes.begin(self._parts.counters.watermark, self._users_after[0])
            await self.catch_up()
            await self.follow_shown()
            await self.refresh()

    @property
    def known(self) -> Watermarks:
        """Up to where the store was followed: all that was written before is in force."""
        return self._known

    def has_in_memory(self, user_id: str) -> bool:
        """Whether a user need not be read to be known."""
        return user_id in self._users

    async def stored_user(self, user_id: str | None) -> StoredUser:
        """What the store knows of a user; one without an id or unknown has no number."""
        is_told = self._sharing is not None and await self._follow_told(self._sharing, user_id)
        if user_id is None:
            return UNKNOWN
        from_store = self._replicas and not is_told
        stored = await (self._users.latest(user_id) if from_store else self._users.get(user_id))
        if self._replicas and self.catalog.has_later(stored.items):
            await self._try_to_follow()  # the user met an item that another process wrote just now
        if stored.flaw is not None or user_id in self.set_aside.rows["users"]:
            self.set_aside.note("users", [user_id], {} if stored.flaw is None else {user_id: stored.flaw})
        return stored

    def state_of(self, user_id: str | None, stored: StoredUser) -> UserState:
        """The user as algorithms see them, by the counters that answer now."""
        if user_id is None:
            return UserState(None)
        return stored.state(user_id, self.catalog, self._parts.counters, self._weights)

    def forget_users(self, user_ids: Iterable[str] | None = None) -> None:
        """Read these users, or all, anew with their next request."""
        if user_ids is None:
            self._users.clear()
        else:
            self._users.forget(user_ids)

    async def follow_written(self, user_ids: Iterable[str] = ()) -> None:
        """Take over what was just written here, such as events of these users, and tell replicas.

        It is durable: whoever wrote it must not get an error, or they would write it again. What fails here is
        taken over the next time.
        """
        await self._try_to_follow(user_ids)
        if self._sharing is not None:
            await self._sharing.tell()

    async def _try_to_follow(self, user_ids: Iterable[str] = ()) -> None:
        try:
            await self.follow()
        except Exception as error:
            self.forget_users(user_ids)
            _log.error("written, not followed yet", app=self._recipe.app, error=repr(error))

    async def follow_mark(self, sharing: Sharing, mark: bytes | None) -> bool:
        """Take over what replicas wrote until they left a mark; whether all of it is in force.

        Where it is not, or nobody can tell, users are to be read from the store; what is new of items comes with
        the next look.
        """
        if mark is None:
            return False
        if sharing.is_new(mark):
            try:
                async with asyncio.timeout(_TOLD_SECONDS):
                    await self.catch_up()
            except (TimeoutError, UnavailableError):
                return False
            sharing.followed(mark)
        return True

    async def _follow_told(self, sharing: Sharing, user_id: str | None) -> bool:
        """The same before a request of a user, and take over what replicas know of them: one round trip."""
        if user_id is None or user_id in self._users:
            return await self.follow_mark(sharing, (await sharing.told()).mark)
        told = await sharing.told([sharing.keys.user(user_id)])
        if not await self.follow_mark(sharing, told.mark):
            return False
        value = told.values[0]
        user = None if value is None else sharing.unpacked(value)
        if user is not None and sharing.holds(user_id, user, self._known):
            self._users.keep(user_id, user.stored)
        else:
            sharing.note([user_id])
        return True

    async def follow(self) -> None:
        """Take over what was written to the store since the last time, by any process, for a request that waits.

        Raises:
            UnavailableError: that takes longer than a request waits for the store; it goes on beside the requests.
        """
        try:
            async with asyncio.timeout(self._store.deadline):
                await self.catch_up()
        except TimeoutError:
            raise UnavailableError("what was written is not in force yet; try again in a second") from None

    async def catch_up(self) -> None:
        """The same, however long it takes."""
        async with self._following:
            before, now = self._known, await self._store.watermarks(self._recipe.app)
            if now.item_revision != before.item_revision:
                await self._follow_items()
            if now.erasures != before.erasures:
                self._users.clear()
            if now.user_revision != before.user_revision:
                await self._follow_users()
            await self._follow_events(self._parts.counters, now.event_seq)
            # Known only now: what fails or is cancelled half way is taken up again.
            self._known = now

    async def follow_shown(self) -> None:
        """Count what was shown and chosen, once a minute, beside the requests: every process counts the same."""
        await self._expose(self._parts.exposures)

    async def reload_models(self) -> bool:
        """Serve newly published models, if there are any; requests go on meanwhile."""
        async with self._reloading:
            reloaded = await self._reload()
            if await self._trends.is_new():
                async with self._following:
                    await self._take_over_trends()
            return reloaded

    async def refresh(self) -> None:
        """Have the parts of the feeds sort anew what changed, if anything did, beside the requests."""
        parts = self._parts
        now = parts.serial, self.catalog.generation, parts.counters.version, parts.exposures.model.until
        if now != self._refreshed:
            await asyncio.to_thread(refresh, parts.feeds)
            self._refreshed, self._refreshed_generation = now, now[1]

    async def _take_over_trends(self) -> None:
        """Go by the store's view of what trends, once all that it has is counted here."""
        counters, written = self._parts.counters, await self._store.watermarks(self._recipe.app)
        await self._follow_items()
        await self._follow_events(counters, written.event_seq)
        await self._trends.restore(counters)

    async def _reload(self) -> bool:
        before = self._parts.models
        wanted = await asyncio.to_thread(wanted_models, self._recipe, self._artifacts, before)
        self._note_missing(wanted.missing)
        ahead = self._is_ahead(self._parts.counters.latest)
        if wanted.versions == before.wanted and not wanted.changed and not ahead:
            if wanted.verdicts != before.verdicts:
                self._tell_anew(replace(before, verdicts=wanted.verdicts))
            return False
        models = await asyncio.to_thread(load_models, self._recipe, self._artifacts, before)
        same = models.serves_as(before)
        if same and not ahead:
            self._tell_anew(models)
            return False
        async with self._following:
            await self._follow_items()  # the models may know newer ones
        counters = self._parts.counters
        if models.signals is not before.signals or ahead:
            counters = await asyncio.to_thread(self._new_counters, models)
            # Models may be ahead of a store that was restored from a backup: what is written next counts.
            written = (await self._store.watermarks(self._recipe.app)).event_seq
            counters.watermark = min(counters.watermark, written)
            await self._follow_events(counters, self._known.event_seq)
        exposures = self._parts.exposures
        if models.exposures is not before.exposures:
            exposures = Exposures(models.exposures)
            await self._expose(exposures)
        feeds = await asyncio.to_thread(self._built_feeds, counters, exposures, models)
        async with self._following:
            await self._follow_events(counters, self._known.event_seq)
            if counters.watermark > self._known.event_seq:
                self._users.clear()  # the model counted events that were not followed, of users unknown here
                self._changes.passed_over(counters.watermark)
            if counters is not self._parts.counters:
                await self._trends.restore(counters)
            self._parts = Parts(self._parts.serial + 1, counters, exposures, models, feeds)
        if ahead:
            _log.warning("clock went back, events are counted anew", app=self._recipe.app)
        return not same

    def _tell_anew(self, models: ModelSet) -> None:
        """Take over what is now said of the same models: the feeds are of the same parts, and need no refresh."""
        parts = self._parts
        feeds = told_anew(self._recipe, parts.feeds, self._resources(parts.counters, parts.exposures, models))
        self._parts = replace(parts, models=models, feeds=feeds)

    def _is_ahead(self, time: int) -> bool:
        # What a clock that was ahead counted outweighs all others, by years of fading, once it is right again.
        return time > self._clock() + _CLOCK_SLACK

    def _note_missing(self, missing: Mapping[str, str]) -> None:
        app, versions = self._recipe.app, self._parts.models.versions
        for name, why in missing.items():
            if self._missing.get(name) != why:
                _log.error("model missing", app=app, model=name, why=why, serving=versions[name])
        for name in self._missing.keys() - missing.keys():
            _log.info("model found again", app=app, model=name, serving=versions[name])
        self._missing = missing

    def _resources(self, counters: Counters, exposures: Exposures, models: ModelSet) -> Resources:
        return resources_of(self._recipe, self.catalog, counters, models.models, models.why_missing, exposures)

    def _built_feeds(self, counters: Counters, exposures: Exposures, models: ModelSet) -> dict[str, Feed]:
        feeds = build_feeds(self._recipe, self._resources(counters, exposures, models))
        refresh(feeds)
        return feeds

    def _new_counters(self, models: ModelSet) -> Counters:
        counted = models.signals
        if counted is not None and self._is_ahead(counted.landmark):
            counted = counted.uncounted()
        return counters_of(self._recipe, self.catalog, counted)

    async def _follow_items(self) -> None:
        asked, found = 0, 0
        while asked == found:
            # The first of them at once: mostly there are no more.
            asked = _PAGE if asked else BRIEF
            changes = await changed_items(self._store, self._recipe.app, self._items_after, asked)
            if found := len(changes):
                self.set_aside.note("items", changes.item_ids, apply_changes(self.catalog, changes))
                self._items_after = changes.last

    async def _follow_users(self) -> None:
        asked, found = 0, 0
        while asked == found:
            asked = _PAGE if asked else BRIEF
            changes = await changed_users(self._store, self._recipe.app, self._users_after, asked)
            if found := len(changes):
                self._users.forget(user_id for _, _, user_id in changes)
                self._changes.note_users(changes)
                self._users_after = changes[-1][:2]

    def _count(self, counters: Counters, rows: LogRows) -> None:
        # The users first: for them the same rows twice are as once.
        self._users.append(rows)
        self._changes.note_events(rows.users, rows.seqs)
        count_rows(counters, rows, self.catalog, self._weights, self._recipe, self._clock())

    async def _follow_events(self, counters: Counters, until: int) -> None:
        # No further than `until`, which was read before the items were: later events may be of newer items.
        app, store, with_ids = self._recipe.app, self._store, self._recipe.items.creator is not None
        while counters.watermark < until and len(
            rows := await rows_after(store, app, counters.watermark, _PAGE, until, user_ids=with_ids)
        ):
            wrong = use_rows(rows, partial(self._count, counters))
            self.set_aside.note("events", (), wrong)
            counters.watermark = rows.seqs[-1]
            # Such as reports: enough of them take an item from everyone.
            self._distinct_events += not self._distinct.isdisjoint(rows.types)
        counters.watermark = max(counters.watermark, until)

    async def _expose(self, exposures: Exposures) -> None:
        until = settled_at(self._clock())
        if self._recipe.counts_exposures and until > exposures.model.until:
            known = self._known.event_seq
            exposures.model = await expose(self._store, self._recipe, exposures.model, known, until)
