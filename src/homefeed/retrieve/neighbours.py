"""Neighbour lists, as several models have them, and how they serve a catalogue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Protocol, Self, TypeAlias

import numpy as np
import numpy.typing as npt
import orjson

from homefeed.catalog import CatalogView, Resources
from homefeed.retrieve.selection import top_k
from homefeed.taste import verb_of
from homefeed.types import Floats, Mask, Numbers, Positions, Query, Scores

Rows: TypeAlias = npt.NDArray[np.int32]
Starts: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class NeighbourLists:
    """Of each item some others, as a sparse matrix in CSR form.

    Row r is the item of permanent number `numbers[r]`; its neighbours are the rows
    `indices[indptr[r]:indptr[r + 1]]`, largest weight first, of `weights` other than 0: a negative one speaks
    against the neighbour. A model that holds more names its arrays in `ARRAYS`; whatever else it has is JSON.
    """

    ARRAYS: ClassVar[tuple[str, ...]] = ("numbers", "indptr", "indices", "weights")

    numbers: Numbers
    indptr: Starts
    indices: Rows
    weights: Floats

    def save(self, folder: Path) -> None:
        """Write to an empty folder, an array a file, so that processes share them by memory mapping."""
        for name in self.ARRAYS:
            np.save(folder / f"{name}.npy", getattr(self, name), allow_pickle=False)
        rest = {field.name: getattr(self, field.name) for field in fields(self) if field.name not in self.ARRAYS}
        (folder / "serving.json").write_bytes(orjson.dumps(rest))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Map what `save` wrote."""
        arrays: dict[str, Any] = {
            name: np.asarray(np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False))
            for name in cls.ARRAYS
        }
        return cls(**arrays, **orjson.loads((folder / "serving.json").read_bytes()))


class Lists(Protocol):
    """Neighbours of rows in CSR form."""

    @property
    def indptr(self) -> Starts: ...  # noqa: D102

    @property
    def indices(self) -> Rows: ...  # noqa: D102

    @property
    def weights(self) -> Floats: ...  # noqa: D102


class Gains(NamedTuple):
    """What items of a taste add to their neighbours, as columns, one entry for each neighbour of each item.

    `sources` are the items' positions, -1 where one is disliked: what is unlike it may gain by that, but it is no
    reason to name. `rows` are the neighbours', `gains` the weight of the pair times that of the item.
    """

    sources: Positions
    rows: Rows
    gains: Floats


class ServedLists:
    """Neighbour lists over a catalogue. Items that came after them neither speak nor are spoken for.

    Costs what the lists of the items asked about hold, whatever the size of the catalogue.
    """

    def __init__(self, positions: Positions, size: int, *layers: Lists) -> None:
        """`positions` (rows,) are where the rows' items are in a catalogue of `size`, -1 where they are not.

        An item's neighbours are those of all `layers`; a layer may know the first rows only.
        """
        self._position_of_row = positions
        # The last entry is that of positions which came since.
        self._row_of_position = np.full(size + 1, -1, np.int32)
        here = np.flatnonzero(positions >= 0)
        self._row_of_position[positions[here]] = here
        self._layers = layers

    @classmethod
    def over(cls, catalog: CatalogView, lists: NeighbourLists) -> Self:
        """The lists of a model over a catalogue as it is now."""
        positions = catalog.positions(lists.numbers)
        return cls(positions, catalog.size, lists)  # of a size no smaller than the positions need

    def rows_of(self, positions: Positions) -> Rows:
        """(n,) the row of the item at each position, -1 where there is none."""
        last = len(self._row_of_position) - 1
        return self._row_of_position[np.where((positions >= 0) & (positions < last), positions, last)]

    def gather(self, items: Positions, weights: Floats) -> Gains:
        """Every neighbour of every item at positions (m,) that count with weights (m,)."""
        rows = self.rows_of(items)
        known = rows >= 0
        items, weights, rows = items[known], weights[known], rows[known]
        named = np.where(weights > 0, items, -1).astype(np.int32)
        parts = [_gathered(layer, rows, named, weights) for layer in self._layers]
        return parts[0] if len(parts) == 1 else Gains(*map(np.concatenate, zip(*parts, strict=True)))

    def best(self, gains: Gains, eligible: Mask, k: int) -> tuple[Positions, Scores]:
        """The k eligible items that gain most in all, best first, and how much; none that gains nothing."""
        rows, scores = _sum_by(gains.rows, gains.gains, len(self._position_of_row))
        positions = self._position_of_row[rows]
        # Of another thread's request the catalogue may have been smaller.
        there = (positions >= 0) & (positions < len(eligible))
        positions, scores = positions[there], scores[there]
        allowed = eligible[positions]
        positions, scores = positions[allowed], scores[allowed]
        best = top_k(scores, k)
        return positions[best], scores[best]

    def contributors(self, gains: Gains, explainable: Mask, positions: Positions) -> Positions:
        """(n,) the explainable item that added most to the item at each position; -1 where none did."""
        last = len(self._row_of_position) - 1
        wanted = np.full(last + 1, -1, np.int32)
        modelled = np.flatnonzero(positions < last)
        wanted[positions[modelled]] = modelled
        places = wanted[self._position_of_row[gains.rows]]
        asked = (places >= 0) & (gains.sources >= 0) & explainable[gains.sources]
        if not asked.any():
            return np.full(len(positions), -1, np.int32)
        items, which = np.unique(gains.sources[asked], return_inverse=True)
        added = np.zeros((len(positions), len(items)))
        np.add.at(added, (places[asked], which), gains.gains[asked])
        best = added.argmax(axis=1)
        return np.where(added[np.arange(len(positions)), best] > 0, items[best], -1).astype(np.int32)


def named(template: str, query: Query, items: Positions, resources: Resources) -> Sequence[str | None]:
    """The template with {title} and {verb} of each item at positions (n,), None for -1."""
    said: dict[int, str | None] = {
        item: template.format(title=resources.catalog.title(item), verb=verb_of(query, item, resources))
        for item in set(items.tolist()) - {-1}
    }
    return [said.get(item) for item in items.tolist()]


def _gathered(lists: Lists, rows: Rows, items: Positions, weights: Floats) -> Gains:
    inside = rows < len(lists.indptr) - 1
    if not inside.all():
        rows, items, weights = rows[inside], items[inside], weights[inside]
    start = lists.indptr[rows]
    length = lists.indptr[rows + 1] - start
    places = np.arange(int(length.sum())) + np.repeat(start - (np.cumsum(length) - length), length)
    gains = lists.weights[places] * np.repeat(weights, length)
    return Gains(np.repeat(items, length), lists.indices[places], gains)


def _sum_by(rows: Rows, gains: Floats, size: int) -> tuple[Rows, Scores]:
    """The distinct rows and the sum of each one's gains; touches only the rows named, not all `size`."""
    sums = np.zeros(size, np.float32)
    np.add.at(sums, rows, gains)
    last = np.empty(size, np.int32)
    order = np.arange(len(rows), dtype=np.int32)
    last[rows] = order
    distinct = rows[last[rows] == order]
    return distinct, sums[distinct]
