"""Which of the items have one of some values."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from homefeed.catalog.columns import CategoryColumn, TagsColumn
from homefeed.types import Codes, Mask


def among(codes: Codes, column: CategoryColumn | TagsColumn, values: Sequence[object]) -> Mask:
    """(n,) which codes of a column are those of one of the values; -1 is none."""
    wanted = [column.code(value) for value in values]
    if len(wanted) == 1:
        return np.equal(codes, wanted[0])
    is_wanted = np.zeros(column.distinct + 1, np.bool_)
    is_wanted[[code for code in wanted if code >= 0]] = True
    return is_wanted[codes]
