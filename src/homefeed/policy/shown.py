"""What people have before their eyes already: what earlier pages had, and what a feed is about."""

from __future__ import annotations

import numpy as np

from homefeed.types import Codes, Mask, Positions, Query


def shown_positions(query: Query) -> Positions:
    """What earlier pages showed, the request excludes, or the feed is about."""
    if query.anchor is None:
        return query.exclude
    return np.append(query.exclude, np.int32(query.anchor))


def shown_before(query: Query, own: Codes, groups: Codes) -> Mask:
    """(n,) which of the candidates, by their groups `own` (n,), are in a group that was shown or is excluded.

    `groups` (items,) has the group of every item.
    """
    shown = shown_positions(query)
    if not len(shown):
        return np.zeros(len(own), np.bool_)
    mask: Mask = np.isin(own, groups[shown])
    return mask
