"""One product in many colours and sizes: of the variants of a product only one is shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator
from typing import Self, TypeAlias

from pydantic import model_validator

from homefeed.catalog import CatalogView, Partitions, Resources
from homefeed.catalog.columns import CategoryColumn
from homefeed.catalog.groups import Groups
from homefeed.policy.repeats import Repeats
from homefeed.protocols import PartConfig
from homefeed.types import Candidates, Positions, Query
from homefeed.words import base_title

_Parent: TypeAlias = tuple[str | None, str]
"""The partition and the id of a product: one of another partition is another."""


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
        keys = _Keys(catalog, column, resources.partitions, titles=config.titles)
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
    """What variants have in common: the id of their parent and its partition, or else the rest of their titles."""

    def __init__(
        self, catalog: CatalogView, parents: CategoryColumn | None, partitions: Partitions, *, titles: bool
    ) -> None:
        self._catalog, self._parents, self._partitions, self._titles = catalog, parents, partitions, titles
        self._told: dict[int, _Parent] = {}
        self._variants: Counter[_Parent] = Counter()

    def __call__(self, positions: Positions) -> Iterator[tuple[int, Hashable | None]]:
        for position in positions.tolist():
            before, now = self._told.get(position), self._parent(position)
            self._tell(position, before, now)
            yield position, self._key(position)
            # The first variant of an item makes that a parent, whose title counts no more; the last one ends it.
            for parent in () if before == now else (before, now):
                at = None if parent is None else self._catalog.position(parent[1])
                if at is not None and at != position:
                    yield at, self._key(at)

    def _tell(self, position: int, before: _Parent | None, now: _Parent | None) -> None:
        if before is not None:
            self._variants[before] -= 1
            del self._told[position]
        if now is not None:
            self._variants[now] += 1
            self._told[position] = now

    def _parent(self, position: int) -> _Parent | None:
        """The parent that an item names, while it can be shown."""
        if self._parents is None or not self._catalog.available[position]:
            return None
        named = self._parents.spelled(position)
        return (self._partitions.of_item(position), named) if named else None

    def _key(self, position: int) -> Hashable | None:
        item_id = self._catalog.item_id(position)
        if (parent := self._told.get(position)) is not None:
            return parent
        own = self._partitions.of_item(position), item_id
        if self._variants[own] > 0:
            return own
        title = self._catalog.title(position)
        return base_title(title) or None if self._titles and title != item_id else None
