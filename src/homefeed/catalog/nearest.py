"""Searches for what is near a place: exact, by the distances along the ellipsoid that people are shown.

Boxes of unit vectors lie in space. Two radii of the Earth times the angle bound a distance on both sides, so
what angles exclude is excluded, and only what is left is measured along the ellipsoid.
"""

from __future__ import annotations

import math
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from homefeed.geo import MAX_RADIUS_KM, MIN_RADIUS_KM, Kilometres, UnitVectors, chords_of, geodesic_km
from homefeed.kernels import BOOL, F64, I32, I64, compiled, kernel, reads, several, writes
from homefeed.types import Mask, Positions

Doubles: TypeAlias = npt.NDArray[np.float64]

_PATIENCE: Final = 2.0
_FIRST_LOOK: Final = 8
_HOPELESS: Final = 16
_BLOCK: Final = 64
_WORD: Final = 8
_STACK: Final = 64

_RADII: Final = MAX_RADIUS_KM / MIN_RADIUS_KM
_ROUNDING: Final = 1e-15

_PLACES: Final = (reads(F64), reads(F64, 2), reads(I32), reads(F64, 2), reads(I32), reads(F64, 2))


@kernel(several(writes(I32), writes(F64)), *_PLACES, reads(BOOL), I64, F64)
def nearest(
    point: UnitVectors,
    vectors: UnitVectors,
    positions: Positions,
    boxes: Doubles,
    moved: Positions,
    places: UnitVectors,
    eligible: Mask,
    k: int,
    max_km: float,
) -> tuple[Positions, Kilometres]:
    """The k eligible items nearest to a place, nearest first, none beyond `max_km`, and their distances.

    Of equal distances those of the lower positions come first.

    Args:
        point: (3,) the unit vector of the place.
        vectors: Of a `SphereTree`.
        positions: Of the tree.
        boxes: Of the tree.
        moved: The items, their positions rising, that are no more where the tree has them.
        places: (items, 3) the unit vectors of all items as of now, NaN of those without a place.
        eligible: (items,)
        k: How many, at most.
        max_km: Infinite for no bound.
    """
    room = max(min(k, len(places)), 0)
    found, apart = np.empty(room, np.int32), np.empty(room, np.float64)
    if room == 0:
        return found, apart
    _, limit = chords_of(max_km)
    near, squares = np.empty(len(places), np.int32), np.empty(len(places), np.float64)
    count, limit = _near(point, vectors, positions, boxes, moved, places, eligible, limit, near, squares, apart)
    count = _measured(point, vectors, positions, places, near[:count], squares, limit, max_km, found, apart)
    _sort(found, apart, count)
    return found[:count], apart[:count]


@kernel(writes(I32), *_PLACES, F64)
def within(
    point: UnitVectors,
    vectors: UnitVectors,
    positions: Positions,
    boxes: Doubles,
    moved: Positions,
    places: UnitVectors,
    km: float,
) -> Positions:
    """All items that are not farther than `km` from a place, in no order; for the rest see `nearest`."""
    found, count = np.empty(len(places), np.int32), 0
    surely, limit = chords_of(km)
    for position in moved:
        square = _square(point, places, position)
        if square < surely or (square <= limit and geodesic_km(point, places, position) <= km):
            found[count] = position
            count += 1
    leaves = len(boxes) // 2
    leaf = len(positions) // leaves
    nodes = np.empty(_STACK, np.int64)
    nodes[0], waiting = 1, min(leaf, 1)
    while waiting:
        waiting -= 1
        node = nodes[waiting]
        if _square_to_box(point, boxes, node) > limit:
            continue
        if node < leaves:
            nodes[waiting], nodes[waiting + 1] = 2 * node, 2 * node + 1
            waiting += 2
            continue
        for row in range((node - leaves) * leaf, (node - leaves + 1) * leaf):
            position, square = positions[row], _square(point, vectors, row)
            if position < 0 or square > limit or _is_among(position, moved):
                continue
            if square < surely or geodesic_km(point, vectors, row) <= km:
                found[count] = position
                count += 1
    return found[:count].copy()


