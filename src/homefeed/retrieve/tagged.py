"""What has the tags that the user said they like, the nearest first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Final

import numpy as np
import numpy.typing as npt
from pydantic import Field

from homefeed.catalog import Resources
from homefeed.catalog.columns import TagsColumn
from homefeed.catalog.ragged import Places, row_at
from homefeed.geo import EQUATOR_RADIUS_KM, FARTHEST_KM, UnitVectors
from homefeed.interests import declared_tags
from homefeed.kernels import BOOL, F32, F64, I32, I64, kernel, reads, several, writes
from homefeed.protocols import PartConfig
from homefeed.retrieve.arrays import SLOTS
from homefeed.retrieve.selection import top_k
from homefeed.types import NO_POSITIONS, Codes, Mask, Positions, Query, Scores

_MOST_NAMED: Final = 3
_NO_PLACE: Final = np.empty(0, np.float64)


class Tagged:
    """Items that have one or more of the tags that the user declared. The score is the Jaccard similarity of the
    item's tags and the user's, plus `place_weight` / (1 + (km / place_km)^2) where it is known how far the item is
    from the place of the request, or else of the user: in a straight line, which needs no sines.

    A request costs as many steps as there are items with those tags.
    """

    class Config(PartConfig):
        field: str = "tags"
        """A tags field of items."""
        user_fields: Annotated[tuple[str, ...], Field(min_length=1)] = ("interests",)
        """The attributes of users that list tags they like: each a list, or one text with `|` between them. All of
        them together count, up to 100 tags each."""
        place_weight: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
        """What it counts that an item is near; 0: where it is does not count."""
        place_km: Annotated[float, Field(gt=0, le=FARTHEST_KM)] = 15.0
        """At this distance an item has half of what counts for being near."""
        place: str | None = None
        """The location field of items; none: the one that says where items are."""
        names: str | None = None
        """The tags field of items that holds the names of their tags for people, in the same order; none: the tags
        are names."""
        reason: str = "Matches your interests: {tags}"
        """The reason; {tags} are those shared, three at most."""

    def __init__(self, config: Config, resources: Resources) -> None:
        """Raises RecipeError where items have no such tags field, or none of a location that counts."""
        self._config, self._catalog = config, resources.catalog
        self._column = resources.catalog.column(config.field, TagsColumn)
        self._names = None if config.names is None else resources.catalog.column(config.names, TagsColumn)
        self._place = resources.catalog.located(config.place) if config.place_weight else None

    def retrieve(self, query: Query, k: int) -> tuple[Positions, Scores]:
        """The k eligible items with the best score."""
        liked, count = declared_tags(query, self._column, self._config.user_fields)
        if not len(liked):
            return NO_POSITIONS, np.empty(0, np.float32)
        size = len(query.eligible)
        holders = np.concatenate([self._column.holders(code, size) for code in liked.tolist()])
        here, vectors = _NO_PLACE, np.empty((0, 3))
        if self._place is not None and query.place is not None:
            here, vectors = query.place.unit_vector, self._place.vectors(size)
        tags = self._column.codes(size)
        slots = SLOTS.take(size)
        positions, scores = _scored(
            *(holders, query.eligible, tags.codes, tags.places, count, here, vectors),
            *(self._config.place_weight, self._config.place_km, slots),
        )
        SLOTS.give(slots)
        best = top_k(scores, k)
        return positions[best], scores[best]

    def reasons(self, query: Query, positions: Positions) -> Sequence[str | None]:
        """Which of the user's tags each has; None where it has none of them."""
        liked, _ = declared_tags(query, self._column, self._config.user_fields)
        wanted, known = set(liked.tolist()), dict[str, bool]()

        def is_liked(tag: str) -> bool:
            found = known.get(tag)
            if found is None:
                found = known[tag] = self._column.code(tag) in wanted
            return found

        shared = [
            [name for tag, name in self._tags_of(position) if is_liked(tag)][:_MOST_NAMED]
            for position in positions.tolist()
        ]
        return [self._config.reason.format(tags=", ".join(tags)) if tags else None for tags in shared]

    def _tags_of(self, position: int) -> Iterable[tuple[str, str]]:
        """The tags of an item and their names, where it has as many."""
        tags = self._column.terms(position)
        names = tags if self._names is None else self._names.terms(position)
        return zip(tags, names if len(names) == len(tags) else tags, strict=True)


@kernel(
    several(writes(I32), writes(F32)),
    *(reads(I32), reads(BOOL), reads(I32), reads(I64), I64, reads(F64), reads(F64, 2), F64, F64, writes(I32)),
)
def _scored(
    holders: Positions,
    eligible: Mask,
    codes: Codes,
    places: Places,
    count: int,
    here: npt.NDArray[np.float64],
    vectors: UnitVectors,
    place_weight: float,
    place_km: float,
    slots: npt.NDArray[np.int32],
) -> tuple[Positions, Scores]:
    """The distinct eligible holders of tags, each as often as it shares one with the user, and their scores.

    `slots` (items,) are all 0, and are again afterwards.
    """
    found, shared = np.empty(len(holders), np.int32), np.empty(len(holders), np.int32)
    kept = 0
    for position in holders:
        if not eligible[position]:
            continue
        if slots[position] == 0:
            found[kept], shared[kept] = position, 0
            kept += 1
            slots[position] = kept
        shared[slots[position] - 1] += 1
    scores = np.empty(kept, np.float32)
    for row in range(kept):
        position = found[row]
        slots[position] = 0
        own = len(row_at(codes, places[position]))
        scores[row] = shared[row] / (own + count - shared[row])
        if len(here) and not np.isnan(vectors[position, 0]):
            chord = 0.0
            for axis in range(3):
                chord += (here[axis] - vectors[position, axis]) ** 2
            scores[row] += place_weight / (1 + chord * (EQUATOR_RADIUS_KM / place_km) ** 2)
    return found[:kept], scores
