"""Fits the LightGCN model with PyTorch, which only training needs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar, Final

import numpy as np
import structlog

from homefeed.errors import HomefeedError
from homefeed.protocols import Range
from homefeed.retrieve.factors import longest_first
from homefeed.retrieve.lightgcn.graph import Graph, graph_of, negatives
from homefeed.retrieve.lightgcn.model import LightgcnConfig, LightgcnModel
from homefeed.retrieve.lightgcn.network import Adam, Batch, Network, Tensor, added
from homefeed.retrieve.lightgcn.validation import held_out
from homefeed.types import Floats, TrainingData

_FIRST_LENGTH: Final = 0.1
_LOOK_EVERY: Final = 10
_PATIENCE: Final = 3
_MANY: Final = 20_000
"""Pairs: fewer are sooner gone through by one thread."""

_log = structlog.get_logger(__name__)


class LightgcnTrainer:
    """The first vectors e0 of users and items that minimise

        sum over pairs (u, i) and a j that u did not choose of
            s(u, i) ln(1 + exp(-(e(u) e(i) - e(u) e(j)))) + lambda / 2 (|e0(u)|^2 + |e0(i)|^2 + |e0(j)|^2)

    where e = (e0 + e1 + ... + eK) / (K + 1) and e(k+1) = A ek, A being the graph's adjacency with the symmetric
    normalisation s(u, i) / sqrt(d(u) d(i)): He, Deng, Wang, Li, Zhang & Wang, "LightGCN: Simplifying and Powering
    Graph Convolution Network for Recommendation" (SIGIR 2020), equations 3, 4 and 15, with the loss of Rendle et
    al., "BPR" (UAI 2009). s(u, i) is the strength of the user's strongest event of the item, where that speaks
    for it; d the sum of those of a node. The paper knows only pairs, as here where all strengths are 1.

    By Adam, over batches of pairs, for each of which one j is drawn. A twentieth of the pairs is held back where
    there are enough: the vectors are those of the time when these were found best, and are then spread over the
    graph of all pairs.
    """

    Config = LightgcnConfig
    SPACE: ClassVar[Mapping[str, Range]] = {
        "factors": Range(16, 256, log=True, whole=True),
        "layers": Range(1, 4, whole=True),
        "regularization": Range(1e-6, 1e-2, log=True),
        "learning_rate": Range(1e-3, 0.1, log=True),
    }

    def __init__(self, config: LightgcnConfig) -> None:
        self._config = config

    def fit(self, data: TrainingData) -> LightgcnModel:
        """The vectors of all items that any user likes, longest first, so that serving can stop early.

        On a CPU the same data and seed give the same bits, however many threads there are.

        Raises:
            NotInstalledError: PyTorch is not there.
            HomefeedError: there is no GPU and `device` asks for one, or the vectors left the range of floats.
        """
        torch, device = _torch(self._config)
        graph = graph_of(data)
        with _set_up(torch, len(graph.users)):
            first = self._learned(torch, graph, device, np.random.default_rng(data.seed))
            layers = Network(torch, graph, self._config.layers, device).layers(first)
            vectors, passed = (_items(graph, part) for part in (layers, layers[:-1]))
        if not np.isfinite(vectors).all():
            raise HomefeedError(
                "lightgcn: the vectors left the range of 32-bit numbers; lower learning_rate, or raise "
                "regularization"
            )
        degrees = np.maximum(graph.degrees[graph.user_count :], np.finfo(np.float32).tiny)
        order = longest_first(vectors)
        numbers = data.numbers[graph.positions[order]]
        return LightgcnModel(numbers, vectors[order], passed[order], degrees[order])

    def _learned(self, torch: Any, graph: Graph, device: str, rng: np.random.Generator) -> Tensor:
        """(nodes, factors) the first vectors."""
        config, nodes = self._config, graph.user_count + graph.item_count
        start = (_FIRST_LENGTH * rng.standard_normal((nodes, config.factors))).astype(np.float32)
        first = torch.from_numpy(start).to(device)
        if not len(graph.users):
            return first
        kept, validation = held_out(graph, rng)
        size = max(config.batch_size, math.ceil(len(kept.users) / config.max_steps))
        network = Network(torch, kept, config.layers, device)
        optimizer = Adam(torch, first, config.learning_rate)
        best, best_found, waited = first, -1.0, 0
        for epoch in range(1, config.epochs + 1):
            for batch in _batches(kept, size, rng):
                optimizer.step(network.gradient(first, batch, config.regularization))
            if validation is None or epoch % _LOOK_EVERY:
                continue
            layers = network.layers(first)
            found = validation.ndcg(_users(graph, layers[1:]), _items(graph, layers))
            _log.debug("lightgcn learns", epoch=epoch, of=config.epochs, ndcg=round(found, 5))
            if found > best_found:
                best, best_found, waited = first.clone(), found, 0
            elif (waited := waited + 1) >= _PATIENCE:
                break
        return first if best_found < 0 else best


def _torch(config: LightgcnConfig) -> tuple[Any, str]:
    """PyTorch, and the device to train on."""
    try:
        import torch
    except ImportError as error:
        raise LightgcnModel.needs.missing(error) from error
    there = torch.cuda.is_available()
    if config.device == "cuda" and not there:
        raise HomefeedError('lightgcn: device is "cuda", and PyTorch sees no GPU; set device to "auto" or "cpu"')
    return torch, "cuda" if there and config.device != "cpu" else "cpu"


@contextmanager
def _set_up(torch: Any, pairs: int) -> Iterator[None]:
    """Nothing but what sums in the same order every time; PyTorch is as before when it is left."""
    before, threads = torch.are_deterministic_algorithms_enabled(), torch.get_num_threads()
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.set_num_threads(1 if pairs < _MANY else threads)
    try:
        with torch.no_grad():
            yield
    finally:
        torch.use_deterministic_algorithms(before)
        torch.set_num_threads(threads)


def _users(graph: Graph, layers: Sequence[Tensor]) -> Floats:
    """(users, factors) the sum of the layers: without e0 what items pass on."""
    return np.asarray(added(layers)[: graph.user_count].cpu().numpy(), np.float32)


def _items(graph: Graph, layers: Sequence[Tensor]) -> Floats:
    """(items, factors) likewise."""
    return np.asarray(added(layers)[graph.user_count :].cpu().numpy(), np.float32)


def _batches(graph: Graph, size: int, rng: np.random.Generator) -> Iterator[Batch]:
    """All pairs once, in any order, each with an item that its user did not choose."""
    order = rng.permutation(len(graph.users))
    others = negatives(graph, graph.users[order], rng)
    order, others = order[others >= 0], others[others >= 0]
    for start in range(0, len(order), size):
        rows = order[start : start + size]
        items, drawn = (nodes + graph.user_count for nodes in (graph.items[rows], others[start : start + size]))
        yield Batch(graph.users[rows], items, drawn, graph.strengths[rows])
