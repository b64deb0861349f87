"""Every measure of accuracy, user by user, against ir_measures: trec_eval's own code, and MS MARCO's for MRR."""

from __future__ import annotations

import ir_measures
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ir_measures import AP, RR, P, R, Success, nDCG

from homefeed.evaluate.metrics import MEASURES, PerUser, judge
from homefeed.types import Positions

THEIRS = {"ndcg": nDCG, "recall": R, "hit_rate": Success, "mrr": RR, "map": AP, "precision": P}
KS = (1, 3, 5, 10, 20)


def _by_ir_measures(ranked: list[Positions], targets: list[Positions]) -> dict[str, PerUser]:
    """Their values (cases,) of every measure at every k; cases they say nothing of are NaN."""
    wanted = [ir_measures.Qrel(str(case), str(item), 1) for case, found in enumerate(targets) for item in found]
    shown = [
        ir_measures.ScoredDoc(str(case), str(item), float(-rank))
        for case, found in enumerate(ranked)
        for rank, item in enumerate(found)
    ]
    names = {THEIRS[name] @ k: f"{name}@{k}" for name in THEIRS for k in KS}
    values = {name: np.full(len(ranked), np.nan) for name in names.values()}
    for metric in ir_measures.iter_calc(list(names), wanted, shown):
        values[names[metric.measure]][int(metric.query_id)] = metric.value
    return values


def _divided_by_all_targets(ours: PerUser, target_counts: npt.NDArray[np.int64], k: int) -> PerUser:
    """Our average precision, divided as trec_eval does: by all targets, also where there are more than ranks."""
    return ours * np.minimum(target_counts, k) / target_counts


def _assert_agreement(ranked: list[Positions], targets: list[Positions]) -> None:
    judged = judge(ranked, targets)
    theirs = _by_ir_measures(ranked, targets)
    for name, measure in MEASURES.items():
        for k in KS:
            ours = measure(judged, k)
            if name == "map":
                ours = _divided_by_all_targets(ours, judged.target_counts, k)
            np.testing.assert_allclose(ours, theirs[f"{name}@{k}"], rtol=0, atol=1e-9, err_msg=f"{name}@{k}")


def test_every_measure_has_an_oracle() -> None:
    assert set(THEIRS) == set(MEASURES)


@pytest.mark.parametrize("seed", range(4))
def test_400_random_users_have_the_same_values(seed: int) -> None:
    rng = np.random.default_rng(seed)
    lengths = np.concatenate(([0, 1, 30], rng.integers(0, 31, 397)))
    counts = np.concatenate(([1, 25, 40], rng.integers(1, 41, 397)))
    ranked = [rng.permutation(80)[:length].astype(np.int32) for length in lengths]
    targets = [rng.permutation(80)[:count].astype(np.int32) for count in counts]
    judged = judge(ranked, targets)
    assert 0.1 < judged.hits.mean() < 0.5
    assert (judged.target_counts > 20).any()
    _assert_agreement(ranked, targets)


lists = st.lists(st.integers(0, 30), max_size=25, unique=True)
wanted = st.lists(st.integers(0, 30), min_size=1, max_size=25, unique=True)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(lists, wanted), min_size=1, max_size=5))
def test_any_lists_have_the_same_values(cases: list[tuple[list[int], list[int]]]) -> None:
    # They need one list that is not empty, of whichever user.
    cases = [*cases, ([7], [7])]
    _assert_agreement(*([np.array(column, np.int32) for column in side] for side in zip(*cases, strict=True)))
