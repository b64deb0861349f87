"""Reasons that name an item of the user's history."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from homefeed.catalog import Resources
from homefeed.taste import CHOSE, verbs_of
from homefeed.types import Positions, Query

MIN_PEOPLE: Final = 2
"""Fewer than so many are no "people": a reason that tells of them would tell what one of them did."""


def reasons_naming(template: str, query: Query, items: Positions, resources: Resources) -> Sequence[str | None]:
    """The template with the {title} of each item at positions (n,) and the {verb} of the user; None for -1."""
    distinct = list(dict.fromkeys(items.tolist()))
    verbs: Sequence[str] = [CHOSE] * len(distinct)
    if "{verb" in template:
        verbs = verbs_of(query, np.array(distinct, np.int32), resources)
    title = resources.catalog.title
    reasons: dict[int, str | None] = {
        item: template.format(title=title(item), verb=verb) if item >= 0 else None
        for item, verb in zip(distinct, verbs, strict=True)
    }
    return [reasons[item] for item in items.tolist()]
