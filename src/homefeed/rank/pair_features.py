"""Features of a user and the candidates of a request, as they are declared for pairs of a user and an item."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from homefeed.catalog import CatalogView
from homefeed.catalog.columns import CategoryColumn, NumberColumn, TagsColumn
from homefeed.errors import RecipeError
from homefeed.geo import FARTHEST_KM, Kilometres
from homefeed.labelled import PairFeature, Values, problems_of
from homefeed.numerals import attribute_texts, read_number
from homefeed.rank.distances import distances_km
from homefeed.rank.matching import among
from homefeed.types import Positions, Query
from homefeed.words import caseless


@dataclass(frozen=True, slots=True)
class _Asked:
    """The user of a request and its candidates (n,), of the first `size` items; `kms` are endless if not known."""

    attributes: Mapping[str, Any]
    positions: Positions
    size: int
    kms: Kilometres


_Read: TypeAlias = Callable[[_Asked], npt.ArrayLike]
"""(n,) a feature of the candidates, or one number for all of them."""


class PairFeatures:
    """Features as they are declared, of the items of a catalogue."""

    def __init__(self, features: Mapping[str, PairFeature], catalog: CatalogView) -> None:
        """Raises RecipeError where one cannot be told of items with such fields."""
        for name, problem in problems_of(features, catalog.fields, None):
            raise RecipeError(f"{name}: {problem}")
        self._catalog = catalog
        self._reads = [_reading(feature, catalog) for feature in features.values()]
        is_far = any(one.item is None and one.user is None for one in features.values())
        self._places = catalog.located(None) if is_far else None

    def of(self, query: Query, positions: Positions) -> Values:
        """(n, features) of the user of a request and items (n,), NaN where one is not known."""
        size, count = self._catalog.size, len(positions)
        if self._places is None or query.place is None:
            kms = np.full(count, math.inf)
        else:
            kms = distances_km(self._places, query, query.place, positions, size)
            kms = np.where(np.isnan(kms), math.inf, kms)
        asked = _Asked(query.user.attributes, positions, size, kms)
        columns = np.empty((len(self._reads), count))
        for column, read in zip(columns, self._reads, strict=True):
            column[:] = read(asked)
        return columns.T


def _reading(feature: PairFeature, catalog: CatalogView) -> _Read:
    """How a feature is found."""
    if feature.item is not None:
        return _of_item(feature, feature.item, catalog)
    if feature.user is not None:
        return _of_user(feature.user, feature.equals)
    if feature.within_km is not None:
        within = feature.within_km
        return lambda asked: asked.kms <= within
    return _kilometres if feature.distance == "km" else _proximity


def _of_item(feature: PairFeature, item: str, catalog: CatalogView) -> _Read:
    user, equals = feature.user, feature.equals
    if user is None and equals is None:
        numbers = catalog.column(item, NumberColumn)
        return lambda asked: numbers.numbers(asked.size)[asked.positions]
    has = _having(item, catalog)
    if user is None:
        wanted = attribute_texts(equals)
        return lambda asked: has(asked, wanted)
    return lambda asked: has(asked, attribute_texts(asked.attributes.get(user)))


def _of_user(user: str, equals: str | None) -> _Read:
    if equals is None:
        return lambda asked: _number(asked.attributes.get(user))
    wanted = caseless(equals)
    return lambda asked: wanted in map(caseless, attribute_texts(asked.attributes.get(user)))


def _kilometres(asked: _Asked) -> npt.ArrayLike:
    return np.minimum(asked.kms, FARTHEST_KM)


def _proximity(asked: _Asked) -> npt.ArrayLike:
    return 1 / (1 + asked.kms)


def _having(item: str, catalog: CatalogView) -> Callable[[_Asked, tuple[str, ...]], npt.ArrayLike]:
    """(n,) whether items have one of some values in a category or tags field."""
    if catalog.fields[item] == "tags":
        tags = catalog.column(item, TagsColumn)

        def any_tag(asked: _Asked, values: tuple[str, ...]) -> npt.ArrayLike:
            codes, lengths = tags.codes(asked.size).take(asked.positions)
            held = np.repeat(np.arange(len(lengths)), lengths)[among(codes, tags, values)]
            return np.bincount(held, minlength=len(lengths)) > 0

        return any_tag
    categories = catalog.column(item, CategoryColumn)
    return lambda asked, values: among(categories.codes(asked.size)[asked.positions], categories, values)


def _number(value: Any) -> float:
    """A number of a user; NaN for what is none."""
    number = read_number(value)
    return math.nan if number is None else number
