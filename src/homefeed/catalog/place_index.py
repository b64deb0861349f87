"""Where the items of a catalogue are, to search: in step with the catalogue, without building anything for it."""

from __future__ import annotations

from typing import Final, NamedTuple, Self

import numpy as np

from homefeed.catalog.locations import LocationColumn
from homefeed.catalog.nearest import nearest, within
from homefeed.catalog.snapshot import CatalogSnapshot
from homefeed.catalog.sphere_tree import SphereTree
from homefeed.catalog.view import CatalogView
from homefeed.geo import Kilometres, Place
from homefeed.types import NO_POSITIONS, Mask, Positions

_MOVED: Final = 512
_MOVED_SHARE: Final = 64
"""A tree is built anew where more than so many items have moved, and more than one in so many."""


class _State(NamedTuple):
    """A tree, and the items that at that generation are not where it has them, their positions rising."""

    generation: int
    tree: SphereTree
    moved: Positions


class PlaceIndex:
    """Finds the items near a place, where they are now: one index for all parts that search one field.

    A tree has where they were when it was built. Those that moved or came since are compared one by one, until
    there are so many that `refresh` builds another, beside the requests. What hides or shows an item changes
    nothing here: a search is told what is eligible.

    A state is replaced, never changed. Where a request and a refresh replace one at a time, either is right: what
    the one lacks of the latest changes, the next search takes over from the catalogue.
    """

    def __init__(self, catalog: CatalogView, column: LocationColumn) -> None:
        self._catalog, self._column = catalog, column
        self._state: _State | None = None
        self.rebuilds = 0

    @classmethod
    def of(cls, catalog: CatalogView, field: str | None = None) -> Self:
        """That of a location field of a catalogue; without a name, of where its items are.

        Raises:
            RecipeError: there is no such field.
        """
        column = catalog.located(field)
        return catalog.derived(("places", id(column)), lambda: cls(catalog, column))

    def refresh(self) -> None:
        """Build a tree anew where many items have moved."""
        state = self._state
        if state is not None:
            state = self._followed(state, self._catalog.snapshot)
        if state is None or len(state.moved) > max(_MOVED, len(state.tree.rows) // _MOVED_SHARE):
            self._state = self._built()

    def nearest(
        self, place: Place, eligible: Mask, k: int, max_km: float = np.inf
    ) -> tuple[Positions, Kilometres]:
        """The k eligible items (items,) nearest to a place, nearest first and none beyond `max_km`, and how far.

        Exact by `homefeed.geo.distances_between`; of equally distant ones the lower positions first.
        """
        tree, moved = self._now()
        places = self._column.vectors(self._catalog.size)
        return nearest(
            place.unit_vector, tree.vectors, tree.positions, tree.boxes, moved, places, eligible, k, float(max_km)
        )

    def within(self, place: Place, km: float) -> Positions:
        """The items not farther than `km` from a place, in no order."""
        tree, moved = self._now()
        places = self._column.vectors(self._catalog.size)
        return within(place.unit_vector, tree.vectors, tree.positions, tree.boxes, moved, places, float(km))

    def _now(self) -> tuple[SphereTree, Positions]:
        """The tree, and the items that are not where it has them now."""
        state, now = self._state, self._catalog.snapshot
        if state is None:
            state = self._state = self._built()
        if state.generation != now.generation:
            state = self._state = self._followed(state, now)
        return state.tree, state.moved

    def _built(self) -> _State:
        # What changes while the column is read has a later generation, and is looked at again by the next search.
        now = self._catalog.snapshot
        tree = SphereTree.of(self._column.vectors(now.size).copy())
        self.rebuilds += 1
        return _State(now.generation, tree, NO_POSITIONS)

    def _followed(self, state: _State, now: CatalogSnapshot) -> _State:
        changed = now.changed_since(state.generation)
        moved = state.tree.moved(state.moved, changed[changed < now.size], self._column.vectors(now.size))
        return _State(now.generation, state.tree, moved)
