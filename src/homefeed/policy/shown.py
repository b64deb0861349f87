"""What people have before their eyes already: what earlier pages had, and what a feed is about."""

from __future__ import annotations

import numpy as np

from homefeed.types import Codes, Mask, Query


def shown_before(query: Query, own: Codes, groups: Codes) -> Mask:
    """(n,) which of the candidates, by their groups `own` (n,), are in a group that was shown or is excluded.

    `groups` (items,) has the group of every item.
    """
    anchor = [] if query.anchor is None else [query.anchor]
    if not len(query.exclude) and not anchor:
        return np.zeros(len(own), np.bool_)
    mask: Mask = np.isin(own, groups[np.concatenate([query.exclude, np.array(anchor, np.int32)])])
    return mask
