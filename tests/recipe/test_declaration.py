"""What a recipe declares of its data, its users' rights and its signals: taken as written, refused by the key."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from typing import Any

import pytest

from homefeed.errors import RecipeError
from homefeed.recipe import Recipe, parse_recipe
from homefeed.recipe.declaration import Goal
from homefeed.recipe.entities import NearDuplicates
from homefeed.recipe.privacy import Isolation, Privacy
from homefeed.types import DAY

FULL = """
app = "town"
[items]
near_duplicates = { fields = ["title", "text"], min_similarity = 0.7 }
[items.fields]
title = "text"
text = "text"
place = "category"
until = "time"
[users.fields]
place = "category"
likes = "tags"
silent = "category"
since = "time"
[events.like]
verb = "liked"
[events.report]
weight = -1
[events.search]
about = "query"
[signals]
distinct = ["report"]
[goal]
metric = "recall@20"
events = ["like"]
[isolation]
item = "place"
user = "place"
[privacy]
opt_out = "silent"
kept = ["likes", "place"]
[sources.users]
file = "people"
optional = ["likes", "silent"]
[sources.events]
file = "interactions"
optional = ["value"]
[feeds.home]
retrieve.popular = {}
rank.weighted.weights.popular = 1
"""


def recipe(old: str = "", new: str = "") -> Recipe:
    assert old in FULL
    return parse_recipe(tomllib.loads(FULL.replace(old, new, 1)), "r")


def refused(old: str, new: str) -> str:
    with pytest.raises(RecipeError) as caught:
        recipe(old, new)
    return str(caught.value).removeprefix("r: ")


def test_all_of_it_is_taken_as_written() -> None:
    taken = recipe()
    assert taken.items.near_duplicates == NearDuplicates(fields=("title", "text"), min_similarity=0.7)
    assert (taken.items.fields["until"], taken.users.fields["since"]) == ("time", "time")
    assert taken.verbs == ("liked", "chose", "chose")
    assert taken.signals.distinct == ("report",)
    assert (taken.goal, taken.goal_types) == (Goal(metric="recall@20", events=("like",)), (0,))
    assert taken.isolation == Isolation(item="place", user="place")
    assert taken.privacy == Privacy(opt_out="silent", kept=("likes", "place"))
    assert [taken.sources.users.file, taken.sources.items.file, taken.sources.events.file] == [
        "people",
        None,
        "interactions",
    ]
    assert (taken.sources.users.optional, taken.sources.items.optional) == (("likes", "silent"), ())


def test_none_of_it_is_needed() -> None:
    bare: dict[str, Any] = {
        "app": "bare",
        "items": {"fields": {"title": "text"}},
        "events": {"like": {}},
        "feeds": {"home": {"retrieve": {"popular": {}}, "rank": {"weighted": {"weights": {"popular": 1}}}}},
    }
    taken = parse_recipe(bare, "r")
    assert (taken.isolation, taken.privacy, taken.items.near_duplicates) == (None, None, None)
    assert (taken.signals.distinct, taken.verbs) == ((), ("chose",))
    assert taken.goal == Goal(metric="ndcg@10", events=None)


def test_the_goal_is_for_home_and_what_stands_in_for_it_unless_it_says() -> None:
    assert recipe().goal_feeds == ("home",)
    welcome = "\n[feeds.welcome]\nretrieve.popular = {}\nrank.weighted.weights.popular = 1\n"
    with_welcome = recipe("[feeds.home]\n", f"{welcome}[feeds.home]\ncold_start = 'welcome'\n")
    assert with_welcome.goal_feeds == ("home", "welcome")
    only = recipe('events = ["like"]', 'feeds = ["home"]')
    assert only.goal_feeds == ("home",)
    assert replace(only, goal=Goal(), home=None).goal_feeds == ()
    twice = replace(with_welcome, goal=Goal(feeds=("welcome", "home", "welcome")))
    assert twice.goal_feeds == ("welcome", "home"), "each once, in the order of the goal"


def test_by_default_all_that_tells_of_an_item_that_it_was_liked_is_the_goal() -> None:
    taken = recipe('[goal]\nmetric = "recall@20"\nevents = ["like"]\n')
    assert taken.goal.events is None
    assert [taken.event_types[code] for code in taken.goal_types] == ["like"], "not reports, nor searches"
    both = recipe('events = ["like"]', 'events = ["report", "like"]')
    assert [both.event_types[code] for code in both.goal_types] == ["like", "report"], "named, they count"


def test_near_duplicates_have_a_similarity_that_does_for_most() -> None:
    taken = recipe(", min_similarity = 0.7").items.near_duplicates
    assert taken is not None
    assert taken.min_similarity == 0.6


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        (
            'fields = ["title", "text"]',
            'fields = ["title", "txt"]',
            'items: near_duplicates.fields names "txt", which is not declared in fields',
        ),
        (
            'fields = ["title", "text"]',
            "fields = []",
            "items.near_duplicates.fields: tuple should have at least 1 item",
        ),
        (
            "min_similarity = 0.7",
            "min_similarity = 0",
            "items.near_duplicates.min_similarity: input should be greater than 0",
        ),
        (
            "min_similarity = 0.7",
            "min_similarity = 1.1",
            "items.near_duplicates.min_similarity: input should be less than or eq",
        ),
        ("min_similarity", "similarity", "items.near_duplicates.similarity: no such key here"),
        (
            'until = "time"',
            'until = "date"',
            "items.fields.until: input should be 'text', 'category', 'tags', 'numbe",
        ),
        (
            'distinct = ["report"]',
            'distinct = ["flag"]',
            'signals.distinct names "flag"; the events are: like, repo',
        ),
        (
            'metric = "recall@20"',
            'metric = "recall@7"',
            "goal.metric: input should be 'ndcg@10', 'ndcg@20', 'recall@10', 'recall@20', 'mrr@10' or 'hit_",
        ),
        (
            'events = ["like"]',
            'events = ["like", "buy"]',
            'goal.events names "buy"; the events about an item are: lik',
        ),
        (
            'events = ["like"]',
            'events = ["search"]',
            'goal.events names "search"; the events about an item are: like',
        ),
        ('events = ["like"]', "events = []", "goal.events: tuple should have at least 1 item"),
        ('events = ["like"]', 'feeds = ["hom"]', 'goal.feeds names "hom"; the feeds for a user are: home'),
        ('events = ["like"]', "feeds = []", "goal.feeds: tuple should have at least 1 item"),
        (
            'events = ["like"]\n[isolation]',
            'feeds = ["like_this"]\n[feeds.like_this]\nanchored = true\nretrieve.popular = {}\n'
            "rank.weighted.weights.popular = 1\n[isolation]",
            'goal.feeds names "like_this"; the feeds for a user are: home',
        ),
        (
            "[feeds.home]",
            "[models.blend]\n[feeds.home]",
            "models.blend: every app has its own blend; choose another name",
        ),
        (
            "[feeds.home]",
            "[models.trending]\n[feeds.home]",
            "models.trending: every app has its own trending; choose another name",
        ),
        (
            "[isolation]",
            '[impressions]\nwindow = "soon"\n[isolation]',
            'impressions.window: expected a duration such as 90s, 10m or 1.5h, got "soon"',
        ),
        (
            "[isolation]",
            '[impressions]\nwindow = "400d"\n[isolation]',
            "impressions.window: expected a second to 366 days, got 400d",
        ),
        ('metric = "recall@20"', 'measure = "recall@20"', "goal.measure: no such key here"),
        ('distinct = ["report"]', 'distinct = "report"', "signals.distinct: input should be a valid tuple"),
        ('item = "place"', 'item = "until"', 'isolation.item names "until", which is not a "category" field'),
        ('item = "place"', 'item = "plaice"', 'isolation.item names "plaice", which is not a "category" field'),
        ('item = "place"\n', "", "isolation.item: missing; this key is required"),
        ('user = "place"\n', "", "isolation.user: missing; this key is required"),
        (
            'user = "place"',
            'user = "plaice"',
            'isolation.user names "plaice", which is not declared in users.fields',
        ),
        ('item = "place"', 'itm = "place"', "isolation.itm: no such key here"),
        ('opt_out = "silent"\n', "", "privacy: expected one of opt_out and consent"),
        (
            'opt_out = "silent"',
            'opt_out = "quiet"',
            'privacy.opt_out names "quiet", which is not declared in users.fields',
        ),
        (
            '["likes", "place"]',
            '["likes", "age"]',
            'privacy.kept.age names "age", which is not declared in users.',
        ),
        ('["likes", "place"]', '["Likes"]', "privacy.kept.0: string should match pattern"),
        ("opt_out", "optout", "privacy.optout: no such key here"),
        ('verb = "liked"', "verb = 3", "events.like.verb: input should be a valid string, got 3"),
        ('file = "people"', "file = 3", "sources.users.file: input should be a valid string, got 3"),
        ("optional", "optonal", "sources.users.optonal: no such key here"),
    ],
)
def test_what_does_not_fit_is_told_with_its_key(old: str, new: str, text: str) -> None:
    assert text in refused(old, new)


def test_an_isolation_without_users_fields_has_nothing_to_go_by() -> None:
    told = refused('place = "category"\nlikes', "likes")
    assert 'isolation.user names "place", which is not declared in users.fields' in told


def signals(**settings: Any) -> Recipe:
    table = {
        "app": "a",
        "items": {"fields": {"title": "text"}},
        "events": {"like": {}},
        "signals": settings,
        "feeds": {"popular": {"retrieve": {"popular": {}}, "rank": {"weighted": {"weights": {"popular": 1}}}}},
    }
    return parse_recipe(table, "test")


def test_a_trend_fades_by_half_lives_or_by_what_is_left_after_a_day() -> None:
    assert signals(trending_half_life_days=2).signals.trending_half_life == 2 * DAY
    half_life = signals(trending_decay_per_day=0.95).signals.trending_half_life
    assert 0.5 ** (DAY / half_life) == pytest.approx(0.95)
    assert signals(trending_decay_per_day=0.5).signals.trending_half_life == pytest.approx(DAY)


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"trending_decay_per_day": 0.9, "trending_half_life_days": 2}, "only one of"),
        ({"trending_decay_per_day": 1}, "less than 1"),
        ({"trending_decay_per_day": 0}, "greater than 0"),
    ],
)
def test_a_trend_fades_in_one_way(settings: dict[str, Any], why: str) -> None:
    with pytest.raises(RecipeError, match=why):
        signals(**settings)
