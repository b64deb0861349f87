"""The quality of rankings: user by user against binary targets, and beyond accuracy.

Each of the `MEASURES` takes `Judged` lists and gives one value in 0 to 1 per case (cases,), from which intervals
over users are computed. The missing ranks of a list shorter than k count as misses. All targets count, also where
there are more of them than k: recall@k then stays below 1, while NDCG@k and MAP@k can still reach it.

Beyond accuracy, no targets are needed: `novelty` and `intra_list_diversity` give one value per list, `coverage`
and `gini` one of a whole system.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from homefeed.errors import InvalidError
from homefeed.types import Codes, Mask, Positions

PerUser: TypeAlias = npt.NDArray[np.float64]
PerItem: TypeAlias = npt.NDArray[np.floating[Any]]
PerItemVectors: TypeAlias = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """Ranked lists compared with their targets.

    `hits` (cases, longest list) marks the ranks, best first, that have a target; `target_counts` (cases,) is
    the number of targets, at least one each.
    """

    hits: Mask
    target_counts: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.hits)


def judge(ranked: Sequence[Positions], targets: Sequence[Positions]) -> Judged:
    """Compare each case's ranked positions, best first and without padding, with its target positions.

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


def average_precision(judged: Judged, k: int) -> PerUser:
    """Average precision, cut off at k; the mean is MAP@k (McFee et al., WWW 2012 Companion, the MSD Challenge).

    The sum of precision@r over the ranks r <= k that have a target, divided by min(k, targets), so a perfect
    list has 1 also with more targets than ranks. trec_eval divides by all targets instead.
    """
    hits = _hits(judged, k)
    found = np.cumsum(hits, axis=1)
    at_hits = (found / np.arange(1, hits.shape[1] + 1) * hits).sum(axis=1)
    return np.asarray(at_hits / np.minimum(judged.target_counts, k))


def mrr(judged: Judged, k: int) -> PerUser:
    """1 / rank of the first target, 0 where none is in the first k; the mean is MRR (Voorhees, TREC-8, 1999)."""
    hits = _hits(judged, k)
    if hits.shape[1] == 0:
        return np.zeros(len(judged))
    return np.where(hits.any(axis=1), 1 / (hits.argmax(axis=1) + 1), 0.0)


def ndcg(judged: Judged, k: int) -> PerUser:
    """Normalised discounted cumulative gain (Järvelin & Kekäläinen, ACM TOIS 20(4), 2002), binary gains.

    DCG@k = sum over the ranks r <= k that have a target of 1 / log2(r + 1), divided by the DCG of the ideal
    list, which has min(k, targets) targets on top. The discount is the now usual one of Burges et al. (ICML
    2005); the paper of 2002 has 1 / log2(r) from rank 2 on.
    """
    hits = _hits(judged, k)
    discounts = 1 / np.log2(np.arange(2, k + 2))
    gained = np.zeros(len(judged))
    # Added rank by rank like the ideal, so rounding does not move a perfect list from 1.
    for rank in range(hits.shape[1]):
        gained += discounts[rank] * hits[:, rank]
    ideal = np.cumsum(discounts)[np.minimum(judged.target_counts, k) - 1]
    return np.asarray(gained / ideal)


MEASURES: Final[Mapping[str, Callable[[Judged, int], PerUser]]] = {
    "ndcg": ndcg,
    "recall": recall,
    "hit_rate": hit_rate,
    "mrr": mrr,
    "map": average_precision,
    "precision": precision,
}


def per_user(judged: Judged, ks: Sequence[int] = (10, 20)) -> dict[str, PerUser]:
    """Every measure at every k, as `ndcg@10` to values (cases,)."""
    return {f"{name}@{k}": measure(judged, k) for k in ks for name, measure in MEASURES.items()}


def coverage(ranked: Sequence[Positions], eligible: Mask, k: int) -> float:
    """Catalogue coverage@k: share of the `eligible` (items,) that are in the first k of at least one list.

    After Ge, Delgado-Battenfeld & Jannach, "Beyond Accuracy", RecSys 2010. It grows with the number of lists,
    so only systems with the same cases can be compared.

    Raises:
        InvalidError: nothing is eligible, there are no lists, or a list has an item that is not in the catalogue.
    """
    shown = _times_shown(ranked, eligible, k)
    return float(np.count_nonzero(shown) / len(shown))


