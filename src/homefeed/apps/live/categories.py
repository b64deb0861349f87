"""Categories by name: streams have numbers, and people ask for words."""

from __future__ import annotations

from typing import Final

from homefeed.catalog import CatalogView
from homefeed.catalog.columns import CategoryColumn
from homefeed.errors import InvalidError
from homefeed.types import Condition
from homefeed.words import caseless

NAMES: Final = (
    "Talk", "Shooters", "Music", "Role-playing games", "Sports", "Strategy games", "Racing games", "Cooking",
    "Fitness", "Travel", "Art", "Science", "Dance", "Crafts", "News", "Nature",
)  # fmt: skip
"""What the categories of the sample are called; `category_id` is the place, from 0."""

_FIELD: Final = "category_id"
_CODES: Final = {caseless(name): str(code) for code, name in enumerate(NAMES)}


def category_condition(catalog: CatalogView, category: int | str) -> Condition:
    """The condition that a stream is of a category: a number, a name whatever its letter case, or whatever streams
    have in their `category_id`, which may be words, too.

    A number that no stream has is a category without streams.

    Raises:
        InvalidError: it is a text that is neither a name nor the category of any stream.
    """
    wanted = str(category).strip()
    if isinstance(category, str) and catalog.column(_FIELD, CategoryColumn).code(wanted) < 0:
        if caseless(wanted) not in _CODES:
            raise InvalidError(
                f'category_id: no category "{wanted:.80}"; expected a number, or one of {", ".join(NAMES)}'
            )
        wanted = _CODES[caseless(wanted)]
    return Condition(_FIELD, ":", wanted)
