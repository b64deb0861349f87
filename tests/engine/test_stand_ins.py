"""Retrievers that stand in for others: what may be left untrained, and what is said of it."""

from __future__ import annotations

from typing import Any

import pytest

from homefeed import extras
from homefeed.engine import build_feeds, can_do_without
from homefeed.engine.fit import fit_models
from homefeed.recipe import Recipe, parse_recipe
from homefeed.testing import toy_world
from homefeed.testing.world import RECIPE

STOOD_IN: dict[str, Any] = {"lightgcn": {}, "popular": {"instead_of": "lightgcn"}}
NOT_INSTALLED = "lightgcn is not installed: pip install 'homefeed[lightgcn]'"


def recipe(**feeds: dict[str, Any]) -> Recipe:
    """The toy recipe with a model of lightgcn, and feeds of these retrievers."""
    rank = {"weighted": {"weights": {"popular": 1.0}}}
    made = {name: {"retrieve": retrieve, "rank": rank} for name, retrieve in feeds.items()}
    return parse_recipe({**RECIPE, "models": {"lightgcn": {}}, "feeds": made}, "a test")


@pytest.fixture
def _nothing_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "find_spec", lambda name: None)


@pytest.mark.usefixtures("_nothing_installed")
@pytest.mark.parametrize(
    ("feeds", "without"),
    [
        ({"home": STOOD_IN}, {"lightgcn": NOT_INSTALLED}),
        ({"home": STOOD_IN, "other": {"lightgcn": {}, "popular": {}}}, {}),
        ({"home": {"popular": {}}}, {}),
    ],
)
def test_only_what_is_stood_in_for_everywhere_can_be_done_without(
    feeds: dict[str, Any], without: dict[str, str]
) -> None:
    assert can_do_without(recipe(**feeds)) == without


@pytest.mark.usefixtures("_nothing_installed")
def test_the_others_are_fitted() -> None:
    assert fit_models(recipe(home=STOOD_IN), toy_world().data) == {}


def test_what_is_installed_is_not_done_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "find_spec", lambda name: object())
    assert can_do_without(recipe(home=STOOD_IN)) == {}


@pytest.mark.usefixtures("_nothing_installed")
def test_a_feed_says_who_stands_in_and_why() -> None:
    world, of = toy_world(), recipe(home=STOOD_IN, other={"popular": {}})
    feeds = build_feeds(of, world.resources)
    assert feeds["home"].stand_ins == (f"popular ({NOT_INSTALLED})",)
    assert feeds["other"].stand_ins == ()


def test_what_is_not_trained_is_told_apart_and_what_is_there_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "find_spec", lambda name: object())
    world, of = toy_world(), recipe(home=STOOD_IN)
    told = build_feeds(of, world.resources)["home"].stand_ins
    assert told == ("popular (lightgcn is not trained yet: homefeed train toy)",)
    world.resources.models["lightgcn"] = world.resources.models["content"]  # type: ignore[index]
    assert build_feeds(of, world.resources)["home"].stand_ins == ()
