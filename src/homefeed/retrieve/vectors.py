"""The vectors of the largest inner products with another: exactly, without computing all of them exactly."""

from __future__ import annotations

import math
from functools import partial
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from homefeed.kernels import BOOL, F32, F64, I8, I32, I64, NOTHING, U64, compiled, kernel, reads, several, writes
from homefeed.retrieve.arrays import Doubles, Rows
from homefeed.retrieve.selection import Keys, best_of, best_rows, block_length, key_of, kth_largest
from homefeed.types import NO_POSITIONS, Floats, Mask, Positions, Scores

Bytes: TypeAlias = npt.NDArray[np.int8]
Indices: TypeAlias = npt.NDArray[np.integer[Any]]
Shorts: TypeAlias = npt.NDArray[np.int16]

NEGLIGIBLE: Final = 1e-6
"""What rounding may leave of the inner product of vectors that have nothing in common."""

_BLOCK: Final = 512
_AT_ONCE: Final = 4
_LARGEST_BYTE: Final = 127
_LARGEST_SHORT: Final = 32_767
_MASKED: Final = -32_768
_SPARE: Final = 1.25
_ROWS_AT_ONCE: Final = 65_536
_ROWS_OF_BLAS: Final = 8
_SMALL: Final = 1_000_000
"""Numbers of vectors: fewer are as soon compared at once exactly."""

_FEW: Final = 16
"""Where one row in so many is eligible, or fewer, only theirs are compared, and at once exactly."""


