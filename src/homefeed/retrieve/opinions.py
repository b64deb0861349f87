"""What each user thinks of each item, of all that they did to it."""

from __future__ import annotations

import numpy as np

from homefeed.types import Interactions


def strongest(events: Interactions) -> Interactions:
    """Of each user's events of an item the strongest, the later of equals; those of no strength left out."""
    events = events.take(events.strengths != 0)
    earlier = np.arange(len(events), 0, -1)
    order = np.lexsort((earlier, -np.abs(events.strengths), events.items, events.users))
    users, items = events.users[order], events.items[order]
    first = np.ones(len(order), np.bool_)
    first[1:] = (users[1:] != users[:-1]) | (items[1:] != items[:-1])
    return events.take(order[first])
