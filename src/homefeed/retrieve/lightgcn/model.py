"""The LightGCN model: a vector for each item, and what an item passes on to the users who choose it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from pydantic import Field

from homefeed.extras import Extra
from homefeed.model_files import require, require_finite, require_numbers, require_range, require_shape
from homefeed.retrieve.arrays import ArrayModel, Rows, Starts
from homefeed.retrieve.cells import Cells, CellsConfig, by_cells
from homefeed.retrieve.factors import longest_first
from homefeed.types import Codes, Floats, Numbers


class LightgcnConfig(CellsConfig):
    """How items get their vectors; see `LightgcnTrainer` for the formula."""

    factors: Annotated[int, Field(ge=1, le=1_024)] = 64
    """The length of a vector."""
    layers: Annotated[int, Field(ge=1, le=8)] = 2
    """How far along the graph a vector goes by others: K."""
    regularization: Annotated[float, Field(ge=0, le=10)] = 1e-3
    """How strongly the vectors that are learned are drawn to zero: lambda."""
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 0.03
    """The step size of Adam."""
    batch_size: Annotated[int, Field(ge=1, le=10_000_000)] = 16_384
    """How many pairs of a user and an item make one step: every step goes over the whole graph."""
    max_steps: Annotated[int, Field(ge=1, le=10_000)] = 10
    """How many steps all pairs make at most: of more pairs than these hold, batches are larger."""
    epochs: Annotated[int, Field(ge=1, le=10_000)] = 200
    """How many times all pairs are gone through at most: fewer where held-out pairs tell that more would not
    help."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where it is trained; `auto`: on a GPU where there is one."""


@dataclass(frozen=True, slots=True)
class LightgcnModel(ArrayModel):
    """A graph network that is linear (He et al. 2020). Training needs `pip install 'homefeed[lightgcn]'`.

    `vectors` (items, factors) are those of the items of the permanent `numbers`, longest first: of those that some
    user liked by the time of training; others have no vector. `passed` (items, factors) is what each
    passes on to a user who chose it, before it is normalised, and `degrees` (items,) the strength of all who chose
    it. Where users are kept apart, each of the `partitions` was fitted by itself: `partition` (items,) is that of
    each item, by its place among them. Large ones are ordered by `cells` instead.
    """

    Config = LightgcnConfig
    needs: ClassVar[Extra] = Extra("lightgcn", "torch")

    numbers: Numbers
    vectors: Floats
    passed: Floats
    degrees: Floats
    partitions: Sequence[str] = ()
    partition: Codes = field(default_factory=lambda: np.empty(0, np.int32))
    centers: Floats = field(default_factory=lambda: np.empty((0, 0), np.float32))
    starts: Starts = field(default_factory=lambda: np.empty(0, np.int64))
    probes: int = 0

    @classmethod
    def joined(cls, parts: Mapping[str, Self], numbers: Numbers) -> Self:  # noqa: ARG003
        """The vectors of each partition's items, longest first of all."""
        own = list(parts.values())
        vectors = np.concatenate([part.vectors for part in own])
        which = np.repeat(np.arange(len(own), dtype=np.int32), [len(part.numbers) for part in own])
        order = longest_first(vectors)
        return cls(
            np.concatenate([part.numbers for part in own])[order],
            vectors[order],
            np.concatenate([part.passed for part in own])[order],
            np.concatenate([part.degrees for part in own])[order],
            tuple(parts),
            which[order],
        )

    @property
    def cells(self) -> Cells:
        """Those of its vectors, where they are in cells."""
        return Cells(self.centers, self.starts, self.probes)

    def in_cells(self, rows: Rows, cells: Cells) -> Self:
        """The same with its items by cells: `rows` (items,) is their order."""
        apart = ("partition",) if self.partitions else ()
        return by_cells(self, rows, cells, ("numbers", "vectors", "passed", "degrees", *apart))

    def check(self) -> None:
        """Refuse vectors of other lengths, or such that are no numbers.

        Raises:
            ArtifactError: naming what is wrong.
        """
        require_numbers(self.numbers)
        length = self.vectors.shape[-1] if self.vectors.ndim else 0
        require_shape("vectors", self.vectors.shape, (len(self.numbers), length))
        require_shape("passed", self.passed.shape, self.vectors.shape)
        require_shape("degrees", self.degrees.shape, self.numbers.shape)
        if self.partitions:
            require_shape("partition", self.partition.shape, self.numbers.shape)
            require_range("partition", self.partition, len(self.partitions))
        self.cells.check(self.vectors)
        require_finite(vectors=self.vectors, passed=self.passed, degrees=self.degrees)
        require(bool((self.degrees > 0).all()), "degrees above 0")

    def fold_in(self, rows: Rows, weights: Floats, partition: int = 0) -> Floats:  # noqa: ARG002
        """(factors, n) what each of a user's items, given as their rows (n,) and weights (n,), adds.

        The user's vector is their sum, that of a user u of the graph whose own first vector is 0:

            e(u) = sum over i of w(i) / sqrt(d(u) d(i)) p(i),   p(i) = (e0(i) + ... + e(K-1)(i)) / (K + 1)

        as equations 3 and 4 of the paper that `LightgcnTrainer` names have it, d(u) being the sum of |w(i)|. An
        item's d(i) counts for no less than |w(i)|: it would, had the user been there when the model was trained.
        """
        absolute = np.abs(weights)
        normal = np.sqrt(absolute.sum() * np.maximum(self.degrees[rows], absolute))
        return np.asarray(self.passed[rows].T * (weights / normal), np.float32)
