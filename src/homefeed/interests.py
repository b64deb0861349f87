"""What a user said that they like, as the catalogue knows it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

import numpy as np

from homefeed.catalog.columns import TagsColumn
from homefeed.errors import InvalidError
from homefeed.types import Codes, Query

MAX_TAGS: Final = 100
"""So many tags of a user count, of each attribute the first."""

_UNKNOWN: Final = -2


def declared_tags(query: Query, column: TagsColumn, fields: Sequence[str]) -> tuple[Codes, int]:
    """The codes of the tags that the user lists in some attributes, rising, of those that an item ever had.

    And how many tags they list, whether or not an item has them. Letter case does not matter, nor how often. It is
    looked up once for a request.
    """
    return query.scope.once(column, "history.interests", partial(_declared, query, column, fields), *fields)


def _declared(query: Query, column: TagsColumn, fields: Sequence[str]) -> tuple[Codes, int]:
    words = {word for field in fields for word in _listed(column, query.user.attributes.get(field))}
    codes = {word: column.code(word) for word in words}
    unknown = {word.casefold() for word, code in codes.items() if code == _UNKNOWN}
    known = {*codes.values()} - {_UNKNOWN}
    return np.array(sorted(known), np.int32), len(known) + len(unknown)


def _listed(column: TagsColumn, value: Any) -> list[str]:
    try:
        words: list[str] = column.check("", value) or []
    except InvalidError:  # stored before the recipe declared the field
        return []
    return words[:MAX_TAGS]
