"""Requests that every part has to answer: viewers of each taste, newcomers, dislikers, users of other times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from homefeed.scope import RequestScope
from homefeed.testing.world import NOW, USERS, World, toy_item
from homefeed.types import DAY, Condition, History, Item, Query

NEW_ITEM: Item = toy_item(12, "new", 0, title="Harbour Dawn", content_type="series", genre=["Drama"], year=2026)
"""An item that no toy world has when it is made: apply it to the catalogue to see how parts take it."""


def toy_requests(world: World) -> dict[str, Query]:
    """Requests to the toy world, each named by what is special about it."""
    requests = {f"viewer {user_id}": world.query(user_id) for user_id in USERS}
    requests |= {
        "nobody": world.query(),
        "about an item": world.query("da", anchor="s2"),
        "about an item without words or plays": world.query(anchor="x1"),
        "one genre": world.query("da", conditions=(Condition("genre", ":", "Drama"),)),
        "exclusions": world.query("sa", exclude=("d1", "s3", "x1")),
        "long after": world.query("da", now=NOW + 10_000 * DAY),
        "before the first event": world.query("da", now=NOW - 10_000 * DAY),
        "a history of dislikes": world.query("da", history=toy_history(world, {"d1": -1.0, "s1": -0.5})),
        "a history that says nothing": world.query("da", history=toy_history(world, {"d1": 0.0, "s1": 0.0})),
        "likes and dislikes": world.query("da", history=toy_history(world, {"d1": 1.0, "s1": -1.0, "d2": 0.5})),
        "an event to come": world.query(
            "da", history=toy_history(world, {"d1": 1.0, "s1": 1.0}, last=NOW + 9_000 * DAY)
        ),
        "a hidden item in the history": world.query("de", history=toy_history(world, {"h1": 1.0})),
        "a long history": world.query("da", history=long_history(world, 3_000)),
    }
    return requests


def toy_history(world: World, strengths: Mapping[str, float], *, last: int = NOW) -> History:
    """A play of each item, a minute apart, the last one at `last`; of those strengths, whatever the value."""
    count = len(strengths)
    times = NOW - 60_000_000 * np.arange(count, 0, -1)
    times[-1:] = last
    return History(
        items=world.positions(*strengths),
        types=np.zeros(count, np.int32),
        values=np.full(count, np.nan, np.float32),
        strengths=np.array(list(strengths.values()), np.float32),
        times=times.astype(np.int64),
    )


def long_history(world: World, count: int) -> History:
    """Every item over and over, a minute apart."""
    return History(
        items=(np.arange(count) % world.catalog.size).astype(np.int32),
        types=np.zeros(count, np.int32),
        values=np.full(count, 60, np.float32),
        strengths=np.linspace(0, 1, count, dtype=np.float32),
        times=NOW - 60_000_000 * np.arange(count, 0, -1, dtype=np.int64),
    )


def frozen(query: Query) -> Query:
    """The same request with arrays that refuse to be written to."""
    history = query.user.history
    own = History(
        *(_read_only(getattr(history, name)) for name in ("items", "types", "values", "strengths", "times"))
    )
    return replace(
        query,
        user=replace(query.user, history=own),
        exclude=_read_only(query.exclude),
        recently_shown=_read_only(query.recently_shown),
        eligible=_read_only(query.eligible),
        scope=RequestScope(),
    )


def _read_only(column: np.ndarray) -> np.ndarray:
    copy = column.copy()
    copy.flags.writeable = False
    return copy
