"""LightGCN's layers and the gradient of its loss, on a CPU or a GPU. PyTorch is handed in, not imported."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import reduce
from operator import add
from typing import Any, Final, NamedTuple, TypeAlias

from homefeed.retrieve.lightgcn.graph import Graph, Nodes
from homefeed.types import Floats

Tensor: TypeAlias = Any
"""Of PyTorch."""

_BETA_1: Final = 0.9
_BETA_2: Final = 0.999
_EPSILON: Final = 1e-8


class Batch(NamedTuple):
    """Pairs of users and `items`, and `others` that these users did not choose: nodes (n,); strengths (n,)."""

    users: Nodes
    items: Nodes
    others: Nodes
    strengths: Floats


class Network:
    """A graph over whose edges vectors (nodes, factors) are spread: users first, then items."""

    def __init__(self, torch: Any, graph: Graph, layers: int, device: str) -> None:
        self._torch, self._layers = torch, layers
        matrix = graph.adjacency()
        parts = (torch.from_numpy(part) for part in (matrix.indptr, matrix.indices, matrix.data))
        with warnings.catch_warnings():
            warnings.filterwarnings(
                "ignore", "Sparse CSR tensor support is in beta"
            )  # nothing else is needed of it
            adjacency = torch.sparse_csr_tensor(*parts, size=matrix.shape, check_invariants=True)
        self._adjacency = adjacency.to(device)

    def layers(self, first: Tensor) -> list[Tensor]:
        """e0 to eK over K + 1, each (nodes, factors): their sum is e."""
        found = [first / (self._layers + 1)]
        for _ in range(self._layers):
            found.append(self._torch.sparse.mm(self._adjacency, found[-1]))
        return found

    def gradient(self, first: Tensor, batch: Batch, regularization: float) -> Tensor:
        """(nodes, factors) that of a batch's mean loss by the first vectors.

        What spreads vectors is linear and symmetric: so the gradient by e is spread like e0 to be that by e0.
        """
        torch = self._torch
        users, items, others, strengths = (torch.from_numpy(part).to(first.device) for part in batch)
        last = added(self.layers(first))
        user = last[users]
        apart = last[items] - last[others]
        # Of s ln(1 + exp(-x)) by x.
        slope = -(strengths * torch.sigmoid(-(user * apart).sum(dim=1)))[:, None]
        gradient = torch.zeros_like(first)
        for nodes, part in ((users, slope * apart), (items, slope * user), (others, -slope * user)):
            gradient.index_add_(0, nodes, part)
        gradient = added(self.layers(gradient))
        for nodes in (users, items, others):
            gradient.index_add_(0, nodes, regularization * first[nodes])
        return gradient / len(users)


class Adam:
    """Kingma & Ba, "Adam" (ICLR 2015), algorithm 1. PyTorch's own takes seconds to import."""

    def __init__(self, torch: Any, values: Tensor, learning_rate: float) -> None:
        self._values, self._rate, self._steps = values, learning_rate, 0
        self._mean, self._square = torch.zeros_like(values), torch.zeros_like(values)

    def step(self, gradient: Tensor) -> None:
        """Move the values, in place."""
        self._steps += 1
        self._mean.lerp_(gradient, 1 - _BETA_1)
        self._square.mul_(_BETA_2).addcmul_(gradient, gradient, value=1 - _BETA_2)
        size = self._rate / (1 - _BETA_1**self._steps)
        spread = (self._square / (1 - _BETA_2**self._steps)).sqrt_().add_(_EPSILON)
        self._values.addcdiv_(self._mean, spread, value=-size)


def added(layers: Sequence[Tensor]) -> Tensor:
    """The sum of layers."""
    return reduce(add, layers)
