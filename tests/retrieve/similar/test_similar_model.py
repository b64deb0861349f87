"""The model of similar items on disk, and how it sees items that it was not fitted to."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError
from tests.retrieve.similar.similar_sample import fitted, similar_world, titles_data

from homefeed.retrieve.similar.model import SimilarConfig, SimilarModel
from homefeed.testing import ModelContract, World


class TestSimilarModel(ModelContract):
    @pytest.fixture
    def world(self) -> World:
        return similar_world()

    def make(self, world: World) -> SimilarModel:
        model = world.resources.model("similar", SimilarModel)
        assert model is not None
        return model


def test_items_it_was_fitted_to_have_the_vectors_it_keeps(tmp_path: Path) -> None:
    titles = ["red shoe", "red hat", "green hat", ""]
    fitted(titles_data(*titles)).save(tmp_path)
    model = SimilarModel.load(tmp_path)
    items = [{"title": [title] if title else []} for title in titles]
    np.testing.assert_allclose(model.vectors(items).toarray(), model.by_word.toarray().T, rtol=1e-6)
    assert [model.mark(item) for item in items] == model.marks.tolist()
    assert [model.duplicate_mark(item) for item in items] == model.duplicates.tolist()


def test_words_nobody_knew_make_an_item_less_like_others() -> None:
    model = fitted(titles_data("red shoe", "red hat", "pen"))
    known, unknown, both = model.vectors([{"title": ["red"]}, {"title": ["zz"]}, {"title": ["red zz"]}]).toarray()
    assert known[model.words["title=red"]] == pytest.approx(1)
    assert not unknown.any()
    # Its title and "zz" weigh what a word of a single item does.
    red, rare = math.log(4 / 3) + 1, math.log(4 / 2) + 1
    assert both[model.words["title=red"]] == pytest.approx(red / math.hypot(red, rare, rare))


@pytest.mark.parametrize(
    "config",
    [
        {"fields": {}},
        {"fields": {"title": 0}},
        {"neighbours": 0},
        {"min_similarity": 1},
        {"min_similarity": -0.1},
        {"vocabulary": 5},
    ],
)
def test_what_makes_no_sense_cannot_be_configured(config: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match=next(iter(config))):
        SimilarConfig.model_validate({"fields": {"title": 1.0}, **config})


def test_numbers_that_a_recipe_leaves_out_are_these() -> None:
    expected = {"neighbours": 100, "min_similarity": 0.05, "max_words": 200000}
    assert {name: SimilarConfig.model_fields[name].default for name in expected} == expected