class VectorIndex:
    """Rows of vectors of length 1, or 0, searched in two stages.

    The first compares all rows as whole numbers of 8 bits, 32 of them at a time: a byte of memory is read for each
    number. It differs from the exact inner product by no more than the errors of rounding allow (the inequality of
    Cauchy and Schwarz), so whichever row can be among the k best by that is compared exactly by the second, and
    the answer is that of comparing all: recall is 1.
    """

    def __init__(self, vectors: Floats) -> None:
        """Of vectors (rows, dimensions), which are not copied as long as none is added or replaced."""
        self._size, self._vectors = len(vectors), vectors
        dimensions = -(-vectors.shape[1] // _AT_ONCE) * _AT_ONCE
        self._codes = np.zeros((-(-len(vectors) // _BLOCK), dimensions, _BLOCK), np.int8)
        self._bounds = np.zeros(2)
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
            codes = np.zeros((-(-rows // _BLOCK), *self._codes.shape[1:]), np.int8)
            vectors[: self._size], codes[: len(self._codes)] = self.vectors, self._codes
            self._vectors, self._codes = vectors, codes
        self._size = max(self._size, size)

    def put(self, rows: Indices, vectors: Floats, chosen: Indices | None = None) -> None:
        """Replace the vectors of rows (n,) by others (n, dimensions), or by the `chosen` (n,) of others."""
        if not self._vectors.flags.writeable:
            self._vectors = self._vectors.copy()
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            part = slice(start, start + _ROWS_AT_ONCE)
            self._vectors[rows[part]] = vectors[part if chosen is None else chosen[part]]
        self._quantise(rows)

    def _quantise(self, rows: Indices) -> None:
        _quantise(rows.astype(np.int64), self._vectors, self._codes, self._bounds)

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
        elif count * len(vector) < _SMALL or not block_length(count, k):
            scores = self._vectors[:count] @ vector
            if without >= 0:
                scores[without : without + 1] = 0
            return best_rows(scores, k, eligible, above)
        else:
            rows, found = _promising_rows(count, eligible, without, vector, above, self._codes, self._bounds, k)
        scores = self._vectors[rows] @ vector
        return best_of(_keys(rows[:found], scores, above), NO_POSITIONS, k)


@kernel(
    several(writes(I32), writes(F32)),
    *(reads(F32, 2), reads(I32), reads(I32), reads(F32, 2), reads(F32), reads(I32), F32),
)
def strongest_parts(
    vectors: Floats,
    rows: Rows,
    positions: Positions,
    parts: Floats,
    weights: Floats,
    items: Positions,
    above: float,
) -> tuple[Positions, Floats]:
    """(n,) the item whose part adds most to each row's product, and how much; -1 and 0 where none is `above`.

    An item (m,) adds the inner product of its part (m, dimensions) times its weight (m,); to itself, at the same
    position (n,), it adds nothing. Rows of -1 have no vector.
    """
    found, highest = np.full(len(rows), -1, np.int32), np.zeros(len(rows), np.float32)
    for place in range(len(rows)):
        best = np.float32(above)
        for part in range(len(items)):
            if rows[place] >= 0 and items[part] != positions[place]:
                added = np.float32(_product(vectors[rows[place]], parts[part]) * weights[part])
                if added > best:
                    best = added
                    found[place], highest[place] = items[part], added
    return found, highest


@partial(compiled, fastmath={"reassoc", "contract", "nsz"})
def _product(left: Floats, right: Floats) -> np.float32:
    """The inner product; its terms are added in an order of their own, the same for all vectors."""
    total = np.float32(0)
    for dimension in range(len(right)):
        total += left[dimension] * right[dimension]
    return total


@kernel(NOTHING, reads(I64), reads(F32, 2), writes(I8, 3), writes(F64))
def _quantise(rows: npt.NDArray[np.int64], vectors: Floats, codes: Bytes, bounds: Doubles) -> None:
    """Write 127 times the vectors of rows, rounded, to `codes` (blocks, dimensions, rows of a block).

    `bounds` are the largest error, as the length of a vector, and the largest length of a row of codes.
    """
    for row in rows:
        error = length = 0.0
        for dimension in range(vectors.shape[1]):
            exact = vectors[row, dimension] * _LARGEST_BYTE
            code = min(max(round(exact), -_LARGEST_BYTE), _LARGEST_BYTE)
            codes[row // _BLOCK, dimension, row % _BLOCK] = code
            error += (exact - code) ** 2
            length += code**2
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


@kernel(_ROWS, *_ALLOWED, reads(F32), F32, reads(I8, 3), reads(F64), I64)
def _promising_rows(
    count: int,
    eligible: Mask,
    without: int,
    vector: Floats,
    above: float,
    codes: Bytes,
    bounds: Doubles,
    k: int,
) -> tuple[Positions, int]:
    """The eligible rows that may be among the k best and above a bound, as `_eligible_rows` gives them.

    At least k rows reach the k-th largest product. Whatever is among the k best is at most as far below that as
    two products may be from what they stand for.
    """
    short, unit, error = _shortened(vector, codes.shape[1], bounds)
    length = block_length(count, k)
    products = np.empty(-(-count // _BLOCK) * _BLOCK, np.int16)
    maxima = np.empty(len(products) // length, np.int32)
    for block in range(len(products) // _BLOCK):
        part = products[block * _BLOCK : (block + 1) * _BLOCK]
        of_part = maxima[block * _BLOCK // length : (block + 1) * _BLOCK // length]
        _multiply(codes[block], short, part)
        if block == without // _BLOCK:
            part[without % _BLOCK] = _MASKED
        if len(part) <= count - block * _BLOCK:
            _mask(part, eligible[block * _BLOCK : (block + 1) * _BLOCK], of_part, length)
        else:
            last = np.zeros(_BLOCK, np.bool_)
            last[: count - block * _BLOCK] = eligible[block * _BLOCK : count]
            _mask(part, last, of_part, length)
    # Among the rows that reach the k-th largest maximum are the k best by their products.
    threshold = max(int(kth_largest(maxima.copy(), k)), _MASKED + 1)
    rows = _rows_above(products, maxima, threshold)
    if len(rows) >= k:
        threshold = int(kth_largest(products[rows].astype(np.int32), k))
    threshold = max(threshold - 2 * error, math.floor(above / unit) - error, _MASKED + 1)
    rows = _rows_above(products, maxima, threshold)
    padded = np.zeros(_padded(len(rows)), np.int32)
    padded[: len(rows)] = rows
    return padded, len(rows)


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


@compiled
def _mask(products: Shorts, mask: Mask, maxima: Positions, length: int) -> None:
    """Put products that are not in a mask below all others, and write the largest of each `length` of them."""
    for part in range(len(maxima)):
        own, included = products[part * length : (part + 1) * length], mask[part * length : (part + 1) * length]
        largest = np.int16(_MASKED)
        for place in range(length):
            product = own[place] if included[place] else np.int16(_MASKED)
            own[place] = product
            largest = max(largest, product)
        maxima[part] = largest


@compiled
def _rows_above(products: Shorts, maxima: Positions, min_product: int) -> Positions:
    """The rows with products of at least `min_product`, by the maxima of parts of all."""
    length = len(products) // len(maxima)
    room = 0
    for largest in maxima:
        room += length * (largest >= min_product)
    rows, found = np.empty(room, np.int32), 0
    for part in range(len(maxima)):
        if maxima[part] >= min_product:
            for row in range(part * length, (part + 1) * length):
                if products[row] >= min_product:
                    rows[found] = row
                    found += 1
    return rows[:found]
