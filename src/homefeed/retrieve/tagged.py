"""What has the tags that the user said they like, the nearest first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Annotated, Final, TypeAlias

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
from homefeed.retrieve.selection import top_k
from homefeed.types import NO_POSITIONS, Codes, Mask, Positions, Query, Scores

Ends: TypeAlias = npt.NDArray[np.int64]

_MOST_NAMED: Final = 3
_NO_PLACE: Final = np.empty(0, np.float64)


class Tagged:
    """Items that have one or more of the tags that the user declared. The score is the Jaccard similarity of the
    item's tags and the user's, plus `place_weight` / (1 + (km / place_km)^2) where it is known how far the item is
    from the place of the request, or else of the user: in a straight line, which needs no sines.

    A request looks at `max_items` items at most, those with the rarest of the tags first: a tag that half of the
    items have tells hardly one from another.
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
        max_items: Annotated[int, Field(ge=1, le=1_000_000)] = 5_000
        """How many items with one of the tags are looked at: tag by tag, rarest first, as long as they are no more
        than so many in all. What has none but more common ones is for others to propose."""
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
        holders, taken, ends = self._holders(liked, size)
        here, vectors = _NO_PLACE, np.empty((0, 3))
        if self._place is not None and query.place is not None:
            here, vectors = query.place.unit_vector, self._place.vectors(size)
        tags = self._column.codes(size)
        positions, scores = _scored(
            *(holders, query.eligible, tags.codes, tags.places, liked, taken, ends, count, here, vectors),
            *(self._config.place_weight, self._config.place_km),
        )
        best = top_k(scores, k)
        return positions[best], scores[best]

    def _holders(self, liked: Codes, size: int) -> tuple[Positions, Codes, Ends]:
        """The items with the rarest of the tags, tag by tag; those tags in that order, and where each ends."""
        by_tag = sorted(((self._column.holders(code, size), code) for code in liked.tolist()), key=_rarest_first)
        room = self._config.max_items
        ends = [end for end in accumulate(len(holders) for holders, _ in by_tag) if end <= room]
        taken = by_tag[: len(ends)]
        holders = np.concatenate([NO_POSITIONS, *(holders for holders, _ in taken)])
        return holders, np.array([code for _, code in taken], np.int32), np.array(ends, np.int64)

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


def _rarest_first(tag: tuple[Positions, int]) -> tuple[int, int]:
    holders, code = tag
    return len(holders), code


@kernel(
    several(writes(I32), writes(F32)),
    *(reads(I32), reads(BOOL), reads(I32), reads(I64), reads(I32), reads(I32), reads(I64), I64),
    *(reads(F64), reads(F64, 2), F64, F64),
)
def _scored(
    holders: Positions,
    eligible: Mask,
    codes: Codes,
    places: Places,
    liked: Codes,
    taken: Codes,
    ends: Ends,
    count: int,
    here: npt.NDArray[np.float64],
    vectors: UnitVectors,
    place_weight: float,
    place_km: float,
) -> tuple[Positions, Scores]:
    """The distinct eligible holders of the tags that were taken, one tag after the other, and their scores."""
    found, scores = np.empty(len(holders), np.int32), np.empty(len(holders), np.float32)
    kept = tag = 0
    for place in range(len(holders)):
        while place >= ends[tag]:
            tag += 1
        position = holders[place]
        if not eligible[position]:
            continue
        own = row_at(codes, places[position])
        shared, first = 0, len(taken)
        for code in own:
            for other in liked:
                if code == other:
                    shared += 1
                    break
            for earlier in range(min(first, tag)):
                if code == taken[earlier]:
                    first = earlier
        if first < tag:
            continue  # it was met with an earlier tag
        score = shared / (len(own) + count - shared)
        if len(here) and not np.isnan(vectors[position, 0]):
            chord = 0.0
            for axis in range(3):
                chord += (here[axis] - vectors[position, axis]) ** 2
            score += place_weight / (1 + chord * (EQUATOR_RADIUS_KM / place_km) ** 2)
        found[kept], scores[kept] = position, score
        kept += 1
    return found[:kept], scores[:kept]
