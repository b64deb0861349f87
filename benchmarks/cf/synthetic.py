"""Interactions of a made-up catalogue, of any size: users with tastes, busy and idle, items popular and not."""

from __future__ import annotations

from typing import Final

import numpy as np

from benchmarks.cf.lightgcn import Matrix, as_matrix, distinct

LEAST: Final = 1_000
_USERS_SHARE, _ITEMS_FACTOR, _ITEMS_EXPONENT = 25, 4, 0.65
_GROUP, _TASTES, _AT_LARGE, _HEAD = 100, (0.4, 0.3, 0.2, 0.1), 0.3, 100


def sizes(interactions: int) -> tuple[int, int]:
    """Users and items: 25 interactions a user, 4 n^0.65 items (32,000 of a million, 222,000 of 20 million)."""
    return interactions // _USERS_SHARE, round(_ITEMS_FACTOR * interactions**_ITEMS_EXPONENT)


def generate(interactions: int, seed: int) -> Matrix:
    """So many different pairs of user and item.

    Users' activity is log-normal (sigma 1). Popularity is Zipf-Mandelbrot, 1 / (rank + 100), so that the first
    item has under 1 % of all. Items stand in groups of about 100; each user has four of them, liked unevenly, and
    takes 30 % of their items from all the catalogue.

    Raises:
        ValueError: fewer than `LEAST` are asked for.
    """
    if interactions < LEAST:
        raise ValueError(f"interactions: expected {LEAST} or more, got {interactions}")
    rng = np.random.default_rng(seed)
    users, items = sizes(interactions)
    groups = max(items // _GROUP, 2)
    activity = np.cumsum(rng.lognormal(0, 1, users))
    popularity = np.append(0, np.cumsum(1 / (rng.permutation(items) + 1 + _HEAD)))
    bounds = np.arange(groups + 1) * items // groups
    tastes = rng.integers(groups, size=(users, len(_TASTES)))
    keys = np.empty(0, np.int64)
    while len(keys) < interactions:
        count = round(1.2 * (interactions - len(keys))) + 100
        # In their order, which is looked up several times as fast.
        user = np.searchsorted(activity[:-1], np.sort(rng.random(count)) * activity[-1], side="right")
        taste = np.searchsorted(np.cumsum(_TASTES[:-1]), rng.random(count), side="right")
        group = tastes[user, taste]
        large = rng.random(count) < _AT_LARGE
        low = popularity[np.where(large, 0, bounds[group])]
        high = popularity[np.where(large, items, bounds[group + 1])]
        item = np.searchsorted(popularity[:-1], low + rng.random(count) * (high - low), side="right") - 1
        keys = distinct(np.concatenate([keys, user * items + item]))
    keys = rng.permutation(keys)[:interactions]
    return as_matrix(*np.divmod(keys, items), (users, items))
