"""Vectors in cells of such as lie close together, of which a request looks into the most promising."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, Final, Protocol, Self, TypeVar, runtime_checkable

import numpy as np
from pydantic import Field

from homefeed.kernels import BOOL, F32, I32, I64, U64, kernel, reads, writes
from homefeed.model_files import require, require_finite, require_shape, require_starts
from homefeed.protocols import FoldInModel, PartConfig
from homefeed.retrieve.arrays import Rows, Starts
from homefeed.retrieve.selection import Keys, best_of, key_of, largest_keys, score_of
from homefeed.retrieve.vectors import NEGLIGIBLE, inner_product
from homefeed.types import NO_POSITIONS, Floats, Mask, Positions, Scores

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

M = TypeVar("M", bound="DataclassInstance")

_FIRST: Final = 16
_ROUNDING: Final = 1e-5


class CellsConfig(PartConfig):
    """Base of the `Config` of models whose vectors may be kept in cells."""

    exact_below: Annotated[int, Field(ge=1)] = 500_000
    """From so many items on, vectors are searched by an index, which takes `pip install 'homefeed[ann]'` where the
    model is trained, and tells its recall in the manifest; fewer are compared exactly."""


@dataclass(frozen=True, slots=True)
class Cells:
    """The rows from `starts[c]` to before `starts[c + 1]` are those of cell c, whose middle is `centers[c]`,
    the longest first.

    `probes` of them hold what is asked for, as far as `recall` says, where every row is eligible.
    """

    centers: Floats = field(default_factory=lambda: np.empty((0, 0), np.float32))
    starts: Starts = field(default_factory=lambda: np.empty(0, np.int64))
    probes: int = 0

    def check(self, vectors: Floats) -> None:
        """Refuse cells that are not those of vectors (rows, dimensions); no cells at all are in order.

        Raises:
            ArtifactError: naming what is wrong.
        """
        if not self:
            require(not self.starts.size and not self.probes, "no starts of cells without their centers")
            return
        require_shape("centers", self.centers.shape, (len(self.centers), vectors.shape[1]))
        require_starts("starts", self.starts, len(self.centers), len(vectors))
        require(1 <= self.probes <= len(self.centers), f"probes from 1 to {len(self.centers):,}")
        require_finite(centers=self.centers)

    def __len__(self) -> int:
        return len(self.centers)


@runtime_checkable
class CellModel(FoldInModel, Protocol):
    """A model whose vectors may be kept in cells."""

    @property
    def cells(self) -> Cells:
        """Those that its rows are in; none where all are compared."""
        ...

    def in_cells(self, rows: Rows, cells: Cells) -> Self:
        """The same with its rows in another order (rows,), that of these cells."""
        ...


def by_cells(model: M, rows: Rows, cells: Cells, columns: Iterable[str]) -> M:
    """A model with `columns` of its items in the order of `rows` (items,), and the fields of these cells."""
    taken = {name: getattr(model, name)[rows] for name in columns}
    return replace(model, **taken, centers=cells.centers, starts=cells.starts, probes=cells.probes)


class CellIndex:
    """An inverted file (Sivic & Zisserman, "Video Google", ICCV 2003; IVF of faiss): of all cells those are looked
    into whose centers have the largest inner products with the vector, and in these every row, exactly, longest
    first: once k are found that exceed what the longest left in a cell can have, none of the rest is looked at.

    Where only a share of the items is eligible, as many more cells are, and further ones until there are k: a
    condition leaves no page short, and what hardly any item meets is found by comparing all.
    """

    def __init__(self, vectors: Floats, positions: Positions, cells: Cells) -> None:
        """`vectors` (rows, dimensions) are those of the items at `positions` (rows,), -1 of none."""
        self.vectors, self._positions, self._cells = vectors, positions, cells
        self._lengths = np.linalg.norm(vectors, axis=1) * np.float32(1 + _ROUNDING)

    def best(self, vector: Floats, eligible: Mask, k: int, without: int = -1) -> tuple[Positions, Scores]:
        """The k eligible positions, but for one, of the largest inner products found; ties by position."""
        cells, length = self._cells, math.sqrt(vector @ vector)
        order = np.argsort(-(cells.centers @ vector), kind="stable")
        share = max(int(np.count_nonzero(eligible)), 1) / max(len(eligible), 1)
        keys, min_score, first = np.empty(0, np.uint64), NEGLIGIBLE, 0
        enough, size = math.ceil(cells.probes / share), _FIRST
        while first < len(order) and (first < enough or len(keys) < k):
            last = first + size if len(keys) < k else min(first + size, enough)
            rows = self.vectors, self._lengths, self._positions, cells.starts, order[first:last]
            found = _keys_in(*rows, vector, min_score / max(length, _ROUNDING), eligible, without, min_score)
            keys = np.concatenate([keys, found])
            if len(keys) >= k:
                keys = largest_keys(keys, k)
                min_score = max(min_score, score_of(keys[0]))
            first, size = last, 2 * size
        return best_of(keys, NO_POSITIONS, k)


@kernel(
    writes(U64),
    *(reads(F32, 2), reads(F32), reads(I32), reads(I64), reads(I64)),
    *(reads(F32), F32, reads(BOOL), I64, F32),
)
def _keys_in(
    vectors: Floats,
    lengths: Floats,
    positions: Positions,
    starts: Starts,
    cells: Starts,
    vector: Floats,
    min_length: float,
    eligible: Mask,
    without: int,
    min_score: float,
) -> Keys:
    """The keys of the eligible rows of cells with scores of `min_score` or more, which no shorter row has."""
    room = 0
    for cell in cells:
        room += starts[cell + 1] - starts[cell]
    keys, scores, found = np.empty(room, np.uint64), np.empty(1, np.float32), 0
    bits = scores.view(np.int32)
    for cell in cells:
        for row in range(starts[cell], starts[cell + 1]):
            if lengths[row] < min_length:
                break
            position = positions[row]
            if position >= 0 and eligible[position] and position != without:
                scores[0] = inner_product(vectors[row], vector)
                if scores[0] >= min_score and scores[0] > NEGLIGIBLE:
                    keys[found] = key_of(bits[0], position)
                    found += 1
    return keys[:found]
