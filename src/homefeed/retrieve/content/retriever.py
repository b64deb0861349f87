"""Serves the content model: items near those of the user's history and declared interests, new items included."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Final

import numpy as np
from pydantic import Field

from homefeed.catalog import Resources
from homefeed.errors import RecipeError
from homefeed.retrieve.content.model import ContentModel
from homefeed.retrieve.content.vectors import ItemVectors
from homefeed.retrieve.history import HistoryConfig, nameable, seeds_of
from homefeed.retrieve.keeping import kept
from homefeed.retrieve.sentences import HistorySentences
from homefeed.retrieve.vectors import NEGLIGIBLE, added_by_parts
from homefeed.types import NO_POSITIONS, Floats, Positions, Query, Scores
from homefeed.words import caseless

_MAX_INTERESTS: Final = 100
_LONGEST_INTEREST: Final = 200
_NAMED_INTERESTS: Final = 2
_KEPT_INTERESTS: Final = 1_024
_NO_LENGTH: Final = 1e-9


@dataclass(frozen=True, slots=True)
class _Taste:
    """What a profile is made of: `items` of the history with `weights`, and `interests` (dimensions,)."""

    items: Positions
    weights: Floats
    tags: tuple[str, ...]
    interests: Floats


class Content:
    """What resembles, by its words, the items of the user's latest events and the interests they declared; new
    items included.

    An item's score is the cosine of its vector and the user's profile. The profile is the weighted sum of the unit
    vectors of the user's latest events, plus `interests_weight` times the unit vector of the interests the user
    declared: these lead while there is no history, and count as much as that many events of weight 1 from then on,
    so they fade as the history grows. A feed about an item starts from that item alone.

    Exact, and in time proportional to the catalogue: see `VectorIndex`.
    """

    class Config(HistoryConfig):
        model: str = "content"
        """The model of the recipe that it serves."""
        interests: str | None = None
        """The attribute of users that lists what they like: a list, or one text with `|` between, of which the
        first 100 count; none: interests are not used."""
        interests_field: str = "tags"
        """The field of items that holds the words of the interests: one of the model's `fields`."""
        interests_weight: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 1.0
        """The interests count as much as so many events of weight 1: they lead at first and fade as the history
        grows."""
        reason: str = "Similar to {title}"
        """The reason; {title} is the closest item of the history, {verb} what the user did to it."""
        reason_interests: str = "Matches your interest in {tags}"
        """The reason where the interests added more than any item; {tags} are up to two that the item has."""

    def __init__(self, config: Config, resources: Resources) -> None:
        """Raises RecipeError where `interests_field` is no field of items."""
        self._config = config
        self._catalog = resources.catalog
        self._sentences = HistorySentences(config, resources)
        if config.interests is not None and config.interests_field not in self._catalog.fields:
            raise RecipeError(
                f'content: interests_field names "{config.interests_field}", which items do not declare; '
                f"expected one of {', '.join(self._catalog.fields)}"
            )
        self._partitions = resources.partitions
        self._model = resources.model(config.model, ContentModel)
        self._items = ItemVectors(self._model, resources)
        self._interests = kept(_KEPT_INTERESTS, self._embed_interests)

    def refresh(self) -> None:
        """Embed the items that came or changed since."""
        self._items.refresh()

    def retrieve(self, query: Query, k: int) -> tuple[Positions, Scores]:
        """The k eligible items closest to the user's profile."""
        taste = self._taste(query)
        profile = taste.weights @ self._items.array[taste.items] + taste.interests
        length = math.sqrt(profile @ profile)
        if length < _NO_LENGTH:
            return NO_POSITIONS, np.empty(0, np.float32)
        anchor = -1 if query.anchor is None else query.anchor
        return self._items.nearest(profile / np.float32(length), query.eligible, k, without=anchor)

    def reasons(self, query: Query, positions: Positions) -> Sequence[str | None]:
        """Name what added most to each: declared interests that the item has, or an item of the history.

        That item must be explainable, and interests must be words the item itself has: one that is only
        near them is no match.
        """
        taste, vectors = self._taste(query), self._items.array
        if not len(vectors):
            return [None] * len(positions)
        # To differ from what the user dislikes raises a score, too, but is no similarity.
        items, weights = nameable(query, (taste.items, taste.weights))
        rows = np.where(positions < len(vectors), positions, -1)
        added = added_by_parts(vectors, rows, vectors[items], weights, NEGLIGIBLE)
        grounds = self._sentences.grounds(query, positions, items, added)
        named = self._sentences.said(query, grounds, [self._config.reason] * len(positions))
        if not taste.tags:
            return named
        by_interests = np.where(rows >= 0, vectors[rows] @ taste.interests, 0) > grounds.largest
        return [
            (self._match(taste.tags, position) if interesting else None) or reason
            for position, reason, interesting in zip(positions.tolist(), named, by_interests.tolist(), strict=True)
        ]

    def _match(self, tags: tuple[str, ...], position: int) -> str | None:
        """Why the item matches the interests: by the user's own words for what it has, None if it has none."""
        own = {caseless(term) for term in self._catalog.terms_at(self._config.interests_field, position)}
        found = [tag for tag in tags if caseless(tag) in own][:_NAMED_INTERESTS]
        return self._config.reason_interests.format(tags=" and ".join(found)) if found else None

    def _taste(self, query: Query) -> _Taste:
        return query.scope.once(self, "retrieve.history", partial(self._look_up, query))

    def _look_up(self, query: Query) -> _Taste:
        items, weights = seeds_of(query, self._config)
        if len(items) and items[-1] >= len(self._items.array):
            known = items < len(self._items.array)
            items, weights = items[known], weights[known]
        tags: tuple[str, ...] = ()
        if self._config.interests is not None and query.anchor is None:
            tags = _declared(query.user.attributes.get(self._config.interests))
        partition = self._partitions.of_user(query.user)
        return _Taste(items, weights, tags, self._interests(tags, partition))

    def _embed_interests(self, tags: tuple[str, ...], partition: str | None) -> Floats:
        vector = np.zeros(self._items.array.shape[1], np.float32)
        if self._model is not None and tags:
            vector = self._model.embed([{self._config.interests_field: tags}], [partition])[0]
            vector *= np.float32(self._config.interests_weight)
        vector.flags.writeable = False
        return vector


def _declared(value: Any) -> tuple[str, ...]:
    """The tags of a user's attribute, in their own words, each once; none where it is no list of tags."""
    if isinstance(value, str):
        value = value.split("|")
    if not isinstance(value, list | tuple) or not all(isinstance(tag, str) for tag in value):
        return ()
    tags: dict[str, str] = {}
    for tag in (tag.strip() for tag in value):
        if 0 < len(tag) <= _LONGEST_INTEREST:
            tags.setdefault(caseless(tag), tag)
    return tuple(tags.values())[:_MAX_INTERESTS]
