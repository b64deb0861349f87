"""What a recipe may say, as typed, frozen declarations."""

from __future__ import annotations

import math
import re
from typing import Annotated, Any, Final, Literal, Self, TypeAlias

from pydantic import Field, field_validator, model_validator

from homefeed.errors import InvalidError
from homefeed.recipe.base import Declaration, Kind, Name
from homefeed.recipe.entities import ItemEntity, UserEntity
from homefeed.recipe.feeds import Feed, PartUse, check_left_out, ranker_name
from homefeed.recipe.privacy import Isolation, Privacy
from homefeed.recipe.sources import Source, Sources
from homefeed.times import parse_duration
from homefeed.types import DAY, SECOND

_TIME_OF_DAY: Final = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


class EventType(Declaration):
    """A kind of event and how much it says about taste."""

    about: Literal["item", "query"] = "item"
    """What the event is about. One about a query has no item: it is a search, and its context holds the words as
    `query`."""
    weight: float = 1.0
    """The strength of a whole event. Below 0 the event is a dislike, which pushes away from what resembles the
    item."""
    verb: str = "chose"
    """What the user did to the item, for reasons with {verb}: "Because you saved ..."."""
    full: Literal["typical"] | Annotated[float, Field(gt=0)] | None = None
    """The value from which an event counts whole, below it proportionally: a number, or `"typical"` for each
    item's own typical value; none: every event counts whole."""
    min_value: float = 0.0
    """Events with a smaller value are refused."""
    max_value: float | None = None
    """Events with a larger value are refused; none: there is no bound."""


class Signals(Declaration):
    """How an app's events become counters.

    An item's typical full value is a quantile of its events' values, drawn to that of its group while they are
    few.
    """

    full_quantile: Annotated[float, Field(gt=0, le=1)] = 0.8
    """The quantile of an item's event values that is its typical value."""
    full_shrinkage: Annotated[float, Field(ge=0)] = 5.0
    """How many imaginary events of the group's typical value are added; with 0 the item's own count alone."""
    full_default: Annotated[float, Field(gt=0)] = 3600.0
    """The typical value while there are no events at all, in the unit of the values."""
    full_group: Name | None = None
    """The category field of items that makes the groups; none: all items are one group."""
    trending_half_life_days: Annotated[float, Field(gt=0)] = 2.0
    """A trend fades to half in so many days."""
    trending_decay_per_day: Annotated[float, Field(gt=0, lt=1)] | None = None
    """The share of a trend that is left after a day, instead of a half-life; none: the half-life holds."""
    count: Literal["users", "events"] = "users"
    """What makes an item popular and a value typical: with `"users"` one event of each user counts, the strongest,
    and in a trend the one of which most is left, so that nobody makes an item popular alone; with `"events"` all
    of them do."""
    distinct: tuple[Name, ...] = ()
    """The event types of which the different users are counted for each item, as the filter `reported` needs."""

    @model_validator(mode="after")
    def _one_way_to_fade(self) -> Self:
        if self.trending_decay_per_day is not None and "trending_half_life_days" in self.model_fields_set:
            raise ValueError("expected only one of trending_half_life_days and trending_decay_per_day")
        return self

    @property
    def trending_half_life(self) -> float:
        """How long it takes a trend to fade to a half, in microseconds."""
        if self.trending_decay_per_day is not None:
            return math.log(0.5) / math.log(self.trending_decay_per_day) * DAY
        return self.trending_half_life_days * DAY


SIGNALS: Final = "signals"
"""The name of the counts of an app among its models."""
EXPOSURES: Final = "exposures"
"""The name of what was shown and chosen, among its models: it is counted with the signals where a part asks."""
BLEND: Final = "blend"
"""The name of what an app's feeds weigh their parts by, among its models."""
TRENDING: Final = "trending"
"""The name of the view of what trends, by hours, among its models: the store holds it, for jobs that name it."""


