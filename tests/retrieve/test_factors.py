"""Vectors, longest first, held against comparing all."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from homefeed.retrieve import factors as module
from homefeed.retrieve.factors import Factors
from homefeed.retrieve.vectors import NEGLIGIBLE


@pytest.fixture(autouse=True)
def _few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FIRST", 8)


@given(
    seed=st.integers(0, 2**32 - 1),
    size=st.sampled_from([0, 1, 8, 100, 1_000]),
    k=st.sampled_from([1, 7, 2_000]),
    share=st.sampled_from([1.0, 0.3, 0.0]),
    ordered=st.booleans(),
)
def test_the_best_by_comparing_all(seed: int, size: int, k: int, share: float, ordered: bool) -> None:
    rng = np.random.default_rng(seed)
    # Whole numbers: products are exact, and many are equal.
    vectors = (rng.integers(-3, 4, (size, 5)) * rng.integers(0, 4, (size, 1))).astype(np.float32)
    if ordered:
        vectors = vectors[np.argsort(-np.linalg.norm(vectors, axis=1))]
    positions = np.where(rng.random(size) < 0.9, rng.permutation(size + 9)[:size], -1).astype(np.int32)
    eligible, vector = rng.random(size + 9) < share, rng.integers(-3, 4, 5).astype(np.float32)
    scores = {int(p): float(s) for p, s in zip(positions, vectors @ vector, strict=True) if p >= 0}
    found = [(-s, p) for p, s in scores.items() if s > NEGLIGIBLE and eligible[p] and p != 3]
    expected = [(p, -s) for s, p in sorted(found)[:k]]
    best, of_best = Factors(vectors, positions).best(vector, eligible, k, without=3)
    assert list(zip(best.tolist(), of_best.tolist(), strict=True)) == expected


def test_what_is_too_short_is_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[int] = []
    keys = module._keys

    def counted(scores: np.ndarray, *rest: object) -> object:
        looked_at.append(len(scores))
        return keys(scores, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "_keys", counted)
    vectors = np.zeros((1_000, 2), np.float32)
    vectors[:, 0] = np.arange(1_000, 0, -1)
    factors = Factors(vectors, np.arange(1_000, dtype=np.int32))
    best, scores = factors.best(np.array([1, 0], np.float32), np.ones(1_000, np.bool_), 5)
    assert best.tolist() == [0, 1, 2, 3, 4]
    assert scores.tolist() == [1_000, 999, 998, 997, 996]
    assert looked_at == [8]
