"""The metrics of a server, for Prometheus. No label ever holds the id of a user or an item."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Final

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from homefeed.api.access import EVERY_APP, needs
from homefeed.api.events_on_shown import EventsOnShown
from homefeed.api.feature_store import FeatureStoreWork
from homefeed.api.first_shown import FirstShown
from homefeed.api.guard import GuardedRoute
from homefeed.api.histograms import NotedHistogram
from homefeed.api.job_metrics import JobMetrics
from homefeed.api.overload import Queues
from homefeed.api.pages_shown import PagesShown
from homefeed.api.scores_shown import ScoresShown
from homefeed.api.shown import DistancesShown, ValuesShown
from homefeed.api.stages import StageSeconds
from homefeed.api.store_queries import StoreQueries
from homefeed.api.together import Together
from homefeed.api.work import PartWork

ANSWERED: Final[ContextVar[list[tuple[str, str]] | None]] = ContextVar("answered", default=None)
"""The apps and feeds that the present request has answers of."""

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


@dataclass(frozen=True)
class Metrics:
    """The metrics of one server."""

    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    requests: Histogram = field(init=False)
    events: Counter = field(init=False)
    failures: Counter = field(init=False)
    items: Gauge = field(init=False)
    set_aside: Gauge = field(init=False)
    follow_errors: Counter = field(init=False)
    reloads: Counter = field(init=False)
    degraded: Gauge = field(init=False)
    learned: Gauge = field(init=False)
    impressions: Counter = field(init=False)
    closed: Counter = field(init=False)
    limited: Counter = field(init=False)
    stages: StageSeconds = field(init=False)
    pages: PagesShown = field(init=False)
    scores: ScoresShown = field(init=False)
    on_shown: EventsOnShown = field(init=False)
    first_shown: FirstShown = field(init=False)
    jobs: JobMetrics = field(init=False)
    store: StoreQueries = field(init=False)
    distances: DistancesShown = field(init=False)
    values: ValuesShown = field(init=False)
    work: PartWork = field(init=False)
    feature_store: FeatureStoreWork = field(init=False)
    queues: Queues = field(init=False)
    feeds: NotedHistogram = field(init=False)

    def __post_init__(self) -> None:
        made = {
            "requests": Histogram(
                "homefeed_request_seconds",
                "Time to answer a request.",
                ("route", "method", "status"),
                registry=self.registry,
                buckets=_BUCKETS,
            ),
            "events": Counter(
                "homefeed_events", "Events by what became of them.", ("app", "outcome"), registry=self.registry
            ),
            "failures": Counter(
                "homefeed_part_failures",
                "Parts of feeds that raised while a request went on without them.",
                ("app", "feed", "part"),
                registry=self.registry,
            ),
            "items": Gauge("homefeed_items", "Items in the catalogue view.", ("app",), registry=self.registry),
            "set_aside": Gauge(
                "homefeed_rows_set_aside",
                "Rows of the store that cannot be read or applied; homefeed doctor names them.",
                ("app", "kind"),
                registry=self.registry,
            ),
            "follow_errors": Counter(
                "homefeed_follow_errors", "Failed attempts to follow the store.", ("app",), registry=self.registry
            ),
            "reloads": Counter(
                "homefeed_model_reloads",
                "Times newly published models went live.",
                ("app",),
                registry=self.registry,
            ),
            "degraded": Gauge(
                "homefeed_models_degraded",
                "Models that are not served as they were published.",
                ("app",),
                registry=self.registry,
            ),
            "learned": Gauge(
                "homefeed_learned_ranker_serving",
                "Of feeds that declare a learned ranker: 1 where it ranks, 0 where the feed's own does.",
                ("app", "feed", "ranker"),
                registry=self.registry,
            ),
            "impressions": Counter(
                "homefeed_impressions",
                "Pages shown, by whether they could be written to the log.",
                ("app", "outcome"),
                registry=self.registry,
            ),
            "closed": Counter(
                "homefeed_connections_closed",
                "Connections that were closed before their time, by why.",
                ("reason",),
                registry=self.registry,
            ),
            "limited": Counter(
                "homefeed_requests_limited",
                "Requests answered by 429, by what was asked too often.",
                ("limit",),
                registry=self.registry,
            ),
            "stages": StageSeconds(self.registry),
            "pages": PagesShown(self.registry),
            "scores": ScoresShown(self.registry),
            "on_shown": EventsOnShown(self.registry),
            "jobs": JobMetrics(self.registry),
            "store": StoreQueries(self.registry),
            "first_shown": FirstShown(self.registry),
            "distances": DistancesShown(self.registry),
            "values": ValuesShown(self.registry),
            "work": PartWork(self.registry),
            "feature_store": FeatureStoreWork(self.registry),
            "queues": Queues(self.registry),
            "feeds": NotedHistogram(
                self.registry,
                "homefeed_feed_seconds",
                "Time to answer a request, of each feed that it asks for.",
                ("app", "feed"),
                _BUCKETS,
            ),
        }
        for name, metric in made.items():
            object.__setattr__(self, name, metric)


def router(metrics: Metrics) -> APIRouter:
    """The route that Prometheus scrapes."""
    routes = APIRouter(route_class=GuardedRoute)
    text = Together(lambda: generate_latest(metrics.registry))

    @routes.get("/metrics", include_in_schema=False)
    @needs("read", EVERY_APP)
    async def scrape() -> Response:
        return Response(await text.get(), media_type=CONTENT_TYPE_LATEST)

    return routes
