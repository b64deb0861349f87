"""Neighbours by content, held against TF-IDF written out; and how they enter the model."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.retrieve.item_item.item_item_sample import Dense, Events, data_of, neighbours, weights_of

from homefeed.errors import HomefeedError
from homefeed.retrieve.content.words import words_of
from homefeed.retrieve.item_item import cold_items, kernels
from homefeed.retrieve.item_item.cold_items import neighbours_of_cold_items
from homefeed.retrieve.item_item.model import ItemItemConfig, ItemItemModel
from homefeed.retrieve.item_item.trainer import ItemItemTrainer
from homefeed.types import TrainingData

WORDS = ("red", "blue", "green", "old", "new")
titles = st.lists(st.lists(st.sampled_from(WORDS), max_size=3).map(tuple), min_size=1, max_size=9)


def described(title: list[tuple[str, ...]], genre: list[tuple[str, ...]] | None = None) -> TrainingData:
    terms = {"title": title, "genre": genre or [()] * len(title)}
    return data_of([], 0, len(title), terms=terms)


def titled(*names: str) -> list[tuple[str, ...]]:
    return [tuple(name.split()) for name in names]


def written_out(data: TrainingData, fields: Mapping[str, float], cold: np.ndarray) -> Dense:
    """(items, items) cosines by the words that few items have, of pairs of which one is cold."""
    documents = [
        {word: weight for field, weight in fields.items() for word in words_of(field, data.terms[field][item])}
        for item in range(data.item_count)
    ]
    count = len(documents)
    words = sorted(set().union(*documents))
    frequency = {word: sum(word in document for document in documents) for word in words}
    idf = {word: np.log((1 + count) / (1 + frequency[word])) + 1 for word in words}
    rows = np.array([[document.get(word, 0) * idf[word] for word in words] for document in documents])
    rows = rows.reshape(count, len(words))
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    rows = rows / np.where(length > 0, length, 1)
    rows = rows[:, [frequency[word] <= max(2, count // 10) for word in words]]
    cosines: Dense = rows @ rows.T * (cold[:, None] | cold[None, :]) * (1 - np.eye(count))
    return cosines


@settings(max_examples=50)
@given(title=titles, genre=titles, weight=st.sampled_from([0.5, 1.0, 3.0]), seed=st.integers(0, 99))
def test_cosines_of_items_without_events_by_brute_force(
    title: list[tuple[str, ...]], genre: list[tuple[str, ...]], weight: float, seed: int
) -> None:
    genre = [genre[item % len(genre)] for item in range(len(title))]
    cold = np.random.default_rng(seed).random(len(title)) < 0.5
    data, fields = described(title, genre), {"title": 1.0, "genre": weight}
    found = neighbours_of_cold_items(data, fields, cold).toarray()
    np.testing.assert_allclose(found, written_out(data, fields, cold), atol=1e-6)
    np.testing.assert_array_equal(found, found.T)


def test_without_named_fields_all_count_alike() -> None:
    data = described(titled("red", "red", "", ""), titled("", "old", "old", "new"))
    cold = np.array([False, True, False, False])
    found = neighbours_of_cold_items(data, {}, cold).toarray()
    np.testing.assert_allclose(found, written_out(data, {"title": 1.0, "genre": 1.0}, cold), atol=1e-6)
    assert np.flatnonzero(found[1]).tolist() == [0, 2]


def test_fields_and_their_weights_decide() -> None:
    data = described(titled("red", "red", "blue", "blue"), titled("old", "new", "old", "new"))
    cold = np.array([True, False, False, False])
    assert np.flatnonzero(neighbours_of_cold_items(data, {"title": 1.0}, cold).toarray()[0]).tolist() == [1]
    assert np.flatnonzero(neighbours_of_cold_items(data, {"genre": 1.0}, cold).toarray()[0]).tolist() == [2]
    by_title, by_genre = (
        neighbours_of_cold_items(data, {"title": w, "genre": 1.0}, cold).toarray()[0] for w in (3.0, 0.3)
    )
    # Squares of 3 and 1, or of 0.3 and 1; all words are as rare.
    assert by_title.tolist() == pytest.approx([0, 0.9, 0.1, 0], abs=1e-6)
    assert by_genre.tolist() == pytest.approx([0, 0.09 / 1.09, 1 / 1.09, 0], abs=1e-6)


@pytest.mark.parametrize(("having", "counts"), [(2, True), (4, True), (5, False)])
def test_a_word_of_more_than_a_tenth_of_the_items_does_not_count(having: int, counts: bool) -> None:
    data = described(titled(*["common"] * having, *(f"word{n}" for n in range(having, 40))))
    found = neighbours_of_cold_items(data, {"title": 1.0}, np.arange(40) == 0)
    assert (found.nnz == 2 * (having - 1)) == counts
    assert (found.nnz > 0) == counts


def test_a_word_of_too_many_items_does_not_count_however_large_the_catalogue(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = described(titled(*["common"] * 4, *(f"word{n}" for n in range(4, 40))))
    monkeypatch.setattr(cold_items, "_COMMON", 3)
    assert neighbours_of_cold_items(data, {"title": 1.0}, np.arange(40) == 0).nnz == 0


def test_each_asks_for_so_many_and_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(2)
    names = [tuple(f"w{word}" for word in rng.choice(40, 4, replace=False)) for _ in range(60)]
    data, cold = described(names), rng.random(60) < 0.4
    monkeypatch.setattr(cold_items, "_NEIGHBOURS", 2)
    whole = neighbours_of_cold_items(data, {"title": 1.0}, cold)
    every = written_out(data, {"title": 1.0}, cold)
    for item in np.flatnonzero(cold):
        two_best = np.sort(every[item])[-2:]
        found = whole[[item]].toarray().ravel()
        assert np.sort(found)[-2:].tolist() == pytest.approx(two_best.tolist(), abs=1e-6)
    assert (np.diff(whole.indptr)[~cold] <= cold.sum()).all()
    monkeypatch.setattr(kernels, "_ROWS_AT_ONCE", 5)
    np.testing.assert_array_equal(neighbours_of_cold_items(data, {"title": 1.0}, cold).toarray(), whole.toarray())


@pytest.mark.parametrize("cold", [[], [False], [True], [True, True]])
def test_there_may_be_no_fields_or_words_or_nobody_to_ask_for(cold: list[bool]) -> None:
    without = np.array(cold, np.bool_)
    for data in (data_of([], 0, len(cold)), described([()] * len(cold))):
        found = neighbours_of_cold_items(data, {}, without)
        assert found.shape == (len(cold), len(cold))
        assert found.nnz == 0


def test_a_field_the_recipe_does_not_declare_is_an_error() -> None:
    data = described(titled("red", "red"))
    with pytest.raises(HomefeedError, match='item_item: no field "plot"; expected some of genre, title'):
        ItemItemTrainer(ItemItemConfig(fields={"title": 1.0, "plot": 1.0})).fit(data)


# 0 and 1 were played by two users each, and by content 0 is like 1, 2 and 3, 1 only like 0; 4 is like none.
PLAYS: Events = [(0, 0, 1.0), (0, 1, 1.0), (1, 0, 1.0), (1, 1, 1.0)]
TITLES = titled("red a1 a2", "blue a1", "red a2 old", "new old", "green")
COLD = [False, False, True, True, True]


def fitted(events: Events = PLAYS, **config: float | Mapping[str, float]) -> ItemItemModel:
    data = data_of(events, 3, len(TITLES), terms={"title": TITLES})
    return ItemItemTrainer(ItemItemConfig.model_validate(config)).fit(data)


@pytest.mark.parametrize("share", [0.25, 1.0])
def test_items_without_events_get_neighbours_by_content_both_ways(share: float) -> None:
    model = fitted(cold_item_weight=share)
    assert model.derived.tolist() == COLD
    found = weights_of(model)
    data = data_of([], 0, len(TITLES), terms={"title": TITLES})
    cosines = written_out(data, {"title": 1.0}, np.array(COLD))
    usual = found[0, 1]
    assert usual == pytest.approx(found[1, 0])
    np.testing.assert_allclose(found[2:], share * usual * cosines[2:], rtol=1e-5)
    np.testing.assert_allclose(found[:, 2:], share * usual * cosines[:, 2:], rtol=1e-5)
    assert neighbours(model, 4) == {}


def test_items_with_events_are_never_joined_by_content() -> None:
    apart = [(0, 0, 1.0), (1, 1, 1.0)]
    found = weights_of(fitted(apart))
    assert found[0, 1] == found[1, 0] == 0
    # Nobody's best neighbour is known, so content counts by itself.
    assert found[0, 2] > found[2, 3] > 0
    assert found.max() <= 0.5


def test_where_content_is_not_to_count_there_is_none() -> None:
    model = fitted(cold_item_weight=0.0)
    assert model.derived.tolist() == COLD
    assert np.argwhere(weights_of(model)).tolist() == [[0, 1], [1, 0]]


def test_an_item_becomes_an_ordinary_one_once_it_has_events() -> None:
    # 2 is played with 4, which it has nothing in common with but that.
    model = fitted([*PLAYS, (2, 2, 1.0), (2, 4, 1.0)])
    assert model.derived.tolist() == [False, False, False, True, False]
    assert list(neighbours(model, 2)) == [4, 3]
    assert list(neighbours(model, 0)) == [1]


def test_a_disliked_item_has_no_events_to_go_by() -> None:
    model = fitted([*PLAYS, (2, 2, -1.0), (2, 3, 0.0)])
    assert model.derived.tolist() == COLD


def test_hundreds_of_new_items_leave_room_for_those_that_people_share() -> None:
    titles = titled("rare", *["other"] * 60, *(f"rare n{new}" for new in range(400)), *["filler"] * 5_000)
    events = [(user, item, 1.0) for user in range(3) for item in range(61)]
    data = data_of(events, 3, len(titles), terms={"title": titles})
    near = neighbours(ItemItemTrainer(ItemItemConfig(spectral=0)).fit(data), 0)
    assert len(near) == 110
    assert set(range(1, 61)) <= near.keys()


def test_a_wrong_field_is_told_also_while_every_item_has_events() -> None:
    data = data_of([(0, 0, 1.0), (0, 1, 1.0)], 1, 2, terms={"title": titled("red", "blue")})
    with pytest.raises(HomefeedError, match='item_item: no field "colour"; expected some of title'):
        ItemItemTrainer(ItemItemConfig(fields={"colour": 1.0})).fit(data)
