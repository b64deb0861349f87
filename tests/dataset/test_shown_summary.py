"""The summary: what was shown again is left out, whatever is added in however many parts."""

from __future__ import annotations

import pytest

from homefeed.dataset.followed import Tally
from homefeed.dataset.shown_summary import Counts, Summing
from homefeed.store import Store

from .shown_log import Page, Told, joined, recipe_with, write_log


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
async def test_counts_are_by_feed_and_by_place(store: Store) -> None:
    pages = [
        Page(0, "ab", request="r1"),
        Page(0.1, "ab", request="r2", reused=True),
        Page(1, "abc", user=None, request="r3"),
        Page(2, "c", user="v", request="r4", feed="best", start=10),
    ]
    events = [Told(3, "b"), Told(4, "b"), Told(4, "b", type="buy"), Told(5, "c", user="v", request="r4")]
    await write_log(store, "shop", pages, events)
    followed, parts = await joined(store, recipe_with())
    summing = Summing(followed.event_types)
    for part in parts * 150:
        summing.add(part)
    found = summing.summary(followed.tally)
    assert (found.pages, found.reused, found.users) == (450, 150, 2)
    assert found.counts == Counts(900, 900, {"click": 300, "buy": 150})
    assert found.feeds == {
        ("home", "home/weighted"): (300, Counts(750, 750, {"click": 150, "buy": 150})),
        ("best", "best/weighted"): (150, Counts(150, 150, {"click": 150, "buy": 0})),
    }
    assert found.places == {
        0: Counts(300, 300, {"click": 0, "buy": 0}),
        1: Counts(300, 300, {"click": 150, "buy": 150}),
        2: Counts(150, 150, {"click": 0, "buy": 0}),
    }
    assert found.tally == Tally(1, 3, 0)


def test_nothing_shown_is_nothing_counted() -> None:
    found = Summing(("click",)).summary(Tally(0, 0, 0))
    assert (found.pages, found.counts, found.feeds, found.places) == (0, Counts(0, 0, {"click": 0}), {}, {})
