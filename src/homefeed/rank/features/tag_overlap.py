"""How well an item's tags fit those of what the user liked, and those they declared."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import Field

from homefeed.catalog import Resources
from homefeed.catalog.columns import TagsColumn
from homefeed.catalog.ragged import CodeRows
from homefeed.interests import declared_tags
from homefeed.protocols import PartConfig
from homefeed.rank.kernels import tag_fit, tag_profile
from homefeed.taste import weighted_seeds
from homefeed.types import Candidates, Floats, Query


class TagOverlap:
    """How well the item's tags fit the tags of what the user liked, and those that the user declared as interests:
    from -1 to 1, below 0 for tags of what the user disliked.

    x / (1 + |x|), where x = sum of the user's weights of the item's tags / sqrt(their number). A tag weighs what
    the items of the user's taste that have it weigh together, less than 0 for dislikes, and `interests_weight`
    more if the user declared it. The root makes it the product of the profile and the item's tags as a unit
    vector, so that many tags are no advantage. A feed about an item starts from that item alone.
    """

    class Config(PartConfig):
        field: str = "tags"
        """A tags field of items."""
        interests: str | None = None
        """The attribute of users that lists tags they like: a list, or one text with `|` between them, of which
        the first 100 count; none: interests are not used."""
        interests_weight: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 1.0
        """The weight of a tag that the user likes, in events of weight 1."""
        max_events: Annotated[int, Field(ge=1, le=1_000)] = 50
        """How many of the user's latest events count."""
        half_life_days: Annotated[float, Field(gt=0)] = 30.0
        """An event's weight halves for every so many days between it and the user's latest event."""

    names = ("tag_overlap",)

    def __init__(self, config: Config, resources: Resources) -> None:
        """Raises RecipeError where items have no such tags field."""
        self._config = config
        self._catalog = resources.catalog
        self._column = resources.catalog.column(config.field, TagsColumn)

    def extract(self, query: Query, candidates: Candidates) -> Floats:
        """(n, 1) from -1 to 1; 0 where the item has no tags or the user no profile."""
        tags = self._column.codes(self._catalog.size)
        return tag_fit(self._profile(query, tags), tags.codes, tags.places, candidates.positions)

    def _profile(self, query: Query, tags: CodeRows) -> npt.NDArray[np.float64]:
        """(tags,) the weight of each tag for the user."""
        items, weights = weighted_seeds(query, self._config.max_events, self._config.half_life_days)
        profile = tag_profile(tags.codes, tags.places, items, weights, self._column.distinct)
        if self._config.interests is not None and query.anchor is None:
            declared, _ = declared_tags(query, self._column, (self._config.interests,))
            profile[declared] += self._config.interests_weight
        return profile