@compiled
def _loosened(square: float) -> float:
    """Whatever is nearer along the ellipsoid than something of that square is of no more than this one."""
    return (_RADII * math.sqrt(square) + _ROUNDING) ** 2


@compiled
def _square(point: UnitVectors, vectors: UnitVectors, row: int) -> float:
    """The square of the distance of a row's vector through space."""
    square = 0.0
    for axis in range(3):
        square += (vectors[row, axis] - point[axis]) ** 2
    return square


@compiled
def _square_to_box(point: UnitVectors, boxes: Doubles, node: int) -> float:
    """The same of a node's box: no vector in it is nearer, rounding included."""
    square = 0.0
    for axis in range(3):
        square += max(boxes[node, axis] - point[axis], point[axis] - boxes[node, axis + 3], 0.0) ** 2
    return square


@compiled
def _is_among(position: int, moved: Positions) -> bool:
    if len(moved) == 0:
        return False
    place = int(np.searchsorted(moved, position))
    return place < len(moved) and int(moved[place]) == position


@compiled
def _near(
    point: UnitVectors,
    vectors: UnitVectors,
    positions: Positions,
    boxes: Doubles,
    moved: Positions,
    places: UnitVectors,
    eligible: Mask,
    limit: float,
    near: Positions,
    squares: Doubles,
    heap: Doubles,
) -> tuple[int, float]:
    """Write all that may be among the nearest to `near`, with their squares: how many, and up to which square.

    They are rows of the tree, or -1 less a position. `heap` has room for as many squares as are wanted.
    """
    kept = np.empty(len(heap), np.int32)
    count, full, bound, done = _near_by_tree(
        point, vectors, positions, boxes, moved, eligible, limit, near, squares, heap, kept
    )
    if done:
        # By now there is a bound: what has moved to elsewhere is none of the nearest.
        for position in moved:
            if position < len(eligible) and eligible[position]:
                square = _square(point, places, position)
                if square <= bound:
                    near[count], squares[count] = -1 - position, square
                    count += 1
                    full, bound = _bounded(kept, heap, full, square, bound, limit)
        return count, bound
    # Hardly anything about is eligible: it is cheaper to look at whatever is.
    count, full, bound = 0, 0, limit
    size = min(len(eligible), len(places))
    words = eligible[: size // _WORD * _WORD].view(np.int64)
    for word in range(len(words) + 1):
        if word < len(words) and words[word] == 0:
            continue
        for position in range(word * _WORD, min((word + 1) * _WORD, size)):
            if eligible[position]:
                square = _square(point, places, position)
                if square <= bound:
                    near[count], squares[count] = -1 - position, square
                    count += 1
                    full, bound = _bounded(kept, heap, full, square, bound, limit)
    return count, bound


@compiled
def _near_by_tree(
    point: UnitVectors,
    vectors: UnitVectors,
    positions: Positions,
    boxes: Doubles,
    moved: Positions,
    eligible: Mask,
    limit: float,
    near: Positions,
    squares: Doubles,
    heap: Doubles,
    kept: Positions,
) -> tuple[int, int, float, bool]:
    """The same of the tree, and how full the heap is before the bound; and whether looking into it led anywhere.

    Nodes are looked into by how near their boxes are, the nearer of two first.
    """
    leaves = len(boxes) // 2
    leaf = len(positions) // leaves
    patience = int(_PATIENCE * math.sqrt(float(len(heap)) * len(positions)))
    count, full, bound, looked = 0, 0, limit, 0
    nodes, to_box = np.empty(_STACK, np.int64), np.empty(_STACK, np.float64)
    nodes[0], to_box[0], waiting = 1, 0.0, min(leaf, 1)
    while waiting:
        waiting -= 1
        node = nodes[waiting]
        if to_box[waiting] > bound:
            continue
        if node < leaves:
            left, right = _square_to_box(point, boxes, 2 * node), _square_to_box(point, boxes, 2 * node + 1)
            nearer = int(right < left)
            nodes[waiting], to_box[waiting] = 2 * node + 1 - nearer, max(left, right)
            nodes[waiting + 1], to_box[waiting + 1] = 2 * node + nearer, min(left, right)
            waiting += 2
            continue
        if full < len(heap):
            if looked > patience or (looked > patience // _FIRST_LOOK and full * _HOPELESS < len(heap)):
                return count, full, bound, False
            looked += leaf
        for row in range((node - leaves) * leaf, (node - leaves + 1) * leaf):
            position = positions[row]
            if 0 <= position < len(eligible) and eligible[position]:
                square = _square(point, vectors, row)
                if square <= bound and not _is_among(position, moved):
                    near[count], squares[count] = row, square
                    count += 1
                    full, bound = _bounded(kept, heap, full, square, bound, limit)
    return count, full, bound, True


@compiled
def _bounded(
    kept: Positions, heap: Doubles, full: int, square: float, bound: float, limit: float
) -> tuple[int, float]:
    """How full the heap of the nearest is with one square more, and up to which one something can be of them."""
    if full == len(heap) and square >= heap[0]:
        return full, bound
    full = _offer(kept, heap, full, 0, square)
    return full, min(_loosened(heap[0]), limit) if full == len(heap) else bound


@compiled
def _measured(
    point: UnitVectors,
    vectors: UnitVectors,
    positions: Positions,
    places: UnitVectors,
    near: Positions,
    squares: Doubles,
    limit: float,
    max_km: float,
    found: Positions,
    apart: Kilometres,
) -> int:
    """Put the nearest along the ellipsoid of what is `near` on an empty heap; how many are on it."""
    count = 0
    for n in range(len(near)):
        if squares[n] <= limit:
            row = near[n]
            position = positions[row] if row >= 0 else -1 - row
            km = geodesic_km(point, vectors, row) if row >= 0 else geodesic_km(point, places, position)
            if km <= max_km:
                count = _offer(found, apart, count, position, km)
    return count


@compiled
def _offer(found: Positions, apart: Doubles, count: int, position: int, distance: float) -> int:
    """Put an item on the heap, the farthest on top, if there is room or it is nearer; how many are on it."""
    if count == len(found):
        if distance < apart[0] or (distance == apart[0] and position < found[0]):
            found[0], apart[0] = position, distance
            _sift_down(found, apart, count)
        return count
    place = count
    while place > 0:
        above = (place - 1) // 2
        if apart[above] > distance or (apart[above] == distance and found[above] > position):
            break
        found[place], apart[place] = found[above], apart[above]
        place = above
    found[place], apart[place] = position, distance
    return count + 1


@compiled
def _sort(found: Positions, apart: Doubles, count: int) -> None:
    """Make a heap a list, the nearest first."""
    for last in range(count - 1, 0, -1):
        found[0], found[last] = found[last], found[0]
        apart[0], apart[last] = apart[last], apart[0]
        _sift_down(found, apart, last)


@compiled
def _sift_down(found: Positions, apart: Doubles, count: int) -> None:
    """Bring what is on top of a heap of `count` down to where it belongs."""
    position, distance, place = found[0], apart[0], 0
    while 2 * place + 1 < count:
        below = 2 * place + 1
        if below + 1 < count and (
            apart[below + 1] > apart[below]
            or (apart[below + 1] == apart[below] and found[below + 1] > found[below])
        ):
            below += 1
        if apart[below] < distance or (apart[below] == distance and found[below] < position):
            break
        found[place], apart[place] = found[below], apart[below]
        place = below
    found[place], apart[place] = position, distance
