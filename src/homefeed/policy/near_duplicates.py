"""The same thing told twice: of items that say nearly the same only one is shown."""

from __future__ import annotations

import numpy as np

from homefeed.catalog import Resources
from homefeed.policy.kernels import first_of_groups
from homefeed.policy.repeats import Repeats
from homefeed.policy.shown import shown_positions
from homefeed.protocols import PartConfig
from homefeed.types import Candidates, Mask, Query


class NearDuplicates:
    """As a filter: nothing that says nearly the same as an item that the user disliked. As a reranker: nothing
    that says nearly the same as a better-ranked item that stays, or as one that was shown or excluded. Which items
    do is up to the recipe's `items.near_duplicates`; items that `[isolation]` keeps apart never do.
    """

    class Config(PartConfig):
        events: tuple[str, ...] | None = None
        """For the filter, the event types after which a user gets no more of an item; none: all with a weight
        below 0."""

    def __init__(self, config: Config, resources: Resources) -> None:
        self._catalog, self._resources = resources.catalog, resources
        self._repeats = Repeats("near_duplicates", "says nearly the same as", resources.catalog)
        self.stops_repeats = config.events is not None
        self._blocking = None if config.events is None else resources.event_mask(config.events)

    def filter(self, query: Query) -> Mask:
        """(items,) not nearly the same as what the user does not want to see."""
        unwanted = query.user.ever.items[self._told(query)]
        if not len(unwanted):
            return np.ones(self._catalog.size, np.bool_)
        groups = self._catalog.near_duplicates
        apart = np.ones(self._catalog.size, np.bool_)
        apart[groups[unwanted]] = False
        wanted: Mask = apart.take(groups)
        others = ~wanted
        others[unwanted] = False
        if others.any():
            # Of the rest of a group only what is directly alike goes.
            wanted |= others
            for position in np.unique(unwanted[np.isin(groups[unwanted], groups[others])]).tolist():
                wanted[self._catalog.near_duplicates_of(position)] = False
        return wanted

    def concerns(self, query: Query) -> bool:
        """Whether there is anything of which the user gets no more."""
        return bool(self._told(query).any())

    def why(self, query: Query, position: int) -> str:
        """Of which of the user's items it is a near-duplicate, and what they did with that one."""
        history, near = query.user.ever, self._catalog.near_duplicates_of(position)
        same = np.flatnonzero(self._told(query) & np.isin(history.items, near))
        item, verb = int(history.items[same[-1]]), self._resources.verb(int(history.types[same[-1]]))
        if position in history.items[same]:
            return f"the user {verb} it"
        return f'says nearly the same as "{self._catalog.title(item)}", which the user {verb}'

    def rerank(self, query: Query, candidates: Candidates) -> Candidates:
        """None that says nearly the same as a better one that stays, or one that was shown before."""
        groups = self._catalog.near_duplicates
        own, shown = groups[candidates.positions], shown_positions(query)
        first = first_of_groups(own)
        again = np.isin(own, groups[shown]) if len(shown) else np.zeros(len(own), np.bool_)
        if (first == np.arange(len(own))).all() and not again.any():
            return candidates
        # Of one group, only what is directly alike: one by one, for there are few such groups on a page.
        several = np.bincount(first, minlength=len(own))[first] > 1
        taken: dict[int, int] = {}
        for position in shown[np.isin(groups[shown], own[again])].tolist():
            taken.update(dict.fromkeys(self._catalog.near_duplicates_of(position).tolist(), -1))
        same_as: dict[int, int] = {}
        for position in candidates.positions[several | again].tolist():
            if position in taken:
                same_as[position] = taken[position]
            else:
                for near in self._catalog.near_duplicates_of(position).tolist():
                    taken.setdefault(near, position)
        return self._repeats.without(candidates, same_as)

    def _told(self, query: Query) -> Mask:
        """(events,) of all that the user ever did, after which they get no more of the item."""
        history = query.user.ever
        return history.strengths < 0 if self._blocking is None else self._blocking[history.types]
