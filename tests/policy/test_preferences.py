"""What users blocked they never see, in any feed."""

from __future__ import annotations

from typing import Any

import pytest

from homefeed.engine import build_feeds
from homefeed.errors import RecipeError
from homefeed.funnel import recommend
from homefeed.policy.preferences import Preferences
from homefeed.privacy import apply_opt_out
from homefeed.protocols import Filter
from homefeed.recipe import parse_recipe
from homefeed.testing import FilterContract, World, make_world
from homefeed.testing.world import RECIPE
from homefeed.tracing import explain
from homefeed.types import Item, UserState

POPULAR = {"retrieve": {"popular": {}}, "rank": {"weighted": {"weights": {"popular": 1.0}}}}
LISTINGS: dict[str, Any] = {
    "app": "listings",
    "items": {"fields": {"title": "text", "poster": "category", "tags": "tags"}},
    "users": {
        "fields": {"blocked_posters": "tags", "blocked_tags": "tags", "silent": "category"},
        "blocks": {"blocked_posters": "poster", "blocked_tags": "tags"},
    },
    "privacy": {"opt_out": "silent"},
    "events": RECIPE["events"],
    "feeds": {"home": POPULAR, "other": POPULAR},
}
OF: list[tuple[str | None, list[str]]] = [
    ("ann", ["Pets"]),
    ("Ann", ["cars"]),
    ("bob", ["pets", "cars"]),
    (None, []),
]
ITEMS = [
    Item(f"l{n}", 3 + n, {"title": f"Listing {n}", "poster": poster, "tags": tags}, None)
    for n, (poster, tags) in enumerate(OF)
]
WORLD = make_world(ITEMS, [], declared=LISTINGS)
FEEDS = build_feeds(WORLD.recipe, WORLD.resources)


def shown(feed: str = "home", **attributes: Any) -> set[str]:
    return set(WORLD.ids(recommend(FEEDS[feed], WORLD.query("u", attributes=attributes)).positions))


class TestPreferences(FilterContract):
    def make(self, world: World) -> Filter:
        return Preferences(Preferences.Config(blocks={"no": "genre", "never": "content_type"}), world.resources)


@pytest.mark.parametrize("feed", ["home", "other"])
def test_what_a_user_blocked_is_in_no_feed(feed: str) -> None:
    assert shown(feed) == {"l0", "l1", "l2", "l3"}
    assert shown(feed, blocked_posters=["ann"]) == {"l1", "l2", "l3"}, "ids differ by their letter case"
    assert shown(feed, blocked_posters="ann|bob") == {"l1", "l3"}
    assert shown(feed, blocked_tags=["PETS"]) == {"l1", "l3"}, "of tags letter case does not matter"
    assert shown(feed, blocked_posters=["Ann"], blocked_tags=["pets"]) == {"l3"}


@pytest.mark.parametrize("value", [None, "", [], ["nobody"], {"ann": True}, [None, ["ann"]], True])
def test_what_names_nothing_blocks_nothing(value: Any) -> None:
    assert shown(blocked_posters=value) == {"l0", "l1", "l2", "l3"}


def test_who_opted_out_keeps_what_they_blocked() -> None:
    asked = UserState("u", attributes={"silent": True, "blocked_posters": ["ann"]})
    assert apply_opt_out(asked, WORLD.recipe).attributes == {"blocked_posters": ["ann"]}


def test_why_names_the_value() -> None:
    query = WORLD.query("u", attributes={"blocked_tags": ["cars", "pets"], "blocked_posters": ["bob"]})
    verdict = explain(FEEDS["home"], query, WORLD.position("l2")).verdict
    assert verdict == "Not shown: stopped by preferences (the user blocked: poster bob, tags cars, tags pets)"


def test_no_feed_goes_without_it() -> None:
    for filter_ in ({"preferences": False}, {"preferences": {"blocks": {"blocked_tags": "tags"}}}):
        declared = {**LISTINGS, "feeds": {"home": {**POPULAR, "filter": filter_}}}
        with pytest.raises(RecipeError, match="preferences"):
            build_feeds(parse_recipe(declared, "a test"), WORLD.resources)


@pytest.mark.parametrize(
    ("blocks", "error"),
    [
        ({"blocked_colours": "poster"}, 'users: blocks names "blocked_colours", which is not declared in fields'),
        ({"blocked_tags": "title"}, 'users.blocks names "title", which is no "category" or "tags" field of items'),
        ({"blocked_tags": "colour"}, 'users.blocks names "colour"'),
    ],
)
def test_both_fields_are_declared(blocks: dict[str, str], error: str) -> None:
    users = {**LISTINGS["users"], "blocks": blocks}
    with pytest.raises(RecipeError, match=error):
        parse_recipe({**LISTINGS, "users": users}, "a test")
