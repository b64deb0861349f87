"""What the store knows of a user, and the state that algorithms see of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from homefeed.catalog import CatalogView, Counters, EventWeights, strengths
from homefeed.dataset.columns import log_columns
from homefeed.errors import NotFoundError
from homefeed.privacy import kept_attributes, opted_out
from homefeed.recipe import Recipe
from homefeed.store import Store
from homefeed.store.events import LogRows, row_of_user, rows_of_user
from homefeed.types import NO_SEARCHES, Codes, Floats, History, Numbers, Searches, Times, UserState


@dataclass(frozen=True, slots=True)
class StoredUser:
    """What the store knows of a user: events by permanent item numbers, oldest first.

    `flaw` is why the row cannot be read. Such a user is as unknown: whether they opted out, and whose items they
    may see, is unknown, too.
    """

    number: int | None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    items: Numbers = field(default_factory=lambda: np.empty(0, np.int32))
    types: Codes = field(default_factory=lambda: np.empty(0, np.int32))
    values: Floats = field(default_factory=lambda: np.empty(0, np.float32))
    times: Times = field(default_factory=lambda: np.empty(0, np.int64))
    last_seq: int = 0
    searches: Searches = NO_SEARCHES
    flaw: str | None = None

    @property
    def version(self) -> tuple[object, ...]:
        """What is equal as long as neither the user's events nor their attributes change."""
        return self.number, len(self.items), self.last_seq, self.attributes

    def state(self, user_id: str, catalog: CatalogView, counters: Counters, weights: EventWeights) -> UserState:
        """As the algorithms see it: only events of declared types and of items still in the catalogue."""
        if not len(self.items):
            return UserState(user_id, attributes=self.attributes, searches=self.searches)
        positions, types, values, times = catalog.positions(self.items), self.types, self.values, self.times
        here = (positions >= 0) & (types >= 0)
        if not here.all():
            positions, types, values, times = positions[here], types[here], values[here], times[here]
        strength = strengths(weights, types, values, counters.full[positions])
        history = History(positions, types, values, strength, times)
        return UserState(user_id, history, self.attributes, searches=self.searches)


UNKNOWN = StoredUser(None)
"""A user that the store does not know, or a request without one."""


async def load_user(store: Store, recipe: Recipe, user_id: str, weights: EventWeights) -> StoredUser:
    """A user as the store knows them now; an unknown one has no number.

    Of who refuses, where the recipe says that not even their dislikes count, nothing is read of what they did, and
    nothing is kept of who they are but what is needed to know that and to obey it.
    """
    try:
        if is_unread(recipe):
            found = await row_of_user(store, recipe.app, user_id)
            if found.flaw is None and opted_out(found.attributes, recipe):
                return StoredUser(found.number, _refusal(found.attributes, recipe))
        user, rows = await rows_of_user(store, recipe.app, user_id)
    except NotFoundError:
        return UNKNOWN
    if user.flaw is not None:
        return StoredUser(None, flaw=user.flaw)
    if not len(rows):
        return StoredUser(user.number, user.attributes)
    types, values = log_columns(rows, weights)
    return StoredUser(
        user.number,
        user.attributes,
        np.array(rows.items, np.int32),
        types,
        values,
        np.array(rows.times, np.int64),
        max(rows.seqs),
        _searches(rows),
    )


def is_unread(recipe: Recipe) -> bool:
    """Whether nothing is read of what a user did who refuses."""
    return recipe.privacy is not None and not recipe.privacy.dislikes


def _refusal(attributes: Mapping[str, Any], recipe: Recipe) -> dict[str, Any]:
    """What is kept of a user who refuses: that, and what is used nevertheless."""
    field = "" if recipe.privacy is None else recipe.privacy.field
    return {**kept_attributes(attributes, recipe), field: attributes[field]}


def _searches(rows: LogRows) -> Searches:
    found = [(text, time) for text, time in zip(rows.queries, rows.times, strict=True) if text is not None]
    if not found:
        return NO_SEARCHES
    texts, times = zip(*found, strict=True)
    return Searches(texts, np.array(times, np.int64))
