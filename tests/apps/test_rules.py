"""One list of rules for every app: what a recipe leaves out, another does too, or says why not."""

from __future__ import annotations

from typing import Any, Final

import pytest

from homefeed.apps import find_recipe
from homefeed.engine import build_feeds
from homefeed.funnel import recommend
from homefeed.recipe import FeedRecipe
from homefeed.testing import Play, make_world, toy_item
from homefeed.testing.world import RECIPE

APPS: Final = ("community", "live", "streaming", "shop")
RULES: Final = {
    "community": {"own", "blocked", "seen", "expiry", "not_yet", "quality", "reported", "near_duplicates"},
    "live": {"blocked", "live", "mature"},
    "streaming": {"blocked", "consumption_limit", "duplicates"},
    "shop": {"blocked"},
}
"""The filters of each feed of an app, besides those that every feed of every app has."""
FEEDS: Final = [(app, name) for app in APPS for name in find_recipe(app).feeds]


def feed(app: str, name: str) -> FeedRecipe:
    return find_recipe(app).feeds[name]


@pytest.mark.parametrize(("app", "name"), FEEDS)
def test_no_feed_forgets_a_rule_of_its_app(app: str, name: str) -> None:
    filters = {spec.name for spec in feed(app, name).filter}
    expected = RULES[app] | ({"seen", "duplicates"} if (app, name) == ("shop", "home") else set())
    assert filters == expected


@pytest.mark.parametrize(("app", "name"), FEEDS)
def test_no_list_has_the_same_thing_twice(app: str, name: str) -> None:
    rerankers = {spec.part for spec in feed(app, name).rerank}
    promised_whole = (app, name) == ("streaming", "popular")  # all of the catalogue, by contract
    assert (promised_whole or app == "live") is not bool(rerankers & {"duplicates", "near_duplicates"})


@pytest.mark.parametrize("name", list(find_recipe("shop").feeds))
def test_no_list_of_the_shop_is_full_of_one_product(name: str) -> None:
    (variants,) = (spec.config.model_dump() for spec in feed("shop", name).rerank if spec.part == "variants")
    # Who searches is looking for one of them, so that all are found.
    by_titles = name != "search"
    assert variants == {"group": "parent_id", "titles": by_titles, "drop": by_titles}


@pytest.mark.parametrize(("app", "name"), [each for each in FEEDS if each[0] != "shop"])
def test_titles_with_numbers_are_other_films_and_posts(app: str, name: str) -> None:
    assert "variants" not in {spec.part for spec in feed(app, name).rerank}


@pytest.mark.parametrize("name", list(find_recipe("community").feeds))
def test_no_creator_crowds_a_list(name: str) -> None:
    (caps,) = (spec.config for spec in feed("community", name).rerank if spec.part == "caps")
    assert caps.model_dump() == {"field": "creator_id", "max_items": 2, "window": 10}


def test_two_files_of_a_film_are_not_recommended_because_of_each_other() -> None:
    """As "Because you watched The Salt Road" recommended The Salt Road."""
    salt: dict[str, Any] = {"title": "The Salt Road", "content_type": "movie", "genre": ["Drama"]}
    items = [
        toy_item(0, "salt", 9, **salt),
        toy_item(1, "salt-4k", 8, **salt),
        *(toy_item(n, f"i{n}", 7, title=f"Film {n}", content_type="movie", genre=["Drama"]) for n in range(2, 8)),
        toy_item(8, "twin", 2, title="Twins", content_type="movie", genre=["Drama"]),
        toy_item(9, "twin-4k", 1, title="twins", content_type="movie", genre=["Drama"]),
    ]
    plays = [Play(f"u{n}", item, 3600, 5) for n in range(6) for item in ("salt", "salt-4k", f"i{n + 2}")]
    world = make_world(items, [*plays, Play("me", "salt", 600, 1)], declared=RECIPE)
    feeds = build_feeds(find_recipe("streaming"), world.resources)
    for name, made in feeds.items():
        anchor = "i2" if made.settings.anchored else None
        page = world.ids(recommend(made, world.query("me", n=20, anchor=anchor)).positions)
        assert "salt-4k" not in page, name
        if name != "popular":
            assert page[-1] in ("twin", "twin-4k"), name
            assert {"twin", "twin-4k"} <= set(page), "the contract promises what matches"
    similar = world.ids(recommend(feeds["similar"], world.query("other", n=20, anchor="salt")).positions)
    assert similar[-1] == "salt-4k" or similar[-1].startswith("twin")
