"""Reasons that tell of what the user did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from homefeed.catalog import Resources
from homefeed.errors import RecipeError
from homefeed.retrieve.history import HistoryConfig
from homefeed.retrieve.sentences import HistorySentences
from homefeed.testing import World, toy_world
from homefeed.types import DAY, History, Query

VERBS = {"view": "looked at", "save": "saved"}


def did(world: World, *deeds: tuple[str, int], anchor: str | None = None) -> Query:
    """Someone who did something, (item, event type), once a day."""
    count = len(deeds)
    history = History(
        items=world.positions(*(item for item, _ in deeds)),
        types=np.array([code for _, code in deeds], np.int32),
        values=np.full(count, np.nan, np.float32),
        strengths=np.ones(count, np.float32),
        times=np.arange(count, dtype=np.int64) * DAY,
    )
    return world.query("u", history=history, anchor=anchor)


def told(
    query: Query, of: str, added: dict[str, float], template: str = "As you {verb} {title}", **config: str
) -> str | None:
    """What is said of an item to which others added so much."""
    world = toy_world()
    resources = Resources(world.catalog, world.counters, {}, VERBS)
    sentences = HistorySentences(HistoryConfig.model_validate(config), resources)
    by_position = {world.position(item): gain for item, gain in added.items()}
    items = np.array(sorted(by_position), np.int32)
    column = np.array([[by_position[item]] for item in items.tolist()], np.float64).reshape(-1, 1)
    grounds = sentences.grounds(query, world.positions(of), items, column)
    (said,) = sentences.said(query, grounds, [template])
    return said


WORLD = toy_world()


def test_another_item_is_named_with_what_the_user_did_to_it() -> None:
    query = did(WORLD, ("d1", 1))
    assert told(query, "s1", {"d1": 1.0}) == "As you saved Harbour Lights"
    assert told(query, "s1", {"s2": 1.0}) == "As you chose Orbital Dawn"
    assert told(query, "s1", {"d1": 1.0}, "Like {title}") == "Like Harbour Lights"
    assert told(query, "s1", {"d1": 0.0}) is None
    assert told(query, "s1", {}) is None


def test_each_item_has_its_own_words_and_equal_ones_are_made_once() -> None:
    world = toy_world()
    sentences = HistorySentences(HistoryConfig(), Resources(world.catalog, world.counters, {}, VERBS))
    query = did(world, ("d1", 0), ("s1", 1))
    items, added = world.positions("d1", "s1"), np.array([[1.0, 0, 0, 1], [0, 0, 1, 0]])
    grounds = sentences.grounds(query, world.positions("d2", "c1", "s2", "d3"), items, added)
    templates: Sequence[str] = ["{verb} {title}", "{verb} {title}", "{verb} {title}", "Like {title}"]
    said = ["looked at Harbour Lights", None, "saved Star Harvest", "Like Harbour Lights"]
    assert sentences.said(query, grounds, templates) == said
    assert sentences.said(query, sentences.grounds(query, items[:0], items, added[:, :0]), []) == []


@pytest.mark.parametrize(
    ("types", "said"),
    [
        ([1], "You saved this before"),
        ([1, 0, 1, 1], "You saved this 3 times"),
        ([0, 0], "You looked at this 2 times"),
    ],
)
def test_what_was_done_to_the_item_itself_comes_first_and_says_how_often(types: list[int], said: str) -> None:
    # Of equally strong events the latest names the verb.
    query = did(WORLD, ("d1", 0), *(("s1", code) for code in types))
    assert told(query, "s1", {"d1": 1.0, "s1": 1.0}) == said
    assert told(query, "s1", {"d1": 1.0, "s1": 0.99}) == "As you looked at Harbour Lights"


def test_how_often_counts_beyond_the_days_that_a_feed_looks_at() -> None:
    query = did(WORLD, ("s1", 1), ("s1", 1), ("s1", 1), ("d1", 0))
    lately = replace(query, user=query.user.since(2 * DAY))
    assert len(lately.user.history) == 2
    assert told(lately, "s1", {"s1": 1.0}) == "You saved this 3 times"


def test_a_page_about_an_item_speaks_of_that_one_only() -> None:
    about = did(WORLD, ("s1", 1), anchor="d1")
    assert told(about, "s1", {"d1": 0.5, "s1": 1.0}, "Like {title}, {verb}") == "Like Harbour Lights, chose"
    assert told(about, "d1", {"d1": 1.0}) is None


def test_the_category_is_told_of_where_several_items_of_it_outweigh_the_one_that_added_most() -> None:
    # Series: d1, d2, s3. Movies: d3, s1, s2.
    query = did(WORLD, ("d1", 1), ("d2", 0), ("s1", 0))
    several = {"d1": 0.5, "d2": 0.4, "s1": 0.6}
    in_series = "Because of what you saved in series"
    assert told(query, "s3", several, category="content_type") == in_series
    assert told(query, "s3", several) == "As you looked at Star Harvest"
    words = {"category": "content_type", "reason_category": "More {category}, as you {verb} some"}
    assert told(query, "s3", several, **words) == "More series, as you saved some"
    # Half of all is not more than all others; nor is the category told of where one of it added most.
    assert told(query, "s3", {"d1": 0.25, "d2": 0.25, "s1": 0.5}, category="content_type") is not None
    assert "series" not in str(told(query, "s3", {"d1": 0.25, "d2": 0.25, "s1": 0.5}, category="content_type"))
    assert "series" not in str(told(query, "s3", {"d1": 0.5, "d2": 0.7, "s1": 0.6}, category="content_type"))
    assert "series" not in str(told(query, "x1", several, category="content_type"))


def test_the_words_are_those_of_the_settings() -> None:
    query = did(WORLD, ("d1", 1), ("d1", 1), ("s1", 0))
    words = {"reason_own": "{times} x {verb}", "reason_own_once": "once {verb}"}
    assert told(query, "d1", {"d1": 1.0}, **words) == "2 x saved"
    assert told(query, "s1", {"s1": 1.0}, **words) == "once looked at"


def test_a_category_that_items_do_not_have_is_refused() -> None:
    with pytest.raises(RecipeError, match="genre"):
        told(did(WORLD), "d1", {}, category="genre")
