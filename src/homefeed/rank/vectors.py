"""The vectors of items by a model, in step with the catalogue."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from homefeed.catalog import Resources
from homefeed.kernels import F32, I32, compiled, kernel, reads, writes
from homefeed.protocols import EmbeddingModel, VectorModel
from homefeed.types import Codes, Floats, Positions


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Which row is each item's: `rows` (positions + 1,) count through `trained` (rows, dimensions), the model's
    own array, and then `later` (rows, dimensions), what was embedded since; -1 of an item without a vector.

    The last entry is -1, for the items that came since.
    """

    trained: Floats
    later: Floats
    rows: Codes

    def at(self, positions: Positions) -> Codes:
        """(n,) the rows of items at positions."""
        found: Codes = self.rows[np.minimum(positions, len(self.rows) - 1)]
        return found


class ItemRows:
    """`now` has the vectors of all items that have one: where the model embeds items, those that came since, too.

    Memory is one number an item beside the model's own array, which is not copied.
    """

    def __init__(self, model: VectorModel, resources: Resources) -> None:
        self._model, self._catalog, self._partitions = model, resources.catalog, resources.partitions
        snapshot = self._catalog.snapshot
        self._seen, positions = snapshot.generation, snapshot.positions(model.numbers)
        rows = np.full(snapshot.size + 1, -1, np.int32)
        here = np.flatnonzero(positions >= 0)
        rows[positions[here]] = here
        nothing = np.zeros((0, model.vectors.shape[1]), np.float32)
        self.now = Rows(model.vectors, nothing, rows)
        self.now = self._embedded(rows, np.flatnonzero(rows[:-1] < 0).astype(np.int32))

    def refresh(self) -> None:
        """Embed the items that came or changed since; requests that read meanwhile see all of it or nothing."""
        snapshot = self._catalog.snapshot
        if self._seen == snapshot.generation:
            return
        rows, known = np.full(snapshot.size + 1, -1, np.int32), len(self.now.rows) - 1
        rows[:known] = self.now.rows[:known]
        self.now = self._embedded(rows, snapshot.changed_since(self._seen))
        self._seen = snapshot.generation

    def _embedded(self, rows: Codes, positions: Positions) -> Rows:
        """With these rows, and new vectors of the items at positions where the model embeds items."""
        before = self.now
        if not isinstance(self._model, EmbeddingModel) or not len(positions):
            return replace(before, rows=rows)
        rows, first = rows.copy(), len(before.trained)
        fresh = rows[positions] < first
        added = int(np.count_nonzero(fresh))
        rows[positions[fresh]] = first + len(before.later) + np.arange(added)
        later = np.pad(before.later, ((0, added), (0, 0)))
        fields, places = self._model.fields, positions.tolist()
        items = ({field: self._catalog.terms_at(field, place) for field in fields} for place in places)
        later[rows[positions] - first] = self._model.embed(items, map(self._partitions.of_item, places))
        return Rows(before.trained, later, rows)


@kernel(writes(F32, 2), reads(F32, 2), reads(F32, 2), reads(I32), reads(I32))
def cosines(trained: Floats, later: Floats, wanted: Codes, others: Codes) -> Floats:
    """(n, 2) the largest and the mean of the cosines of each of the `wanted` rows (n,) with the `others` (m,).

    Rows are those of `Rows`: what has none, or a vector of zeros, or one whose length leaves a float's range, is
    left out of the others and has 0. A row's cosines do not depend on the rows beside it.
    """
    found = np.zeros((len(wanted), 2), np.float32)
    units, kept = np.empty((len(others), trained.shape[1]), np.float32), 0
    for row in others:
        table, place = (trained, row) if row < len(trained) else (later, row - len(trained))
        length = np.sqrt(_product(table, place, table, place)) if row >= 0 else np.float32(0)
        if 0 < length < np.inf:
            units[kept] = table[place] / length
            kept += 1
    for n in range(len(wanted) if kept else 0):
        row = wanted[n]
        table, place = (trained, row) if row < len(trained) else (later, row - len(trained))
        length = np.sqrt(_product(table, place, table, place)) if row >= 0 else np.float32(0)
        if 0 < length < np.inf:
            largest, total = np.float32(-1), np.float32(0)
            for other in range(kept):
                cosine = min(max(_product(table, place, units, other) / length, np.float32(-1)), np.float32(1))
                largest, total = max(largest, cosine), total + cosine
            found[n, 0], found[n, 1] = largest, total / np.float32(kept)
    return found


@partial(compiled, fastmath={"reassoc", "contract", "nsz"})
def _product(left: Floats, row: int, right: Floats, other: int) -> np.float32:
    """The inner product of two rows; its terms are added in an order of their own, the same for all rows."""
    total = np.float32(0)
    for dimension in range(left.shape[1]):
        total += left[row, dimension] * right[other, dimension]
    return total
