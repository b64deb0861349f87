"""Large models are published in cells, and tell how much a search of them finds."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from tests.train.test_lease import APP, NOW, turn_of

from homefeed.protocols import Model
from homefeed.retrieve.als.model import AlsModel
from homefeed.retrieve.cells import CellIndex
from homefeed.retrieve.factors import Factors
from homefeed.store import Store
from homefeed.store.artifacts import ArtifactStore
from homefeed.train.cells import RECALL, arranged
from homefeed.train.publishing import Fit, Publisher
from homefeed.types import Interactions, TrainingData

ITEMS, FACTORS = 3_000, 8


def made(partitions: int = 0) -> AlsModel:
    """Vectors about forty tastes, of all lengths."""
    rng = np.random.default_rng(5)
    tastes = rng.standard_normal((40, FACTORS))
    vectors = tastes[rng.integers(0, 40, ITEMS)] + 0.3 * rng.standard_normal((ITEMS, FACTORS))
    vectors *= rng.random((ITEMS, 1))
    factors = vectors.astype(np.float32)
    gram = vectors.T @ vectors + np.eye(FACTORS)
    names = [f"p{number}" for number in range(partitions)]
    which = np.arange(ITEMS, dtype=np.int32) % partitions if partitions else np.empty(0, np.int32)
    grams = np.concatenate([gram] * max(partitions, 1))
    return AlsModel(np.arange(ITEMS, dtype=np.int32) + 7, factors, grams, 5.0, names, which)


def found(model: Model, facts: dict[str, str]) -> AlsModel:
    assert isinstance(model, AlsModel)
    assert "recall at 100 is" in facts["search"]
    return model


@pytest.mark.parametrize("partitions", [0, 3])
def test_the_recall_that_is_told_is_that_of_a_search(tmp_path: Path, partitions: int) -> None:
    pytest.importorskip("faiss")
    model = made(partitions)
    large = arranged(model, ITEMS, 0)
    searched = found(large.model, large.facts)
    assert float(large.facts["search"].split()[-1]) >= RECALL
    searched.save(tmp_path)
    searched = AlsModel.load(tmp_path)
    exact = Factors(model.vectors, model.numbers)
    index = CellIndex(searched.vectors, searched.numbers, searched.cells)
    rng, shares = np.random.default_rng(9), []
    for _ in range(30):
        own = np.flatnonzero(model.partition == 1) if partitions else np.arange(ITEMS)
        items = rng.choice(own, 5, replace=False).astype(np.int32)
        user = model.fold_in(items, np.ones(5, np.float32), 1 if partitions else 0).sum(axis=1)
        eligible = np.zeros(ITEMS + 7, np.bool_)
        eligible[own + 7] = True
        of_all, of_cells = (each.best(user, eligible, 100)[0] for each in (exact, index))
        shares.append(np.isin(of_all, of_cells).mean())
    assert np.mean(shares) > RECALL - 0.03
    assert searched.probes < len(searched.cells) / 2


def test_each_item_keeps_what_is_its_own() -> None:
    pytest.importorskip("faiss")
    model = made(3)
    searched = arranged(model, 10, 0).model
    assert isinstance(searched, AlsModel)
    order = np.argsort(searched.numbers)
    np.testing.assert_array_equal(searched.factors[order], model.factors)
    np.testing.assert_array_equal(searched.partition[order], model.partition)


def test_the_same_seed_gives_the_same_cells() -> None:
    pytest.importorskip("faiss")
    one, other = (arranged(made(), 10, 3).model for _ in range(2))
    assert isinstance(one, AlsModel)
    assert isinstance(other, AlsModel)
    np.testing.assert_array_equal(one.numbers, other.numbers)
    np.testing.assert_array_equal(one.centers, other.centers)
    assert one.probes == other.probes


def test_fewer_are_left_as_they_are() -> None:
    model = made()
    assert arranged(model, ITEMS + 1, 0).model is model


def test_without_faiss_it_is_exact_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "faiss", None)
    monkeypatch.setattr("homefeed.extras.find_spec", lambda name: None)
    model = made()
    told = arranged(model, 10, 0)
    assert told.model is model
    assert "pip install 'homefeed[ann]'" in told.facts["search"]


async def test_what_is_published_is_in_cells_from_the_number_of_the_recipe_on(
    store: Store, tmp_path: Path
) -> None:
    pytest.importorskip("faiss")
    empty = np.empty(0, np.int32)
    none = Interactions(
        empty, empty, empty, empty.astype(np.float32), empty.astype(np.float32), empty.astype(np.int64)
    )
    data, artifacts = TrainingData(none, 0, empty, {}, NOW), ArtifactStore(tmp_path)
    searches = []
    for exact_below in (ITEMS, ITEMS + 1):
        async with turn_of(store, tmp_path / APP) as turn:
            fit = Fit("als", "als", {"factors": FACTORS, "exact_below": exact_below}, made)
            manifest = await Publisher(artifacts, turn, data, 0).publish(fit)
        found = artifacts.load(APP, "als", AlsModel)
        assert found is not None
        searches.append((len(found.model.cells) > 0, "search" in manifest.facts))
    assert searches == [(True, True), (False, False)]
