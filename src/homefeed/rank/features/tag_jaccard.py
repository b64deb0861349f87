"""How many of the tags that a user named an item has, of all that either has."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import Field

from homefeed.catalog import Resources
from homefeed.catalog.columns import TagsColumn
from homefeed.catalog.ragged import Places, row_at
from homefeed.interests import declared_tags
from homefeed.kernels import F64, I32, I64, kernel, reads, writes
from homefeed.protocols import PartConfig
from homefeed.types import Candidates, Codes, Floats, Positions, Query


class TagJaccard:
    """The tags that the item shares with those the user declared, over the tags that either has: from 0 to 1, the
    similarity of Jaccard, "The distribution of the flora in the alpine zone" (New Phytologist 1912).

    Tags that no item has count as the user's, too. 0 where either has none.
    """

    class Config(PartConfig):
        field: str = "tags"
        """A tags field of items."""
        user_fields: Annotated[tuple[str, ...], Field(min_length=1)] = ("interests",)
        """The attributes of users that list tags they like: each a list, or one text with `|` between them. All of
        them together count, up to 100 tags."""

    names = ("tag_jaccard",)

    def __init__(self, config: Config, resources: Resources) -> None:
        """Raises RecipeError where items have no such tags field."""
        self._config, self._catalog = config, resources.catalog
        self._column = resources.catalog.column(config.field, TagsColumn)

    def extract(self, query: Query, candidates: Candidates) -> Floats:
        """(n, 1) from 0 to 1."""
        codes, count = declared_tags(query, self._column, self._config.user_fields)
        if not count:
            return np.zeros((len(candidates), 1), np.float32)
        tags = self._column.codes(self._catalog.size)
        return _jaccard(tags.codes, tags.places, candidates.positions, codes, count).astype(np.float32)[:, None]


@kernel(writes(F64), reads(I32), reads(I64), reads(I32), reads(I32), I64)
def _jaccard(
    codes: Codes, places: Places, positions: Positions, liked: Codes, count: int
) -> npt.NDArray[np.float64]:
    """(n,) |A and B| / |A or B| of the tags of items and the `count` tags of which the `liked` have codes."""
    found = np.zeros(len(positions), np.float64)
    for row in range(len(positions)):
        own = row_at(codes, places[positions[row]])
        shared = 0
        for code in own:
            for other in liked:
                if code == other:
                    shared += 1
                    break
        if shared:
            found[row] = shared / (len(own) + count - shared)
    return found
