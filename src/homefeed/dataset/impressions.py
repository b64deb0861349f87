"""The impressions as a data set: a row for each item shown, with what followed, some pages at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from homefeed.dataset.attribution import PAGE, SHOWINGS
from homefeed.dataset.followed import REQUEST, Followed, hashed
from homefeed.recipe import Recipe
from homefeed.recipe.declaration import Impressions
from homefeed.store import Store
from homefeed.store.impressions import Impression, stream_impressions
from homefeed.store.shown import NOBODY, first_starts
from homefeed.types import Floats, Mask, Numbers, Times


@dataclass(frozen=True, slots=True, eq=False)
class ShownItems:
    """Items as shown, with what followed: some columns by page, the others by item (n,).

    `page_features` name the features that each page was written with, in the order of its ranker.
    `pages` (n,) says which page an item is of, `places` (n,) where it stood in the whole list, from 0. `users`
    hold `NOBODY` where it is not known. `features` (n, feature_names) are NaN where a page has none of a name.
    `counts` and `seconds` (n, event_types) say how many events followed, and how long after the showing the first:
    NaN without any. `examined` is whether the user is taken to have looked at the place. `reused` pages had been
    shown a moment before: what followed is with the page of then.
    """

    request_ids: Sequence[str]
    feeds: Sequence[str]
    served_by: Sequence[str]
    variants: Sequence[str]
    models: Sequence[Mapping[str, str]]
    times: Times
    users: Numbers
    reused: Mask
    page_features: Sequence[tuple[str, ...]]
    pages: Numbers
    places: Numbers
    items: Numbers
    scores: Floats
    propensities: Floats
    feature_names: tuple[str, ...]
    features: Floats
    event_types: tuple[str, ...]
    counts: Numbers
    seconds: Floats
    examined: Mask

    def __len__(self) -> int:
        return len(self.items)

    def first(self, n: int) -> ShownItems:
        """The first `n` items."""
        by_item = (
            "pages",
            "places",
            "items",
            "scores",
            "propensities",
            "features",
            "counts",
            "seconds",
            "examined",
        )
        return replace(self, **{name: getattr(self, name)[:n] for name in by_item})


async def stream_shown_items(store: Store, recipe: Recipe, followed: Followed) -> AsyncIterator[ShownItems]:
    """The items shown in the period, in the order of their pages' times, those of up to 1,000 pages at a time."""
    async for pages in stream_impressions(store, recipe.app, followed.since, followed.until):
        frame = _frame_of(pages)
        last = _last_places(frame, followed)
        # Where a request has more than a page, and no event, only the first counts as looked at.
        doubtful = {
            pages[page].request_id for page in np.flatnonzero((last < 0) & (frame["start"].to_numpy() > 0))
        }
        firsts = await first_starts(store, recipe.app, doubtful) if doubtful else {}
        is_first = np.array([page.start <= firsts.get(_request(page), page.start) for page in pages])
        yield _shown_items(pages, frame, followed, recipe.impressions, last, is_first)


def _shown_items(
    pages: Sequence[Impression],
    frame: pl.DataFrame,
    followed: Followed,
    settings: Impressions,
    last: Numbers,
    is_first: Mask,
) -> ShownItems:
    sizes = np.array([len(page.items) for page in pages])
    page = np.repeat(np.arange(len(pages), dtype=np.int32), sizes)
    first = np.cumsum(sizes) - sizes
    places = (np.arange(len(page)) - first[page] + frame["start"].to_numpy()[page]).astype(np.int32)
    counts, seconds = _events_of(frame, followed, first, len(page))
    if settings.examined == "all":
        examined = np.ones(len(page), np.bool_)
    else:
        examined = np.where(last[page] < 0, is_first[page], places <= last[page] + settings.margin)
    return ShownItems(
        request_ids=[page.request_id for page in pages],
        feeds=[page.feed for page in pages],
        served_by=[page.served_by for page in pages],
        variants=[page.variant for page in pages],
        models=[page.models for page in pages],
        times=frame["time"].to_numpy(),
        users=frame["owner"].to_numpy(),
        reused=np.array([page.reused for page in pages], np.bool_),
        page_features=[page.feature_names for page in pages],
        pages=page,
        places=places,
        items=np.concatenate([page.items for page in pages]),
        scores=np.concatenate([page.scores for page in pages]),
        propensities=np.concatenate([page.propensities for page in pages]),
        feature_names=followed.feature_names,
        features=_features_of(pages, followed.feature_names, first, len(page)),
        event_types=followed.event_types,
        counts=counts,
        seconds=seconds,
        examined=examined,
    )


def _frame_of(pages: Sequence[Impression]) -> pl.DataFrame:
    """What tells the pages apart, and whose they are."""
    rows = [(page.time, page.request_id, page.feed, page.start, _request(page)[2]) for page in pages]
    return pl.DataFrame(rows, schema={name: SHOWINGS[name] for name in (*PAGE, "owner")}, orient="row")


def _request(page: Impression) -> tuple[str, str, int]:
    return page.request_id, page.feed, NOBODY if page.user is None else page.user


def _last_places(frame: pl.DataFrame, followed: Followed) -> Numbers:
    """(pages,) the last place of the page's request that an event followed, -1 without any."""
    if not len(followed.requests):
        return np.full(len(frame), -1, np.int32)
    hashes = hashed(frame.select(REQUEST))
    found = np.searchsorted(followed.requests, hashes).clip(max=len(followed.requests) - 1)
    return np.where(followed.requests[found] == hashes, followed.last[found], -1).astype(np.int32)


def _events_of(frame: pl.DataFrame, followed: Followed, first: np.ndarray, size: int) -> tuple[Numbers, Floats]:
    """(size, event_types) how many events followed each item, and how soon."""
    counts = np.zeros((size, len(followed.event_types)), np.int32)
    seconds = np.full(counts.shape, np.nan, np.float32)
    times = followed.events["time"]
    start = times.search_sorted(frame["time"][0], side="left")
    stop = times.search_sorted(frame["time"][-1], side="right")
    there = followed.events[start:stop].join(frame.with_columns(first=first), on=list(PAGE), how="inner")
    at = there["first"].to_numpy() + there["row"].to_numpy(), there["type"].to_numpy()
    counts[at] = there["count"].to_numpy()
    seconds[at] = there["seconds"].to_numpy()
    return counts, seconds


def _features_of(pages: Sequence[Impression], names: tuple[str, ...], first: np.ndarray, size: int) -> Floats:
    """(size, names) the features, page after page."""
    features = np.full((size, len(names)), np.nan, np.float32)
    columns = {name: column for column, name in enumerate(names)}
    alike: dict[tuple[str, ...], list[int]] = {}
    for number, page in enumerate(pages):
        alike.setdefault(page.feature_names, []).append(number)
    for listed, numbers in alike.items():
        rows = np.concatenate([first[number] + np.arange(len(pages[number].items)) for number in numbers])
        if listed == names and len(numbers) == len(pages):
            return np.concatenate([page.features for page in pages])
        known = [place for place, name in enumerate(listed) if name in columns]
        into = [columns[listed[place]] for place in known]
        features[rows[:, None], into] = np.concatenate([pages[number].features for number in numbers])[:, known]
    return features
