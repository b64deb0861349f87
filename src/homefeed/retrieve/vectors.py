"""The vectors of the largest inner products with another: exactly, without computing all of them exactly."""

from __future__ import annotations

import math
from functools import partial
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from homefeed.kernels import BOOL, F32, F64, I8, I32, I64, NOTHING, U64, compiled, kernel, reads, several, writes
from homefeed.retrieve.arrays import Doubles, Rows
from homefeed.retrieve.selection import Keys, best_of, best_rows, key_of, kth_largest
from homefeed.retrieve.space import in_blocks
from homefeed.types import NO_POSITIONS, Floats, Mask, Positions, Scores

Bytes: TypeAlias = npt.NDArray[np.int8]
Indices: TypeAlias = npt.NDArray[np.integer[Any]]
Shorts: TypeAlias = npt.NDArray[np.int16]

NEGLIGIBLE: Final = 1e-6
"""What rounding may leave of the inner product of vectors that have nothing in common."""

_BLOCK: Final = 128
_AT_ONCE: Final = 4
_LARGEST_BYTE: Final = 127
_LARGEST_SHORT: Final = 32_767
_LOWEST: Final = -32_767
_HIGHEST: Final = 2**31 - 1
_SPARE: Final = 1.25
_ROWS_AT_ONCE: Final = 65_536
_ROWS_OF_BLAS: Final = 8
_FIRST_BLOCKS: Final = 8
_MORE_BLOCKS: Final = 4
_SMALL: Final = 1_000_000
"""Numbers of vectors: fewer are as soon compared at once exactly."""

_FEW: Final = 16
"""Where one row in so many is eligible, or fewer, only theirs are compared, and at once exactly."""


