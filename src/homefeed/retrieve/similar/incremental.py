"""Items that are new or changed since a model of similar items was fitted: compared as they come."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from homefeed.retrieve.arrays import Rows, Starts
from homefeed.retrieve.content.words import WordMatrix
from homefeed.retrieve.similar.model import SimilarModel
from homefeed.retrieve.similar.texts import NO_MARK, Marks
from homefeed.types import Floats, Mask

_ROWS_AT_ONCE: Final = 64


@dataclass(frozen=True, slots=True)
class Layer:
    """Neighbours beside those of the model, in CSR form over its rows and those of new items behind them."""

    indptr: Starts
    indices: Rows
    weights: Floats


@dataclass(frozen=True, slots=True, eq=False)
class NewItem:
    """An item as it is now: its marks, its vector's columns and values, and the model's most similar items."""

    mark: int
    duplicate_mark: int
    columns: Rows
    values: Floats
    rows: Rows
    cosines: Floats


class Comparison:
    """Compares new items to those of the model, and to one another."""

    def __init__(self, model: SimilarModel) -> None:
        self._model, self._by_word = model, model.by_word
        # The cosine above which an item is among the neighbours of another.
        self._weakest = np.full(len(model.numbers), model.min_similarity, np.float32)
        full = np.flatnonzero(np.diff(model.indptr) >= model.neighbours)
        self._weakest[full] = model.weights[model.indptr[full + 1] - 1]

    def compare(
        self, items: Sequence[Mapping[str, Sequence[str]]], partitions: Sequence[str | None] = ()
    ) -> list[NewItem]:
        """Items given as the terms of each field, each with its neighbours among the model's.

        Where users are kept apart, `partitions` (items,) are those of the items.
        """
        found: list[NewItem] = []
        for start in range(0, len(items), _ROWS_AT_ONCE):
            part = items[start : start + _ROWS_AT_ONCE]
            vectors = self._model.vectors(part, partitions[start : start + _ROWS_AT_ONCE])
            cosines = sp.csr_array(vectors @ self._by_word)
            for row, item in enumerate(part):
                own, near = (slice(*matrix.indptr[row : row + 2]) for matrix in (vectors, cosines))
                duplicate = self._model.duplicate_mark(item)
                rows, values = self._near(cosines.indices[near], cosines.data[near], duplicate)
                vector = vectors.indices[own].astype(np.int32), vectors.data[own]
                found.append(NewItem(self._model.mark(item), duplicate, *vector, rows, values))
        return found

    def layer(self, items: Sequence[NewItem]) -> Layer:
        """The neighbours of new items, and new items as neighbours, in the order of those items.

        Each has the most similar of the model's items, and of the other new items; and is a neighbour of those
        items of the model to which it is more similar than the last in their list.
        """
        first = len(self._model.numbers)
        parts = [(np.empty(0, np.int64), np.empty(0, np.int32), np.empty(0, np.float32))]
        for row, (item, (others, cosines)) in enumerate(zip(items, self._among(items), strict=True), start=first):
            best = self._best(item.cosines)
            better = item.cosines > self._weakest[item.rows]
            neighbours = np.concatenate([item.rows[best], others + first, np.full(np.count_nonzero(better), row)])
            sources = np.full(len(neighbours), row)
            sources[len(best) + len(others) :] = item.rows[better]
            parts.append(
                (sources, neighbours, np.concatenate([item.cosines[best], cosines, item.cosines[better]]))
            )
        sources, neighbours, weights = (np.concatenate(column) for column in zip(*parts, strict=True))
        order = np.argsort(sources, kind="stable")
        starts = np.searchsorted(sources[order], np.arange(first + len(items) + 1)).astype(np.int64)
        return Layer(starts, neighbours[order].astype(np.int32), weights[order].astype(np.float32))

    def _near(self, rows: Rows, cosines: Floats, duplicate: int) -> tuple[Rows, Floats]:
        """Of the model's items those that the item, or that have the item, among their neighbours."""
        near = self._are_near(cosines, self._model.duplicates[rows], duplicate)
        rows, cosines = rows[near], cosines[near]
        kept = cosines > self._weakest[rows]
        kept[self._best(cosines)] = True
        return rows[kept].astype(np.int32), cosines[kept].astype(np.float32)

    def _among(self, items: Sequence[NewItem]) -> Iterator[tuple[Rows, Floats]]:
        """Of each new item the others most similar to it, and their cosines."""
        starts = np.cumsum([0, *(len(item.columns) for item in items)])
        columns = np.concatenate([np.empty(0, np.int32), *(item.columns for item in items)])
        values = np.concatenate([np.empty(0, np.float32), *(item.values for item in items)])
        shape = len(items), len(self._model.words)
        vectors: WordMatrix = sp.csr_array((values, columns, starts), shape=shape)
        by_word, marks = sp.csr_array(vectors.T), np.array([item.duplicate_mark for item in items], np.int64)
        for start in range(0, len(items), _ROWS_AT_ONCE):
            cosines = sp.csr_array(vectors[start : start + _ROWS_AT_ONCE] @ by_word)
            for row in range(cosines.shape[0]):
                own = slice(*cosines.indptr[row : row + 2])
                others, similar = cosines.indices[own], cosines.data[own]
                near = self._are_near(similar, marks[others], items[start + row].duplicate_mark)
                others, similar = others[near & (others != start + row)], similar[near & (others != start + row)]
                best = self._best(similar)
                yield others[best].astype(np.int32), similar[best]

    def _are_near(self, cosines: Floats, duplicates: Marks, duplicate: int) -> Mask:
        others = np.ones(len(cosines), np.bool_) if duplicate == NO_MARK else duplicates != duplicate
        return others & (cosines > self._model.min_similarity)

    def _best(self, cosines: Floats) -> npt.NDArray[np.intp]:
        return np.argsort(-cosines, kind="stable")[: self._model.neighbours]
