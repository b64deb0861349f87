"""The best k of many, without sorting the many."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from homefeed.kernels import BOOL, F32, I32, I64, U64, compiled, kernel, reads, several, writes
from homefeed.types import NO_POSITIONS, Floats, Mask, Positions, Scores

Keys = npt.NDArray[np.uint64]
"""Scores above 0 and their places as numbers of one order: 32 bits of the score, 32 of the inverted place."""

_LARGEST_BLOCK = 128
_SMALLEST_BLOCK = 16
_NO_MASK = np.empty(0, np.bool_)


def top_k(scores: Scores, k: int, eligible: Mask | None = None) -> npt.NDArray[np.intp]:
    """Rows of the k highest scores, best first; ties by row. Rows that are not above 0 are left out.

    Where there is a mask only its rows count; it may be longer than the scores.
    """
    return _places(largest_keys(_best_keys(scores, k, eligible, 0.0), k))


def best_rows(
    scores: Scores, k: int, eligible: Mask, above: float = 0.0, labels: Positions = NO_POSITIONS
) -> tuple[Positions, Scores]:
    """The labels of the rows of the k highest scores that are `above`, as of `top_k`, and their scores.

    Without labels they are the rows themselves.
    """
    return best_of(_best_keys(scores, k, eligible, above), labels, k)


def best_of(keys: Keys, labels: Positions, k: int) -> tuple[Positions, Scores]:
    """The labels at the places of the k largest keys, largest first, and their scores. Reorders the keys.

    Without labels they are the places.
    """
    return _labelled(largest_keys(keys, k), labels)


def largest_keys(keys: Keys, k: int) -> Keys:
    """The k largest of some keys, smallest first. Reorders what it is given."""
    if len(keys) > k > 0:
        keys.partition(len(keys) - k)
    keys = keys[max(len(keys) - k, 0) :]
    keys.sort()
    return keys


def _best_keys(scores: Scores, k: int, eligible: Mask | None, above: float) -> Keys:
    eligible = _NO_MASK if eligible is None else eligible[: len(scores)]
    if k < 1 or not len(scores):
        return np.empty(0, np.uint64)
    return _keys_of_best(scores, eligible, k, above)


def score_of(key: np.uint64) -> float:
    """The score that a key holds."""
    return float(np.uint32(key >> np.uint64(32)).view(np.float32))


@compiled
def key_of(bits: np.int32, place: int) -> np.uint64:
    """The key of a score above 0, given by its bits, and a place."""
    return np.uint64((np.uint64(bits) << np.uint64(32)) | np.uint64(0xFFFFFFFF - place))


@compiled
def kth_largest(values: npt.NDArray[np.int32], k: int) -> np.int32:
    """The k-th largest of some numbers, k from 1 to how many they are: quickselect. Reorders them."""
    low, high, target = 0, len(values) - 1, k - 1
    while low < high:
        pivot = values[(low + high) // 2]
        left, right = low, high
        while left <= right:
            while values[left] > pivot:
                left += 1
            while values[right] < pivot:
                right -= 1
            if left <= right:
                values[left], values[right] = values[right], values[left]
                left += 1
                right -= 1
        if target <= right:
            high = right
        elif target >= left:
            low = left
        else:
            break
    return np.int32(values[target])


@compiled
def block_length(count: int, k: int) -> int:
    """The length of blocks of `count` numbers with maxima that bound the k-th largest from below; 0 for none."""
    length = _LARGEST_BLOCK
    while length >= _SMALLEST_BLOCK:
        if count // length > 2 * k:
            return length
        length //= 2
    return 0


@compiled
def _maxima(bits: npt.NDArray[np.int32], eligible: Mask, length: int) -> npt.NDArray[np.int32]:
    """The largest of each whole block, 0 where none is above that."""
    maxima = np.zeros(len(bits) // length, np.int32)
    for block in range(len(maxima)):
        part = bits[block * length : (block + 1) * length]
        best = np.int32(0)
        if len(eligible):
            mask = eligible[block * length : (block + 1) * length]
            for row in range(length):
                value = np.int32(part[row] * np.int32(mask[row]))
                best = max(best, value)
        else:
            for row in range(length):
                best = max(best, part[row])
        maxima[block] = best
    return maxima


@kernel(writes(U64), reads(F32), reads(BOOL), I64, F32)
def _keys_of_best(scores: Floats, eligible: Mask, k: int, above: float) -> Keys:
    """The keys of the k highest scores, of those above a bound, and of some more.

    The k-th largest of the maxima of blocks is at most the k-th largest score: only rows that reach it matter, and
    only blocks whose maximum does are looked at again. Scores above 0 are in the order of their bits.
    """
    count, bits = len(scores), scores.view(np.int32)
    length = block_length(count, k)
    threshold = np.int32(1)
    maxima = np.empty(0, np.int32)
    if length:
        maxima = _maxima(bits, eligible, length)
        threshold = max(threshold, kth_largest(maxima.copy(), k))
    whole = len(maxima)
    room = count - whole * length
    for block in range(whole):
        room += length * (maxima[block] >= threshold)
    keys = np.empty(room, np.uint64)
    found = 0
    for block in range(whole + 1):
        if block == whole or maxima[block] >= threshold:
            stop = count if block == whole else (block + 1) * length
            for row in range(block * length, stop):
                if bits[row] >= threshold and scores[row] > above and (len(eligible) == 0 or eligible[row]):
                    keys[found] = key_of(bits[row], row)
                    found += 1
    return keys[:found]


@kernel(several(writes(I32), writes(F32)), reads(U64), reads(I32))
def _labelled(keys: Keys, labels: Positions) -> tuple[Positions, Scores]:
    """The labels of the places that keys hold and their scores, the other way round."""
    count = len(keys)
    found, bits = np.empty(count, np.int32), np.empty(count, np.uint32)
    for row in range(count):
        key = keys[count - 1 - row]
        place = np.uint32(~key)
        found[row] = labels[place] if len(labels) else place
        bits[row] = np.uint32(key >> np.uint64(32))
    return found, bits.view(np.float32)


@kernel(writes(I64), reads(U64))
def _places(keys: Keys) -> npt.NDArray[np.intp]:
    """The places that keys hold, the other way round."""
    count = len(keys)
    places = np.empty(count, np.int64)
    for row in range(count):
        places[row] = np.uint32(~keys[count - 1 - row])
    return places
