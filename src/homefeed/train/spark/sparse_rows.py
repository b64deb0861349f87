"""Rows of sparse matrices between Spark and numpy: as bytes, which neither of them has to convert."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyspark.sql import DataFrame

from homefeed.retrieve.arrays import Doubles, Rows, Starts
from homefeed.types import Mask

SCHEMA: Final = "row int, columns binary, values binary, counts binary"
"""One row of a matrix: of its entries the columns (int32), the values (float64) and the counts (int32)."""

_BUNDLE: Final = "rows binary, lengths binary, columns binary, values binary, counts binary"


class SparseRows(NamedTuple):
    """Rows in CSR form: `rows` (n,) says which they are, `starts` (n + 1,) where their entries begin.

    `columns` and `values` are (entries,); so are `counts`, or (0,) where nobody asks for them.
    """

    rows: Rows
    starts: Starts
    columns: Rows
    values: Doubles
    counts: Rows

    def chosen(self, kept: Mask | npt.NDArray[np.integer[Any]]) -> SparseRows:
        """The chosen entries: by a mask, or by places that rise from row to row."""
        places = np.flatnonzero(kept) if kept.dtype == np.bool_ else kept
        of_rows = np.repeat(np.arange(len(self.rows)), np.diff(self.starts))[places]
        starts = np.searchsorted(of_rows, np.arange(len(self.rows) + 1)).astype(np.int64)
        counts = self.counts[places] if len(self.counts) else self.counts
        return SparseRows(self.rows, starts, self.columns[places], self.values[places], counts)

    def without_counts(self) -> SparseRows:
        """The same where nobody asks for them any more."""
        return self._replace(counts=self.counts[:0])

    def batch(self) -> pa.RecordBatch:
        """As Spark takes it; see `SCHEMA`."""
        columns = [
            _packed(self.columns.astype(np.int32, copy=False), self.starts),
            _packed(self.values.astype(np.float64, copy=False), self.starts),
            _packed(self.counts.astype(np.int32, copy=False), self.starts),
        ]
        names = ["row", "columns", "values", "counts"]
        return pa.RecordBatch.from_arrays([pa.array(self.rows, pa.int32()), *columns], names)

    @classmethod
    def of(cls, batch: pa.RecordBatch) -> SparseRows:
        """What `batch` made, as it comes back from Spark."""
        starts, columns = _unpacked(batch.column(1), np.dtype(np.int32))
        _, values = _unpacked(batch.column(2), np.dtype(np.float64))
        _, counts = _unpacked(batch.column(3), np.dtype(np.int32))
        return cls(np.asarray(batch.column(0)), starts, columns, values, counts)


def joined(parts: list[SparseRows]) -> SparseRows:
    """All rows of the parts, by rising row; the entries of each as they were. The list is emptied."""
    parts.insert(0, NO_ROWS)
    lengths = np.concatenate([np.diff(part.starts) for part in parts])
    firsts = np.concatenate([[0], np.cumsum(lengths)])[:-1]
    rows, columns, values, counts = (np.concatenate([part[place] for part in parts]) for place in (0, 2, 3, 4))
    parts.clear()
    order = np.argsort(rows, kind="stable")
    starts = np.concatenate([[0], np.cumsum(lengths[order])])
    entries = np.repeat(firsts[order] - starts[:-1], lengths[order]) + np.arange(starts[-1])
    counts = counts[entries] if len(counts) else counts
    return SparseRows(rows[order], starts, columns[entries], values[entries], counts)


NO_ROWS: Final = SparseRows(
    np.empty(0, np.int32), np.zeros(1, np.int64), np.empty(0, np.int32), np.empty(0), np.empty(0, np.int32)
)


def gathered(frame: DataFrame) -> SparseRows:
    """All rows of a frame of `SCHEMA` on the driver, by rising row; values only as float32 holds them.

    They come a partition of Spark's at a time, so that its JVM never holds all.
    """
    bundles = frame.mapInArrow(_bundled, _BUNDLE).toLocalIterator(prefetchPartitions=True)
    parts = []
    for bundle in bundles:
        rows, lengths, columns, counts = (
            np.frombuffer(bundle[name], np.int32) for name in ("rows", "lengths", "columns", "counts")
        )
        starts = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
        parts.append(SparseRows(rows, starts, columns, np.frombuffer(bundle["values"], np.float32), counts))
    return joined(parts)


def _bundled(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Each batch as one row: to the driver rows come one by one."""
    for part in map(SparseRows.of, batches):
        lengths = np.diff(part.starts).astype(np.int32)
        arrays = part.rows, lengths, part.columns, part.values.astype(np.float32), part.counts
        names = ["rows", "lengths", "columns", "values", "counts"]
        yield pa.RecordBatch.from_arrays([pa.array([array.tobytes()], pa.binary()) for array in arrays], names)


def _packed(values: npt.NDArray[Any], starts: Starts) -> pa.Array:
    """(n,) the bytes of each row; of no values at all those of none."""
    offsets = (starts * values.itemsize if len(values) else np.zeros_like(starts)).astype(np.int32)
    buffers = [None, pa.py_buffer(offsets.tobytes()), pa.py_buffer(np.ascontiguousarray(values))]
    return pa.Array.from_buffers(pa.binary(), len(starts) - 1, buffers)


def _unpacked(column: pa.Array, dtype: np.dtype[Any]) -> tuple[Starts, npt.NDArray[Any]]:
    """The starts of the rows, and the values of all."""
    _, offsets, data = column.buffers()
    ends = np.frombuffer(offsets, np.int32)[column.offset : column.offset + len(column) + 1].astype(np.int64)
    if not len(ends) or data is None:
        return np.zeros(len(column) + 1, np.int64), np.empty(0, dtype)
    # Copied: what Arrow gives need not begin where numbers of this size may.
    values = np.frombuffer(bytes(data)[ends[0] : ends[-1]], dtype)
    return (ends - ends[0]) // dtype.itemsize, values
