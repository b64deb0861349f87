"""The join of what was shown and what followed, against one that looks at every showing for every event."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.conftest import NewStore

from homefeed.dataset.attribution import LONGEST_REUSE
from homefeed.store import open_store

from .shown_log import MINUTE, Page, Told, joined, recipe_with, rows_of, write_log

REUSE = LONGEST_REUSE // MINUTE
_APPS = count()

minutes = st.integers(0, 14).map(lambda n: n * 15)
users = st.sampled_from("uuuv")
pages = st.builds(
    Page,
    minute=minutes,
    items=st.permutations("abc").map("".join),
    user=st.sampled_from([None, "u", "u", "u", "v"]),
    request=st.sampled_from(["r1", "r2", "r3"]),
    feed=st.sampled_from(["home", "best"]),
    start=st.sampled_from([0, 0, 3]),
    reused=st.booleans(),
)
events = st.builds(
    Told,
    minute=minutes,
    item=st.sampled_from("abcabcd"),
    user=users,
    request=st.sampled_from([None, None, None, "r1", "r2", "r3", "lost"]),
    type=st.sampled_from(["click", "buy", "stare"]),
)
bounds = st.sampled_from([None, None, 60, 105, 150])


def distinct(shown: Sequence[Page]) -> list[Page]:
    """The pages that the store keeps, in its order; what was shown again has a user."""
    kept: dict[tuple[Any, ...], Page] = {}
    for page in shown:
        if page.user is not None or not page.reused:
            kept.setdefault(key(page), page)
    return [kept[name] for name in sorted(kept)]


def key(page: Page) -> tuple[float, str, str, int]:
    return page.minute, page.request, page.feed, page.start


def place(page: Page, item: str) -> int:
    return page.start + page.items.index(item)


def showing(event: Told, shown: Sequence[Page], window: int) -> tuple[Page, str] | None:
    """The page that an event is put down to, and by what: by the rules as the documents say them."""
    holding = [page for page in shown if event.item in page.items]
    if event.request is not None and any(page.request == event.request for page in shown):
        mine = [page for page in holding if page.request == event.request and page.user in (None, event.user)]
        mine = [page for page in mine if page.minute <= event.minute + window]

        def order(page: Page) -> tuple[Any, ...]:
            gap = event.minute - page.minute
            return page.user is None, gap < 0, abs(gap), place(page, event.item), page.feed

        found = min(mine, key=order, default=None)
        return None if found is None else (chosen(found, event, shown, None), "request")
    mine = [page for page in holding if page.user == event.user and 0 <= event.minute - page.minute <= window]
    found = min(
        mine, key=lambda page: (-page.minute, place(page, event.item), page.feed, page.request), default=None
    )
    return None if found is None else (chosen(found, event, shown, window), "time")


def chosen(found: Page, event: Told, shown: Sequence[Page], window: float | None) -> Page:
    """The page for which the slate was chosen."""
    earlier = [
        page
        for page in shown
        if event.item in page.items
        and (page.user, page.feed, page.reused) == (event.user, found.feed, False)
        and 0 <= found.minute - page.minute <= REUSE
    ]
    best = min(earlier, key=lambda page: (-page.minute, place(page, event.item), page.request), default=None)
    if not found.reused or best is None or (window is not None and event.minute - best.minute > window):
        return found
    return best


def expected(
    shown: Sequence[Page], told: Sequence[Told], window: int, since: float | None, until: float | None
) -> tuple[list[tuple[Any, ...]], tuple[int, int, int]]:
    """The rows of the data set, and how many events were put down by request, by time, and to nothing."""
    inside = [p for p in shown if (since is None or p.minute >= since) and (until is None or p.minute < until)]
    clicks, sales, firsts, last = Counter[Any](), Counter[Any](), dict[Any, float](), dict[Any, int]()
    tally = Counter[str]()
    for event in told if inside else ():
        found = None if event.type == "stare" else showing(event, shown, window)
        counted = inside[0].minute <= event.minute and (until is None or event.minute < until)
        tally[found[1] if found else "none"] += counted and event.type != "stare"
        if found is None or found[0] not in inside:
            continue
        cell = (key(found[0]), event.item)
        (clicks if event.type == "click" else sales)[cell] += 1
        if event.type == "click":
            seconds = 60.0 * max(event.minute - found[0].minute, 0)
            firsts[cell] = min(firsts.get(cell, seconds), seconds)
        request = (found[0].request, found[0].feed, found[0].user)
        last[request] = max(last.get(request, 0), place(found[0], event.item))
    rows = []
    for page in inside:
        request = (page.request, page.feed, page.user)
        first = min(other.start for other in shown if (other.request, other.feed, other.user) == request)
        for item in page.items:
            cell = (key(page), item)
            examined = place(page, item) <= last[request] if request in last else page.start == first
            followed = clicks[cell], sales[cell], firsts.get(cell)
            rows.append((page.request, page.feed, place(page, item), item, *followed, examined))
    return rows, (tally["request"], tally["time"], tally["none"])


@given(
    st.lists(pages, min_size=2, max_size=12),
    st.lists(events, min_size=8, max_size=20),
    st.sampled_from([30, 90]),
    bounds,
    bounds,
)
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_it_is_what_looking_at_every_showing_finds(
    new_store: NewStore,
    tmp_path: Path,
    shown: list[Page],
    told: list[Told],
    window: int,
    since: float | None,
    until: float | None,
) -> None:
    app = f"a{next(_APPS)}"
    shown = distinct(shown)

    async def run(url: str) -> tuple[list[tuple[Any, ...]], tuple[int, int, int]]:
        async with open_store(url) as store:
            # Every letter is an item, so that numbers go by the alphabet.
            await write_log(store, app, shown, [*told, *(Told(0, item, type="stare") for item in "abcd")])
            followed, parts = await joined(store, recipe_with(app, window=f"{window}m"), since, until)
            tally = followed.tally
            return rows_of(parts), (tally.by_request, tally.by_time, tally.to_none)

    with new_store("sqlite", tmp_path) as url:
        assert asyncio.run(run(url)) == expected(shown, told, window, since, until)
