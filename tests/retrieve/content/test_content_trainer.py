"""TF-IDF and its reduction, held against the definition written out."""

from __future__ import annotations

import numpy as np
import pytest

from homefeed.errors import HomefeedError
from homefeed.retrieve.content.model import ContentConfig, ContentModel
from homefeed.retrieve.content.trainer import ContentTrainer
from homefeed.retrieve.content.words import words_of
from homefeed.testing import TrainerContract, make_world, toy_world
from homefeed.testing.world import LOOKALIKES
from homefeed.types import Floats, Interactions, TrainingData

FIELDS = {"title": 1.0, "genre": 2.0, "content_type": 1.0}


class TestContentTrainer(TrainerContract):
    def make(self) -> ContentTrainer:
        return ContentTrainer(ContentConfig(fields=FIELDS))


def titled(*titles: str) -> TrainingData:
    data = make_world((), ()).data
    events: Interactions = data.interactions
    numbers = np.arange(len(titles), dtype=np.int32)
    return TrainingData(events, 0, numbers, {"title": [(title,) if title else () for title in titles]}, data.now)


def cosines(model: ContentModel) -> Floats:
    return model.vectors @ model.vectors.T


def written_out(data: TrainingData, fields: dict[str, float]) -> np.ndarray:
    """(items, items) cosines of weighted TF-IDF rows, by the definition."""
    documents = [
        {word: weight for field, weight in fields.items() for word in words_of(field, data.terms[field][item])}
        for item in range(data.item_count)
    ]
    frequency = {
        word: sum(word in document for document in documents) for document in documents for word in document
    }
    words = sorted(frequency)
    rows = np.zeros((len(documents), len(words)))
    for row, document in enumerate(documents):
        for word, weight in document.items():
            idf = np.log((1 + len(documents)) / (1 + frequency[word])) + 1
            rows[row, words.index(word)] = weight * idf
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    rows = np.divide(rows, lengths, where=lengths > 0, out=np.zeros_like(rows))
    cosine: np.ndarray = rows @ rows.T
    return cosine


def test_while_dimensions_suffice_cosines_are_those_of_the_words() -> None:
    data = toy_world().data
    model = ContentTrainer(ContentConfig(fields=FIELDS)).fit(data)
    np.testing.assert_allclose(cosines(model), written_out(data, FIELDS), atol=1e-5)


def test_two_items_with_a_word_in_common_are_not_the_same() -> None:
    model = ContentTrainer(ContentConfig(fields={"title": 1.0})).fit(titled("ab cd", "ab ef"))
    assert 0.05 < cosines(model)[0, 1] < 0.8


def test_fewer_dimensions_keep_lookalikes_together() -> None:
    world = toy_world()
    model = ContentTrainer(ContentConfig(fields=FIELDS, dimensions=4)).fit(world.data)
    assert model.vectors.shape == (world.catalog.size, 4)
    similar = cosines(model)
    drama, scifi = world.positions("d1", "d2", "d3", "d4"), world.positions("s1", "s2", "s3", "s4")
    assert similar[np.ix_(drama, drama)].mean() > similar[np.ix_(drama, scifi)].mean() + 0.5


@pytest.mark.parametrize("item_id", LOOKALIKES)
def test_the_lookalikes_everyone_agrees_on(item_id: str) -> None:
    world = toy_world()
    similar = cosines(ContentTrainer(ContentConfig(fields=FIELDS)).fit(world.data))
    row = similar[world.position(item_id)].copy()
    row[world.position(item_id)] = -1
    assert world.catalog.item_id(int(row.argmax())) == LOOKALIKES[item_id]


def test_vectors_have_length_one_or_none() -> None:
    world = toy_world()
    model = ContentTrainer(ContentConfig(fields=FIELDS)).fit(world.data)
    lengths = np.linalg.norm(model.vectors, axis=1)
    expected = np.ones(world.catalog.size)
    expected[world.position("x1")] = 0
    np.testing.assert_allclose(lengths, expected, atol=1e-6)


@pytest.mark.parametrize(
    "titles", [(), ("",), ("", ""), ("ab",), ("ab", ""), ("ab cd",) * 3, ("ab", "cd"), ("ab",) * 2 + ("",)]
)
def test_catalogues_of_hardly_any_words(titles: tuple[str, ...]) -> None:
    model = ContentTrainer(ContentConfig(fields={"title": 1.0})).fit(titled(*titles))
    similar = cosines(model)
    assert np.isfinite(model.vectors).all()
    for one, other in np.ndindex(len(titles), len(titles)):
        alike = float(titles[one] == titles[other] != "")
        assert similar[one, other] == pytest.approx(alike, abs=1e-5)


def test_a_field_of_no_weight_says_nothing() -> None:
    data = toy_world().data
    model = ContentTrainer(ContentConfig(fields={"title": 0.0, "genre": 1.0})).fit(data)
    assert np.isfinite(model.vectors).all()
    np.testing.assert_allclose(cosines(model), written_out(data, {"genre": 1.0}), atol=1e-5)


def test_the_vocabulary_keeps_the_commonest_words() -> None:
    titles = [f"common word{n}" for n in range(30)]
    config = ContentConfig(fields={"title": 1.0}, max_words=10)
    model = ContentTrainer(config).fit(titled(*titles))
    assert len(model.words) == 10
    assert "title=common" in model.words


def test_a_field_the_recipe_does_not_declare_is_an_error() -> None:
    with pytest.raises(
        HomefeedError, match='content: no field "plot"; expected some of content_type, genre, title'
    ):
        ContentTrainer(ContentConfig(fields={"plot": 1.0})).fit(toy_world().data)
