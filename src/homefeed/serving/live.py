"""A live app, as routes use it: a follower of the store, a recommender, one gate for events, one for writes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from homefeed.catalog import CatalogView
from homefeed.environment import Environment
from homefeed.explain import Trace
from homefeed.funnel import Feed
from homefeed.protocols import CountsWork
from homefeed.recipe import Recipe
from homefeed.recipe.variety import varied_fields
from homefeed.serving.answer import Answer, FeedRequest
from homefeed.serving.event_gate import EventGate
from homefeed.serving.fair_lock import FairLock
from homefeed.serving.features.described import DescribedFeatures
from homefeed.serving.features.memory import MemoryFeatures
from homefeed.serving.features.sharing import Keys, Sharing
from homefeed.serving.features.store import FeatureStore
from homefeed.serving.follower import Follower
from homefeed.serving.impressions import ImpressionLog
from homefeed.serving.rankers import LearnedHistory, LearnedState, learned_history, learned_state
from homefeed.serving.recommender import Recommender
from homefeed.serving.set_aside import Kind
from homefeed.serving.writes import Writes
from homefeed.store import Store
from homefeed.store.artifacts import ArtifactStore
from homefeed.store.events import Outcome
from homefeed.types import Event, UserState


class LiveApp:
    """One app, serving. Open it with `open_app`; call `catch_up` every now and then to see others' writes."""

    def __init__(
        self,
        recipe: Recipe,
        store: Store,
        artifacts: ArtifactStore,
        environment: Environment,
        *,
        user_cache_megabytes: float = 32.0,
        slate_cache: int = 1_000,
        reuse_cache_megabytes: float = 16.0,
        replicas: bool = False,
        features: FeatureStore | None = None,
        prefix: str = "homefeed",
        turns: FairLock | None = None,
    ) -> None:
        self.recipe, self.store, self.artifacts, self.environment = recipe, store, artifacts, environment
        self.varied = varied_fields(recipe)
        self.turns = turns or FairLock()
        clock = environment.clock
        self._sharing = Sharing(features or MemoryFeatures(), Keys(prefix, recipe.app), recipe.event_types)
        self.follower = Follower(
            recipe,
            store,
            artifacts,
            clock,
            user_cache_megabytes=user_cache_megabytes,
            replicas=replicas,
            sharing=self._sharing,
        )
        self.features = DescribedFeatures(recipe, clock, self.follower, self._sharing)
        self._recommender = Recommender(
            recipe,
            clock,
            self.follower,
            slate_cache=slate_cache,
            reuse_cache_megabytes=reuse_cache_megabytes,
            turns=self.turns,
        )
        self.impressions = ImpressionLog(store, recipe.app)
        self._gate = EventGate(recipe, store, clock, self.follower, self.impressions.shown)
        self.writes = Writes(recipe, store, self.follower, self._sharing)

    @property
    def catalog(self) -> CatalogView:
        """The items as they are now."""
        return self.follower.catalog

    @property
    def feeds(self) -> Mapping[str, Feed]:
        """The feeds that answer now."""
        return self.follower.parts.feeds

    @property
    def set_aside(self) -> Mapping[Kind, Mapping[str, str]]:
        """The rows of the store that cannot be read or applied, by kind and id, and why."""
        return self.follower.set_aside.rows

    @property
    def model_versions(self) -> dict[str, str]:
        """The models that answer now."""
        return self.follower.parts.models.versions

    @property
    def text_models(self) -> dict[str, str]:
        """The text models that live models were made with."""
        return self.follower.parts.models.text_models

    @property
    def degraded(self) -> dict[str, str]:
        """The models that are not served as they were published, and why."""
        return self.follower.degraded

    @property
    def stand_ins(self) -> dict[str, str]:
        """By feed, the retrievers that stand in for those whose model is not there, and why."""
        return {name: ", ".join(feed.stand_ins) for name, feed in self.feeds.items() if feed.stand_ins}

    @property
    def learned(self) -> dict[str, LearnedState]:
        """By feed, the learned ranker that it declares: whether it ranks, and why."""
        parts = self.follower.parts
        found = {name: learned_state(self.recipe, feed, parts.models) for name, feed in parts.feeds.items()}
        return {name: state for name, state in found.items() if state is not None}

    @property
    def work(self) -> dict[tuple[str, str], int]:
        """What the retrievers of its feeds counted of their own work, by part and kind."""
        retrievers = {
            id(retriever): (name, retriever)
            for feed in self.feeds.values()
            for name, (retriever, _) in feed.retrievers.items()
        }
        found: Counter[tuple[str, str]] = Counter()
        for name, retriever in retrievers.values():
            if isinstance(retriever, CountsWork):
                found.update({(name, kind): total for kind, total in retriever.work().items()})
        return found

    @property
    def waiting_events(self) -> int:
        """How many events wait to be written."""
        return self._gate.waiting

    def learned_history(self) -> list[LearnedHistory]:
        """The same with what is kept of each; this reads files."""
        parts = self.follower.parts
        found = (learned_history(self.recipe, feed, parts.models, self.artifacts) for feed in parts.feeds.values())
        return [history for history in found if history is not None]

    async def start(self) -> None:
        """Read catalogue, models and what the models have not seen of the log: after this the app can answer."""
        await self.follower.start()

    async def recommend(self, request: FeedRequest) -> Answer:
        """Answer a feed.

        Raises:
            NotFoundError: no such feed, or no such anchor.
            InvalidError: a filter or the cursor cannot be used.
        """
        return await self._recommender.recommend(request)

    async def recommend_at(self, request: FeedRequest, offset: int) -> Answer:
        """See `Recommender.recommend_at`."""
        return await self._recommender.recommend_at(request, offset)

    async def recommend_together(self, requests: Sequence[FeedRequest]) -> list[Answer]:
        """Answer several feeds at one moment for one user; see `Recommender.recommend_together`."""
        return await self._recommender.recommend_together(requests)

    async def explain(self, request: FeedRequest, item_id: str) -> Trace:
        """Why an item is, or is not, in the answer to the request."""
        return await self._recommender.explain(request, item_id)

    async def user_state(self, user_id: str | None) -> UserState:
        """The user as the next request sees them."""
        return await self._recommender.user_state(user_id)

    async def append(self, events: Sequence[Event]) -> list[Outcome]:
        """Write events: durable, and seen by the next request, on return; see `EventGate.append`."""
        outcomes = await self._gate.append(events)
        self._sharing.note(event.user_id for event in events)
        return outcomes

    def forget_users(self) -> None:
        """Read every user anew with their next request."""
        self.follower.forget_users()

    async def follow(self) -> None:
        """Take over what was written to the store since the last time, by any process."""
        await self.follower.follow()

    async def catch_up(self) -> bool:
        """Take over all that others did: writes, new models, new orders. Whether models changed."""
        await self.follower.catch_up()
        await self._sharing.make_up()
        reloaded = await self.reload_models()
        await self.follower.follow_shown()
        await self.follower.refresh()
        await self.writes.forget_erased()
        self._recommender.forget_expired()
        return reloaded

    async def reload_models(self) -> bool:
        """Serve newly published models, if there are any; requests go on meanwhile."""
        reloaded = await self.follower.reload_models()
        if reloaded:
            self._recommender.forget_slates()
        return reloaded

    async def refresh(self) -> None:
        """Have the parts of the feeds sort anew what changed, beside the requests."""
        await self.follower.refresh()
