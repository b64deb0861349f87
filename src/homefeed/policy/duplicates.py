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
from homefeed.types import Candidates, Dropped, Numbers, Query
from homefeed.words import plain

_NAME = "duplicates"


class Duplicates:
    """Keeps only the best-ranked of items that say exactly the same, and none where an earlier page showed one
    or the request is about one.
    """

    class Config(PartConfig):
        fields: Annotated[tuple[str, ...], Field(min_length=1)]
        """The fields that must all be equal; letter case and white space make no difference. An item without any
        of them has no duplicates."""

    def __init__(self, config: Config, resources: Resources) -> None:
        """Raises RecipeError where a field is not declared."""
        catalog, fields = resources.catalog, config.fields
        for name in fields:
            if name not in catalog.fields:
                known = ", ".join(catalog.fields)
                raise RecipeError(f'fields: "{name}" is not declared; expected some of {known}')
        self._catalog = catalog
        self._groups = catalog.derived(("duplicates", *fields), lambda: _Groups(catalog, fields))

    def refresh(self) -> None:
        """Take over the items that came or changed, or else the next request does."""
        self._groups.of_all()

    def rerank(self, query: Query, candidates: Candidates) -> Candidates:
        """One of each group."""
        groups = self._groups.of_all()
        own = groups[candidates.positions]
        keep = (first_of_groups(own) == np.arange(len(own))) & ~shown_before(query, own, groups)
        if keep.all():
            return candidates
        why = "the same as an item that ranks higher, was shown before, is excluded or asked about"
        gone = Dropped(_NAME, candidates.positions[~keep], why)
        return replace(candidates.take(keep), dropped=(*candidates.dropped, gone))


class _Groups:
    """Items of the same value say exactly the same; in step with the catalogue."""

    def __init__(self, catalog: CatalogView, fields: tuple[str, ...]) -> None:
        self._catalog, self._fields = catalog, fields
        self._code_of: dict[tuple[str, ...], int] = {}
        self._codes = Growable(np.int32, -1)
        self._seen = -1
        self._refreshing = Lock()
        self.of_all()

    def of_all(self) -> Numbers:
        """(items,) the group of each."""
        with self._refreshing:
            now = self._catalog.snapshot
            if now.generation != self._seen:
                for position in now.changed_since(self._seen).tolist():
                    self._codes.set(position, self._code(position))
                self._seen = now.generation
            return self._codes.view

    def _code(self, position: int) -> int:
        texts = (" ".join(self._catalog.terms_at(field, position)) for field in self._fields)
        said = tuple(plain(text) for text in texts)
        # Groups of their own have negative codes: those of items that say nothing.
        return self._code_of.setdefault(said, len(self._code_of)) if any(said) else -1 - position
