"""The very same thing under two ids: of items that say exactly the same only one is shown."""

from __future__ import annotations

from dataclasses import replace
from threading import Lock
from typing import Annotated

import numpy as np
from pydantic import Field

from homefeed.catalog import CatalogView, Resources
from homefeed.catalog.growable import Growable
from homefeed.errors import RecipeError
from homefeed.policy.kernels import first_of_groups
from homefeed.policy.shown import shown_before
from homefeed.protocols import PartConfig
from homefeed.types import NO_POSITIONS, Candidates, Dropped, Mask, Numbers, Positions, Query
from homefeed.words import plain

_NAME = "duplicates"


class Duplicates:
    """As a filter: nothing that says exactly the same as another item that the user met: two files of one film. As
    a reranker: of items that say exactly the same only the best-ranked, and none where an earlier page showed one
    or the request is about one.
    """

    class Config(PartConfig):
        fields: Annotated[tuple[str, ...], Field(min_length=1)]
        """The fields that must all be equal; letter case and white space make no difference. An item without any
        of them has no duplicates."""
        drop: bool = True
        """Whether the reranker leaves the others out; else they come after all that is no duplicate."""

    def __init__(self, config: Config, resources: Resources) -> None:
        """Raises RecipeError where a field is not declared."""
        catalog, fields = resources.catalog, config.fields
        for name in fields:
            if name not in catalog.fields:
                known = ", ".join(catalog.fields)
                raise RecipeError(f'fields: "{name}" is not declared; expected some of {known}')
        self._catalog, self._drop = catalog, config.drop
        self._groups = catalog.derived(("duplicates", *fields), lambda: _Groups(catalog, fields))

    def refresh(self) -> None:
        """Take over the items that came or changed, or else the next request does."""
        self._groups.of_all()

    def filter(self, query: Query) -> Mask:
        """(items,) no duplicate of what the user met."""
        mask = np.ones(self._catalog.size, np.bool_)
        mask[self._met_before(query)] = False
        return mask

    def concerns(self, query: Query) -> bool:
        """Whether there is a duplicate of anything that the user met."""
        return len(self._met_before(query)) > 0

    def why(self, query: Query, position: int) -> str:
        """Of which of the user's items it is a duplicate."""
        items = query.user.ever.items
        same = items[self._groups.of_all()[items] == self._groups.of_all()[position]]
        return f'the same as "{self._catalog.title(int(same[-1]))}", which the user met as another item'

    def _met_before(self, query: Query) -> Positions:
        return query.scope.once(self, "filter.twins", lambda: self._groups.twins(query.user.ever.items))

    def rerank(self, query: Query, candidates: Candidates) -> Candidates:
        """One of each group."""
        groups = self._groups.of_all()
        if not self._groups.has_any:
            return candidates
        own = groups[candidates.positions]
        keep = (first_of_groups(own) == np.arange(len(own))) & ~shown_before(query, own, groups)
        if keep.all():
            return candidates
        if not self._drop:
            return candidates.take(np.concatenate([np.flatnonzero(keep), np.flatnonzero(~keep)]))
        why = "the same as an item that ranks higher, was shown before, is excluded or asked about"
        gone = Dropped(_NAME, candidates.positions[~keep], why)
        return replace(candidates.take(keep), dropped=(*candidates.dropped, gone))


class _Groups:
    """Items of the same value say exactly the same; in step with the catalogue."""

    def __init__(self, catalog: CatalogView, fields: tuple[str, ...]) -> None:
        self._catalog, self._fields = catalog, fields
        self._code_of: dict[tuple[str, ...], int] = {}
        self._codes = Growable(np.int32, -1)
        self._several: dict[int, set[int]] = {}
        self._single = Growable(np.int32, -1)
        self._seen = -1
        self._refreshing = Lock()
        self.of_all()

    def of_all(self) -> Numbers:
        """(items,) the group of each."""
        with self._refreshing:
            now = self._catalog.snapshot
            if now.generation != self._seen:
                for position in now.changed_since(self._seen).tolist():
                    self._move(position, self._code(position))
                self._seen = now.generation
            return self._codes.view

    @property
    def has_any(self) -> bool:
        """Whether any two items say the same."""
        return bool(self._several)

    def twins(self, items: Positions) -> Positions:
        """Those that say the same as one of the items, and are none of them."""
        codes = self.of_all()
        if not self._several or not len(items):
            return NO_POSITIONS
        met = set(items.tolist())
        groups = self._several.keys() & set(codes[items].tolist())
        others = set().union(*(self._several[code] for code in groups)) - met
        return np.fromiter(others, np.int32, len(others))

    def _move(self, position: int, code: int) -> None:
        """Put an item into a group. Few groups have several members, so only theirs are kept as sets."""
        before = int(self._codes.view[position]) if position < len(self._codes) else -1
        self._codes.set(position, code)
        if before == code:
            return
        if before in self._several:
            self._several[before].discard(position)
            if len(self._several[before]) == 1:
                self._single.set(before, self._several.pop(before).pop())
        elif before >= 0:
            self._single.set(before, -1)
        if code in self._several:
            self._several[code].add(position)
        elif code >= 0 and code < len(self._single) and self._single.view[code] >= 0:
            self._several[code] = {int(self._single.view[code]), position}
        elif code >= 0:
            self._single.set(code, position)

    def _code(self, position: int) -> int:
        texts = (" ".join(self._catalog.terms_at(field, position)) for field in self._fields)
        said = tuple(plain(text) for text in texts)
        # Groups of their own have negative codes: those of items that say nothing.
        return self._code_of.setdefault(said, len(self._code_of)) if any(said) else -1 - position
