"""Pairs of users and items that are held back, to tell when learning more does not help."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from homefeed.blas import one_thread
from homefeed.retrieve.lightgcn.graph import Graph, Nodes
from homefeed.types import Floats

_SHARE: Final = 0.05
_MIN_PAIRS: Final = 10_000
_MAX_USERS: Final = 2_000
_CUT: Final = 20
_AT_ONCE: Final = 256


@dataclass(frozen=True, slots=True)
class Validation:
    """Held-out pairs of users and items (n,), of a graph that the rest make; sorted by user, few users only."""

    rest: Graph
    users: Nodes
    items: Nodes

    def ndcg(self, users: Floats, items: Floats) -> float:
        """The mean, over held-out pairs, of 1 / log2(1 + the item's rank), or of 0 beyond rank 20.

        The vectors are those of all users (users, factors) and items (items, factors). What a user chose is no
        rival of what is held out; held-out items of one user are rivals.
        """
        judged, rows = np.unique(self.users, return_inverse=True)
        total = 0.0
        # One thread: sums that several share differ in their last bits.
        with one_thread():
            for start in range(0, len(judged), _AT_ONCE):
                block = judged[start : start + _AT_ONCE]
                scores = users[block] @ items.T
                known = np.isin(self.rest.users, block)
                scores[np.searchsorted(block, self.rest.users[known]), self.rest.items[known]] = -np.inf
                mine = (rows >= start) & (rows < start + len(block))
                own = scores[rows[mine] - start, self.items[mine]]
                ranks = 1 + (scores[rows[mine] - start] > own[:, None]).sum(axis=1)
                total += float((1 / np.log2(1 + ranks[ranks <= _CUT])).sum())
        return total / len(self.users)


def held_out(graph: Graph, rng: np.random.Generator) -> tuple[Graph, Validation | None]:
    """The graph without a twentieth of its pairs, drawn at random, and those; all of it where there are few.

    Pairs whose user or item would be left with nothing stay. No more than 2,000 users are looked at.
    """
    count = len(graph.users)
    if count < _MIN_PAIRS:
        return graph, None
    out = np.zeros(count, np.bool_)
    out[rng.permutation(count)[: int(_SHARE * count)]] = True
    for nodes, size in ((graph.users, graph.user_count), (graph.items, graph.item_count)):
        out &= (np.bincount(nodes[~out], minlength=size) > 0)[nodes]
    chosen = rng.permutation(np.unique(graph.users[out]))[:_MAX_USERS]
    looked_at = out & np.isin(graph.users, chosen)
    rest = graph.take(~out)
    return rest, Validation(rest, graph.users[looked_at], graph.items[looked_at])
