"""The regression of what comes on what came before, as values of the Gram matrix's entries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
from scipy.linalg import lapack

from homefeed.retrieve.item_item.gram import Gram
from homefeed.retrieve.item_item.gram_kernels import half_of_pairs
from homefeed.retrieve.item_item.kernels import in_parallel, joined_rows
from homefeed.retrieve.item_item.view_kernels import local_ridge
from homefeed.retrieve.sequence.kernels import Moments, Table, sums_of_all, sums_of_pairs
from homefeed.retrieve.sequence.orders import Orders
from homefeed.types import Floats


@dataclass(frozen=True, slots=True, eq=False)
class Decay:
    """Sums over the moments at which a user might be asked, of what counts then.

    With the n-th place back counting s(n) as a source and the n-th place to come t(n) as a target, `targets[d]`
    (2 window,) is sum over a = 1..d of s(a) t(d + 1 - a): of all moments between two events d places apart.
    `sources[d, r]` (window, window) is sum over a = 1..r + 1 of s(a) s(a + d): of the r + 1 moments after both.
    """

    sources: Table
    targets: Floats

    @classmethod
    def of(cls, window: int, place_exponent: float, target_exponent: float) -> Self:
        """With s(n) = n^-place_exponent and t(n) = n^-target_exponent, both 0 beyond the window."""
        places = np.arange(1, window + 1, dtype=np.float64)
        source, target = places**-place_exponent, places**-target_exponent
        targets = np.append(0.0, np.convolve(source, target))
        sources = np.zeros((window, window))
        for distance in range(window):
            sums = np.cumsum(source[: window - distance] * source[distance:])
            sources[distance, : len(sums)] = sums
        return cls(sources.astype(np.float32), targets.astype(np.float32))


def regression(
    gram: Gram,
    orders: Orders,
    decay: Decay,
    *,
    user_exponent: float,
    penalty: float,
    exact_items: int,
    neighbours: int,
) -> Floats:
    """Weights that foresee what comes from what came: (S'S + penalty I)^-1 S'T at the entries of the Gram matrix.

    S has a row for each moment between two events of a user: what came before by its place back, T what comes by
    its place to come, both times (events of the user)^(-user_exponent / 2). The closed form of SLIST and SLIT
    (Choi et al., "Session-aware linear item-item models for session-based recommendation", WWW 2021) with the
    decay of TALE (Park et al., "Temporal linear item-item model for sequential recommendation", WSDM 2025).
    """
    lengths = np.maximum(np.diff(orders.starts), 1).astype(np.float32)
    by_item = np.argsort(orders.items, kind="stable")
    moments = Moments(
        item_starts=np.searchsorted(orders.items[by_item], np.arange(len(gram) + 1)).astype(np.int64),
        item_events=by_item.astype(np.int64),
        starts=orders.starts,
        users=orders.users,
        items=orders.items,
        places=orders.places,
        strengths=orders.strengths,
        user_weights=lengths ** np.float32(-user_exponent),
        sources=decay.sources,
        targets=decay.targets,
    )
    filled = np.bincount(orders.items, minlength=len(gram)) > 0
    if filled.sum() <= exact_items:
        return _exact(gram, filled, moments, penalty)
    return _local(gram, moments, penalty, neighbours)


def _exact(gram: Gram, filled: npt.NDArray[np.bool_], moments: Moments, penalty: float) -> Floats:
    """All items that have events, at once, in the memory of the two matrices of sums."""
    rows = np.flatnonzero(filled)
    row_of = (np.cumsum(filled) - 1).astype(np.int32)
    item_starts = np.append(moments.item_starts[:-1][rows], moments.item_starts[-1])
    of_rows = moments._replace(item_starts=item_starts, items=row_of[moments.items])
    together = np.zeros((len(rows), len(rows)), np.float32)
    followed = np.zeros_like(together)
    in_parallel(sums_of_all, (0, len(rows)), of_rows, together, followed)
    _solve(together, followed, penalty)
    values = np.empty_like(gram.shared)
    for some, entries in gram.blocks():
        sources = np.repeat(np.arange(some.start, some.stop), np.diff(gram.starts[some.start : some.stop + 1]))
        values[entries] = followed[row_of[gram.others[entries]], row_of[sources]]
    return values


def _solve(together: Table, followed: Table, penalty: float) -> None:
    """Turn each row t of `followed` into the w of (together + penalty I) w = t; `together` is used up."""
    if not len(together):
        return
    diagonal = np.diag_indices(len(together))
    own = together[diagonal]
    while True:
        together[diagonal] = own + np.float32(penalty)
        # Seen by columns, LAPACK works in place: a copy of either matrix would be as much memory again.
        factor, failed = lapack.spotrf(together.T, lower=1, clean=0, overwrite_a=1)
        if not failed:
            break
        penalty *= 2  # what little rounding has left of a small one is doubled until it is enough
        for row in range(len(together)):  # the other triangle is as it was
            together[row, row + 1 :] = together[row + 1 :, row]
    lapack.spotrs(factor, followed.T, lower=1, overwrite_b=1)


def _local(gram: Gram, moments: Moments, penalty: float, neighbours: int) -> Floats:
    """Each item on those that it follows most, by the sums at the entries of the Gram matrix."""
    own = np.zeros(len(gram), np.float32)
    together, followed = np.zeros_like(gram.shared), np.zeros_like(gram.shared)
    rows, pairs = (0, len(gram)), (gram.starts, gram.others)
    in_parallel(sums_of_pairs, rows, moments, *pairs, own, together, followed)
    half = joined_rows(in_parallel(half_of_pairs, rows, *pairs, together))
    lengths = np.sqrt(np.maximum(own, own[own > 0].min(initial=1)))
    weights = together  # its memory: what it held is in `half`
    weights[:] = 0
    settings = (neighbours, np.float32(penalty))
    in_parallel(local_ridge, rows, *pairs, followed, *half, own, lengths, *settings, weights)
    return weights
