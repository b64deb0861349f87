"""LightGCN as it is trained: its gradient against differences of the paper's loss, and what it finds."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from tests.retrieve.events_sample import data_of
from tests.retrieve.lightgcn.lightgcn_sample import SMALL, fitted

from homefeed.errors import HomefeedError, NotInstalledError
from homefeed.retrieve.lightgcn import trainer, validation
from homefeed.retrieve.lightgcn.graph import graph_of
from homefeed.retrieve.lightgcn.model import LightgcnConfig
from homefeed.retrieve.lightgcn.network import Adam, Batch, Network
from homefeed.retrieve.lightgcn.trainer import LightgcnTrainer
from homefeed.testing import TrainerContract
from homefeed.types import TrainingData

EVENTS = [(0, 0, 1.0), (0, 1, 0.5), (1, 1, 1.0), (1, 2, 1.0), (2, 0, 1.0), (2, 2, 0.25)]


@pytest.fixture(scope="module")
def torch() -> Any:
    """The library."""
    import torch

    return torch


class TestLightgcnTrainer(TrainerContract):
    def make(self) -> LightgcnTrainer:
        return LightgcnTrainer(LightgcnConfig(factors=4, epochs=10))


def loss(adjacency: np.ndarray, first: np.ndarray, batch: Batch, layers: int, regularization: float) -> float:
    """The mean of equation 15 of the paper over a batch, each pair by its strength."""
    last, layer = first.copy(), first
    for _ in range(layers):
        layer = adjacency @ layer
        last = last + layer
    last /= layers + 1
    users, items, others = (last[nodes] for nodes in batch[:3])
    apart = (users * (items - others)).sum(axis=1)
    lengths = sum((first[nodes] ** 2).sum(axis=1) for nodes in batch[:3])
    return float((batch.strengths * np.log1p(np.exp(-apart)) + regularization / 2 * lengths).mean())


@pytest.mark.parametrize("layers", [1, 3])
def test_the_gradient_is_that_of_the_loss_of_the_paper(torch: Any, layers: int) -> None:
    graph, rng = graph_of(data_of(EVENTS)), np.random.default_rng(0)
    first = rng.standard_normal((6, 2)).astype(np.float32)
    batch = Batch(np.array([0, 1, 1]), np.array([3, 4, 5]), np.array([5, 3, 3]), np.array([1, 0.5, 2], np.float32))
    found = Network(torch, graph, layers, "cpu").gradient(torch.from_numpy(first), batch, 0.1).numpy()
    adjacency, wide, step = graph.adjacency().toarray().astype(np.float64), first.astype(np.float64), 1e-5
    for place in np.ndindex(*first.shape):
        more, less = wide.copy(), wide.copy()
        more[place] += step
        less[place] -= step
        slope = (loss(adjacency, more, batch, layers, 0.1) - loss(adjacency, less, batch, layers, 0.1)) / (
            2 * step
        )
        assert found[place] == pytest.approx(slope, abs=1e-5)


def test_a_step_is_that_of_pytorchs_adam(torch: Any) -> None:
    rng = np.random.default_rng(3)
    mine = torch.from_numpy(rng.standard_normal((4, 3)).astype(np.float32))
    theirs = mine.clone()
    adam, other = Adam(torch, mine, 0.05), torch.optim.Adam([theirs], lr=0.05)
    for _ in range(5):
        theirs.grad = torch.from_numpy(rng.standard_normal((4, 3)).astype(np.float32))
        adam.step(theirs.grad)
        other.step()
    np.testing.assert_allclose(mine.numpy(), theirs.numpy(), rtol=1e-5)


def halves(seed: int = 0) -> TrainingData:
    """Twenty users who choose of the first eight items and twenty who choose of the others, half of them each."""
    rng = np.random.default_rng(5)
    events = [(u, 8 * (u % 2) + int(i), 1.0) for u in range(40) for i in rng.permutation(8)[:4]]
    return data_of(events, 40, 16, seed)


def test_who_chose_of_one_half_gets_the_rest_of_it() -> None:
    data = halves()
    model = fitted(data)
    rows = {number - 100: row for row, number in enumerate(model.numbers.tolist())}
    for user in range(40):
        own = data.interactions.items[data.interactions.users == user].tolist()
        folded = model.fold_in(np.array([rows[i] for i in own], np.int32), np.ones(4, np.float32)).sum(axis=1)
        best = [number - 100 for number in model.numbers[np.argsort(-(model.vectors @ folded))].tolist()]
        new = [item for item in best if item not in own]
        assert {item // 8 for item in new[:4]} == {user % 2}


def test_the_longest_vectors_stand_first() -> None:
    model = fitted(halves())
    lengths = np.linalg.norm(model.vectors, axis=1)
    assert (lengths[:-1] >= lengths[1:]).all()
    assert sorted(model.numbers.tolist()) == list(range(100, 116))
    assert model.degrees.sum() == 160


def test_threads_change_no_bit(torch: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainer, "_MANY", 0)

    def at(threads: int) -> bytes:
        torch.set_num_threads(threads)
        return fitted(halves(), SMALL.model_copy(update={"epochs": 3})).vectors.tobytes()

    before = torch.get_num_threads()
    try:
        assert at(1) == at(2)
    finally:
        torch.set_num_threads(before)


def test_another_seed_starts_elsewhere() -> None:
    assert not np.array_equal(fitted(halves(0)).vectors, fitted(halves(1)).vectors)


def test_it_stops_where_held_out_pairs_are_found_no_better(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validation, "_MIN_PAIRS", 100)
    monkeypatch.setattr(validation, "_SHARE", 0.2)
    looked: list[float] = []

    def worse(*_: object) -> float:
        looked.append(1 / (1 + len(looked)))
        return looked[-1]

    monkeypatch.setattr(validation.Validation, "ndcg", worse)
    config = SMALL.model_copy(update={"epochs": 1_000})
    stopped = fitted(halves(), config)
    assert len(looked) == 4
    monkeypatch.setattr(validation.Validation, "ndcg", lambda *_: 1.0)
    # The vectors are those of the first look, after ten epochs.
    np.testing.assert_array_equal(
        fitted(halves(), config.model_copy(update={"epochs": 10})).vectors, stopped.vectors
    )


def test_of_many_pairs_batches_are_larger_so_that_a_pass_has_no_more_steps() -> None:
    one = SMALL.model_copy(update={"epochs": 3, "max_steps": 1})
    whole = one.model_copy(update={"batch_size": 1_000_000, "max_steps": 100})
    small = SMALL.model_copy(update={"epochs": 3, "batch_size": 4})
    stepped = one.model_copy(update={"batch_size": 4})
    assert not np.array_equal(fitted(halves(), small).vectors, fitted(halves(), stepped).vectors)
    np.testing.assert_array_equal(fitted(halves(), whole).vectors, fitted(halves(), stepped).vectors)


@pytest.mark.parametrize("events", [[], [(0, 0, 0.0)], [(0, 0, -1.0), (1, 0, -1.0)]])
def test_where_nobody_likes_anything_there_is_nothing(events: list[tuple[int, int, float]]) -> None:
    model = fitted(data_of(events))
    assert (model.numbers.shape, model.vectors.shape, model.degrees.shape) == ((0,), (0, 8), (0,))


def test_how_pytorch_was_set_is_left_alone(torch: Any) -> None:
    assert not torch.are_deterministic_algorithms_enabled()
    fitted(data_of(EVENTS), SMALL.model_copy(update={"epochs": 1}))
    assert not torch.are_deterministic_algorithms_enabled()
    assert torch.is_grad_enabled()


def test_without_a_gpu_that_is_asked_for_it_says_so(torch: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(HomefeedError, match='set device to "auto"'):
        fitted(data_of(EVENTS), LightgcnConfig(device="cuda"))


def test_without_pytorch_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(NotInstalledError, match=r"pip install 'homefeed\[lightgcn\]'"):
        LightgcnTrainer(LightgcnConfig()).fit(data_of(EVENTS))


def test_serving_does_without_pytorch() -> None:
    asked = (
        "import sys, homefeed.retrieve.lightgcn.trainer, homefeed.retrieve.lightgcn; print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