class Job(Declaration):
    """Which models are trained, and when."""

    every: str
    """How often: a number and `s`, `m`, `h` or `d`, from a minute to 366 days."""
    at: str | None = None
    """At what time of the day, `"HH:MM"` in UTC, where `every` is whole days; none: at midnight."""
    models: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    """Names of `models`, `"signals"` for the counts, `"blend"` for what feeds weigh their parts by, `"trending"`
    for the store's view of the last 7 days by hours; none: all but that view."""

    @field_validator("every")
    @classmethod
    def _is_a_minute_or_more(cls, value: str) -> str:
        period = _duration(value)
        if not 60 * SECOND <= period <= 366 * DAY:
            raise ValueError(f"expected a minute to 366 days, got {value}")
        return value

    @field_validator("at", mode="before")
    @classmethod
    def _is_a_time_of_day(cls, value: object) -> object:
        if value is not None and not (isinstance(value, str) and _TIME_OF_DAY.fullmatch(value)):
            raise ValueError(f'expected a time of day in UTC, in quotes, such as "03:15", got {value!s:.80}')
        return value

    @model_validator(mode="after")
    def _days_have_a_time(self) -> Self:
        if self.at is not None and self.period % DAY:
            raise ValueError(f'at is for jobs of whole days, such as every = "1d"; every is {self.every}')
        return self

    @property
    def period(self) -> int:
        """From one time to the next, in microseconds."""
        return parse_duration(self.every)

    @property
    def offset(self) -> int:
        """From midnight to the time of day, in microseconds."""
        hours, minutes = map(int, self.at.split(":")) if self.at else (0, 0)
        return (hours * 60 + minutes) * 60 * SECOND


GoalMetric: TypeAlias = Literal["ndcg@10", "ndcg@20", "recall@10", "recall@20", "mrr@10", "hit_rate@10"]


class Goal(Declaration):
    """What the app's feeds are for: what `train --tune` tunes by, and the verdict of `evaluate`."""

    metric: GoalMetric = "ndcg@10"
    """The measure of a list: see the evaluation."""
    feeds: Annotated[tuple[Name, ...], Field(min_length=1)] | None = None
    """The feeds that are for it: their retrievers are calibrated and, with `train --tune`, their weights chosen.
    Feeds that are something else, such as a list of what trends, are left as they are. None: the home feed, and
    the one that answers new users in its place."""
    events: Annotated[tuple[Name, ...], Field(min_length=1)] | None = None
    """The event types by which a user chooses what the feed should have shown; none: all about an item with a
    weight above 0."""


class Impressions(Declaration):
    """How what was shown is joined to what followed."""

    window: str = "24h"
    """An event that does not name the request it came from is put down to the latest showing of its item to its
    user, if that was no longer before: a number and `s`, `m`, `h` or `d`."""
    examined: Literal["to_last_event", "all"] = "to_last_event"
    """Which of the items shown a user is taken to have looked at: those down to the last one that an event
    followed, and the first page of a request without any; or all."""
    margin: Annotated[int, Field(ge=0)] = 0
    """How many places below the last one that an event followed were looked at, too."""
    min_learned_requests: Annotated[int, Field(ge=1)] = 1_000
    """Of how many requests in which something was chosen a learned ranker is made at least. Where fewer were
    shown it is made from history."""
    max_learned_items: Annotated[int, Field(ge=1)] = 2_000_000
    """From how many of the items shown a learned ranker is made at most, the latest."""

    @field_validator("window")
    @classmethod
    def _is_a_second_or_more(cls, value: str) -> str:
        if not SECOND <= _duration(value) <= 366 * DAY:
            raise ValueError(f"expected a second to 366 days, got {value}")
        return value

    @property
    def window_length(self) -> int:
        """The window in microseconds."""
        return parse_duration(self.window)


