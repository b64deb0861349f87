"""Numbers of retrievers: chosen where users drift, left where they do not, without fitting anything anew."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from homefeed.engine import fit_model
from homefeed.recipe import Recipe, parse_recipe
from homefeed.testing import Play, World, make_world, toy_item
from homefeed.testing.world import RECIPE
from homefeed.train import Budget
from homefeed.train.settings import TunedSettings, divided, settings_facts, settings_of, tune_settings

SHELVES, EACH, USERS = 6, 8, 60


def world(drifting: bool, users: int = USERS) -> World:
    """Users play what is of one shelf; drifting, they move on to another every four plays."""
    rng = np.random.default_rng(3)
    items = [toy_item(n, f"i{n}", 200, title=f"Title {n}", genre=["Drama"]) for n in range(SHELVES * EACH)]
    plays = []
    for user in range(users):
        shelf = int(rng.integers(SHELVES))
        left = list(rng.permutation(EACH))
        for place, days in enumerate(np.sort(rng.uniform(0, 60, 8))[::-1]):
            if drifting and place % 4 == 0:
                shelf, left = (shelf + 1 + int(rng.integers(SHELVES - 1))) % SHELVES, list(rng.permutation(EACH))
            plays.append(Play(f"u{user}", f"i{shelf * EACH + left.pop()}", 3_600.0, float(days)))
    return make_world(items, plays)


def tuned(of: World, trials: int = 8, recipe: Recipe | None = None) -> dict[str, TunedSettings]:
    budget = Budget(1e9, lambda: 0.0, trials)
    found = tune_settings(recipe or of.recipe, of.resources.catalog, of.data, budget, lambda *_: None)
    return {f"{one.feed}.{one.retriever}": one for one in found}


def test_where_users_move_on_the_latest_events_are_made_to_count_more() -> None:
    found = tuned(world(drifting=True))
    assert set(found) == {"home.item_item", "home.content"}, "those that start from a history"
    item_item = found["home.item_item"]
    assert item_item.facts["taken"]
    assert item_item.facts["checked_mean"] - item_item.facts["start_mean"] > item_item.facts["margin"]
    assert item_item.changed.get("place_exponent", 0) > 0.3 or item_item.changed["half_life_days"] < 90
    assert item_item.facts["changed"] == item_item.changed


def test_where_they_do_not_the_recipe_is_as_good() -> None:
    assert tuned(world(drifting=False))["home.item_item"].changed == {}


def test_no_model_is_fitted_anew_for_a_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    fitted: list[str] = []

    def watched(spec: Any, data: Any) -> Any:
        fitted.append(spec.name)
        return fit_model(spec, data)

    drifting = world(drifting=True)
    monkeypatch.setattr("homefeed.engine.fit.fit_model", watched)
    assert tuned(drifting)["home.item_item"].facts["trials"] == 8
    assert sorted(fitted) == ["content", "item_item"]


def test_the_same_seed_and_trials_choose_the_same() -> None:
    one, other = (tuned(world(drifting=True), trials=5) for _ in range(2))
    assert {name: found.changed for name, found in one.items()} == {
        name: found.changed for name, found in other.items()
    }


def test_with_few_users_nothing_is_chosen() -> None:
    assert tuned(world(drifting=True, users=6)) == {}


def test_feeds_that_stand_in_have_no_history_to_weigh() -> None:
    drifting = world(drifting=True)
    welcome = {"retrieve": {"popular": {}, "item_item": {}}, "rank": {"weighted": {"weights": {"popular": 1.0}}}}
    home = {**RECIPE["feeds"]["home"], "cold_start": "welcome"}
    recipe = parse_recipe({**RECIPE, "feeds": {**RECIPE["feeds"], "welcome": welcome, "home": home}}, "r")
    assert set(tuned(drifting, 1, recipe)) == {"home.item_item", "home.content"}


def found(feed: str, retriever: str, **changed: float) -> TunedSettings:
    return TunedSettings(feed, retriever, changed, {"taken": bool(changed)})


def test_what_is_found_takes_the_place_of_what_was_and_nothing_found_leaves_it() -> None:
    before = {"home": {"als": {"half_life_days": 7.0}, "content": {"half_life_days": 9.0}}, "other": {}}
    chosen = [found("home", "als", place_exponent=0.5), found("home", "content"), found("more", "als")]
    assert settings_of(chosen, before) == {
        "home": {"als": {"place_exponent": 0.5}, "content": {"half_life_days": 9.0}}
    }
    assert before["home"]["als"] == {"half_life_days": 7.0}
    assert settings_facts(chosen)["home"]["settings"]["als"] == {"taken": True, "served": {"place_exponent": 0.5}}


def test_models_have_most_of_the_budget_and_as_many_trials() -> None:
    models, retrievers = divided(Budget(600, lambda: 0.0, 7))
    assert (models.seconds, retrievers.seconds) == (480, 120)
    assert models.max_trials == retrievers.max_trials == 7
