"""The central types: what travels between the parts. Frozen, columnar, no input or output.

Times are integers: microseconds since 1970-01-01 UTC. A *position* is an item's row in the catalog view;
a *number* is the permanent integer the store gave an item or a user of an app, never used again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from homefeed.geo import Place
from homefeed.scope import RequestScope

Positions: TypeAlias = npt.NDArray[np.int32]
Numbers: TypeAlias = npt.NDArray[np.int32]
Codes: TypeAlias = npt.NDArray[np.int32]
Times: TypeAlias = npt.NDArray[np.int64]
Floats: TypeAlias = npt.NDArray[np.float32]
Scores: TypeAlias = npt.NDArray[np.float32]
Mask: TypeAlias = npt.NDArray[np.bool_]

SECOND: Final = 1_000_000
DAY: Final = 86_400 * SECOND
NO_TIME: Final = np.iinfo(np.int64).min
"""The time of something whose time is not known."""
NEVER: Final = np.iinfo(np.int64).max
"""Later than any time."""

NO_POSITIONS: Final[Positions] = np.empty(0, dtype=np.int32)
NO_POSITIONS.flags.writeable = False

OWN: Final = "own"
"""The feature of a feed with a learned ranker that holds the score by the feed's own ranker."""

ConditionOperator: TypeAlias = Literal[":", "!=", ">=", "<=", ">", "<"]


@dataclass(frozen=True, slots=True)
class Event:
    """Something a user did to an item, as it was told to Homefeed.

    One that is about a query has no item: its `item_id` is empty, and its context tells the words as `query`.
    Where nobody told the time (`time_told`) it is that of receipt.
    """

    user_id: str
    item_id: str
    event_type: str
    time: int
    value: float | None = None
    event_id: str | None = None
    request_id: str | None = None
    context: Mapping[str, Any] = field(default_factory=dict)
    time_told: bool = True

    @property
    def query(self) -> str | None:
        """What the user looked for, where the event is about that and not about an item."""
        return None if self.item_id else str(self.context["query"])


@dataclass(frozen=True, slots=True)
class Item:
    """An item of the catalogue as the store keeps it. `created_at` is None where nobody said.

    `flaw` is why its row cannot be read: then it has no attributes, and is not shown.
    """

    item_id: str
    number: int
    attributes: Mapping[str, Any]
    created_at: int | None
    hidden: bool = False
    deleted: bool = False
    flaw: str | None = None


@dataclass(frozen=True, slots=True)
class User:
    """A user as the store keeps it. `flaw` is why the row cannot be read: then there are no attributes."""

    user_id: str
    number: int
    attributes: Mapping[str, Any]
    flaw: str | None = None


@dataclass(frozen=True, slots=True)
class History:
    """One user's events as columns of equal length, oldest first.

    `types` are indices into the recipe's event types, `values` NaN where an event has none, `strengths` in
    0 to 1 times the weight of the type: how much the event says about the user's taste.
    """

    items: Positions
    types: Codes
    values: Floats
    strengths: Floats
    times: Times

    def __len__(self) -> int:
        return len(self.items)

    def latest(self, count: int) -> History:
        """The last `count` events."""
        return self if len(self) <= count else self.take(slice(-count, None))

    def take(self, rows: npt.NDArray[np.intp] | Mask | slice) -> History:
        """The chosen events, in the order given."""
        return History(
            self.items[rows],
            self.types[rows],
            self.values[rows],
            self.strengths[rows],
            self.times[rows],
        )


NO_HISTORY: Final = History(
    NO_POSITIONS,
    np.empty(0, np.int32),
    np.empty(0, np.float32),
    np.empty(0, np.float32),
    np.empty(0, np.int64),
)


@dataclass(frozen=True, slots=True)
class Searches:
    """What one user looked for: texts and times (n,), oldest first."""

    texts: tuple[str, ...] = ()
    times: Times = field(default_factory=lambda: np.empty(0, np.int64))

    def __len__(self) -> int:
        return len(self.texts)

    def since(self, time: int) -> Searches:
        """Those not earlier than a time."""
        start = int(np.searchsorted(self.times, time))
        return Searches(self.texts[start:], self.times[start:]) if start else self


NO_SEARCHES: Final = Searches()


