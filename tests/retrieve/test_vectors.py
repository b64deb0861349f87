"""Vectors by inner product in two stages, held against comparing all."""

from __future__ import annotations

import math
from itertools import combinations, pairwise

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from homefeed.retrieve import vectors as module
from homefeed.retrieve.selection import best_of
from homefeed.retrieve.vectors import NEGLIGIBLE, VectorIndex, added_by_parts
from homefeed.types import NO_POSITIONS, Floats, Mask

seeds = st.integers(0, 2**32 - 1)


def random_vectors(rng: np.random.Generator, size: int, dimensions: int, kind: str) -> Floats:
    """Of length 1, or 0: anywhere, in clusters as those of a catalogue, or many times the same."""
    table: npt.NDArray[np.float64] = rng.normal(size=(size, dimensions))
    if kind == "clusters":
        table = rng.normal(size=(7, dimensions))[rng.integers(0, 7, size)] + 0.05 * table
    elif kind == "copies":
        table = table[rng.integers(0, max(size // 20, 1), size)]
    table[rng.random(size) < 0.02] = 0
    unit = table / np.maximum(np.linalg.norm(table, axis=1, keepdims=True), 1e-9)
    return np.asarray(unit, np.float32)


def whole(scores: Floats, eligible: Mask, k: int, above: float) -> list[int]:
    """Rows by a full sort; ties by row."""
    scores = np.where(eligible, scores, np.float32(0))
    return [row for row in np.argsort(-scores, kind="stable").tolist() if scores[row] > above][:k]


@pytest.fixture
def _always_in_two_stages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SMALL", 0)
    monkeypatch.setattr(module, "_FEW", 1_000_000)


@pytest.mark.usefixtures("_always_in_two_stages")
@settings(max_examples=60, deadline=None)
@given(
    seed=seeds,
    kind=st.sampled_from(["anywhere", "clusters", "copies"]),
    size=st.sampled_from([200, 511, 512, 3_000]),
    dimensions=st.sampled_from([1, 7, 32, 64, 301]),
    k=st.sampled_from([1, 5, 40]),
    share=st.sampled_from([1.0, 0.5, 0.02, 0.0]),
    above=st.sampled_from([NEGLIGIBLE, 0.3]),
)
def test_two_stages_find_what_comparing_all_finds(
    seed: int, kind: str, size: int, dimensions: int, k: int, share: float, above: float
) -> None:
    rng = np.random.default_rng(seed)
    table = random_vectors(rng, size, dimensions, kind)
    index = VectorIndex(table)
    vector = table[rng.integers(0, size, 3)].sum(axis=0) + np.float32(1e-3)
    eligible = rng.random(size) < share
    positions, scores = index.nearest(vector, eligible, k, above=above)
    # By BLAS as the index does it: sums of another order differ in the last bit.
    exact = table @ vector
    assert_same(positions, scores, exact, whole(exact, eligible, k, above))


def assert_same(positions: npt.NDArray[np.int32], scores: Floats, exact: Floats, rows: list[int]) -> None:
    """That the rows are found, in their order but for those apart by a rounding."""
    assert len(positions) == len(rows)
    np.testing.assert_allclose(scores, exact[rows], rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(scores, exact[positions], rtol=1e-5, atol=1e-7)
    assert len(set(positions.tolist())) == len(positions)
    for one, other in pairwise(positions.tolist()):
        assert exact[one] > exact[other] or exact[one] == pytest.approx(exact[other], rel=1e-5, abs=1e-7)


@pytest.mark.usefixtures("_always_in_two_stages")
@pytest.mark.parametrize("size", [600, 5_000])
def test_equal_vectors_stand_by_row(size: int) -> None:
    rng = np.random.default_rng(size)
    table = random_vectors(rng, size, 32, "copies")
    index, eligible = VectorIndex(table), rng.random(size) < 0.7
    positions, scores = index.nearest(table[3] + table[10], eligible, 50)
    assert len(set(scores.tolist())) < 30
    assert positions.tolist() == [
        row for _, row in sorted(zip((-scores).tolist(), positions.tolist(), strict=True))
    ]


@pytest.mark.parametrize(("small", "few"), [(0, 1_000_000), (10**9, 1_000_000), (0, 0)])
def test_however_they_are_compared_the_same_are_found(
    monkeypatch: pytest.MonkeyPatch, small: int, few: int
) -> None:
    monkeypatch.setattr(module, "_SMALL", small)
    monkeypatch.setattr(module, "_FEW", few)
    rng = np.random.default_rng(5)
    table = random_vectors(rng, 1_000, 16, "anywhere")
    index = VectorIndex(table)
    exact = table @ table[7]
    order = whole(exact, np.ones(1_000, np.bool_), 20, NEGLIGIBLE)
    assert order[0] == 7
    # The one it is about is left out, and what the mask does not have is not there.
    found = index.nearest(table[7], np.ones(1_200, np.bool_), 19, without=7)[0]
    assert found.tolist() == order[1:]
    # A mask that lets pass half of them, and some that came since.
    half = np.append(np.arange(1_000) < 500, np.ones(200, np.bool_))
    found = index.nearest(table[7], half, 5)[0]
    assert (
        found.tolist() == [row for row in whole(exact, np.ones(1_000, np.bool_), 999, NEGLIGIBLE) if row < 500][:5]
    )


def test_vectors_that_are_added_or_replaced_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SMALL", 0)
    rng = np.random.default_rng(6)
    table = random_vectors(rng, 2_000, 12, "anywhere")
    fixed = table.copy()
    fixed.flags.writeable = False
    index = VectorIndex(fixed)
    index.grow(2_100)
    assert index.vectors[2_000:].any() == np.False_
    more = random_vectors(rng, 100, 12, "anywhere")
    index.put(np.arange(2_000, 2_100), more)
    index.put(np.array([5, 9]), more, np.array([3, 4]))
    changed = np.concatenate([table, more])
    changed[[5, 9]] = more[[3, 4]]
    assert index.vectors.tolist() == changed.tolist()
    assert fixed.tolist() == table.tolist()
    for row in (5, 9, 2_003, 2_099, 12):
        positions, scores = index.nearest(changed[row], np.ones(2_100, np.bool_), 7)
        exact = changed @ changed[row]
        assert_same(positions, scores, exact, whole(exact, np.ones(2_100, np.bool_), 7, NEGLIGIBLE))


@given(seed=seeds, above=st.sampled_from([0.0, 0.3]), items=st.sampled_from([0, 1, 9]))
def test_what_each_part_adds_by_brute_force(seed: int, above: float, items: int) -> None:
    rng = np.random.default_rng(seed)
    table = random_vectors(rng, 30, 5, "copies")
    chosen = np.sort(rng.permutation(30)[:items]).astype(np.int32)
    weights = rng.choice([0.5, 1.0], items).astype(np.float32)
    rows = np.where(rng.random(12) < 0.8, rng.permutation(30)[:12], -1).astype(np.int32)
    added = added_by_parts(table, rows, table[chosen], weights, above)
    assert added.shape == (items, 12)
    for part, (item, weight) in enumerate(zip(chosen.tolist(), weights.tolist(), strict=True)):
        for place, row in enumerate(rows.tolist()):
            exact = float(table[row] @ table[item] * weight) if row >= 0 else 0.0
            if abs(exact - above) > 1e-6:
                expected = exact if exact > above else 0.0
                assert added[part, place] == pytest.approx(expected, rel=1e-4, abs=1e-6)
    # Equal vectors and weights add the same to the last bit.
    same = [
        (table[item].tobytes(), weight) for item, weight in zip(chosen.tolist(), weights.tolist(), strict=True)
    ]
    for one, other in combinations(range(items), 2):
        if same[one] == same[other]:
            assert added[one].tolist() == added[other].tolist()


def test_scores_above_a_bound_have_keys_and_one_at_the_bound_has_none() -> None:
    rows, scores = np.array([4, 1, 7, 2], np.int32), np.array([0.5, 0.25, 0.75, 0.125], np.float32)
    found = [
        best_of(module._keys(rows, scores, above), NO_POSITIONS, 9)[0].tolist() for above in (0.25, 0.75, 0.1)
    ]
    assert found == [[7, 4], [], [7, 4, 1, 2]]


def test_vectors_are_written_as_whole_numbers_with_their_error_by_hand() -> None:
    table = np.array([[1, 0.5, -0.25, 0], [0, 0, 0, 0], [-0.125, 0, 0, 1]], np.float32)
    index = VectorIndex(table)
    # 63.5 is as near to 64 as to 63, -31.75 is nearest to -32 and -15.875 to -16.
    assert index._codes[0, :, :3].T.tolist() == [[127, 64, -32, 0], [0, 0, 0, 0], [-16, 0, 0, 127]]
    assert not index._codes[0, :, 3:].any()
    assert index._codes.shape == (1, 4, 128)
    assert index._boxes.tolist() == [[[-16, 0, -32, 0], [127, 64, 0, 127]]]
    error, length = index._bounds.tolist()
    assert error == pytest.approx(math.sqrt(0.5**2 + 0.25**2) / 127)
    assert length == pytest.approx(math.sqrt(127**2 + 64**2 + 32**2))
    assert VectorIndex(np.zeros((129, 5), np.float32))._codes.shape == (2, 8, 128)


def test_a_vector_is_shortened_as_far_as_16_bits_allow_by_hand() -> None:
    bounds = np.array([0.01, 200.0])
    short, unit, error = module._shortened(np.array([3, 4], np.float32), 4, bounds)
    # Of length 5; in 4 dimensions rounding adds at most half of sqrt(4) to the length of the short one.
    factor = (32_767 / 200 - 1) / 5
    assert short.tolist() == [round(3 * factor), round(4 * factor), 0, 0]
    assert unit == pytest.approx(1 / (127 * factor))
    rounded = math.hypot(3 * factor - short[0], 4 * factor - short[1]) / factor
    assert error == math.ceil((0.01 * 5 + 200 / 127 * rounded) / unit) + 1
    # Vectors of 0 have codes of length 0: no less than 1 is divided by.
    assert module._shortened(np.array([1], np.float32), 4, np.zeros(2))[0].tolist() == [32_766, 0, 0, 0]


@pytest.mark.usefixtures("_always_in_two_stages")
@pytest.mark.parametrize("k", [1, 10])
@pytest.mark.parametrize("above", [NEGLIGIBLE, 0.5])
@pytest.mark.parametrize("size", [1_024, 1_300])
def test_only_rows_that_can_be_among_the_best_are_compared_exactly(size: int, above: float, k: int) -> None:
    rng = np.random.default_rng(8)
    table = random_vectors(rng, size, 10, "clusters")
    index, vector, eligible = VectorIndex(table), table[5] + np.float32(0.1), rng.random(size) < 0.6
    eligible[[5, 600]] = True
    codes, bounds = index._codes, index._bounds
    short, unit, error = module._shortened(vector, 12, bounds)
    products = np.zeros(len(index._rows), np.int64)
    products[index._rows] = np.einsum("bdr,d->br", codes.astype(np.int64), short.astype(np.int64)).ravel()
    products = products[:size]
    blocks = index._rows, codes, index._boxes, bounds
    for without in (-1, 5, 600):
        allowed = eligible & (np.arange(size) != without)
        kth = int(np.sort(products[allowed])[-k])
        threshold = max(kth - 2 * error, math.floor(above / unit) - error)
        rows, found = module._promising_rows(size, eligible, without, vector, above, *blocks, k)
        assert rows[:found].tolist() == np.flatnonzero(allowed & (products >= threshold)).tolist()
        assert len(rows) == -(-found // 8) * 8
        assert not rows[found:].any()
        rows, found = module._eligible_rows(size, eligible, without)
        assert rows[:found].tolist() == np.flatnonzero(allowed).tolist()
        assert len(rows) == -(-found // 8) * 8
        assert not rows[found:].any()


def test_products_are_those_of_whole_numbers() -> None:
    rng = np.random.default_rng(9)
    codes, short = rng.integers(-127, 128, (8, 128)).astype(np.int8), rng.integers(-30, 31, 8).astype(np.int16)
    products = np.ones(128, np.int16)
    module._multiply(codes, short, products)
    assert products.tolist() == (codes.astype(np.int64).T @ short.astype(np.int64)).tolist()


def test_the_best_corner_of_a_box_by_hand() -> None:
    boxes = np.array([[[-1, 2], [3, 4]], [[-5, 0], [-2, 0]], [[127, 127], [-127, -127]]], np.int8)
    # An empty box has none that is worth a look.
    assert module._corners(boxes, np.array([10, -1], np.int16)).tolist() == [28, -20, -(2**31 - 1)]


@pytest.mark.usefixtures("_always_in_two_stages")
@pytest.mark.parametrize("kind", ["anywhere", "clusters", "copies"])
def test_no_vector_is_outside_the_box_of_its_block(kind: str) -> None:
    rng = np.random.default_rng(4)
    table = random_vectors(rng, 1_000, 6, kind)
    index = VectorIndex(table)
    index.grow(1_300)
    index.put(rng.permutation(1_300)[:600], random_vectors(rng, 600, 6, "anywhere"))
    index.grow(2_000)
    rows = index._rows.reshape(-1, 128)
    assert sorted(rows.ravel().tolist()) == list(range(rows.size))
    assert index._rows[index._places].tolist() == list(range(rows.size))
    for block, own in enumerate(rows):
        vectors = np.zeros((128, 6), np.float32)
        there = own < len(index._vectors)
        vectors[there] = index._vectors[own[there]]
        codes = np.round(vectors * 127)
        assert index._codes[block, :6].T.tolist() == codes.tolist()
        written = there & codes.any(axis=1)
        assert (index._boxes[block, 0, :6] <= codes[written]).all()
        assert (index._boxes[block, 1, :6] >= codes[written]).all()


@pytest.mark.usefixtures("_always_in_two_stages")
def test_blocks_whose_boxes_are_too_far_off_are_not_looked_into() -> None:
    rng = np.random.default_rng(2)
    table = random_vectors(rng, 20_000, 8, "clusters")
    index, everything = VectorIndex(table), np.ones(20_000, np.bool_)
    before = index.nearest(table[7], everything, 10)
    best = index._places[before[0]] // 128
    far = np.setdiff1d(np.arange(len(index._codes)), best)
    corners = module._corners(index._boxes, module._shortened(table[7], 8, index._bounds)[0])
    far = far[corners[far] < np.sort(corners)[-40]]
    assert len(far) > 100
    index._codes[far] = 127  # as if all there were the best of all
    found = index.nearest(table[7], everything, 10)
    assert [each.tolist() for each in found] == [each.tolist() for each in before]
