"""The same thing told twice: of items that say nearly the same only one is shown."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import numpy.typing as npt

from homefeed.catalog import Resources
from homefeed.policy.kernels import first_of_groups
from homefeed.policy.shown import shown_before
from homefeed.protocols import PartConfig
from homefeed.types import Candidates, Dropped, Mask, Positions, Query

_NAME = "near_duplicates"


class NearDuplicates:
    """As a filter: nothing that says nearly the same as an item that the user disliked. As a reranker: of
    items that say nearly the same only the best-ranked, and none once one was shown or excluded. Which items do
    is up to the recipe's `items.near_duplicates`.
    """

    class Config(PartConfig):
        events: tuple[str, ...] | None = None
        """For the filter, the event types after which a user gets no more of an item; none: all with a weight
        below 0."""

    def __init__(self, config: Config, resources: Resources) -> None:
        self._catalog, self._resources = resources.catalog, resources
        self._blocking = None if config.events is None else resources.event_mask(config.events)

    def filter(self, query: Query) -> Mask:
        """(items,) not nearly the same as what the user does not want to see."""
        unwanted = query.user.ever.items[self._told(query)]
        if not len(unwanted):
            return np.ones(self._catalog.size, np.bool_)
        groups = self._catalog.near_duplicates
        wanted = np.ones(self._catalog.size, np.bool_)
        wanted[groups[unwanted]] = False
        mask: Mask = wanted.take(groups)
        return mask

    def concerns(self, query: Query) -> bool:
        """Whether there is anything of which the user gets no more."""
        return bool(self._told(query).any())

    def why(self, query: Query, position: int) -> str:
        """Of which of the user's items it is a near-duplicate, and what they did with that one."""
        groups, history = self._catalog.near_duplicates, query.user.ever
        unwanted = np.flatnonzero(self._told(query))
        same = unwanted[groups[history.items[unwanted]] == groups[position]]
        item, verb = int(history.items[same[-1]]), self._resources.verb(int(history.types[same[-1]]))
        if position in history.items[same]:
            return f"the user {verb} it"
        return f'says nearly the same as "{self._catalog.title(item)}", which the user {verb}'

    def rerank(self, query: Query, candidates: Candidates) -> Candidates:
        """One of each group of near-duplicates."""
        groups = self._catalog.near_duplicates
        own = groups[candidates.positions]
        best = first_of_groups(own)
        shown = shown_before(query, own, groups)
        keep = (best == np.arange(len(own))) & ~shown
        if keep.all():
            return candidates
        dropped = candidates.dropped
        if shown.any():
            why = "says nearly the same as an item shown before, excluded or asked about"
            dropped = (*dropped, Dropped(_NAME, candidates.positions[shown], why))
        double = ~keep & ~shown
        if double.any():
            better = partial(self._why_double, candidates.positions, best)
            dropped = (*dropped, Dropped(_NAME, candidates.positions[double], better))
        return replace(candidates.take(keep), dropped=dropped)

    def _why_double(self, positions: Positions, best: npt.NDArray[np.intp], position: int) -> str:
        better = positions[best[np.flatnonzero(positions == position)[0]]]
        return f'says nearly the same as "{self._catalog.title(int(better))}", which ranks higher'

    def _told(self, query: Query) -> Mask:
        """(events,) of all that the user ever did, after which they get no more of the item."""
        history = query.user.ever
        return history.strengths < 0 if self._blocking is None else self._blocking[history.types]