class Declarations(Declaration):
    """A whole recipe, before its parts are looked up."""

    app: Name
    """The name of the app, in URLs and in the store: another name is another app, without data."""
    title: str = ""
    """What people call the app; by default its name."""
    home: Name | None = None
    """The feed that people see first, in the dashboard and in the app's list of feeds; none: the one named `home`,
    or else the first that is not anchored."""
    items: ItemEntity
    """The items: the catalogue."""
    users: UserEntity = UserEntity()
    """The users."""
    events: Annotated[dict[Name, EventType], Field(min_length=1)]
    """A table for each type of event."""
    unknown_event_types: Literal["reject", "accept"] = "reject"
    """What becomes of events of other types: they are refused, or accepted into the log, where no part uses
    them."""
    signals: Signals = Signals()
    """How events become counts."""
    goal: Goal = Goal()
    """What the app's feeds are for."""
    impressions: Impressions = Impressions()
    """How what was shown is joined to what followed, to learn from."""
    isolation: Isolation | None = None
    """What keeps users of different groups apart; none: every user can see every item."""
    privacy: Privacy | None = None
    """What users can refuse; none: they can refuse nothing."""
    sources: Sources = Sources()
    """The tables `sources.users`, `sources.items`, `sources.events` and `sources.impressions`: which column of a
    file is which."""
    parts: dict[Kind, dict[Name, dict[str, Any] | Literal[False]]] = Field(default_factory=dict)
    """Tables `parts.KIND.NAME`, such as `parts.retrieve.popular`: what a part is set to in every feed that does
    not say otherwise. `parts.filter.seen = false` leaves that filter out of every feed, and
    `parts.rerank.variants = false` that reranker."""
    models: dict[Name, PartUse] = Field(default_factory=dict)
    """A table for each model to train, by its name."""
    feeds: Annotated[dict[Name, Feed], Field(min_length=1)]
    """A table for each feed."""
    jobs: dict[Name, Job] = Field(default_factory=dict)
    """A table for each job, which says when models are trained; by default the usual two."""

    @field_validator("parts")
    @classmethod
    def _only_optional_parts_are_left_out(cls, parts: dict[Kind, dict[str, Any]]) -> dict[Kind, dict[str, Any]]:
        for kind, tables in parts.items():
            for name, table in tables.items():
                check_left_out(kind, name, table)
        return parts

    @model_validator(mode="after")
    def _models_have_names_of_their_own(self) -> Self:
        for name in (SIGNALS, EXPOSURES, BLEND, TRENDING):
            if name in self.models:
                raise ValueError(f"models.{name}: every app has its own {name}; choose another name")
        for name in self.rankers:
            if name in self.models:
                raise ValueError(f"models.{name}: that is the learned ranker of a feed; choose another name")
        return self

    @property
    def rankers(self) -> tuple[str, ...]:
        """The names of the learned rankers of feeds."""
        return tuple(ranker_name(name) for name, feed in self.feeds.items() if feed.learned)

    @model_validator(mode="after")
    def _jobs_train_models(self) -> Self:
        known = [*self.models, *self.rankers, SIGNALS, BLEND, TRENDING]
        for job, declared in self.jobs.items():
            for name in declared.models or ():
                if name not in known:
                    raise ValueError(f'jobs.{job}.models names "{name}"; the models are: {", ".join(known)}')
        return self

    @model_validator(mode="after")
    def _full_group_is_a_category(self) -> Self:
        group = self.signals.full_group
        if group is not None and self.items.fields.get(group) != "category":
            raise ValueError(f'signals.full_group names "{group}", which is not declared as a "category" field')
        return self

    @model_validator(mode="after")
    def _distinct_are_events(self) -> Self:
        for name in self.signals.distinct:
            if name not in self.events:
                raise ValueError(f'signals.distinct names "{name}"; the events are: {", ".join(self.events)}')
        return self

    @model_validator(mode="after")
    def _goal_is_to_be_chosen(self) -> Self:
        for name in self.goal.events or ():
            if name not in self.events or self.events[name].about != "item":
                about_items = ", ".join(name for name, event in self.events.items() if event.about == "item")
                raise ValueError(f'goal.events names "{name}"; the events about an item are: {about_items}')
        return self

    @model_validator(mode="after")
    def _goal_is_for_feeds_for_a_user(self) -> Self:
        for_users = [name for name, feed in self.feeds.items() if not feed.anchored]
        for name in self.goal.feeds or ():
            if name not in for_users:
                raise ValueError(f'goal.feeds names "{name}"; the feeds for a user are: {", ".join(for_users)}')
        return self

    @model_validator(mode="after")
    def _fields_of_users_are_declared(self) -> Self:
        named = {"isolation.user": self.isolation.user} if self.isolation else {}
        if self.privacy:
            named |= {f"privacy.{'opt_out' if self.privacy.opt_out else 'consent'}": self.privacy.field}
            named |= {f"privacy.kept.{name}": name for name in self.privacy.kept}
        for key, name in named.items():
            if name not in self.users.fields:
                raise ValueError(f'{key} names "{name}", which is not declared in users.fields')
        return self

    @model_validator(mode="after")
    def _what_users_block_is_of_items(self) -> Self:
        for name in self.users.blocks.values():
            if self.items.fields.get(name) not in ("category", "tags"):
                raise ValueError(f'users.blocks names "{name}", which is no "category" or "tags" field of items')
        return self

    @model_validator(mode="after")
    def _two_columns_are_a_location(self) -> Self:
        fields = {"users": self.users.fields, "items": self.items.fields}
        for kind in ("users", "items", "events", "impressions"):
            source: Source = getattr(self.sources, kind)
            for name in source.pairs:
                if fields.get(kind, {}).get(name) != "location":
                    raise ValueError(f'sources.{kind}.columns.{name}: only a "location" field has two columns')
        return self

    @model_validator(mode="after")
    def _isolation_is_by_a_category(self) -> Self:
        if self.isolation and self.items.fields.get(self.isolation.item) != "category":
            raise ValueError(f'isolation.item names "{self.isolation.item}", which is not a "category" field')
        return self

    @model_validator(mode="after")
    def _what_is_shared_is_the_same_for_all(self) -> Self:
        for name, feed in self.feeds.items():
            if feed.shared_seconds is None:
                continue
            if self.isolation is not None:
                raise ValueError(f"feeds.{name}.shared_seconds: [isolation] keeps users apart; nothing is shared")
            if feed.cold_start is not None or feed.history_days is not None:
                raise ValueError(f"feeds.{name}.shared_seconds: it looks at who asks: cold_start or history_days")
        return self

    @model_validator(mode="after")
    def _home_is_for_a_user(self) -> Self:
        if self.home is not None and self.home not in self.feeds:
            raise ValueError(f'home names "{self.home}"; the feeds are: {", ".join(self.feeds)}')
        if self.home is not None and self.feeds[self.home].anchored:
            raise ValueError(f'home names "{self.home}", which is about an item; name a feed for a user')
        return self

    @property
    def home_feed(self) -> str | None:
        """The feed that people see first: `home`, else the one so named, else the first that is not anchored."""
        for_users = [name for name, feed in self.feeds.items() if not feed.anchored]
        return self.home or ("home" if "home" in for_users else next(iter(for_users), None))

    @model_validator(mode="after")
    def _named_feeds_exist(self) -> Self:
        for name, feed in self.feeds.items():
            for above in feed.below:
                if above not in self.feeds or above == name:
                    known = ", ".join(other for other in self.feeds if other != name)
                    raise ValueError(f'feeds.{name}.below names "{above}"; the other feeds are: {known}')
            if feed.cold_start is not None and feed.cold_start not in self.feeds:
                known = ", ".join(self.feeds)
                raise ValueError(f'feeds.{name}.cold_start names "{feed.cold_start}"; the feeds are: {known}')
        return self


def _duration(text: str) -> int:
    """Microseconds of a duration; a ValueError, as validation expects it, where it is none."""
    try:
        return parse_duration(text)
    except InvalidError as error:
        raise ValueError(str(error)) from None
