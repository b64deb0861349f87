"""The content model: on disk, and for items it never saw."""

from __future__ import annotations

import numpy as np
import pytest

from homefeed.retrieve.content.model import ContentConfig, ContentModel, unit
from homefeed.retrieve.content.words import word_matrix, words_of
from homefeed.testing import ModelContract, World, toy_world


def model_of(world: World) -> ContentModel:
    model = world.resources.model("content", ContentModel)
    assert model is not None
    return model


class TestContentModel(ModelContract):
    def make(self, world: World) -> ContentModel:
        return model_of(world)


def test_an_item_of_the_same_words_has_the_same_vector() -> None:
    world = toy_world()
    model = model_of(world)
    items = [{name: world.data.terms[name][p] for name in model.fields} for p in range(world.catalog.size)]
    np.testing.assert_allclose(model.embed(items), model.vectors, atol=1e-6)
    scrambled = {"title": ("LIGHTS, harbour",), "genre": ("drama", "Drama"), "content_type": ("Series",)}
    # The whole title is a word of its own, and differs; all else is the same.
    assert model.embed([scrambled])[0] @ model.vectors[0] > 0.8


def test_an_item_of_unknown_words_has_no_vector() -> None:
    model = model_of(toy_world())
    strange: list[dict[str, tuple[str, ...]]] = [{}, {"title": ()}, {"title": ("Zzyzx",)}, {"plot": ("Harbour",)}]
    assert not model.embed(strange).any()
    assert model.embed([]).shape == (0, model.vectors.shape[1])
    assert [model.embed([item]).tolist() for item in strange] == [[[0.0] * model.vectors.shape[1]]] * len(strange)


@pytest.mark.parametrize("seed", range(20))
def test_an_item_embedded_alone_has_the_vector_it_has_among_others_to_the_last_bit(seed: int) -> None:
    rng = np.random.default_rng(seed)
    words = {f"f={n}": n for n in range(300)}
    weights, components = rng.random(300, np.float32), rng.normal(size=(48, 300)).astype(np.float32)
    model = ContentModel(np.empty(0, np.int32), np.empty((0, 48), np.float32), words, weights, components)
    items = [{"f": [str(n) for n in rng.integers(0, 400, count)]} for count in (1, 2, 3, 9, 40, 250)]
    assert np.concatenate([model.embed([item]) for item in items]).tolist() == model.embed(items).tolist()


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        (["The Wire"], ["f=the", "f=wire", "f=the wire"]),
        (["Drama"], ["f=drama"]),
        (["Sci-Fi", "sci-fi"], ["f=sci", "f=fi", "f=sci-fi"]),
        (["U"], ["f=u"]),
        (["  ", ""], []),
        (["!?"], ["f=!?"]),
        (["千と千尋"], ["f=千と", "f=と千", "f=千尋", "f=千と千尋"]),
        (["茶"], ["f=茶"]),
        (["Cœur 16GB"], ["f=coeur", "f=16gb", "f=16", "f=gb", "f=coeur 16gb"]),
        (["STRASSE", "straße"], ["f=strasse"]),
        (["x=y"], ["f=x=y"]),
    ],
)
def test_words(terms: list[str], expected: list[str]) -> None:
    assert words_of("f", terms) == expected


def test_rows_of_words_have_length_one_or_none() -> None:
    words = {"a": 0, "b": 1, "nothing": 2}
    matrix = word_matrix([["a", "a", "b"], [], ["other"], ["nothing"]], words, np.array([3, 4, 0], np.float32))
    assert matrix.toarray().ravel().tolist() == pytest.approx([0.6, 0.8, *[0] * 10])


def test_unit_leaves_rows_of_nothing() -> None:
    vectors = np.array([[3, 4], [0, 0], [1e-12, 0]], np.float32)
    assert unit(vectors).ravel().tolist() == pytest.approx([0.6, 0.8, 0, 0, 0, 0])


def test_a_word_is_of_the_field_before_the_first_sign() -> None:
    model = model_of(toy_world())
    assert set(model.fields) == {"title", "genre", "content_type"}


def test_numbers_that_a_recipe_leaves_out_are_these() -> None:
    expected = {"dimensions": 64, "max_words": 50000}
    assert {name: ContentConfig.model_fields[name].default for name in expected} == expected
