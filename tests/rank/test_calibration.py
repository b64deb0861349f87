"""What retrievers say of items, on one scale: by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from homefeed.rank.calibration import Calibration, calibration_table, weigh_evidence
from homefeed.types import Floats

BY_SCORE = Calibration(intercept=1.0, log_score=2.0, log_rank=-1.0, log_rank_squared=0.0)
BY_RANK = Calibration(intercept=0.5, log_score=0.0, log_rank=0.0, log_rank_squared=-0.5)


def evidence(rows: list[list[tuple[float, int]]], *calibrations: Calibration) -> Floats:
    """Of rows of (score, rank), one for each of the calibrations."""
    names = [f"r{n}" for n in range(len(calibrations))]
    table = calibration_table(names, dict(zip(names, calibrations, strict=True)))
    scores = np.array([[score for score, _ in row] for row in rows], np.float32)
    ranks = np.array([[rank for _, rank in row] for row in rows], np.int32)
    features = np.full(scores.shape, 9, np.float32)
    weigh_evidence(scores, ranks, table, features)
    return features


def test_evidence_is_the_log_odds_of_score_and_rank() -> None:
    nothing = (math.nan, 0)
    found = evidence([[(math.e, 1), (7.0, 1)], [(1.0, 2), (7.0, 2)], [nothing, nothing]], BY_SCORE, BY_RANK)
    of_score = [1 + 2 + 0.01, 1 - math.log(2) + 0.01, 0]
    of_rank = [0.5 + 0.01, 0.5 - 0.5 * math.log(2) ** 2 + 0.01, 0]
    np.testing.assert_allclose(found, np.column_stack([of_score, of_rank]), rtol=1e-6)


def test_what_is_less_likely_than_any_other_item_says_next_to_nothing_yet_keeps_its_order() -> None:
    likely, even, unlikely, hopeless = evidence(
        [[(1.0, 1)], [(math.exp(-0.5), 1)], [(math.exp(-1), 1)], [(0.0, 1)]], BY_SCORE
    )[:, 0].tolist()
    assert likely == pytest.approx(1.01)
    assert even == pytest.approx(0.01, abs=1e-6)
    assert unlikely == pytest.approx(0.01 / math.e)
    assert 0 < hopeless < 1e-15, "of a score of 0, too"


def test_beyond_what_it_was_fitted_to_a_score_or_rank_says_no_more() -> None:
    # Of news the little known are chosen more often, which says nothing of those that nobody knows.
    fresh = Calibration(1.0, -3.0, 0.0, 0.5, least_log_score=0.0, most_log_rank=math.log(100))
    rows = [[(1.0, 100)], [(1e-6, 414)], [(math.exp(-1), 100)], [(1.0, 101)], [(math.e, 1)]]
    known, unknown, lower, below, above = evidence(rows, fresh)[:, 0].tolist()
    assert known == pytest.approx(1 + 0.5 * math.log(100) ** 2 + 0.01)
    assert unknown == lower == below == known
    assert above < known


def test_evidence_of_whatever_log_odds_is_above_zero_finite_and_in_order() -> None:
    odds = [1e6, 104.0, 1.0, 0.0, -1.0, -49.9, -50.0, -50.1, -88.0, -103.0, -104.0, -105.0, -700.0, -750.0, -9.9e5]
    found = [evidence([[(1.0, 1)]], Calibration(each, 0.0, 0.0, 0.0))[0, 0] for each in odds]
    assert (np.diff(found) < 0).all()
    assert np.isfinite(found).all()
    assert found[-1] >= np.finfo(np.float32).tiny, "and as exact as any other number"
    steep = Calibration(0.0, 1e6, -1e6, -1e6)
    worst = evidence([[(1e-9, 1_000_000)], [(1e-9, 2_000_000)]], steep)[:, 0]
    assert worst[0] > worst[1] > 0


@given(st.lists(st.integers(1, 1_000_000), min_size=2, max_size=20, unique=True))
def test_a_higher_score_never_says_less(scores: list[int]) -> None:
    found = evidence([[(score, 1)] for score in sorted(scores)], BY_SCORE)[:, 0]
    assert (np.diff(found) >= 0).all()
    assert (found > 0).all()


def test_a_table_is_in_the_order_of_the_names_and_needs_each() -> None:
    table = calibration_table(["b", "a"], {"a": BY_SCORE, "b": BY_RANK})
    assert table.tolist() == [[0.5, 0, 0, -0.5, -30, 30], [1, 2, -1, 0, -30, 30]]
    with pytest.raises(KeyError):
        calibration_table(["c"], {"a": BY_SCORE})
