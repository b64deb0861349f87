"""How good rankings are, user by user, against binary targets.

Every measure takes `Judged` lists and gives one value in 0 to 1 per case (cases,), so that intervals over users
can be computed. A list shorter than k is one that missed at its lacking ranks. All targets count, also where
there are more of them than k: recall@k then stays below 1, while NDCG@k can still reach it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from homefeed.errors import InvalidError
from homefeed.types import Mask, Positions

PerUser: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """Ranked lists held against their targets.

    `hits` (cases, longest list) says of each rank, best first, whether a target stands there;
    `target_counts` (cases,) how many targets there were to find, at least one each.
    """

    hits: Mask
    target_counts: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.hits)


def judge(ranked: Sequence[Positions], targets: Sequence[Positions]) -> Judged:
    """Hold each case's ranked positions, best first and without padding, against its target positions.

    Raises:
        InvalidError: the two differ in length or are empty, a case has no targets, a list names an item twice.
    """
    if len(ranked) != len(targets):
        raise InvalidError(f"ranked: expected a list for each of {len(targets)} cases, got {len(ranked)}")
    items, case_of, rank_of = _flattened("ranked", ranked)
    wanted, wanted_case, _ = _flattened("targets", targets)
    width = max(items.max(initial=0), wanted.max(initial=0)) + 1
    shown = case_of * width + items
    if len(np.unique(shown)) < len(shown):
        raise InvalidError("ranked: expected every item once in a list, got a list with an item twice")
    wanted_once = np.unique(wanted_case * width + wanted)
    target_counts = np.bincount(wanted_once // width, minlength=len(targets))
    if (target_counts == 0).any():
        raise InvalidError(f"targets: expected at least one per case, got none for case {target_counts.argmin()}")

    hits = np.zeros((len(ranked), int(rank_of.max(initial=-1)) + 1), dtype=np.bool_)
    hits[case_of, rank_of] = np.isin(shown, wanted_once)
    return Judged(hits, target_counts)


def recall(judged: Judged, k: int) -> PerUser:
    """Share of the targets found in the first k (Manning, Raghavan, Schütze 2008, ch. 8): hits@k / targets."""
    return _hit_counts(judged, k) / judged.target_counts


def precision(judged: Judged, k: int) -> PerUser:
    """Share of k that are targets (Manning, Raghavan, Schütze 2008, ch. 8): hits@k / k."""
    return _hit_counts(judged, k) / k


def hit_rate(judged: Judged, k: int) -> PerUser:
    """1 where a target is in the first k, else 0; the mean is the hit rate (Deshpande & Karypis, TOIS 2004)."""
    return np.minimum(_hit_counts(judged, k), 1.0)


def mrr(judged: Judged, k: int) -> PerUser:
    """1 / rank of the first target, 0 where none is in the first k; the mean is MRR (Voorhees, TREC-8, 1999)."""
    hits = _hits(judged, k)
    if hits.shape[1] == 0:
        return np.zeros(len(judged))
    return np.where(hits.any(axis=1), 1 / (hits.argmax(axis=1) + 1), 0.0)


def ndcg(judged: Judged, k: int) -> PerUser:
    """Normalised discounted cumulative gain (Järvelin & Kekäläinen, ACM TOIS 20(4), 2002), binary gains.

    DCG@k = sum over the ranks r <= k where a target stands of 1 / log2(r + 1), divided by the DCG of the ideal
    list, which has min(k, targets) targets on top. The discount is the now usual one of Burges et al. (ICML
    2005); the paper of 2002 has 1 / log2(r) from rank 2 on.
    """
    hits = _hits(judged, k)
    discounts = 1 / np.log2(np.arange(2, k + 2))
    gained = np.zeros(len(judged))
    # Added rank by rank as the ideal is: rounding then cannot lift a perfect list above 1, nor leave it below.
    for rank in range(hits.shape[1]):
        gained += discounts[rank] * hits[:, rank]
    ideal = np.cumsum(discounts)[np.minimum(judged.target_counts, k) - 1]
    return np.asarray(gained / ideal)


MEASURES: Final[Mapping[str, Callable[[Judged, int], PerUser]]] = {
    "ndcg": ndcg,
    "recall": recall,
    "hit_rate": hit_rate,
    "mrr": mrr,
    "precision": precision,
}


def per_user(judged: Judged, ks: Sequence[int] = (10, 20)) -> dict[str, PerUser]:
    """Every measure at every k, as `ndcg@10` to values (cases,)."""
    return {f"{name}@{k}": measure(judged, k) for k in ks for name, measure in MEASURES.items()}


def coverage(ranked: Sequence[Positions], eligible: Mask, k: int) -> float:
    """Catalogue coverage@k: share of the `eligible` (items,) that are in the first k of at least one list.

    After Ge, Delgado-Battenfeld & Jannach, "Beyond Accuracy", RecSys 2010. It grows with the number of lists,
    so that only systems asked for the same cases can be compared.
    """
    _check_k(k)
    if not eligible.any():
        raise InvalidError("eligible: expected at least one item of the catalogue to be eligible")
    items, _, rank_of = _flattened("ranked", ranked)
    shown = np.zeros(len(eligible), dtype=np.bool_)
    shown[items[rank_of < k]] = True
    return float((shown & eligible).sum() / eligible.sum())


def _hits(judged: Judged, k: int) -> Mask:
    _check_k(k)
    return judged.hits[:, :k]


def _hit_counts(judged: Judged, k: int) -> PerUser:
    return np.asarray(_hits(judged, k).sum(axis=1, dtype=np.float64))


def _check_k(k: int) -> None:
    if k < 1:
        raise InvalidError(f"k: expected 1 or more, got {k}")


def _flattened(name: str, lists: Sequence[Positions]) -> tuple[npt.NDArray[np.int64], ...]:
    """The lists end to end: the positions, each one's list, and its place there from 0."""
    if len(lists) == 0:
        raise InvalidError(f"{name}: expected at least one case, got none")
    flat = np.concatenate(lists).astype(np.int64)
    if flat.min(initial=0) < 0:
        raise InvalidError(f"{name}: expected positions of 0 or more in lists without padding, got {flat.min()}")
    lengths = np.fromiter(map(len, lists), dtype=np.int64, count=len(lists))
    list_of = np.repeat(np.arange(len(lists)), lengths)
    place = np.arange(len(flat)) - (np.cumsum(lengths) - lengths)[list_of]
    return flat, list_of, place
