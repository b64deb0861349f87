"""What a recipe may say, as typed, frozen declarations."""

from __future__ import annotations

import math
import re
from typing import Annotated, Any, Final, Literal, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

from homefeed.errors import InvalidError
from homefeed.times import parse_duration
from homefeed.types import DAY, SECOND

Name: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
_TIME_OF_DAY: Final = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
FieldKind: TypeAlias = Literal["text", "category", "tags", "number", "time"]


Kind: TypeAlias = Literal["retrieve", "filter", "features", "rank", "rerank", "model", "trainer"]
"""What a part does: the table of a feed it stands in, or `model` and `trainer` for those of `models`."""


class Declaration(BaseModel):
    """Base of all declarations: unknown keys are refused, so that a typing error is not silently ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Entity(Declaration):
    """The declared fields of items or users; other attributes are kept, but nothing computes with them."""

    fields: dict[Name, FieldKind] = {}


class NearDuplicates(Declaration):
    """Which items say nearly the same: by the words of `fields`, from a Jaccard `similarity` of word pairs on."""

    fields: Annotated[tuple[Name, ...], Field(min_length=1)]
    similarity: Annotated[float, Field(gt=0, le=1)] = 0.6


class ItemEntity(Entity):
    """The catalogue: `title` names the field that names an item to people."""

    title: Name = "title"
    near_duplicates: NearDuplicates | None = None

    @model_validator(mode="after")
    def _title_is_a_text_field(self) -> Self:
        if self.fields.get(self.title) != "text":
            raise ValueError(f'title names "{self.title}", which is not declared in fields as "text"')
        return self

    @model_validator(mode="after")
    def _compared_fields_exist(self) -> Self:
        for name in self.near_duplicates.fields if self.near_duplicates else ():
            if name not in self.fields:
                raise ValueError(f'near_duplicates.fields names "{name}", which is not declared in fields')
        return self


class EventType(Declaration):
    """A kind of event and how much it says about taste.

    `full` is the value from which an event counts with its whole `weight` (below it, proportionally):
    a number, or "typical" for each item's own typical full value; without it every event counts whole.
    `verb` is what a reason says the user did to the item: "Because you saved ...".
    An event `about` a "query" has no item: it is a search, and its context tells the words as `query`.
    """

    about: Literal["item", "query"] = "item"
    weight: float = 1.0
    verb: str = "chose"
    full: Literal["typical"] | Annotated[float, Field(gt=0)] | None = None
    min_value: float = 0.0
    max_value: float | None = None


class Column(Declaration):
    """Where a value comes from: a `column` of the file (times `multiply`), or a constant `value`."""

    column: str | None = None
    value: str | None = None
    multiply: float = 1.0
    separator: str = "|"

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if (self.column is None) == (self.value is None):
            raise ValueError("expected exactly one of `column` and `value`")
        return self


class Source(Declaration):
    """How a file becomes users, items or events: Homefeed's name for a column to the file's name for it.

    `file` is the file's name in a folder, without its ending: users, items or events unless told otherwise.

    What is not listed is looked for under its own name. `required`: rows without it are rejected (the ids and
    an event's type and timestamp always are). `optional`: fields that may be empty without a word about it.
    `join`: the rows of one user or item are joined, what a later one leaves empty is as an earlier one said it;
    else the last one counts.
    `unknown_users`: what to do with events of users nobody declared.
    """

    file: str | None = None
    columns: dict[str, str | Column] = {}
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    join: bool = False
    unknown_users: Literal["reject", "create"] = "reject"

    def column(self, name: str) -> Column:
        """The origin of `name`."""
        spec = self.columns.get(name, name)
        return Column(column=spec) if isinstance(spec, str) else spec


class Sources(Declaration):
    """The three kinds of file an app imports."""

    users: Source = Source()
    items: Source = Source()
    events: Source = Source()


class PartUse(BaseModel):
    """A part named in a recipe: the table's key names it, or `part` where the same part is used twice."""

    model_config = ConfigDict(frozen=True, extra="allow")

    part: Name | None = None

    @property
    def config(self) -> dict[str, Any]:
        """What is for the part itself."""
        return dict(self.model_extra or {})


class RetrieverUse(PartUse):
    """A retriever named in a recipe, and how many candidates it proposes at least, `k`."""

    k: Annotated[int, Field(ge=1, le=10_000)] = 200


class FeedSettings(Declaration):
    """What a feed is set to besides its parts: declared here, and as it is at the request.

    `cold_start` names the feed that answers a user without history; `anchored` feeds are about an item. With
    `history_days` only what the user did in the last so many days counts: after as long without a sign of life
    they are as good as new. `shared_seconds` says that no part of it looks at who asks, as in a list of what
    trends, and for how long an answer may be given again. For `reuse_seconds` the same request of the same user is
    answered by the same slate, as long as nothing has changed that they would see.
    """

    title: str = ""
    cold_start: Name | None = None
    anchored: bool = False
    history_days: Annotated[float, Field(gt=0)] | None = None
    shared_seconds: Annotated[float, Field(gt=0, le=3_600)] | None = None
    reuse_seconds: Annotated[float, Field(ge=0, le=3_600)] = 30.0


class Feed(FeedSettings):
    """One surface of an app: which parts make it, in the order of the request."""

    retrieve: Annotated[dict[Name, RetrieverUse], Field(min_length=1)]
    filter: dict[Name, PartUse] = {}
    features: dict[Name, PartUse] = {}
    rank: Annotated[dict[Name, PartUse], Field(min_length=1, max_length=1)]
    rerank: dict[Name, PartUse] = {}

    @property
    def settings(self) -> FeedSettings:
        """The feed without its parts."""
        return FeedSettings(**{name: getattr(self, name) for name in FeedSettings.model_fields})


class Signals(Declaration):
    """How an app's events become counters.

    An item's typical full value is the `full_quantile` of its events' values, drawn by `full_shrinkage`
    imaginary events to that of the items with the same `full_group`, a category field;
    `trending_half_life_days` is how fast a trend fades; or, in its place, `trending_decay_per_day`: what is left
    of it after a day.
    """

    full_quantile: Annotated[float, Field(gt=0, le=1)] = 0.8
    full_shrinkage: Annotated[float, Field(ge=0)] = 5.0
    full_default: Annotated[float, Field(gt=0)] = 3600.0
    full_group: Name | None = None
    trending_half_life_days: Annotated[float, Field(gt=0)] = 2.0
    trending_decay_per_day: Annotated[float, Field(gt=0, lt=1)] | None = None
    distinct: tuple[Name, ...] = ()

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


class Job(Declaration):
    """Which models are trained, and when: as often as `every` says; every so many whole days `at` a time, in UTC.

    `models` are names of the recipe's models, or "signals" for the counts; without it, all of them.
    """

    every: str
    at: str | None = None
    models: Annotated[tuple[str, ...], Field(min_length=1)] | None = None

    @field_validator("every")
    @classmethod
    def _is_a_minute_or_more(cls, value: str) -> str:
        try:
            period = parse_duration(value)
        except InvalidError as error:
            raise ValueError(str(error)) from None
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


class Isolation(Declaration):
    """What keeps an app's users apart: a user sees only items whose `item` field equals their `user` field."""

    item: Name
    user: Name


class Privacy(Declaration):
    """What users may refuse: where their field `opt_out` is true, only the attributes `kept` are used of them."""

    opt_out: Name
    kept: tuple[Name, ...] = ()


class Declarations(Declaration):
    """A whole recipe, before its parts are looked up."""

    app: Name
    title: str = ""
    home: Name | None = None
    items: ItemEntity
    users: Entity = Entity()
    events: Annotated[dict[Name, EventType], Field(min_length=1)]
    unknown_event_types: Literal["reject", "accept"] = "reject"
    signals: Signals = Signals()
    isolation: Isolation | None = None
    privacy: Privacy | None = None
    sources: Sources = Sources()
    parts: Annotated[
        dict[Kind, dict[Name, dict[str, Any]]],
        Field(description="What a part is set to wherever a feed uses it and does not say otherwise."),
    ] = {}
    models: dict[Name, PartUse] = {}
    feeds: Annotated[dict[Name, Feed], Field(min_length=1)]
    jobs: dict[Name, Job] = {}

    @model_validator(mode="after")
    def _jobs_train_models(self) -> Self:
        known = [*self.models, SIGNALS]
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
    def _fields_of_users_are_declared(self) -> Self:
        named = {"isolation.user": self.isolation.user} if self.isolation else {}
        if self.privacy:
            named |= {"privacy.opt_out": self.privacy.opt_out}
            named |= {f"privacy.kept.{name}": name for name in self.privacy.kept}
        for key, name in named.items():
            if name not in self.users.fields:
                raise ValueError(f'{key} names "{name}", which is not declared in users.fields')
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
    def _cold_starts_exist(self) -> Self:
        for name, feed in self.feeds.items():
            if feed.cold_start is not None and feed.cold_start not in self.feeds:
                known = ", ".join(self.feeds)
                raise ValueError(f'feeds.{name}.cold_start names "{feed.cold_start}"; the feeds are: {known}')
        return self
