"""Settings for a ready-made app: another ranker takes the place of the recipe's, and none can be asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from homefeed.apps import find_recipe
from homefeed.errors import RecipeError


def changed(folder: Path, text: str) -> Path:
    overlay = folder / "overlay.toml"
    overlay.write_text(text)
    return overlay


def test_another_learned_ranker_takes_the_place_of_the_recipes(tmp_path: Path) -> None:
    recipe = find_recipe("streaming", changed(tmp_path, "[feeds.home.learned.click_model]\nregularization = 2\n"))
    spec = recipe.learned_ranker("home")
    assert (spec.name, spec.part) == ("home_ranker", "click_model")


def test_the_same_learned_ranker_is_set_further(tmp_path: Path) -> None:
    recipe = find_recipe("streaming", changed(tmp_path, "[feeds.home.learned.lambdamart]\ntrees = 7\n"))
    assert recipe.learned_ranker("home").config.model_dump()["trees"] == 7


def test_none_can_be_asked_for(tmp_path: Path) -> None:
    recipe = find_recipe("streaming", changed(tmp_path, "[feeds.home]\nlearned = false\n"))
    assert dict(recipe.rankers) == {}
    assert recipe.counts_exposures, "its features stay"


def test_another_ranker_takes_the_place_of_the_recipes(tmp_path: Path) -> None:
    signals = "{ all = { weight = 1.0, of = { popular = 1.0 } } }"
    recipe = find_recipe("streaming", changed(tmp_path, f"[feeds.home.rank.blended]\nsignals = {signals}\n"))
    assert recipe.feeds["home"].rank.part == "blended"


def test_two_that_settings_name_are_refused(tmp_path: Path) -> None:
    both = "[feeds.home.learned.click_model]\n[feeds.home.learned.value]\nvalues = { play = 1 }\n"
    with pytest.raises(RecipeError, match=r"feeds\.home\.learned: dictionary should have at most 1 item"):
        find_recipe("streaming", changed(tmp_path, both))
