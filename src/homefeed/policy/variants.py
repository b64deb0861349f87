"""One product in many colours and sizes: of the variants of a product only one is shown."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Self

from pydantic import model_validator

from homefeed.catalog import CatalogView, Resources
from homefeed.catalog.columns import CategoryColumn
from homefeed.catalog.groups import Groups
from homefeed.policy.repeats import Repeats
from homefeed.protocols import PartConfig
from homefeed.types import Candidates, Positions, Query
from homefeed.words import base_title


class Variants:
    """Of the variants of a product only the best-ranked, and none where an earlier page showed one or the request
    is about one. Part of every feed, before its other rerankers, where the recipe names `items.group`, unless it
    leaves it out.
    """

    class Config(PartConfig):
        group: str | None = None
        """The category field of items that holds the id of the parent product, which may be an item itself; by
        default `items.group`."""
        titles: bool = False
        """Whether items without a parent are variants if their titles differ in size, colour and number only."""
        drop: bool = True
        """Whether the others are left out; else they come last."""

        @model_validator(mode="after")
        def _has_something_to_go_by(self) -> Self:
            if self.group is None and not self.titles:
                raise ValueError("expected group, or items.group of the recipe, or titles = true")
            return self

    def __init__(self, config: Config, resources: Resources) -> None:
        """Raises RecipeError where items have no such category field."""
        catalog, group = resources.catalog, config.group
        column = None if group is None else catalog.column(group, CategoryColumn)
        keys = _Keys(catalog, column, titles=config.titles)
        self._groups = catalog.derived(("variants", group, config.titles), lambda: Groups(catalog, keys))
        self._repeats = Repeats("variants", "a variant of", catalog)
        self._drop = config.drop

    def refresh(self) -> None:
        """Take over the items that came or changed, or else the next request does."""
        self._groups.of_all()

    def rerank(self, query: Query, candidates: Candidates) -> Candidates:
        """One of each product."""
        return self._repeats.one_of_each(query, candidates, self._groups, drop=self._drop)


class _Keys:
    """What variants have in common: the id of their parent, as a tuple, or else the rest of their titles."""

    def __init__(self, catalog: CatalogView, parents: CategoryColumn | None, *, titles: bool) -> None:
        self._catalog, self._parents, self._titles = catalog, parents, titles

    def __call__(self, positions: Positions) -> Iterator[tuple[int, Hashable | None]]:
        for position in positions.tolist():
            yield position, self._key(position)
            parent = self._parent(position)
            # The first variant that names an item makes that a parent, whose title counts no more.
            at = self._catalog.position(parent) if parent else None
            if at is not None and at != position:
                yield at, self._key(at)

    def _parent(self, position: int) -> str:
        return self._parents.spelled(position) if self._parents else ""

    def _key(self, position: int) -> Hashable | None:
        item_id = self._catalog.item_id(position)
        if parent := self._parent(position):
            return (parent,)
        if self._parents and self._parents.has(item_id):
            return (item_id,)
        title = self._catalog.title(position)
        return base_title(title) or None if self._titles and title != item_id else None
