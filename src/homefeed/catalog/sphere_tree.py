"""Places in a k-d tree of their unit vectors."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from homefeed.geo import UnitVectors
from homefeed.kernels import F64, I32, kernel, reads, writes
from homefeed.types import Positions

_LEAF: Final = 32


class SphereTree(NamedTuple):
    """The places of items at one time, as a balanced k-d tree whose leaves all have equally many rows.

    `vectors` (rows, 3) are the places in the order of the leaves, `positions` (rows,) whose they are, -1 in the
    rows that fill up the leaves. `boxes` (2 x leaves, 6) have the least and the largest coordinates of each node:
    1 is the root, those of n are 2 n and 2 n + 1, and the leaves are the last. `rows` (items,) has the row of each
    item, -1 of one without a place.

    Bentley, "Multidimensional binary search trees used for associative searching", CACM 1975.
    """

    vectors: UnitVectors
    positions: Positions
    boxes: npt.NDArray[np.float64]
    rows: Positions

    @classmethod
    def of(cls, vectors: UnitVectors) -> SphereTree:
        """That of the places of items (items, 3), NaN of those without one. It is numpy's work: others run on."""
        known = np.flatnonzero(~np.isnan(vectors[:, 0])).astype(np.int32)
        leaves = 1 << max(math.ceil(math.log2(max(len(known), 1) / _LEAF)), 0)
        filled = np.full(-(-len(known) // leaves) * leaves, -1, np.int32)
        filled[: len(known)] = known
        # What fills up has some item's place, so that no box grows.
        points = vectors[np.where(filled < 0, known[-1:], filled) if len(known) else filled]
        order = _in_leaves(points, leaves)
        points, positions = points[order], filled[order]
        rows = np.full(len(vectors), -1, np.int32)
        own = np.flatnonzero(positions >= 0)
        rows[positions[own]] = own
        return cls(points, positions, _boxes(points, leaves), rows)

    def moved(self, before: Positions, changed: Positions, places: UnitVectors) -> Positions:
        """The items that are not where the tree has them, rising.

        Args:
            before: Those of before, rising.
            changed: Those of which it must be looked at again, rising.
            places: (items, 3) where all are now.
        """
        return _moved(before, changed, self.rows, self.vectors, places)


@kernel(writes(I32), reads(I32), reads(I32), reads(I32), reads(F64, 2), reads(F64, 2))
def _moved(
    before: Positions, changed: Positions, rows: Positions, vectors: UnitVectors, places: UnitVectors
) -> Positions:
    found = np.empty(len(before) + len(changed), np.int32)
    count = taken = 0
    for position in changed:
        while taken < len(before) and before[taken] < position:
            found[count] = before[taken]
            count, taken = count + 1, taken + 1
        taken += int(taken < len(before) and before[taken] == position)
        row = rows[position] if position < len(rows) else -1
        if row < 0:
            stays = math.isnan(places[position, 0])
        else:
            stays = True
            for axis in range(3):
                stays &= places[position, axis] == vectors[row, axis]
        if not stays:
            found[count] = position
            count += 1
    for position in before[taken:]:
        found[count] = position
        count += 1
    return found[:count].copy()


def _in_leaves(points: UnitVectors, leaves: int) -> npt.NDArray[np.intp]:
    """The rows of points in the order of the leaves: each node is cut in half where it is longest."""
    order = np.arange(len(points))
    axes = [np.ascontiguousarray(points[:, axis]) for axis in range(3)]
    nodes = 1
    while nodes < leaves:
        length = len(order) // nodes
        inner = [axis.reshape(nodes, length) for axis in axes]
        longest = np.argmax([np.ptp(axis, axis=1) for axis in inner], axis=0)
        halves = np.argpartition(np.choose(longest[:, None], inner), length // 2, axis=1)
        taken = (halves + length * np.arange(nodes)[:, None]).ravel()
        order, axes = order.take(taken), [axis.take(taken) for axis in axes]
        nodes *= 2
    return order


def _boxes(points: UnitVectors, leaves: int) -> npt.NDArray[np.float64]:
    boxes = np.zeros((2 * leaves, 6))
    if len(points):
        inner = points.reshape(leaves, -1, 3)
        boxes[leaves:, :3], boxes[leaves:, 3:] = inner.min(axis=1), inner.max(axis=1)
    while leaves > 1:
        pairs = boxes[leaves : 2 * leaves].reshape(leaves // 2, 2, 6)
        leaves //= 2
        boxes[leaves : 2 * leaves, :3] = pairs[:, :, :3].min(axis=1)
        boxes[leaves : 2 * leaves, 3:] = pairs[:, :, 3:].max(axis=1)
    return boxes
