"""The graph of users and items that LightGCN spreads vectors over, and the pairs it learns from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from homefeed.retrieve.opinions import strongest
from homefeed.types import Floats, Positions, TrainingData

Adjacency: TypeAlias = "sp.csr_array[np.float32]"
Nodes: TypeAlias = npt.NDArray[np.int64]

_TRIES: Final = 8


@dataclass(frozen=True, slots=True)
class Graph:
    """Who chose what: `users` and `items` (pairs,) by their rows, and how much each says, `strengths` (pairs,).

    Pairs are sorted by user, then item; `positions` (items,) are where the items are in the catalogue.
    """

    users: Nodes
    items: Nodes
    strengths: Floats
    user_count: int
    positions: Positions

    @property
    def item_count(self) -> int:
        """How many items somebody chose."""
        return len(self.positions)

    def take(self, rows: npt.NDArray[np.bool_]) -> Graph:
        """The same nodes with the chosen pairs."""
        return replace(self, users=self.users[rows], items=self.items[rows], strengths=self.strengths[rows])

    @property
    def keys(self) -> Nodes:
        """(pairs,) user * items + item, rising."""
        return self.users * self.item_count + self.items

    @property
    def degrees(self) -> Floats:
        """(users + items,) the strengths of each node's pairs, added."""
        of = (self.users, self.user_count), (self.items, self.item_count)
        return np.concatenate([np.bincount(rows, self.strengths, count) for rows, count in of]).astype(np.float32)

    def adjacency(self) -> Adjacency:
        """(users + items, users + items) strengths over the roots of both nodes' degrees: symmetric."""
        root = np.sqrt(np.maximum(self.degrees, np.finfo(np.float32).tiny))
        left, right = self.users, self.user_count + self.items
        values = self.strengths / (root[left] * root[right])
        size = self.user_count + self.item_count
        rows, columns = np.concatenate([left, right]), np.concatenate([right, left])
        matrix: Adjacency = sp.csr_array((np.tile(values, 2), (rows, columns)), shape=(size, size))
        matrix.sort_indices()
        return matrix


def graph_of(data: TrainingData) -> Graph:
    """Of each user's events of an item the strongest, the later of equals, where it speaks for the item."""
    events = strongest(data.interactions)
    events = events.take(events.strengths > 0)
    _, users = np.unique(events.users, return_inverse=True)
    positions, items = np.unique(events.items, return_inverse=True)
    strengths = events.strengths.astype(np.float32)
    return Graph(
        users.astype(np.int64), items.astype(np.int64), strengths, int(users.max(initial=-1)) + 1, positions
    )


def negatives(graph: Graph, users: Nodes, rng: np.random.Generator) -> Nodes:
    """(n,) for each of the users (n,) an item that they did not choose, each as likely; -1 where none was found.

    What they did choose is drawn again, a few times: to find none is next to impossible but for users who chose
    next to everything.
    """
    found = np.full(len(users), -1, np.int64)
    open_rows, keys = np.arange(len(users)), graph.keys
    for _ in range(_TRIES):
        drawn = rng.integers(graph.item_count, size=len(open_rows))
        wanted = users[open_rows] * graph.item_count + drawn
        chosen = keys[np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)] == wanted
        found[open_rows[~chosen]] = drawn[~chosen]
        open_rows = open_rows[chosen]
    return found
