"""The ALS model: a vector for each item, and what it takes to solve a user's vector from what they did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Self

import numpy as np
from pydantic import Field
from scipy.linalg.lapack import dposv

from homefeed.catalog.signals import Doubles
from homefeed.errors import ArtifactError
from homefeed.extras import Extra
from homefeed.model_files import require, require_finite, require_numbers, require_range, require_shape
from homefeed.retrieve.arrays import ArrayModel, Rows, Starts
from homefeed.retrieve.cells import Cells, CellsConfig, by_cells
from homefeed.retrieve.factors import longest_first
from homefeed.types import Codes, Floats, Numbers


class AlsConfig(CellsConfig):
    """How items get their vectors; see `AlsTrainer` for the formula."""

    factors: Annotated[int, Field(ge=1, le=1_024)] = 64
    """The length of an item's vector."""
    regularization: Annotated[float, Field(ge=1e-3, le=1e6)] = 10.0
    """How strongly vectors are drawn to zero: lambda."""
    alpha: Annotated[float, Field(gt=0, le=1e6)] = 5.0
    """How fast confidence grows: it is 1 + alpha x strength of an event. Larger values suit users with few
    events."""
    iterations: Annotated[int, Field(ge=1, le=1_000)] = 15
    """How many times users and items are solved in turn."""


@dataclass(frozen=True, slots=True)
class AlsModel(ArrayModel):
    """Matrix factorisation for implicit feedback (Hu, Koren & Volinsky 2008). Training needs
    `pip install 'homefeed[als]'`.

    `factors` (items, factors) are the vectors of the items of the permanent `numbers`, longest first: of those
    that some user liked by the time of training; others have no vector. `gram` (factors, factors) is Y^T Y +
    lambda I of the paper that `AlsTrainer` names, `alpha` what its confidences grow by. Where users are kept
    apart, each of the `partitions` was factorised by itself: `partition` (items,) is that of each item, by its
    place among them, and `gram` holds theirs one below the other. Large ones are ordered by `cells` instead.
    """

    Config = AlsConfig
    needs: ClassVar[Extra] = Extra("als", "implicit")

    numbers: Numbers
    factors: Floats
    gram: Doubles
    alpha: float
    partitions: Sequence[str] = ()
    partition: Codes = field(default_factory=lambda: np.empty(0, np.int32))
    centers: Floats = field(default_factory=lambda: np.empty((0, 0), np.float32))
    starts: Starts = field(default_factory=lambda: np.empty(0, np.int64))
    probes: int = 0

    @classmethod
    def joined(cls, parts: Mapping[str, Self], numbers: Numbers) -> Self:  # noqa: ARG003
        """The vectors of each partition's items, longest first of all."""
        own = list(parts.values())
        factors = np.concatenate([part.factors for part in own])
        which = np.repeat(np.arange(len(own), dtype=np.int32), [len(part.numbers) for part in own])
        order = longest_first(factors)
        return cls(
            np.concatenate([part.numbers for part in own])[order],
            factors[order],
            np.concatenate([part.gram for part in own]),
            own[0].alpha,
            tuple(parts),
            which[order],
        )

    @property
    def vectors(self) -> Floats:
        """The `factors`."""
        return self.factors

    @property
    def cells(self) -> Cells:
        """Those of its vectors, where they are in cells."""
        return Cells(self.centers, self.starts, self.probes)

    def in_cells(self, rows: Rows, cells: Cells) -> Self:
        """The same with its items by cells: `rows` (items,) is their order."""
        apart = ("partition",) if self.partitions else ()
        return by_cells(self, rows, cells, ("numbers", "factors", *apart))

    def check(self) -> None:
        """Refuse vectors of other lengths, or such that are no numbers.

        Raises:
            ArtifactError: naming what is wrong.
        """
        require_numbers(self.numbers)
        length = self.factors.shape[-1] if self.factors.ndim else 0
        require_shape("factors", self.factors.shape, (len(self.numbers), length))
        require_shape("gram", self.gram.shape, (length * max(len(self.partitions), 1), length))
        if self.partitions:
            require_shape("partition", self.partition.shape, self.numbers.shape)
            require_range("partition", self.partition, len(self.partitions))
        require(self.alpha > 0, "alpha above 0")
        self.cells.check(self.factors)
        require_finite(factors=self.factors, gram=self.gram)

    def fold_in(self, rows: Rows, weights: Floats, partition: int = 0) -> Floats:
        """(factors, n) what each of a user's items, given as their rows (n,) and weights (n,), adds.

        All of them are of one partition.

        The user's vector is their sum: (Y^T Y + Y^T (C - I) Y + lambda I)^-1 Y^T C p (equation 4 of the paper),
        C being the confidences 1 + alpha |weight|, p the preferences: 1 where the weight is above 0, else 0. So
        what is disliked adds nothing by itself, but takes from what is like it.

        An item's score is the inner product of its vector and the user's, and so the sum of those of its vector
        and these columns: what equation 7 calls s_ij c_j, the contribution of each of the user's items.

        Raises:
            ArtifactError: the model is damaged.
        """
        wide = self.factors[rows].astype(np.float64)
        confidence = 1 + self.alpha * np.abs(weights.astype(np.float64))
        length = self.gram.shape[1]
        matrix = self.gram[partition * length : (partition + 1) * length] + (wide.T * (confidence - 1)) @ wide
        _, shares, info = dposv(matrix, wide.T * (confidence * (weights > 0)))
        if info != 0:
            raise ArtifactError("als: the model's Gram matrix is not positive definite; train the model again")
        return np.asarray(shares, np.float32)
