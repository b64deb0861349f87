"""Each metric on lists worked out by hand, and what holds for any list."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from homefeed.errors import InvalidError
from homefeed.evaluate.metrics import (
    MEASURES,
    Judged,
    average_precision,
    coverage,
    hit_rate,
    judge,
    mrr,
    ndcg,
    per_user,
    precision,
    recall,
)
from homefeed.types import Positions


def _positions(*items: int) -> Positions:
    return np.array(items, dtype=np.int32)


@pytest.fixture
def judged() -> Judged:
    """Hits at ranks 2 and 4 of three targets; at rank 1 of one; none in a short list; an empty list."""
    return judge(
        [_positions(5, 1, 6, 2), _positions(9, 8, 7, 6), _positions(3), _positions()],
        [_positions(1, 2, 3), _positions(9), _positions(4), _positions(0, 1)],
    )


def test_hits_and_targets(judged: Judged) -> None:
    assert judged.hits.astype(int).tolist() == [[0, 1, 0, 1], [1, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]
    assert judged.target_counts.tolist() == [3, 1, 1, 2]


def test_recall(judged: Judged) -> None:
    assert recall(judged, 1).tolist() == [0, 1, 0, 0]
    assert recall(judged, 2).tolist() == pytest.approx([1 / 3, 1, 0, 0])
    assert recall(judged, 10).tolist() == pytest.approx([2 / 3, 1, 0, 0])


def test_precision_divides_by_k_however_short_the_list(judged: Judged) -> None:
    assert precision(judged, 2).tolist() == [0.5, 0.5, 0, 0]
    assert precision(judged, 10).tolist() == pytest.approx([0.2, 0.1, 0, 0])


def test_hit_rate(judged: Judged) -> None:
    assert hit_rate(judged, 1).tolist() == [0, 1, 0, 0]
    assert hit_rate(judged, 4).tolist() == [1, 1, 0, 0]


def test_mrr(judged: Judged) -> None:
    assert mrr(judged, 1).tolist() == [0, 1, 0, 0]
    assert mrr(judged, 10).tolist() == [0.5, 1, 0, 0]


def test_ndcg(judged: Judged) -> None:
    at_4 = (1 / math.log2(3) + 1 / math.log2(5)) / (1 + 1 / math.log2(3) + 1 / math.log2(4))
    assert ndcg(judged, 4).tolist() == pytest.approx([at_4, 1, 0, 0])
    at_2 = (1 / math.log2(3)) / (1 + 1 / math.log2(3))
    assert ndcg(judged, 2).tolist() == pytest.approx([at_2, 1, 0, 0])


def test_average_precision_divides_by_what_a_perfect_list_could_find(judged: Judged) -> None:
    # Hits at ranks 2 and 4: precision 1/2 and 2/4 there. Three targets, of which two fit into the first two ranks.
    assert average_precision(judged, 4).tolist() == pytest.approx([(1 / 2 + 2 / 4) / 3, 1, 0, 0])
    assert average_precision(judged, 2).tolist() == pytest.approx([(1 / 2) / 2, 1, 0, 0])
    assert average_precision(judged, 1).tolist() == [0, 1, 0, 0]


def test_only_empty_lists() -> None:
    judged = judge([_positions(), _positions()], [_positions(1), _positions(2)])
    for measure in MEASURES.values():
        assert measure(judged, 10).tolist() == [0, 0]


def test_a_target_named_twice_counts_once() -> None:
    assert judge([_positions(1)], [_positions(1, 1, 2)]).target_counts.tolist() == [2]


def test_per_user_has_every_measure_at_every_k(judged: Judged) -> None:
    found = per_user(judged, ks=(1, 4))
    assert set(found) == {f"{name}@{k}" for name in MEASURES for k in (1, 4)}
    assert found["recall@4"].tolist() == recall(judged, 4).tolist()


def test_coverage_counts_eligible_items_shown_to_anyone() -> None:
    ranked = [_positions(0, 1, 2), _positions(1, 4), _positions()]
    eligible = np.array([True, True, True, True, False])
    assert coverage(ranked, eligible, 1) == 2 / 4
    assert coverage(ranked, eligible, 2) == 2 / 4
    assert coverage(ranked, eligible, 3) == 3 / 4


@pytest.mark.parametrize(
    ("ranked", "targets", "named"),
    [
        ([_positions(1, 1)], [_positions(1)], "twice"),
        ([_positions(1, -1)], [_positions(1)], "padding"),
        ([_positions(1)], [_positions()], "targets: expected at least one per case"),
        ([_positions(1)], [_positions(1), _positions(2)], "a list for each of 2 cases, got 1"),
        ([], [], "at least one case"),
    ],
)
def test_what_cannot_be_judged_is_refused(ranked: list[Positions], targets: list[Positions], named: str) -> None:
    with pytest.raises(InvalidError, match=named):
        judge(ranked, targets)


def test_k_below_one_is_refused(judged: Judged) -> None:
    for measure in MEASURES.values():
        with pytest.raises(InvalidError, match="k: expected 1 or more"):
            measure(judged, 0)
    with pytest.raises(InvalidError, match="k: expected 1 or more"):
        coverage([_positions(1)], np.ones(2, np.bool_), 0)


def test_coverage_of_nothing_eligible_is_refused() -> None:
    with pytest.raises(InvalidError, match="eligible"):
        coverage([_positions(1)], np.zeros(2, np.bool_), 1)


items = st.integers(0, 30)
lists = st.lists(items, max_size=15, unique=True).map(lambda found: _positions(*found))
wanted = st.lists(items, min_size=1, max_size=12, unique=True).map(lambda found: _positions(*found))
some_cases = st.lists(st.tuples(lists, wanted), min_size=1, max_size=6)
some_k = st.integers(1, 20)


@given(some_cases, some_k)
def test_all_measures_stay_between_0_and_1(cases: list[tuple[Positions, Positions]], k: int) -> None:
    judged = judge(*zip(*cases, strict=True))
    for measure in MEASURES.values():
        values = measure(judged, k)
        assert values.shape == (len(cases),)
        assert (values >= 0).all()
        assert (values <= 1).all()
    assert 0 <= coverage([ranked for ranked, _ in cases], np.ones(31, np.bool_), k) <= 1


@given(some_cases, some_k)
def test_they_are_what_their_formulas_say(cases: list[tuple[Positions, Positions]], k: int) -> None:
    judged = judge(*zip(*cases, strict=True))
    for case, (ranked, targets) in enumerate(cases):
        ranks = [rank for rank, item in enumerate(ranked.tolist()[:k], 1) if item in targets.tolist()]
        ideal = sum(1 / math.log2(rank + 1) for rank in range(1, min(k, len(targets)) + 1))
        assert recall(judged, k)[case] == pytest.approx(len(ranks) / len(targets))
        assert precision(judged, k)[case] == pytest.approx(len(ranks) / k)
        assert hit_rate(judged, k)[case] == (1 if ranks else 0)
        assert mrr(judged, k)[case] == pytest.approx(1 / ranks[0] if ranks else 0)
        precisions = sum(found / rank for found, rank in enumerate(ranks, 1))
        assert average_precision(judged, k)[case] == pytest.approx(precisions / min(k, len(targets)))
        assert ndcg(judged, k)[case] == pytest.approx(sum(1 / math.log2(rank + 1) for rank in ranks) / ideal)


@given(st.lists(wanted, min_size=1, max_size=6), some_k)
def test_a_perfect_list_has_the_highest_ndcg_and_average_precision(targets: list[Positions], k: int) -> None:
    padded = [np.concatenate((found, np.arange(40, 45, dtype=np.int32))) for found in targets]
    assert ndcg(judge(padded, targets), k).tolist() == [1.0] * len(targets)
    assert average_precision(judge(padded, targets), k).tolist() == [1.0] * len(targets)


@given(some_cases, st.integers(1, 19))
def test_more_ranks_never_find_less(cases: list[tuple[Positions, Positions]], k: int) -> None:
    judged = judge(*zip(*cases, strict=True))
    for measure in (recall, hit_rate, mrr):
        assert (measure(judged, k + 1) >= measure(judged, k)).all()


@given(some_cases, some_k)
def test_what_comes_after_k_does_not_matter(cases: list[tuple[Positions, Positions]], k: int) -> None:
    ranked, targets = ([*column] for column in zip(*cases, strict=True))
    cut = judge([shown[:k] for shown in ranked], targets)
    for measure in MEASURES.values():
        assert measure(judge(ranked, targets), k).tolist() == measure(cut, k).tolist()