@dataclass(frozen=True, slots=True)
class UserState:
    """Who asks: read when the request arrives, so that it holds the last click.

    Of a user who `opted_out` the history holds nothing but what they do not want to see; no searches either.
    `whole` is the history beyond the days that a feed looks at, where it looks at some only.
    """

    user_id: str | None
    history: History = NO_HISTORY
    attributes: Mapping[str, Any] = field(default_factory=dict)
    opted_out: bool = False
    searches: Searches = NO_SEARCHES
    whole: History | None = None

    @property
    def is_cold(self) -> bool:
        """Whether nothing this user did can be used for recommending, or may be."""
        return (len(self.history) == 0 and len(self.searches) == 0) or self.opted_out

    @property
    def ever(self) -> History:
        """All that the user did, whatever days a feed looks at: what they do not want to see does not lapse."""
        return self.history if self.whole is None else self.whole

    def since(self, time: int) -> UserState:
        """The user by what they did at a time and later."""
        history, searches = self.history, self.searches.since(time)
        recent = history.times >= time
        if recent.all() and searches is self.searches:
            return self
        return replace(self, history=history.take(recent), searches=searches, whole=self.ever)


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition every returned item must meet, such as `genre:Drama` or `year>=2000`.

    `others` are further values that will do as well as `value`, or that will not, where the operator is `!=`.
    """

    field: str
    operator: ConditionOperator
    value: str
    others: tuple[str, ...] = ()


_NO_MASK: Final[Mask] = np.empty(0, dtype=np.bool_)


@dataclass(frozen=True, slots=True)
class Query:
    """One request of one feed. `eligible` (items,) is filled in by the funnel's filters.

    `explainable` (items,) is what reasons may name, for people would read it: it is filled in likewise.
    `exclude` holds what the pages before have shown, too; `recently_shown` the last places of those, in order.
    `place` is where the request comes from, or else where its user is known to be; items farther than `radius_km`
    from it are not wanted. `scope` holds what parts compute once for the request: a query of another user, moment,
    anchor, place, radius, conditions or exclusions needs a scope of its own.
    """

    app: str
    feed: str
    user: UserState
    now: int
    n: int
    anchor: int | None = None
    conditions: tuple[Condition, ...] = ()
    exclude: Positions = field(default_factory=lambda: NO_POSITIONS)
    recently_shown: Positions = field(default_factory=lambda: NO_POSITIONS)
    context: Mapping[str, str] = field(default_factory=dict)
    place: Place | None = None
    radius_km: float | None = None
    eligible: Mask = field(default_factory=lambda: _NO_MASK)
    explainable: Mask = field(default_factory=lambda: _NO_MASK)
    scope: RequestScope = field(default_factory=RequestScope, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Dropped:
    """Positions that a part took out, by its name, and why in words: the same for all, or by position.

    What depends on the item is only written for those that somebody wants explained.
    """

    by: str
    positions: Positions
    why: str | Callable[[int], str]

    def reason(self, position: int) -> str:
        """Why the item at a position was taken out."""
        return self.why if isinstance(self.why, str) else self.why(position)


@dataclass(frozen=True, slots=True)
class Candidates:
    """What the retrievers proposed, as columns.

    `retriever_scores` (n, retrievers) holds each retriever's score, NaN where it did not propose the item;
    `features` (n, features); `scores` (n,) by the ranker. Rows are best first once ranked. `propensities` (n,)
    are the probabilities with which chance put each item where it is: 1 where chance had no part, and for all
    where there are none. `promoted_by` (n,) tells for which retriever, by its index, a reranker put an item where
    it is, whatever its score; -1 where none did.
    """

    positions: Positions
    retrievers: tuple[str, ...]
    retriever_scores: Floats
    feature_names: tuple[str, ...]
    features: Floats
    scores: Scores
    dropped: tuple[Dropped, ...] = ()
    propensities: Floats | None = None
    promoted_by: Codes | None = None

    def __len__(self) -> int:
        return len(self.positions)

    def promoted(self, rows: npt.NDArray[np.intp] | list[int], retriever: str) -> Candidates:
        """With the rows marked as put where they are for a retriever, whatever their score."""
        marked = np.full(len(self), -1, np.int32) if self.promoted_by is None else self.promoted_by.copy()
        marked[rows] = self.retrievers.index(retriever)
        return replace(self, promoted_by=marked)

    def first(self, count: int) -> Candidates:
        """The first rows, with arrays of their own: what is kept of a page does not keep the rest in memory."""
        return self.take(np.arange(min(count, len(self))))

    def take(self, rows: npt.NDArray[np.intp] | Mask | slice) -> Candidates:
        """The chosen rows, in the order given."""
        # Of a table `take` is four times as fast as an index.
        chosen = np.arange(len(self))[rows] if isinstance(rows, slice) or rows.dtype == np.bool_ else rows
        return Candidates(
            self.positions.take(chosen),
            self.retrievers,
            self.retriever_scores.take(chosen, axis=0),
            self.feature_names,
            self.features.take(chosen, axis=0),
            self.scores.take(chosen),
            self.dropped,
            None if self.propensities is None else self.propensities.take(chosen),
            None if self.promoted_by is None else self.promoted_by.take(chosen),
        )


@dataclass(frozen=True, slots=True)
class Slate:
    """What one request returned: equal-length columns, best first, and what it took to make it.

    `feed` is the one requested, `made_by` the one that answered: another where the user is new. `sources` name the
    retrievers that proposed each item; `failed` the parts that raised, with the error; `features` (n, features)
    and `propensities` (n,) are as ranked, for the log; `remaining` is how many more there were, `filtered_late`
    which filters took something out in the last pass; `seconds` how long each stage and part took. From
    `stale_from` on, filters would stop one of the items, if nothing else changes sooner. `all_seen` tells that the
    user has seen all that there was for them.
    """

    feed: str
    positions: Positions
    scores: Scores
    reasons: tuple[str, ...]
    sources: tuple[tuple[str, ...], ...]
    cold_start: bool
    feature_names: tuple[str, ...]
    features: Floats
    propensities: Floats
    remaining: int
    made_by: str = ""
    filtered_late: tuple[str, ...] = ()
    failed: Mapping[str, str] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    stale_from: int = NEVER
    all_seen: bool = False

    def take(self, rows: npt.NDArray[np.intp]) -> Slate:
        """The chosen places, in the order given."""
        return replace(
            self,
            positions=self.positions[rows],
            scores=self.scores[rows],
            reasons=tuple(self.reasons[row] for row in rows.tolist()),
            sources=tuple(self.sources[row] for row in rows.tolist()),
            features=self.features[rows],
            propensities=self.propensities[rows],
        )

    def __len__(self) -> int:
        return len(self.positions)


@dataclass(frozen=True, slots=True)
class Interactions:
    """Events of many users as columns of equal length, in the order of time.

    `users` are rows 0 to the number of users - 1; the other columns are those of `History`.
    """

    users: Codes
    items: Positions
    types: Codes
    values: Floats
    strengths: Floats
    times: Times

    def __len__(self) -> int:
        return len(self.users)

    def take(self, rows: npt.NDArray[np.intp] | Mask | slice) -> Interactions:
        """The chosen rows, in the order given."""
        return Interactions(
            self.users[rows],
            self.items[rows],
            self.types[rows],
            self.values[rows],
            self.strengths[rows],
            self.times[rows],
        )


@dataclass(frozen=True, slots=True)
class TrainingData:
    """All a trainer may look at.

    `numbers` (items,) is the permanent number of the item at each position; `terms` maps each text, category
    or tags field of the recipe to every item's words for it (a text is one term, tags are several).
    `user_numbers` and `users` hold the permanent number and the attributes of the user of each row, where they
    are known. `partitions` (items,) are those that the recipe's isolation keeps apart, "" of an item without one,
    and nothing where all belong together.
    """

    interactions: Interactions
    user_count: int
    numbers: Numbers
    terms: Mapping[str, Sequence[tuple[str, ...]]]
    now: int
    seed: int = 0
    user_numbers: Numbers = field(default_factory=lambda: np.empty(0, np.int32))
    users: Sequence[Mapping[str, Any]] = ()
    partitions: Sequence[str] = ()

    @property
    def item_count(self) -> int:
        """How many items the catalogue has."""
        return len(self.numbers)

    def numbers_of_users(self, users: Codes) -> Numbers:
        """(n,) the permanent numbers of the users of rows (n,); the rows themselves where nobody knows them."""
        return self.user_numbers[users] if len(self.user_numbers) else users
