"""Compiled loops of sequences: sums over all moments at which a user had one item and came to another."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from homefeed.kernels import compiled
from homefeed.retrieve.item_item.kernels import SUMS, Indices, Starts
from homefeed.types import Floats

Table: TypeAlias = npt.NDArray[np.float32]


class Moments(NamedTuple):
    """Events by user, oldest first, each item's events among them, and what distances between two count."""

    item_starts: Starts
    """(items + 1,) where an item's events begin in `item_events`."""
    item_events: Starts
    """(events,) rows of the events, item by item."""
    starts: Starts
    """(users + 1,) where a user's events begin."""
    users: Indices
    """(events,) as are `items`, `places` and `strengths`."""
    items: Indices
    places: Indices
    strengths: Floats
    user_weights: Floats
    """(users,) how much the moments of a user count."""
    sources: Table
    """(window, window) `Decay.sources`."""
    targets: Floats
    """(2 window,) `Decay.targets`."""


@partial(compiled, nogil=True, fastmath=SUMS)
def _add_item(item: int, moments: Moments, together: Floats, followed: Floats) -> None:
    """Add to `together` what an item has in common with others as a source, to `followed` how it follows them."""
    item_starts, item_events, starts, users, items, places, strengths, user_weights, sources, targets = moments
    window, farthest = len(sources), len(targets) - 1
    for occurrence in range(item_starts[item], item_starts[item + 1]):
        event = item_events[occurrence]
        first, last = starts[users[event]], starts[users[event] + 1]
        place, final = places[event], places[last - 1]
        gain = user_weights[users[event]] * strengths[event]
        for other in range(event - 1, first - 1, -1):
            distance = place - places[other]
            if distance > farthest:
                break
            value = gain * strengths[other]
            followed[items[other]] += value * targets[distance]
            if place < final and distance < window:
                together[items[other]] += value * sources[distance, min(final - place, window - distance) - 1]
        for other in range(event, last):
            distance = places[other] - place
            if places[other] == final or distance >= window:
                break
            value = gain * strengths[other] * sources[distance, min(final - places[other], window - distance) - 1]
            together[items[other]] += value


@partial(compiled, nogil=True)
def _clear(item: int, moments: Moments, together: Floats, followed: Floats) -> None:
    """Zeros again at whatever the users of an item have."""
    for occurrence in range(moments.item_starts[item], moments.item_starts[item + 1]):
        user = moments.users[moments.item_events[occurrence]]
        for other in range(moments.starts[user], moments.starts[user + 1]):
            together[moments.items[other]] = 0
            followed[moments.items[other]] = 0


@partial(compiled, nogil=True, fastmath=SUMS)
def sums_of_all(start: int, stop: int, moments: Moments, together: Table, followed: Table) -> None:
    """Rows of two matrices (items, items) of zeros: S'S, and T'S, how much the item of the row follows others."""
    for item in range(start, stop):
        _add_item(item, moments, together[item], followed[item])


@partial(compiled, nogil=True, fastmath=SUMS)
def sums_of_pairs(
    start: int,
    stop: int,
    moments: Moments,
    pair_starts: Starts,
    others: Indices,
    own: Floats,
    together: Floats,
    followed: Floats,
) -> None:
    """The same at the entries of a CSR pattern, and the diagonal `own` (items,) of the first."""
    of_item = np.zeros(len(own), np.float32)
    follows = np.zeros(len(own), np.float32)
    for item in range(start, stop):
        _add_item(item, moments, of_item, follows)
        own[item] = of_item[item]
        for entry in range(pair_starts[item], pair_starts[item + 1]):
            together[entry] = of_item[others[entry]]
            followed[entry] = follows[others[entry]]
        _clear(item, moments, of_item, follows)


@partial(compiled, nogil=True, fastmath=SUMS)
def products_of_words(
    start: int,
    stop: int,
    pair_starts: Starts,
    others: Indices,
    word_starts: Starts,
    words: Indices,
    weights: Floats,
    word_count: int,
    products: Floats,
) -> None:
    """At each entry of a CSR pattern of items, the dot product of the two items' rows of a CSR matrix of words."""
    here = np.zeros(word_count, np.float32)
    for item in range(start, stop):
        for place in range(word_starts[item], word_starts[item + 1]):
            here[words[place]] = weights[place]
        for entry in range(pair_starts[item], pair_starts[item + 1]):
            other = others[entry]
            total = np.float32(0)
            for place in range(word_starts[other], word_starts[other + 1]):
                total += weights[place] * here[words[place]]
            products[entry] = total
        for place in range(word_starts[item], word_starts[item + 1]):
            here[words[place]] = 0
