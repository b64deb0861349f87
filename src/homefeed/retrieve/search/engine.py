"""The search over an app's items that all of its parts share: understands texts and finds items."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated, Final

import numpy as np
from pydantic import Field

from homefeed.catalog import Partitions, Resources
from homefeed.catalog.view import WORDED
from homefeed.errors import RecipeError
from homefeed.protocols import PartConfig
from homefeed.retrieve.search.index import TextIndex
from homefeed.retrieve.search.reading import Reading
from homefeed.retrieve.search.scoring import Found, find
from homefeed.retrieve.search.synonyms import NO_SYNONYMS, Synonyms, parse_synonyms, table_text
from homefeed.retrieve.search.understanding import Alternative, Concept, understood
from homefeed.types import Positions, Query

LONGEST: Final = 1_000
"""Characters: what follows in a longer text is ignored."""

_KEPT_TEXTS: Final = 10_000
_KEPT_RESULTS: Final = 32


class SearchConfig(PartConfig):
    """Base of the `Config` of parts that search: what is searched, and how."""

    fields: Annotated[dict[str, Annotated[float, Field(gt=0, allow_inf_nan=False)]], Field(min_length=1)]
    """By field of kind text, category or tags that is searched, its weight."""
    synonyms: str | None = None
    """A table of synonyms that comes with Homefeed (`shop`), or the path of a .txt file; none: no synonyms."""
    min_match: Annotated[float, Field(ge=0, le=1)] = 0.5
    """The share of the query, by rarity of its words, that an item has to have."""
    coverage: Annotated[float, Field(ge=0, le=4)] = 1.0
    """How much more an item counts that has more of the query; with 0 it does not."""
    proximity: Annotated[float, Field(ge=0, le=4)] = 0.25
    """How much more an item counts that has words of the query one after the other; with 0 it does not."""
    head: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """How much more an item counts whose title names what is searched ("Laptop, 8 GB"), and how much less one that
    is for it ("Bag for Laptop"); with 0 it does not matter. Titles, fields of kind text, are read as English."""


class SearchEngine:
    """Finds items by a text. The concepts and results of texts are kept until the words of items change."""

    def __init__(
        self, config: SearchConfig, index: TextIndex, synonyms: Synonyms, partitions: Partitions | None = None
    ) -> None:
        self._config, self._index, self._synonyms = config, index, synonyms
        self._partitions = partitions or Partitions()
        self._kept = _Kept(index.reading, synonyms, config)

    @property
    def reading(self) -> Reading:
        """The words of items now; of another generation once they have changed."""
        return self._index.reading

    def refresh(self) -> None:
        """Take over the items that came or changed."""
        self._index.refresh()

    def partition(self, query: Query) -> str | None:
        """The partition of who asks: None where they may know of no item."""
        return self._partitions.of_user(query.user)

    def understand(self, text: str, partition: str | None = "") -> tuple[Concept, ...]:
        """The concepts of a text, to those of a partition."""
        return self._now().understood(text[:LONGEST], partition)

    def find(self, text: str, partition: str | None = "") -> Found:
        """The score for a text of every item of a partition that the index knows; the catalogue may have more."""
        return self._now().found(text[:LONGEST], partition)

    def matches(self, found: Found, positions: Positions, partition: str | None = "") -> Sequence[str]:
        """What of the query each item has, in words: `running shoes`, or `sofa (as couch)`; empty for none."""
        row_of = np.full(found.scores.size, -1, np.int32)
        known = np.flatnonzero(positions < found.scores.size)
        row_of[positions[known]] = known
        used = np.full((len(positions), len(found.concepts)), -1, np.int32)
        for concept, place, items in found.uses:
            rows = row_of[items]
            rows = rows[rows >= 0]
            rows = rows[used[rows, concept] < 0]
            used[rows, concept] = place
        reading = self.reading.within(partition)
        rows_used = list(map(tuple, used.tolist()))
        texts = {row: _matched(found.concepts, row, reading) for row in set(rows_used)}
        return [texts[row] for row in rows_used]

    def _now(self) -> _Kept:
        kept, reading = self._kept, self.reading
        if kept.reading is not reading:
            kept = self._kept = _Kept(reading, self._synonyms, self._config)
        return kept


class _Kept:
    """The concepts and results of texts as of one reading of the index."""

    def __init__(self, reading: Reading, synonyms: Synonyms, config: SearchConfig) -> None:
        understand = lru_cache(_KEPT_TEXTS)(lambda text, own: understood(text, reading.within(own), synonyms))
        how = config.min_match, config.coverage, config.proximity, config.head
        self.reading, self.understood = reading, understand
        self.found = lru_cache(_KEPT_RESULTS)(
            lambda text, own: find(understand(text, own), reading.within(own), *how)
        )


def _matched(concepts: Sequence[Concept], used: Sequence[int], reading: Reading) -> str:
    said: list[str] = []
    end = -1
    for concept, place in zip(concepts, used, strict=True):
        if place >= 0:
            named = _named(concept, concept.alternatives[place], reading)
            # What overlaps with the last one is the same run of letters: the rest of it is added.
            if said and concept.start < end:
                said[-1] += named[end - concept.start :]
            else:
                said.append(named)
            end = concept.end
    return " ".join(said)


def _named(concept: Concept, used: Alternative, reading: Reading) -> str:
    """What was typed, and what an item calls it if that is something else."""
    if used.share < 1:
        return used.typed
    words_of_items = " ".join(map(reading.shown, used.phrase))
    if used.phrase == concept.phrase or used.together or words_of_items == concept.typed.lower():
        return concept.typed
    return f"{concept.typed} (as {words_of_items})"


def text_of(query: Query) -> str:
    """The text of a search request, empty for others; of a very long text the beginning."""
    return query.context.get("query", "").strip()[:LONGEST]


def engine_of(config: SearchConfig, resources: Resources) -> SearchEngine:
    """The app's search with these settings: one, shared by all parts that use it.

    Raises:
        RecipeError: a field is not declared, or has no words; the table of synonyms cannot be used.
    """
    catalog = resources.catalog
    for name in config.fields:
        if catalog.fields.get(name) not in WORDED:
            words = ", ".join(field for field, kind in catalog.fields.items() if kind in WORDED)
            raise RecipeError(f'fields: "{name}" is no item field with words; expected some of {words}')
    own = config.synonyms
    text = None if own is None else table_text(own)
    synonyms = NO_SYNONYMS if own is None or text is None else parse_synonyms(text, own)
    settings = SearchConfig(**{name: getattr(config, name) for name in SearchConfig.model_fields})
    index = catalog.derived(("text index", *config.fields.items()), lambda: TextIndex(catalog, config.fields))
    index.refresh()
    return catalog.derived(
        ("search", settings.model_dump_json(), text),
        lambda: SearchEngine(settings, index, synonyms, resources.partitions),
    )
