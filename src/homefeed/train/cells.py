"""Puts the vectors of large models into cells, and states what a search of them finds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from homefeed.extras import Extra
from homefeed.protocols import Model
from homefeed.retrieve.arrays import Rows
from homefeed.retrieve.cells import CellModel, Cells
from homefeed.retrieve.factors import longest_first
from homefeed.retrieve.selection import top_k
from homefeed.types import Floats

ANN: Final = Extra("ann", "faiss")
RECALL: Final = 0.98
"""How much of the true 100 best a search has to find, in the mean of the users that are tried."""

_CELLS_PER_ROOT: Final = 2.0
_ROWS_PER_CELL: Final = 64
_ITERATIONS: Final = 10
_USERS: Final = 100
_ITEMS_A_USER: Final = 5
_BEST: Final = 100


@dataclass(frozen=True, slots=True)
class Arranged:
    """A model as it is to be published, and what its manifest tells of how its vectors are searched."""

    model: Model
    facts: dict[str, Any]


def arranged(model: CellModel, exact_below: int, seed: int) -> Arranged:
    """A model of `exact_below` vectors or more with them in cells, where faiss is installed; else as it is."""
    if len(model.vectors) < exact_below:
        return Arranged(model, {})
    if not ANN.is_installed:
        why = f"exact, in time proportional to {len(model.vectors):,} vectors; {ANN.install} for an index"
        return Arranged(model, {"search": why})
    centers, cell_of = _clustered(model.vectors, seed)
    longest = longest_first(model.vectors)
    rows: Rows = longest[np.argsort(cell_of[longest], kind="stable")].astype(np.int32)
    starts = np.searchsorted(cell_of[rows], np.arange(len(centers) + 1))
    probes, recall = _probes(model, centers, cell_of, np.random.default_rng(seed))
    told = f"{probes} of {len(centers)} cells: recall at {_BEST} is {recall:.3f}"
    return Arranged(model.in_cells(rows, Cells(centers, starts, probes)), {"search": told})


def _clustered(vectors: Floats, seed: int) -> tuple[Floats, npt.NDArray[np.int64]]:
    """(cells, dimensions) centers by k-means, and (rows,) the cell of each vector: of the nearest."""
    import faiss

    count = max(1, round(_CELLS_PER_ROOT * math.sqrt(len(vectors))))
    means = faiss.Kmeans(
        vectors.shape[1],
        count,
        niter=_ITERATIONS,
        seed=seed % 2**31,
        max_points_per_centroid=_ROWS_PER_CELL,
        min_points_per_centroid=1,
    )
    means.train(np.ascontiguousarray(vectors))
    _, nearest = means.index.search(np.ascontiguousarray(vectors), 1)
    return np.asarray(means.centroids, np.float32), nearest[:, 0].astype(np.int64)


def _probes(
    model: CellModel, centers: Floats, cell_of: npt.NDArray[np.int64], rng: np.random.Generator
) -> tuple[int, float]:
    """The fewest cells that hold `RECALL` of the best of users made of a few items by chance, and the share found.

    Such users' items have less in common than a person's: theirs is found sooner.
    """
    ranks = []
    for first in rng.integers(0, len(cell_of), _USERS).tolist():
        partition, own = 0, np.arange(len(cell_of))
        if model.partitions:
            partition = int(model.partition[first])
            own = np.flatnonzero(model.partition == partition)
        items = np.unique(np.append(rng.choice(own, _ITEMS_A_USER - 1), first)).astype(np.int32)
        user = model.fold_in(items, np.ones(len(items), np.float32), partition).sum(axis=1)
        best = own[top_k(np.asarray((model.vectors @ user)[own]), _BEST)]
        place = np.empty(len(centers), np.int64)
        place[np.argsort(-(centers @ user), kind="stable")] = np.arange(len(centers))
        # A search looks into more cells the smaller the eligible share is.
        ranks.append((place[cell_of[best]] + 1) * len(own) / len(cell_of))
    found = np.concatenate(ranks)
    if not len(found):
        return 1, 1.0
    probes = min(math.ceil(np.quantile(found, RECALL, method="inverted_cdf")), len(centers))
    return probes, float(np.mean(found <= probes))
