"""Reasons that tell of what the user did."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from homefeed.catalog import Resources
from homefeed.catalog.columns import CategoryColumn
from homefeed.retrieve.arrays import Doubles
from homefeed.retrieve.contributions import CATEGORY, NOTHING_TO_SAY, OWN, Grounds, grounds_of
from homefeed.retrieve.history import HistoryConfig
from homefeed.taste import Deed, deeds_of
from homefeed.types import NO_HISTORY, Positions, Query

MIN_PEOPLE: Final = 2
"""Fewer than so many are no "people": a reason that tells of them would tell what one of them did."""

_NO_CODES: Final = np.empty(0, np.int32)


class HistorySentences:
    """Finds what of a history speaks most for an item, and says it in the words of a retriever's settings."""

    def __init__(self, config: HistoryConfig, resources: Resources) -> None:
        """Raises RecipeError where `category` is no category field of items."""
        self._config, self._resources, self._catalog = config, resources, resources.catalog
        field = config.category
        self._column = None if field is None else self._catalog.column(field, CategoryColumn)

    def grounds(self, query: Query, positions: Positions, items: Positions, added: Doubles) -> Grounds:
        """What speaks for the item at each position (n,), where items (m,) that can be named `added` (m, n)."""
        codes = _NO_CODES if self._column is None else self._column.codes(self._catalog.size)
        users = self._resources.counters.events
        return grounds_of(added, items, positions, users, codes, own=query.anchor is None)

    def said(self, query: Query, grounds: Grounds, templates: Sequence[str]) -> list[str | None]:
        """A sentence for each position (n,); None where nothing speaks for it.

        Where another item is named it is the template (n,), with its {title} and the {verb} of the user.
        """
        deeds = self._deeds(query, grounds)
        known: dict[tuple[str, int, str], str] = {}
        said: list[str | None] = []
        columns = [column.tolist() for column in (grounds.kinds, grounds.positions, grounds.items)]
        for kind, position, item, template in zip(*columns, templates, strict=True):
            if kind == NOTHING_TO_SAY:
                said.append(None)
                continue
            words, deed, category = template, deeds[item, kind == OWN], ""
            if kind == OWN:
                words = self._config.reason_own if deed.times > 1 else self._config.reason_own_once
            elif kind == CATEGORY:
                words, category = self._config.reason_category, self._category(position)
            key = words, item, category
            if key not in known:
                title = self._catalog.called(item)
                known[key] = words.format(title=title, verb=deed.verb, times=deed.times, category=category)
            said.append(known[key])
        return said

    def _deeds(self, query: Query, grounds: Grounds) -> dict[tuple[int, bool], Deed]:
        """What the user did, by item and whether it is the one that is recommended.

        What was done to that one counts as far back as it is known: the sentence says how often.
        """
        user, is_own = query.user, grounds.kinds == OWN
        recent = NO_HISTORY if query.anchor is not None else user.history
        deeds: dict[tuple[int, bool], Deed] = {}
        for own, history in ((False, recent), (True, user.ever)):
            items = grounds.items[is_own == own]
            if len(items):
                told = deeds_of(history, items, self._resources)
                deeds |= {(item, own): deed for item, deed in zip(items.tolist(), told, strict=True)}
        return deeds

    def _category(self, position: int) -> str:
        terms = () if self._column is None else self._column.terms(position)
        return terms[0] if terms else ""
