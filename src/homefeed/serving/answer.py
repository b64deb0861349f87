"""A request of a feed, and its answer."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from homefeed.catalog import CatalogView
from homefeed.geo import Kilometres, Place
from homefeed.retrieve.search.prices import Priced
from homefeed.serving import cursor as cursors
from homefeed.store.impressions import Impression
from homefeed.types import Condition, Slate

_MOST_WRITTEN = 200


@dataclass(frozen=True, slots=True)
class FeedRequest:
    """One request of a feed. Without a `place` it comes from where its user is, if that is known."""

    feed: str
    user_id: str | None = None
    n: int = 20
    cursor: str | None = None
    item_id: str | None = None
    conditions: tuple[Condition, ...] = ()
    exclude: tuple[str, ...] = ()
    context: Mapping[str, str] = field(default_factory=dict)
    place: Place | None = None
    radius_km: float | None = None

    def key(self, paged: bool = True) -> Hashable:
        """What two requests of a user must have in common to have one answer."""
        return (
            self.feed,
            self.n,
            self.cursor,
            self.item_id,
            self.conditions,
            self.exclude,
            frozenset(self.context.items()),
            self.place,
            self.radius_km,
            paged,
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """A slate, and where the page after it begins: None where nothing is left.

    `user` is the permanent number of the user, if they are known and may be remembered; `start` the place of
    the first item, from 0; `models` the versions that answered, `served_by` the feed and its ranker. `reused` is
    whether the user got the same slate a moment ago, nothing having changed since. `priced` is what the query was
    taken to say of prices, if anything; `place` where it came from, if that is known.
    """

    slate: Slate
    next: cursors.Cursor | None
    catalog: CatalogView
    user: int | None
    start: int
    time: int
    models: Mapping[str, str]
    served_by: str
    reused: bool = False
    priced: Priced | None = None
    place: Place | None = None

    def impression(self, request_id: str) -> Impression:
        """Its record for the log: of a long list, which few read to its end, the beginning."""
        slate = self.slate
        first = slice(_MOST_WRITTEN)
        return Impression(
            request_id=request_id,
            feed=slate.feed,
            user=self.user,
            time=self.time,
            start=self.start,
            items=self.catalog.numbers[slate.positions[first]],
            scores=slate.scores[first],
            propensities=slate.propensities[first],
            feature_names=slate.feature_names,
            features=slate.features[first],
            models=self.models,
            reused=self.reused,
            served_by=self.served_by,
        )

    @property
    def distances_km(self) -> Kilometres | None:
        """(n,) how far its items are from where the request came from, NaN of those nowhere; None without one."""
        places = self.catalog.places
        if self.place is None or places is None:
            return None
        return places.distances_km(self.place, self.slate.positions, self.catalog.size)

    @property
    def next_cursor(self) -> str | None:
        """The cursor of the page after this one. Made on demand: many callers need none."""
        return None if self.next is None else self.next.text

    @property
    def understood(self) -> dict[str, Any]:
        """What a query that names a price was taken for, to add to an answer; nothing for others."""
        return {} if self.priced is None else {"understood": self.priced.to_json()}


def without_what_is_above(
    requests: Sequence[FeedRequest], answers: Sequence[Answer], below: Callable[[str], Sequence[str]]
) -> list[Answer]:
    """The answers in up to the `n` of their requests, without what those show that they are `below`.

    A feed that another stood in for counts as none: it shows what that one does.
    """
    made: list[Answer] = []
    for request, answer in zip(requests, answers, strict=True):
        above = [
            other.slate.positions
            for other in made
            if other.slate.feed in below(request.feed) and other.slate.made_by == other.slate.feed
        ]
        if above:
            free = np.flatnonzero(~np.isin(answer.slate.positions, np.concatenate(above)))
            made.append(replace(answer, slate=answer.slate.take(free[: request.n])))
        elif len(answer.slate) > request.n:
            made.append(replace(answer, slate=answer.slate.take(np.arange(request.n))))
        else:
            made.append(answer)
    return made
