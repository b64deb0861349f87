"""How files become users, items and events, as a recipe declares it."""

from __future__ import annotations

import re
from typing import Final, Literal, Self

from pydantic import Field, field_validator, model_validator

from homefeed.recipe.base import Declaration

_THRESHOLD: Final = re.compile(r"([<>]=?)\s*([+-]?(\d+\.?\d*|\.\d+))")


def threshold_of(key: str) -> tuple[str, float] | None:
    """What a key of `map` compares with, such as `<=` and 2; None where it is a cell as it stands."""
    found = _THRESHOLD.fullmatch(key)
    return None if found is None else (found[1], float(found[2]))


class Column(Declaration):
    """Where a value comes from: exactly one of `column` and `value`."""

    column: str | None = None
    """The name of the file's column; none: `value` is in its place."""
    value: str | None = None
    """The same text for every row; none: `column` is in its place."""
    multiply: float = 1.0
    """What a number is multiplied by: an event's value, or a field of kind `"number"`."""
    separator: str = "|"
    """What stands between tags."""
    map: dict[str, str] = Field(default_factory=dict)
    """What cells become, such as `{ "<=2" = "dislike", ">=4" = "like" }`: a cell as it stands, or `<`, `<=`, `>`
    or `>=` and a number, = the text in its place. The first that holds counts; where none does the cell is
    empty, and an event without a type is rejected. Without any, cells stay as they are."""

    @field_validator("map")
    @classmethod
    def _thresholds_are_numbers(cls, entries: dict[str, str]) -> dict[str, str]:
        for key in entries:
            if key[:1] in ("<", ">") and threshold_of(key) is None:
                raise ValueError(f'expected <, <=, > or >= and a number, such as "<=2", got "{key}"')
        return entries

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if (self.column is None) == (self.value is None):
            raise ValueError("expected exactly one of `column` and `value`")
        return self


class Source(Declaration):
    """How a file becomes users, items or events."""

    file: str | None = None
    """The file's name in a folder, without its ending; none: `users`, `items` or `events`."""
    columns: dict[str, str | Column] = Field(default_factory=dict)
    """Homefeed's name for a column = the name of the file's column, or a table. A column that is not listed is
    looked for under its own name."""
    required: tuple[str, ...] = ()
    """Homefeed's names of further columns that a row must fill, or it is rejected; a file without the column is an
    error. The ids, and `event_type` and `timestamp` of events, always are; a dislike needs no `value`."""
    optional: tuple[str, ...] = ()
    """Homefeed's names of columns that can be empty or missing without a notice."""
    join: bool = False
    """Of users and items: whether the rows of one id are joined, what a later row leaves empty staying as an
    earlier one had it. Otherwise the last row counts."""
    unknown_users: Literal["reject", "create"] = "reject"
    """What becomes of events of users that are not known: the events are rejected, or the users created."""

    def column(self, name: str) -> Column:
        """The origin of `name`."""
        spec = self.columns.get(name, name)
        return Column(column=spec) if isinstance(spec, str) else spec


class Sources(Declaration):
    """The three kinds of file an app imports."""

    users: Source = Source()
    """The file of users."""
    items: Source = Source()
    """The file of items."""
    events: Source = Source()
    """The file of events."""
