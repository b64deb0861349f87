"""What every retriever keeps to."""
# ruff: noqa: S101 - a suite asserts

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from homefeed.protocols import Refreshable, Retriever, RetrieverExplainer
from homefeed.testing.requests import NEW_ITEM, frozen, toy_history, toy_requests
from homefeed.testing.world import ITEMS, World, empty_world, make_world, toy_world
from homefeed.types import Positions, Query, Scores


class RetrieverContract:
    """Subclass it, name the subclass `Test...` and give it a retriever by `make`; pytest does the rest.

    Every test answers all of `requests`, read-only, so that a retriever that writes to its query fails.
    """

    def make(self, world: World) -> Retriever:
        """The retriever under test, built with `world.resources`."""
        raise NotImplementedError

    def requests(self, world: World) -> dict[str, Query]:
        """Requests by name; override to add those that are special to the retriever."""
        return toy_requests(world)

    @pytest.fixture
    def world(self) -> World:
        """A toy world of the test's own."""
        return toy_world()

    @pytest.fixture
    def retriever(self, world: World) -> Retriever:
        """The retriever under test."""
        return self.make(world)

    @pytest.fixture
    def queries(self, world: World) -> dict[str, Query]:
        """What it is asked."""
        return {name: frozen(query) for name, query in self.requests(world).items()}

    def test_it_is_a_retriever(self, retriever: Retriever) -> None:
        """It has the methods of the seam."""
        assert isinstance(retriever, Retriever)

    def test_answers_are_well_formed(self, retriever: Retriever, queries: dict[str, Query]) -> None:
        """At most k, eligible, without repeats, best first, scores finite and above 0, of the right dtypes."""
        for name, query in queries.items():
            for k in (1, 3, 200):
                check_answer(f"{name}, k = {k}", query, k, *retriever.retrieve(query, k))

    def test_fewer_are_the_best_of_more(self, retriever: Retriever, queries: dict[str, Query]) -> None:
        """Asking for fewer gives scores no worse than those of asking for more."""
        for name, query in queries.items():
            _, all_scores = retriever.retrieve(query, 200)
            _, scores = retriever.retrieve(query, 3)
            np.testing.assert_allclose(scores, all_scores[:3], rtol=1e-4, err_msg=name)

    def test_k_may_exceed_the_catalogue(self, retriever: Retriever, queries: dict[str, Query]) -> None:
        """It then gives all it has."""
        for name, query in queries.items():
            positions, scores = retriever.retrieve(query, 100_000)
            check_answer(name, query, 100_000, positions, scores)

    def test_nothing_eligible_nothing_proposed(self, retriever: Retriever, queries: dict[str, Query]) -> None:
        """With an empty mask the answer is empty."""
        for name, query in queries.items():
            nothing = frozen(replace(query, eligible=np.zeros_like(query.eligible)))
            positions, scores = retriever.retrieve(nothing, 10)
            check_answer(name, nothing, 10, positions, scores)
            assert len(positions) == 0, name

    def test_filters_never_starve(self, retriever: Retriever, queries: dict[str, Query]) -> None:
        """Whatever it proposes of all items it proposes where that is the only one eligible, and k is 1."""
        for name, query in queries.items():
            for position in retriever.retrieve(query, 200)[0].tolist():
                alone = np.arange(len(query.eligible)) == position
                found, _ = retriever.retrieve(frozen(replace(query, eligible=alone)), 1)
                assert found.tolist() == [position], name

    def test_the_same_question_has_the_same_answer(self, world: World, queries: dict[str, Query]) -> None:
        """Asked again, and asked of another one built alike."""
        one, other = self.make(world), self.make(world)
        for name, query in queries.items():
            first = one.retrieve(query, 10)
            for again in (one.retrieve(query, 10), other.retrieve(query, 10)):
                np.testing.assert_array_equal(again[0], first[0], err_msg=name)
                np.testing.assert_array_equal(again[1], first[1], err_msg=name)

    def test_reasons_are_words_or_none(self, retriever: Retriever, queries: dict[str, Query]) -> None:
        """One for each position asked about, whether it was proposed or not; none is empty."""
        if not isinstance(retriever, RetrieverExplainer):
            pytest.skip("gives no reasons")
        for name, query in queries.items():
            proposed, _ = retriever.retrieve(query, 200)
            everything = np.arange(len(query.eligible), dtype=np.int32)
            for positions in (proposed, everything, proposed[:0]):
                reasons = retriever.reasons(query, positions)
                assert len(reasons) == len(positions), name
                assert all(reason is None or (isinstance(reason, str) and reason) for reason in reasons), name

    def test_it_takes_items_newer_than_itself(self, world: World, retriever: Retriever) -> None:
        """An item that came after it was built, in the mask, in the history, as anchor; then refreshed."""
        retriever.retrieve(frozen(world.query("da")), 5)
        world.catalog.apply([NEW_ITEM])
        for _ in range(2):
            for query in (
                world.query("da"),
                world.query("da", history=toy_history(world, {"d1": 1.0, "new": 1.0})),
                world.query("da", anchor="new"),
            ):
                asked = frozen(query)
                check_answer("newer items", asked, 200, *retriever.retrieve(asked, 200))
                if isinstance(retriever, RetrieverExplainer):
                    assert len(retriever.reasons(asked, world.positions("d4", "new", "d1"))) == 3
            if isinstance(retriever, Refreshable):
                retriever.refresh()

    def test_it_takes_catalogues_of_hardly_anything(self) -> None:
        """No item at all, and a single one."""
        alone = make_world(ITEMS[:1], ())
        liked = alone.query("da", history=toy_history(alone, {"d1": 1.0}))
        for world, queries in (
            (empty_world(), [empty_world().query(n=1)]),
            (alone, [alone.query(), liked, alone.query(anchor="d1")]),
        ):
            retriever = self.make(world)
            for query in queries:
                check_answer("a tiny catalogue", query, 10, *retriever.retrieve(frozen(query), 10))
            if isinstance(retriever, Refreshable):
                retriever.refresh()


def check_answer(name: str, query: Query, k: int, positions: Positions, scores: Scores) -> None:
    """Assert that an answer keeps to the seam."""
    assert positions.dtype == np.int32, f"{name}: positions are {positions.dtype}, not int32"
    assert scores.dtype == np.float32, f"{name}: scores are {scores.dtype}, not float32"
    assert positions.shape == scores.shape == (len(positions),), f"{name}: not two columns of one length"
    assert len(positions) <= k, f"{name}: {len(positions)} proposals, asked for {k}"
    assert query.eligible[positions].all(), f"{name}: proposes what is not eligible"
    assert len(set(positions.tolist())) == len(positions), f"{name}: repeats a position"
    assert np.isfinite(scores).all(), f"{name}: a score is not finite"
    assert (scores > 0).all(), f"{name}: a score is not above 0"
    assert (np.diff(scores) <= 0).all(), f"{name}: not best first"
