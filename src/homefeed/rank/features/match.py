"""Whether an item is from where the user is, or of what they prefer: the same block, language, category."""

from __future__ import annotations

import numpy as np

from homefeed.catalog import Resources
from homefeed.catalog.columns import CategoryColumn
from homefeed.numerals import attribute_texts
from homefeed.protocols import PartConfig
from homefeed.rank.matching import among
from homefeed.types import Candidates, Floats, Query


class Match:
    """1 where the item's category equals the user's attribute, or one of those that it lists, whatever the letter
    case, else 0. The feature is called `ITEM_match`, such as `block_match`.

    Neither an item nor a user without a value matches.
    """

    class Config(PartConfig):
        item: str
        """A category field of items."""
        user: str
        """The attribute of users to compare it with: one value, or a list, of which the first 100 count."""

    def __init__(self, config: Config, resources: Resources) -> None:
        """Raises RecipeError where items have no such category field."""
        self._attribute = config.user
        self._catalog = resources.catalog
        self._column = resources.catalog.column(config.item, CategoryColumn)
        self.names = (f"{config.item}_match",)

    def extract(self, query: Query, candidates: Candidates) -> Floats:
        """(n, 1) of 0 and 1."""
        texts = attribute_texts(query.user.attributes.get(self._attribute))
        if not texts:
            return np.zeros((len(candidates), 1), np.float32)
        codes = self._column.codes(self._catalog.size)[candidates.positions]
        return among(codes, self._column, texts).astype(np.float32)[:, None]