class VectorIndex:
    """Rows of vectors of length 1, or 0, searched in two stages.

    The rows are in blocks of such as lie close together, with the box around each. The first stage compares them
    as whole numbers of 8 bits, a block at a time, those with the most promising boxes first, until no box may hold
    one of the k best: of a million vectors of 32 dimensions about one block in 80. What it finds differs from the
    exact inner product by no more than the errors of rounding allow (the inequality of Cauchy and Schwarz), so
    whichever row can be among the k best by that is compared exactly by the second, and the answer is that of
    comparing all: recall is 1.
    """

    def __init__(self, vectors: Floats) -> None:
        """Of vectors (rows, dimensions), which are not copied as long as none is added or replaced."""
        self._size, self._vectors = len(vectors), vectors
        dimensions = -(-vectors.shape[1] // _AT_ONCE) * _AT_ONCE
        blocks = -(-len(vectors) // _BLOCK)
        self._codes = np.zeros((blocks, dimensions, _BLOCK), np.int8)
        self._boxes = _empty_boxes(blocks, dimensions)
        # Later rows stand in the order in which they come.
        self._rows = np.arange(blocks * _BLOCK, dtype=np.int32)
        if vectors.size >= _SMALL:
            self._rows[: len(vectors)] = in_blocks(vectors, _BLOCK)
        self._places = np.argsort(self._rows).astype(np.int32)
        self._bounds = np.zeros(2)
        if len(vectors):  # none is built often, to check a recipe: it needs no compiled loop
            self._quantise(np.arange(len(vectors)))

    @property
    def vectors(self) -> Floats:
        """(rows, dimensions)."""
        return self._vectors[: self._size]

    def grow(self, size: int) -> None:
        """Add rows of zeros up to a size."""
        if size > len(self._vectors):
            rows = int(_SPARE * size)
            vectors = np.zeros((rows, self._vectors.shape[1]), np.float32)
            vectors[: self._size] = self.vectors
            self._vectors = vectors
            self._grow_blocks(-(-rows // _BLOCK))
        self._size = max(self._size, size)

    def put(self, rows: Indices, vectors: Floats, chosen: Indices | None = None) -> None:
        """Replace the vectors of rows (n,) by others (n, dimensions), or by the `chosen` (n,) of others."""
        if not self._vectors.flags.writeable:
            self._vectors = self._vectors.copy()
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            part = slice(start, start + _ROWS_AT_ONCE)
            self._vectors[rows[part]] = vectors[part if chosen is None else chosen[part]]
        self._quantise(rows)

    def _grow_blocks(self, blocks: int) -> None:
        more, dimensions = blocks - len(self._codes), self._codes.shape[1]
        places = np.arange(len(self._rows), blocks * _BLOCK, dtype=np.int32)
        self._codes = np.concatenate([self._codes, np.zeros((more, dimensions, _BLOCK), np.int8)])
        self._boxes = np.concatenate([self._boxes, _empty_boxes(more, dimensions)])
        self._rows, self._places = np.append(self._rows, places), np.append(self._places, places)

    def _quantise(self, rows: Indices) -> None:
        places = self._places[rows].astype(np.int64)
        _quantise(rows.astype(np.int64), places, self._vectors, self._codes, self._boxes, self._bounds)

    def nearest(
        self, vector: Floats, eligible: Mask, k: int, *, above: float = NEGLIGIBLE, without: int = -1
    ) -> tuple[Positions, Scores]:
        """The k eligible rows of the largest inner products, best first, of those `above`; ties by row.

        `without` is a row that is not eligible. `eligible` has an entry for each row, and may have more: of items
        that came since the vectors were made.
        """
        count = self._size
        if np.count_nonzero(eligible) * _FEW < count:
            rows, found = _eligible_rows(count, eligible, without)
        elif count * len(vector) < _SMALL:
            scores = self._vectors[:count] @ vector
            if without >= 0:
                scores[without : without + 1] = 0
            return best_rows(scores, k, eligible, above)
        else:
            blocks = self._rows, self._codes, self._boxes, self._bounds
            rows, found = _promising_rows(count, eligible, without, vector, above, *blocks, k)
        scores = self._vectors[rows] @ vector
        return best_of(_keys(rows[:found], scores, above), NO_POSITIONS, k)


@kernel(writes(F64, 2), *(reads(F32, 2), reads(I32), reads(F32, 2), reads(F32), F32))
def added_by_parts(vectors: Floats, rows: Rows, parts: Floats, weights: Floats, above: float) -> Doubles:
    """(m, n) what each part adds to each row's product; 0 where that is not `above`.

    That is the inner product of the part (m, dimensions) times its weight (m,). Rows (n,) of -1 have no vector.
    """
    found = np.zeros((len(parts), len(rows)))
    for place in range(len(rows)):
        if rows[place] >= 0:
            for part in range(len(parts)):
                added = np.float32(inner_product(vectors[rows[place]], parts[part]) * weights[part])
                if added > above:
                    found[part, place] = added
    return found


@partial(compiled, fastmath={"reassoc", "contract", "nsz"})
def inner_product(left: Floats, right: Floats) -> np.float32:
    """The inner product; its terms are added in an order of their own, the same for all vectors."""
    total = np.float32(0)
    for dimension in range(len(right)):
        total += left[dimension] * right[dimension]
    return total


def _empty_boxes(blocks: int, dimensions: int) -> Bytes:
    """(blocks, 2, dimensions) the least and the largest of the codes of each block: none yet."""
    boxes = np.empty((blocks, 2, dimensions), np.int8)
    boxes[:, 0], boxes[:, 1] = _LARGEST_BYTE, -_LARGEST_BYTE
    return boxes


@kernel(NOTHING, reads(I64), reads(I64), reads(F32, 2), writes(I8, 3), writes(I8, 3), writes(F64))
def _quantise(
    rows: npt.NDArray[np.int64],
    places: npt.NDArray[np.int64],
    vectors: Floats,
    codes: Bytes,
    boxes: Bytes,
    bounds: Doubles,
) -> None:
    """Write 127 times the vectors of rows, rounded, to `codes` (blocks, dimensions, places of a block).

    The boxes of the blocks are widened, so that they hold them. `bounds` are the largest error, as the length of a
    vector, and the largest length of a row of codes.
    """
    for n in range(len(rows)):
        error = length = 0.0
        block, place = places[n] // _BLOCK, places[n] % _BLOCK
        for dimension in range(codes.shape[1]):
            code = 0
            if dimension < vectors.shape[1]:
                exact = vectors[rows[n], dimension] * _LARGEST_BYTE
                code = min(max(round(exact), -_LARGEST_BYTE), _LARGEST_BYTE)
                error += (exact - code) ** 2
                length += code**2
            codes[block, dimension, place] = code
            boxes[block, 0, dimension] = min(boxes[block, 0, dimension], code)
            boxes[block, 1, dimension] = max(boxes[block, 1, dimension], code)
        bounds[0] = max(bounds[0], math.sqrt(error) / _LARGEST_BYTE)
        bounds[1] = max(bounds[1], math.sqrt(length))


@kernel(writes(U64), reads(I32), reads(F32), F32)
def _keys(rows: Positions, scores: Floats, above: float) -> Keys:
    """The keys of rows by their scores, of those above a bound."""
    bits, keys = scores.view(np.int32), np.empty(len(rows), np.uint64)
    found = 0
    for place in range(len(rows)):
        if scores[place] > above:
            keys[found] = key_of(bits[place], rows[place])
            found += 1
    return keys[:found]


_ROWS: Final = several(writes(I32), I64)
_ALLOWED: Final = (I64, reads(BOOL), I64)


@compiled
def _padded(count: int) -> int:
    """A number of rows none of which BLAS treats otherwise than the rest, so that equal rows have equal scores."""
    return -(-count // _ROWS_OF_BLAS) * _ROWS_OF_BLAS


@kernel(_ROWS, *_ALLOWED)
def _eligible_rows(count: int, eligible: Mask, without: int) -> tuple[Positions, int]:
    """All eligible rows, and how many they are: row 0 follows up to a number that suits BLAS."""
    rows, found = np.empty(_padded(count), np.int32), 0
    for row in range(count):
        if eligible[row] and row != without:
            rows[found] = row
            found += 1
    rows[found : _padded(found)] = 0
    return rows[: _padded(found)], found


@kernel(_ROWS, *_ALLOWED, reads(F32), F32, reads(I32), reads(I8, 3), reads(I8, 3), reads(F64), I64)
def _promising_rows(
    count: int,
    eligible: Mask,
    without: int,
    vector: Floats,
    above: float,
    row_at: Positions,
    codes: Bytes,
    boxes: Bytes,
    bounds: Doubles,
    k: int,
) -> tuple[Positions, int]:
    """The eligible rows that may be among the k best and above a bound, as `_eligible_rows` gives them.

    At least k rows reach the k-th largest product of any. Whatever is among the k best is at most as far below
    that as two products may be from what they stand for, and no product is above that of its box's best corner.
    """
    short, unit, error = _shortened(vector, codes.shape[1], bounds)
    threshold = max(math.floor(above / unit) - error, _LOWEST)
    highest = _corners(boxes, short)
    found, rows, products = 0, np.empty(len(row_at), np.int32), np.empty(len(row_at), np.int32)
    part = np.empty(_BLOCK, np.int16)
    blocks, limit, scanned = _FIRST_BLOCKS, _HIGHEST, _HIGHEST
    while limit > threshold:
        limit = threshold
        if blocks < len(highest):
            limit = max(threshold, int(kth_largest(highest.copy(), blocks)))
        for block in range(len(highest)):
            if limit <= highest[block] < scanned:
                _multiply(codes[block], short, part)
                for place in range(_BLOCK):
                    row = row_at[block * _BLOCK + place]
                    if part[place] >= threshold and row < count and row != without and eligible[row]:
                        rows[found], products[found] = row, part[place]
                        found += 1
        if found >= k:
            threshold = max(threshold, int(kth_largest(products[:found].copy(), k)) - 2 * error)
        scanned, blocks = limit, blocks * _MORE_BLOCKS
    rows = np.sort(rows[:found][products[:found] >= threshold])
    padded = np.zeros(_padded(len(rows)), np.int32)
    padded[: len(rows)] = rows
    return padded, len(rows)


@compiled
def _corners(boxes: Bytes, short: Shorts) -> Positions:
    """(blocks,) the largest product that a vector can have with anything in the box of each."""
    highest = np.empty(len(boxes), np.int32)
    for block in range(len(boxes)):
        total = np.int32(0)
        for dimension in range(len(short)):
            size = np.int32(short[dimension])
            total += max(size * np.int32(boxes[block, 0, dimension]), size * np.int32(boxes[block, 1, dimension]))
        highest[block] = total if boxes[block, 0, 0] <= boxes[block, 1, 0] else -_HIGHEST
    return highest


@compiled
def _shortened(vector: Floats, dimensions: int, bounds: Doubles) -> tuple[Shorts, float, int]:
    """The vector as whole numbers whose products with codes stay within 16 bits; what 1 of them is worth; and how
    many they may be from what they stand for: |x y - x' y'| <= |x - x'| |y| + |x'| |y - y'|.
    """
    length = 0.0
    for number in vector:
        length += float(number) ** 2
    length = math.sqrt(length)
    # Rounding makes the vector longer by half a unit in every dimension at most.
    factor = (_LARGEST_SHORT / max(bounds[1], 1.0) - 0.5 * math.sqrt(dimensions)) / length
    short, error = np.zeros(dimensions, np.int16), 0.0
    for dimension in range(len(vector)):
        exact = vector[dimension] * factor
        short[dimension] = round(exact)
        error += (exact - short[dimension]) ** 2
    unit = 1 / (_LARGEST_BYTE * factor)
    apart = bounds[0] * length + bounds[1] / _LARGEST_BYTE * math.sqrt(error) / factor
    return short, unit, math.ceil(apart / unit) + 1


@compiled
def _multiply(codes: Bytes, short: Shorts, products: Shorts) -> None:
    """(rows,) of codes (dimensions, rows) and a vector."""
    products[:] = 0
    for first in range(0, len(short), _AT_ONCE):
        one, two, three, four = short[first], short[first + 1], short[first + 2], short[first + 3]
        ones, twos, threes, fours = codes[first], codes[first + 1], codes[first + 2], codes[first + 3]
        for row in range(_BLOCK):
            products[row] = np.int16(
                products[row]
                + np.int16(np.int16(ones[row]) * one)
                + np.int16(np.int16(twos[row]) * two)
                + np.int16(np.int16(threes[row]) * three)
                + np.int16(np.int16(fours[row]) * four)
            )
