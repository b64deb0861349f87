"""What the user looked for of late: items that match their searches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Final

import numpy as np
from pydantic import Field

from homefeed.catalog import Resources
from homefeed.kernels import BOOL, F32, I32, I64, U64, kernel, reads, writes
from homefeed.retrieve.arrays import SLOTS, Rows, Starts, is_marked, marked
from homefeed.retrieve.keeping import kept
from homefeed.retrieve.search.engine import SearchConfig, engine_of
from homefeed.retrieve.search.prices import priced
from homefeed.retrieve.selection import Keys, best_of, key_of, top_k
from homefeed.types import DAY, NO_POSITIONS, Floats, Mask, Positions, Query, Scores
from homefeed.words import plain

_KEPT: Final = 2_000


@dataclass(frozen=True, slots=True)
class _Matches:
    """The items that match some searches, and how well, as columns.

    Those of search s, whose text is `texts[s]` and whose weight `weights[s]`, from `starts[s]` to `starts[s + 1]`.
    """

    texts: tuple[str, ...]
    weights: Floats
    starts: Starts
    items: Positions
    scores: Scores


class Searched:
    """What matches the user's latest searches.

    An item's score is the sum over the searches of how well it matches, the best of each being 1. A search made
    again counts once, as the later one. Its best items are kept for all users who search so.
    """

    class Config(SearchConfig):
        max_searches: Annotated[int, Field(ge=1, le=100)] = 10
        """How many of the user's latest searches count."""
        max_matches: Annotated[int, Field(ge=1, le=10_000)] = 500
        """How many items of each search count: the best."""
        half_life_days: Annotated[float, Field(gt=0)] = 7.0
        """A search's weight halves for every so many days between it and the latest one."""
        reason: str = 'Because you searched for "{query}"'
        """The reason; {query} is the search that added most."""

    def __init__(self, config: Config, resources: Resources) -> None:
        """Raises RecipeError where the fields or the table of synonyms cannot be used."""
        self._config = config
        self._engine = engine_of(config, resources)
        self._catalog = resources.catalog
        self._best = kept(_KEPT, self._best_of)

    def refresh(self) -> None:
        """Take over the items that came or changed."""
        self._engine.refresh()

    def retrieve(self, query: Query, k: int) -> tuple[Positions, Scores]:
        """The k eligible items that match the user's searches best."""
        found = self._matches(query)
        slots = SLOTS.take(len(query.eligible))
        keys = _summed(found.items, found.scores, found.starts, found.weights, query.eligible, slots)
        SLOTS.give(slots)
        return best_of(keys, NO_POSITIONS, k)

    def reasons(self, query: Query, positions: Positions) -> Sequence[str | None]:
        """Name the search that added most to each."""
        found = self._matches(query)
        searches = _strongest(found.items, found.scores, found.starts, found.weights, positions).tolist()
        return [
            self._config.reason.format(query=found.texts[search]) if search >= 0 else None for search in searches
        ]

    def _matches(self, query: Query) -> _Matches:
        return query.scope.once(self, "retrieve.searches", partial(self._look_up, query))

    def _look_up(self, query: Query) -> _Matches:
        latest, generation = list(self._latest(query)), self._engine.reading.generation
        partition = self._engine.partition(query)
        found = [self._best(text, partition, generation) for text, _ in latest]
        starts = np.cumsum([0, *(len(items) for items, _ in found)])
        items = np.concatenate([NO_POSITIONS, *(items for items, _ in found)])
        scores = np.concatenate([np.empty(0, np.float32), *(scores for _, scores in found)])
        weights = np.array([weight for _, weight in latest], np.float32)
        return _Matches(tuple(text for text, _ in latest), weights, starts, items, scores)

    def _latest(self, query: Query) -> Iterator[tuple[str, float]]:
        """The latest distinct searches, newest first, and what each counts. A similar feed is about none."""
        searches = query.user.searches
        if query.anchor is not None or not len(searches):
            return
        # A search with a time to come must not age all others away.
        newest = min(int(searches.times[-1]), query.now)
        half_life = self._config.half_life_days * DAY
        distinct: set[str] = set()
        for text, time in zip(reversed(searches.texts), searches.times[::-1].tolist(), strict=True):
            same = plain(text)
            if same in distinct:
                continue
            yield text, 0.5 ** (max(newest - time, 0) / half_life)
            distinct.add(same)
            if len(distinct) == self._config.max_searches:
                return

    def _best_of(self, text: str, partition: str | None, _generation: int) -> tuple[Positions, Scores]:
        found = priced(text)
        scores = self._engine.find(text if found is None else found.text, partition).scores
        best = top_k(scores, self._config.max_matches)
        gains = scores[best] / scores[best[0]] if len(best) else scores[best]
        return best.astype(np.int32), gains


_MATCHES: Final = (reads(I32), reads(F32), reads(I64), reads(F32))


@kernel(writes(U64), *_MATCHES, reads(BOOL), writes(I32))
def _summed(
    items: Positions, scores: Scores, starts: Starts, weights: Floats, eligible: Mask, slots: Rows
) -> Keys:
    """Keys of the sums of what the searches add to each eligible item. `slots` are zeros, and are so again."""
    reached, sums, count = np.empty(len(items) + 1, np.int32), np.zeros(len(items) + 1), 0
    for search in range(len(weights)):
        for entry in range(starts[search], starts[search + 1]):
            item = items[entry]
            if eligible[item]:
                if slots[item] == 0:
                    count += 1
                    slots[item], reached[count] = count, item
                sums[slots[item]] += np.float32(scores[entry] * weights[search])
    short = sums[: count + 1].astype(np.float32)
    bits, keys, found = short.view(np.int32), np.empty(count, np.uint64), 0
    for slot in range(1, count + 1):
        slots[reached[slot]] = 0
        if short[slot] > 0:
            keys[found] = key_of(bits[slot], reached[slot])
            found += 1
    return keys[:found]


@kernel(writes(I32), *_MATCHES, reads(I32))
def _strongest(items: Positions, scores: Scores, starts: Starts, weights: Floats, wanted: Positions) -> Rows:
    """(n,) the search that adds most to each wanted item, the first of equals; -1 where none does."""
    found, highest = np.full(len(wanted), -1, np.int32), np.zeros(len(wanted), np.float32)
    is_wanted = marked(wanted)
    for search in range(len(weights)):
        for entry in range(starts[search], starts[search + 1]):
            if is_marked(items[entry], is_wanted):
                added = np.float32(scores[entry] * weights[search])
                for place in range(len(wanted)):
                    if wanted[place] == items[entry] and added > highest[place]:
                        found[place], highest[place] = search, added
    return found
