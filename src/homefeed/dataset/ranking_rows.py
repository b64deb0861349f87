"""What a feed showed as rankers learn from it: its latest pages, joined to lists, with what followed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from homefeed.dataset.followed import find_followed
from homefeed.dataset.impressions import ShownItems, stream_shown_items
from homefeed.dataset.log import Progress
from homefeed.dataset.row_buffer import RowBuffer
from homefeed.ranking import RankingData, RequestLists, chosen_in
from homefeed.recipe import BLEND, Recipe
from homefeed.store import Store
from homefeed.store.impressions import IMPORTED
from homefeed.store.shown import MOST_PAGES, extent_of_latest
from homefeed.types import Floats, Mask, Numbers, Times

SHOWN_AGAIN: Final = "shown again a moment later"
OTHER_FEED: Final = "answered by another feed"
NOT_KNOWN: Final = "by what it was answered is not written down"
WITHOUT_FEATURES: Final = "written without features"
WITH_FEATURES: Final = "written with features"
OTHER_FEATURES: Final = "made without some of the feed's features"
OTHER_CALIBRATION: Final = "made with retrievers calibrated otherwise"
NOT_LOOKED_AT: Final = "nothing of it was looked at"
TOO_MANY: Final = f"of a request with more than {MOST_PAGES} pages"


@dataclass(frozen=True, slots=True)
class FeedColumns:
    """The features of a feed in their order, and whether its retrievers are calibrated, by which blend."""

    names: tuple[str, ...]
    calibrated: bool
    blend: str | None = None

    def misfit(self, names: tuple[str, ...], models: Mapping[str, str]) -> str | None:
        """Why a page with features of these names, by these models, cannot be learned from; None where it can.

        What a blend made of scores is evidence, and means the same whatever blend it was: the pages of all are
        learned from. A feed that no blend calibrates learns from those without any, and from those of this one.
        """
        if not names:
            return WITHOUT_FEATURES
        if not set(self.names) <= set(names):
            return OTHER_FEATURES
        same = models.get(BLEND) == self.blend
        return None if same or (BLEND in models) == self.calibrated else OTHER_CALIBRATION


@dataclass(frozen=True, slots=True)
class PagesRead:
    """How many pages of a feed there were, how many can be learned from, and how many of the others why not."""

    pages: int
    taken: int
    left_out: Mapping[str, int]

    @property
    def sentence(self) -> str:
        """The same in words."""
        others = [f"{count:,} {why}" for why, count in sorted(self.left_out.items(), key=lambda each: -each[1])]
        told = f"{self.taken:,} of {self.pages:,} pages shown can be learned from"
        return f"{told}; left out: {', '.join(others)}" if others else told


@dataclass(frozen=True, slots=True, eq=False)
class RankingRows(RequestLists):
    """The lists that a feed showed, and what is needed to judge by them.

    By request (requests,): the `users`, `NOBODY` where it is not known, the `times` of the first pages, `pages`,
    how many each list had, and `served_by`, the feed that answered and its ranker. By row (rows,), as in `data`:
    permanent numbers of `items`, rising within a request, their `places` in the list, from 0, the `propensities`
    with which chance put them there, and the scores as `served`.
    """

    BY_REQUEST = ("users", "times", "pages", "served_by")
    BY_ROW = ("items", "places", "propensities", "served")

    users: Numbers
    times: Times
    pages: Numbers
    served_by: Sequence[str]
    items: Numbers
    places: Numbers
    propensities: Floats
    served: Floats
    read: PagesRead

    @property
    def with_choice(self) -> Mask:
        """(requests,) whether anything was chosen."""
        return chosen_in(self.data)


async def read_ranking_rows(
    store: Store,
    recipe: Recipe,
    feed: str,
    columns: FeedColumns | None,
    *,
    seed: int = 0,
    progress: Progress | None = None,
) -> RankingRows:
    """The latest of what a feed showed, as far as it was looked at, with the features of these columns.

    Without `columns` it is what was written without features, such as imported logs: `data` has none, and is to
    get them by a replay. Pages of one request are one list, unless it begins anew. Memory is taken by
    `max_learned_items` rows at most, and by the events of their time.
    """
    most = recipe.impressions.max_learned_items
    extent, count = await extent_of_latest(store, recipe.app, feed, most)
    reading = _Reading(recipe, feed, columns, RowBuffer.of(count, len(columns.names) if columns else 0))
    if extent.pages:
        followed = await find_followed(store, recipe, extent.first, extent.last + 1, progress)
        async for shown in stream_shown_items(store, recipe, followed):
            reading.add(shown)
    return reading.rows(seed)


class _Reading:
    """Takes in pages as they are streamed; what it keeps of a page is its rows."""

    def __init__(self, recipe: Recipe, feed: str, columns: FeedColumns | None, buffer: RowBuffer) -> None:
        self._recipe, self._feed, self._columns, self._buffer = recipe, feed, columns, buffer
        self._lists: dict[tuple[str, str, int], int] = {}
        self._starts: list[int] = []
        self._users: list[int] = []
        self._times: list[int] = []
        self._pages: list[int] = []
        self._served_by: list[str] = []
        self._count = self._taken = 0
        self._left_out: dict[str, int] = {}
        self._misfits: dict[tuple[tuple[str, ...], str | None], str | None] = {}

    def add(self, shown: ShownItems) -> None:
        """Take the rows of some pages that can be learned from."""
        present, first, sizes = np.unique(shown.pages, return_index=True, return_counts=True)
        list_of = np.full(len(shown.feeds), -1, np.int32)
        looked_at = np.bincount(shown.pages[shown.examined], minlength=len(shown.feeds)) > 0
        for page, row, _ in zip(present.tolist(), first.tolist(), sizes.tolist(), strict=True):
            served_by = shown.served_by[page]
            if self._feed not in (shown.feeds[page], served_by.partition("/")[0]):
                continue
            self._count += 1
            why_not = self._why_not(shown, page) or (None if looked_at[page] else NOT_LOOKED_AT)
            if why_not is None:
                list_of[page] = self._list_of(shown, page, int(shown.places[row]))
            else:
                self._left_out[why_not] = self._left_out.get(why_not, 0) + 1
        rows = np.flatnonzero((list_of[shown.pages] >= 0) & shown.examined)
        self._buffer.add(shown, rows, list_of[shown.pages[rows]], self._features(shown, rows))

    def rows(self, seed: int) -> RankingRows:
        """All that was taken in, list by list."""
        self._lists.clear()  # of a million requests a quarter of a gigabyte, and no page comes any more
        few = np.array(self._pages, np.int32) <= MOST_PAGES
        buffer = self._buffer.grouped(few)
        if not few.all():
            too_many = sum(pages for pages in self._pages if pages > MOST_PAGES)
            self._left_out[TOO_MANY], self._taken = too_many, self._taken - too_many
        kept = np.unique(buffer.lists)
        types = self._recipe.event_types
        outcomes = np.zeros((len(buffer.lists), len(types)), np.bool_)
        outcomes[:, [types.index(name) for name in self._buffer.event_types]] = buffer.outcomes
        data = RankingData(
            feature_names=self._columns.names if self._columns else (),
            features=buffer.features,
            starts=np.append(np.searchsorted(buffer.lists, kept), len(buffer.lists)).astype(np.int64),
            event_types=types,
            outcomes=outcomes,
            chosen=np.logical_or.reduce(outcomes[:, list(self._recipe.goal_types)], axis=1),
            weights=np.ones(len(buffer.lists), np.float32),
            items=buffer.items,
            calibrated=self._columns is not None and self._columns.calibrated,
            seed=seed,
        )
        return RankingRows(
            data,
            np.array(self._users, np.int32)[kept],
            np.array(self._times, np.int64)[kept],
            np.array(self._pages, np.int32)[kept],
            [self._served_by[number] for number in kept.tolist()],
            buffer.items,
            buffer.places,
            buffer.propensities,
            buffer.served,
            PagesRead(self._count, self._taken, dict(self._left_out)),
        )

    def _why_not(self, shown: ShownItems, page: int) -> str | None:
        served_by, names = shown.served_by[page], shown.page_features[page]
        if shown.reused[page]:
            return SHOWN_AGAIN
        if not served_by:
            return NOT_KNOWN
        if served_by != IMPORTED and served_by.partition("/")[0] != self._feed:
            return OTHER_FEED
        if self._columns is None:
            return WITH_FEATURES if names else None
        key = names, shown.models[page].get(BLEND)
        if key not in self._misfits:
            self._misfits[key] = self._columns.misfit(names, shown.models[page])
        return self._misfits[key]

    def _list_of(self, shown: ShownItems, page: int, start: int) -> int:
        """The list that a page goes on with, or a new one: also where its request begins anew."""
        self._taken += 1
        request = shown.request_ids[page], shown.feeds[page], int(shown.users[page])
        found = self._lists.get(request)
        if found is not None and start > self._starts[found]:
            self._starts[found] = start
            self._pages[found] += 1
            return found
        self._starts.append(start)
        self._users.append(request[2])
        self._times.append(int(shown.times[page]))
        self._pages.append(1)
        self._served_by.append(shown.served_by[page])
        self._lists[request] = len(self._starts) - 1
        return self._lists[request]

    def _features(self, shown: ShownItems, rows: npt.NDArray[np.intp]) -> Floats:
        names = () if self._columns is None else self._columns.names
        known = [shown.feature_names.index(name) for name in names if name in shown.feature_names]
        if not len(rows):
            return np.empty((0, len(names)), np.float32)
        return shown.features.take(rows, axis=0).take(known, axis=1)