def gini(ranked: Sequence[Positions], eligible: Mask, k: int) -> float:
    """Gini index@k of how often each of the `eligible` (items,) is in the first k: 0 all equally, 1 only one item.

    The sum over the n items, from the least often to the most often shown, of (2 j - n - 1) p(j), divided by n -
    1, where p(j) is the j-th item's share of all items shown (Shani & Gunawardana, "Evaluating Recommendation
    Systems", Recommender Systems Handbook, 2011). 0 where nothing eligible was shown, or where only one item is
    eligible: read it with the coverage.

    Raises:
        InvalidError: as `coverage` does.
    """
    shown = np.sort(_times_shown(ranked, eligible, k))
    items, total = len(shown), shown.sum()
    if total == 0 or items == 1:
        return 0.0
    return float((2 * np.arange(1, items + 1) - items - 1) @ shown / (total * (items - 1)))


def share_of_users(users: Codes, items: Positions, item_count: int) -> PerItem:
    """The share of users who had each item (items,), with one more user who had all: above 0, up to 1.

    `users` and `items` are (events,), as the columns of the events before the cutoff; an item a user had twice
    counts once. Adding one to both counts keeps the novelty of an item without users finite: log2(users + 1) bits.

    Raises:
        InvalidError: an item is not among the `item_count`.
    """
    if items.max(initial=-1) >= item_count:
        raise InvalidError(f"items: expected positions below {item_count}, the items there are, got {items.max()}")
    pairs = np.unique(users.astype(np.int64) * item_count + items)
    had = np.bincount(pairs % item_count, minlength=item_count)
    return np.asarray((had + 1) / (len(np.unique(users)) + 1))


def novelty(ranked: Sequence[Positions], popularity: PerItem, k: int) -> PerUser:
    """How unexpected the first k are, in bits: the mean over a list of -log2(share of users who had the item).

    Mean self-information (Zhou et al., PNAS 107(10), 2010; Vargas & Castells, RecSys 2011). `popularity` (items,)
    are shares above 0, as `share_of_users` makes them. One value per list (cases,); 0 where a list is empty:
    nothing new was shown.

    Raises:
        InvalidError: a share is not above 0 and up to 1, or as `coverage` does.
    """
    if not ((popularity > 0) & (popularity <= 1)).all():
        raise InvalidError("popularity: expected shares above 0 and up to 1, as by share_of_users")
    items, list_of = _first_k(ranked, len(popularity), k)
    bits = np.bincount(list_of, -np.log2(popularity)[items], minlength=len(ranked))
    return np.asarray(bits / np.maximum(np.bincount(list_of, minlength=len(ranked)), 1))


def intra_list_diversity(ranked: Sequence[Positions], vectors: PerItemVectors, k: int) -> PerUser:
    """How different the first k are from one another: 1 - the mean cosine over all pairs of a list.

    After Ziegler et al., WWW 2005, and Vargas & Castells, RecSys 2011. `vectors` (items, d) have a norm of 1, or
    of 0 where nothing is known of an item, which then differs from all others. One value per list (cases,), from 0
    to 1 where no cosine is negative, else up to 2; 0 where a list has fewer than two items.

    Raises:
        InvalidError: a vector has another norm, or as `coverage` does.
    """
    squares = np.einsum("id,id->i", vectors, vectors, dtype=np.float64)
    if not (np.isclose(squares, 1, atol=1e-3) | (squares == 0)).all():
        raise InvalidError("vectors: expected rows with a norm of 1 or 0; divide each by its norm")
    items, list_of = _first_k(ranked, len(vectors), k)
    counts = np.bincount(list_of, minlength=len(ranked))
    sums = np.zeros((len(ranked), vectors.shape[1]))
    place = np.arange(len(items)) - (np.cumsum(counts) - counts)[list_of]
    # Rank by rank, each list at most once, so memory does not grow with k.
    for rank in range(int(counts.max())):
        at_rank = place == rank
        sums[list_of[at_rank]] += vectors[items[at_rank]]
    # |sum of v|^2 has every pair twice, and each vector with itself.
    cosines = np.einsum("cd,cd->c", sums, sums) - np.bincount(list_of, squares[items], minlength=len(ranked))
    pairs = counts * (counts - 1)
    return np.where(pairs > 0, 1 - cosines / np.maximum(pairs, 1), 0.0)


def _times_shown(ranked: Sequence[Positions], eligible: Mask, k: int) -> npt.NDArray[np.int64]:
    """The number of lists with each of the eligible items in their first k."""
    if not eligible.any():
        raise InvalidError("eligible: expected at least one item of the catalogue to be eligible")
    items, _ = _first_k(ranked, len(eligible), k)
    return np.bincount(items, minlength=len(eligible))[eligible]


def _first_k(
    ranked: Sequence[Positions], item_count: int, k: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The first k of each list end to end: the positions, and each one's list."""
    _check_k(k)
    items, list_of, rank_of = _flattened("ranked", ranked)
    if items.max(initial=-1) >= item_count:
        raise InvalidError(
            f"ranked: expected positions below {item_count}, the items there are, got {items.max()}"
        )
    first = rank_of < k
    return items[first], list_of[first]


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
