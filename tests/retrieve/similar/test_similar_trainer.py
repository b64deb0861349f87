"""Similarities by hand and by brute force; duplicates are never neighbours."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.retrieve.similar.similar_sample import FIELDS, fitted, listed, similar_world, titles_data

from homefeed.errors import HomefeedError
from homefeed.retrieve.content.words import words_of
from homefeed.retrieve.similar import nearest as products
from homefeed.retrieve.similar.model import SimilarConfig
from homefeed.retrieve.similar.trainer import SimilarTrainer
from homefeed.testing import TrainerContract
from homefeed.testing.world import LOOKALIKES
from homefeed.types import TrainingData


class TestSimilarTrainer(TrainerContract):
    def make(self) -> SimilarTrainer:
        return SimilarTrainer(SimilarConfig(fields=dict(FIELDS)))


def test_cosines_by_hand() -> None:
    model = fitted(titles_data("red shoe", "red hat", "green hat", "pen"))
    # Whole titles are words, too: one item has each of these, "shoe", "green" and "pen"; two have "red" and "hat".
    one, two = math.log(5 / 2) + 1, math.log(5 / 3) + 1
    lengths = [math.hypot(one, one, two), math.hypot(one, two, two), math.hypot(one, one, two)]
    assert listed(model, 0) == pytest.approx({1: two * two / lengths[0] / lengths[1]})
    assert listed(model, 1) == pytest.approx(
        {0: two * two / lengths[0] / lengths[1], 2: two * two / lengths[1] / lengths[2]}
    )
    assert listed(model, 3) == {}
    assert model.numbers.tolist() == [100, 101, 102, 103]


def test_fields_count_by_their_weights() -> None:
    world = similar_world()
    heavy = fitted(world.data, fields={"title": 0.01, "genre": 1.0})
    light = fitted(world.data, fields={"title": 1.0, "genre": 0.01})
    d1, d3, d4 = (world.position(item_id) for item_id in ("d1", "d3", "d4"))
    assert listed(heavy, d1)[d3] > 0.99
    assert d3 not in listed(light, d1)
    assert next(iter(listed(light, d1))) == d4


def test_lookalikes_come_first() -> None:
    world = similar_world()
    model = fitted(world.data, fields=dict(FIELDS))
    for item_id, other in LOOKALIKES.items():
        assert next(iter(listed(model, world.position(item_id)))) == world.position(other)


def test_exact_duplicates_are_no_neighbours_whatever_their_case_and_space() -> None:
    data = titles_data("Red  Shoe", "red shoe ", "RED\tSHOE", "red shoes", "red hat")
    model = fitted(data)
    for row in range(3):
        assert listed(model, row).keys() == {3, 4}
    assert listed(model, 4).keys() == {0, 1, 2, 3}
    assert len(set(model.duplicates[:3].tolist())) == 1
    assert len(set(model.marks.tolist())) == 5


def test_duplicates_may_be_told_by_other_fields_than_items_are_compared_by() -> None:
    terms = {"title": [("red shoe",)] * 3, "genre": [("a",), ("A",), ("b",)]}
    data = titles_data("red shoe", "red shoe", "red shoe")
    data = TrainingData(data.interactions, 0, data.numbers, terms, data.now)
    assert [set(listed(fitted(data), row)) for row in range(3)] == [set(), set(), set()]
    apart = fitted(data, duplicate_fields=["title", "genre"])
    assert [set(listed(apart, row)) for row in range(3)] == [{2}, {2}, {0, 1}]
    assert apart.compared == ("title", "genre")


def test_items_that_tell_nothing_of_a_duplicate_field_are_no_duplicates_of_each_other() -> None:
    terms: dict[str, list[tuple[str, ...]]] = {"title": [("red shoe",), ("red hat",)], "genre": [(), (" ",)]}
    data = titles_data("", "")
    data = TrainingData(data.interactions, 0, data.numbers, terms, data.now)
    assert set(listed(fitted(data, duplicate_fields=["genre"]), 0)) == {1}


@pytest.mark.parametrize("most", [1, 2, 7])
def test_duplicates_take_no_place_of_others(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    # Each of 40 copies is most like the 39 others; few are compared at once.
    monkeypatch.setattr(products, "_ENTRIES_AT_ONCE", 300)
    others = [f"red shoe {size}" for size in ("small", "large", "wide")]
    data = titles_data(*["red shoe"] * 40, *others, *["red hat", "Red Hat"])
    model = fitted(data, neighbours=most, min_similarity=0)
    for row in range(40):
        found = listed(model, row)
        assert len(found) == min(most, 5)
        assert not any(other < 40 for other in found)


def test_weak_similarities_are_left_out() -> None:
    data = titles_data("red shoe", "red hat", "pen")
    cosine = listed(fitted(data), 0)[1]
    assert listed(fitted(data, min_similarity=cosine + 0.01), 0) == {}
    assert listed(fitted(data, min_similarity=cosine - 0.01), 0).keys() == {1}


def test_rare_words_beyond_the_vocabulary_are_left_out() -> None:
    data = titles_data(*(f"item {'abcdefghijklmnopqrst'[at] * 2}" for at in range(20)))
    assert len(fitted(data, max_words=10).words) == 10


def test_fields_must_be_declared() -> None:
    with pytest.raises(HomefeedError, match=r'similar: no field "colour"; expected some of title'):
        fitted(titles_data("red shoe"), fields={"colour": 1.0})
    with pytest.raises(HomefeedError, match=r'similar: no field "brand"'):
        fitted(titles_data("red shoe"), duplicate_fields=["title", "brand"])


texts = st.lists(
    st.lists(st.sampled_from(["ab", "cd", "ef", "gh", "ij"]), max_size=4).map(" ".join), min_size=1, max_size=12
)


@settings(deadline=None)
@given(titles=texts, most=st.integers(1, 12), least=st.sampled_from([0.0, 0.3]))
def test_neighbours_by_brute_force(titles: list[str], most: int, least: float) -> None:
    documents = [set(words_of("title", [title])) if title else set() for title in titles]
    count = {word: sum(word in other for other in documents) for document in documents for word in document}
    weight = {word: math.log((1 + len(titles)) / (1 + having)) + 1 for word, having in count.items()}
    lengths = [math.hypot(*(weight[word] for word in document)) or 1 for document in documents]
    model = fitted(titles_data(*titles), neighbours=most, min_similarity=least)
    for row, document in enumerate(documents):
        expected = {}
        for other, words in enumerate(documents):
            cosine = sum(weight[word] ** 2 for word in document & words) / lengths[row] / lengths[other]
            if titles[other] != titles[row] and cosine > least + 1e-6:
                expected[other] = cosine
        found = listed(model, row)
        assert sorted(found.values(), reverse=True) == list(found.values())
        best = sorted(expected.values(), reverse=True)[:most]
        assert list(found.values()) == pytest.approx(best, rel=1e-5)
        assert all(cosine == pytest.approx(expected[other], rel=1e-5) for other, cosine in found.items())


def test_columns_are_of_the_narrow_kinds() -> None:
    model = fitted(titles_data("red shoe", "red hat"))
    assert [model.indptr.dtype, model.indices.dtype, model.weights.dtype] == [np.int64, np.int32, np.float32]
    assert [model.word_starts.dtype, model.word_items.dtype] == [np.int32, np.int32]
