"""What the user looked for of late: items that match their searches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Annotated, Final

import numpy as np
from pydantic import Field

from homefeed.catalog import Resources
from homefeed.retrieve.search.engine import SearchConfig, engine_of
from homefeed.retrieve.selection import top_k
from homefeed.types import DAY, NO_POSITIONS, Positions, Query, Scores

_KEPT: Final = 2_000


@dataclass(frozen=True, slots=True)
class _Gains:
    """What every search adds to which item, as columns; `texts` are the searches, by their numbers."""

    texts: tuple[str, ...]
    searches: np.ndarray[tuple[int], np.dtype[np.int32]]
    items: Positions
    gains: Scores


class Searched:
    """What matches the user's latest searches.

    An item's score is the sum over the searches of how well it matches, the best of each being 1. A search made
    again counts once, as the later one. Its best items are kept for all users: whoever searches so next gets them.
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
        self._best = lru_cache(_KEPT)(self._best_of)

    def refresh(self) -> None:
        """Take over the items that came or changed."""
        self._engine.refresh()

    def retrieve(self, query: Query, k: int) -> tuple[Positions, Scores]:
        """The k eligible items that match the user's searches best."""
        found = self._gains(query)
        if not len(found.items):
            return NO_POSITIONS, np.empty(0, np.float32)
        items, which = np.unique(found.items, return_inverse=True)
        scores = np.bincount(which, found.gains, len(items)).astype(np.float32)
        # Searches may find items that are newer than the request.
        known = items < len(query.eligible)
        items, scores = items[known], scores[known] * query.eligible[items[known]]
        best = top_k(scores, k)
        return items[best].astype(np.int32), scores[best]

    def reasons(self, query: Query, positions: Positions) -> Sequence[str | None]:
        """Name the search that added most to each."""
        found = self._gains(query)
        row_of = np.full(self._catalog.size, -1, np.int32)
        row_of[positions] = np.arange(len(positions))
        rows = row_of[found.items]
        added = np.zeros((len(positions), max(len(found.texts), 1)), np.float32)
        asked = rows >= 0
        np.maximum.at(added, (rows[asked], found.searches[asked]), found.gains[asked])
        best = added.argmax(axis=1)
        matching = added[np.arange(len(positions)), best] > 0
        return [
            self._config.reason.format(query=found.texts[search]) if matches else None
            for search, matches in zip(best.tolist(), matching.tolist(), strict=True)
        ]

    def _gains(self, query: Query) -> _Gains:
        return query.scope.once(self, "retrieve.searches", partial(self._look_up, query))

    def _look_up(self, query: Query) -> _Gains:
        texts, searches, items, gains = [], [], [NO_POSITIONS], [np.empty(0, np.float32)]
        for number, (text, weight) in enumerate(self._latest(query)):
            found, scores = self._best(text, self._engine.reading.generation)
            texts.append(text)
            items.append(found)
            gains.append(scores * np.float32(weight))
            searches.append(np.full(len(found), number, np.int32))
        whole = np.concatenate([np.empty(0, np.int32), *searches])
        return _Gains(tuple(texts), whole, np.concatenate(items), np.concatenate(gains))

    def _latest(self, query: Query) -> Iterator[tuple[str, float]]:
        """The latest distinct searches, newest first, and what each counts. A similar feed is about none."""
        searches = query.user.searches
        if query.anchor is not None or not len(searches):
            return
        # A search told with a time to come must not age all others away.
        newest = min(int(searches.times[-1]), query.now)
        half_life = self._config.half_life_days * DAY
        distinct: set[str] = set()
        for text, time in zip(reversed(searches.texts), searches.times[::-1].tolist(), strict=True):
            said = " ".join(text.casefold().split())
            if said in distinct:
                continue
            yield text, 0.5 ** (max(newest - time, 0) / half_life)
            distinct.add(said)
            if len(distinct) == self._config.max_searches:
                return

    def _best_of(self, text: str, _generation: int) -> tuple[Positions, Scores]:
        scores = self._engine.find(text).scores
        best = top_k(scores, self._config.max_matches)
        gains = scores[best] / scores[best[0]] if len(best) else scores[best]
        return best.astype(np.int32), gains
