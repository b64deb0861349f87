"""The graph of who chose what, and what LightGCN learns from and is judged by."""

from __future__ import annotations

import math

import numpy as np
import pytest
from tests.retrieve.events_sample import data_of

from homefeed.retrieve.lightgcn import validation as module
from homefeed.retrieve.lightgcn.graph import Graph, graph_of, negatives
from homefeed.retrieve.lightgcn.validation import Validation, held_out

EVENTS = [
    (0, 1, 0.5),
    (0, 1, 0.25),  # weaker: the stronger stays
    (0, 3, 1.0),
    (2, 1, 1.0),
    (2, 3, -0.5),  # a dislike is no edge
    (3, 5, -1.0),  # a user and an item that nobody likes are no nodes
]
GRAPH = graph_of(data_of(EVENTS))


def test_nodes_and_edges_by_hand() -> None:
    pairs = zip(GRAPH.users.tolist(), GRAPH.items.tolist(), GRAPH.strengths.tolist(), strict=True)
    assert list(pairs) == [(0, 0, 0.5), (0, 1, 1.0), (1, 0, 1.0)]
    assert (GRAPH.user_count, GRAPH.positions.tolist()) == (2, [1, 3])
    assert GRAPH.degrees.tolist() == [1.5, 1, 1.5, 1]


def test_the_adjacency_is_normalised_by_both_ends() -> None:
    found = GRAPH.adjacency().toarray()
    assert (found == found.T).all()
    expected = [[0.5 / 1.5, 1 / math.sqrt(1.5)], [1 / math.sqrt(1.5), 0]]
    np.testing.assert_allclose(found[:2, 2:], expected, rtol=1e-6)
    assert not found[:2, :2].any()


def test_nobody_draws_what_they_chose() -> None:
    rng = np.random.default_rng(0)
    users = np.repeat([0, 1], 50)
    drawn = negatives(GRAPH, users, rng)
    assert set(drawn[:50].tolist()) == {-1}  # who chose everything has none
    assert set(drawn[50:].tolist()) <= {1, -1}
    assert (drawn[50:] == 1).mean() > 0.9


def test_what_is_held_out_leaves_every_node_an_edge(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    keys = np.unique(rng.integers(40 * 30, size=400))
    graph = Graph(keys // 30, keys % 30, np.ones(len(keys), np.float32), 40, np.arange(30, dtype=np.int32))
    assert held_out(graph, rng) == (graph, None)  # too few to spare any
    monkeypatch.setattr(module, "_MIN_PAIRS", 100)
    monkeypatch.setattr(module, "_SHARE", 0.5)
    rest, validation = held_out(graph, rng)
    assert validation is not None
    assert len(rest.users) + len(validation.users) == len(graph.users)
    assert not set(rest.keys.tolist()) & set((validation.users * 30 + validation.items).tolist())
    assert (rest.degrees > 0).sum() == (graph.degrees > 0).sum()


def test_the_figure_by_hand() -> None:
    # User 0 has item 0; item 2 is held out and stands second of the others. User 1's stands first.
    rest = GRAPH.take(np.array([True, False, False]))
    rest = Graph(rest.users, rest.items, rest.strengths, 2, np.arange(4, dtype=np.int32))
    validation = Validation(rest, np.array([0, 1]), np.array([2, 3]))
    items = np.array([[9, 0], [3, 0], [2, 0], [1, 5]], np.float32)
    users = np.array([[1, 0], [0, 1]], np.float32)
    assert validation.ndcg(users, items) == pytest.approx((1 / math.log2(3) + 1) / 2)
