"""How files become users, items and events, as a recipe declares it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal, Self, TypeAlias

from pydantic import Field, StringConstraints, field_validator, model_validator

from homefeed.recipe.base import Declaration
from homefeed.times import TimeUnit

Delimiter: TypeAlias = Annotated[str, StringConstraints(min_length=1, max_length=8, pattern=r"^[^\"\r\n]+$")]

Case: TypeAlias = Literal["keep", "lower", "upper"]

_A_TIME = datetime(2026, 11, 29, 13, 5, 7, tzinfo=UTC)

_THRESHOLD: Final = re.compile(r"([<>]=?)\s*([+-]?(\d+\.?\d*|\.\d+))")


def threshold_of(key: str) -> tuple[str, float] | None:
    """What a key of `map` compares with, such as `<=` and 2; None where it is a cell as it stands."""
    found = _THRESHOLD.fullmatch(key)
    return None if found is None else (found[1], float(found[2]))


def in_case(text: str, case: Case) -> str:
    """The text in lower or upper case, or as it is."""
    return text.lower() if case == "lower" else text.upper() if case == "upper" else text


class Column(Declaration):
    """Where a value comes from: exactly one of `column`, `columns` and `value`."""

    column: str | None = None
    """The name of the file's column; none: one of the others is in its place."""
    columns: tuple[str, str] | None = None
    """The names of the file's columns of latitude and of longitude, of a field of kind `"location"`; none: one of
    the others is in its place."""
    value: str | None = None
    """The same text for every row; none: one of the others is in its place."""
    multiply: float = 1.0
    """What a number is multiplied by: an event's value, or a field of kind `"number"`."""
    separator: str = "|"
    """What stands between tags."""
    case: Case = "keep"
    """What becomes of the letters of a cell: they stay, or are made lower or upper case before `map` looks at
    them, so that `View` and `VIEW` are one type of event."""
    map: dict[str, str] = Field(default_factory=dict)
    """What cells become, such as `{ "<=2" = "dislike", ">=4" = "like" }`: a cell as it stands, or `<`, `<=`, `>`
    or `>=` and a number, or `""` for an empty cell, = the text in its place. The first that holds counts; where
    none does the cell is empty, and an event without a type is rejected. Without any, cells stay as they are."""
    unit: TimeUnit | None = None
    """What a time is counted in since 1970: seconds, milli-, micro- or nanoseconds; or the days of a spreadsheet.
    None: what is a number counts seconds, from 1990 on."""
    format: str | None = None
    """How a time is written, in the codes of strptime, such as `"%d-%m-%Y"`; none: in ISO 8601."""

    @field_validator("map")
    @classmethod
    def _thresholds_are_numbers(cls, entries: dict[str, str]) -> dict[str, str]:
        for key in entries:
            if key[:1] in ("<", ">") and threshold_of(key) is None:
                raise ValueError(f'expected <, <=, > or >= and a number, such as "<=2", got "{key}"')
        return entries

    @model_validator(mode="after")
    def _keys_can_be_met(self) -> Self:
        if self.case != "keep":
            for key in self.map:
                if key != in_case(key, self.case):
                    raise ValueError(f'map: with case = "{self.case}" no cell is ever "{key}"')
        return self

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if [self.column, self.columns, self.value].count(None) != 2:
            raise ValueError("expected exactly one of `column`, `columns` and `value`")
        if self.unit is not None and self.format is not None:
            raise ValueError("expected at most one of `unit` and `format`")
        return self

    @field_validator("format")
    @classmethod
    def _tells_the_day(cls, written: str | None) -> str | None:
        if written is not None:
            try:
                read = datetime.strptime(_A_TIME.strftime(written), written)  # noqa: DTZ007 -- only its day counts
            except ValueError as error:
                raise ValueError(f'"{written}" is no format of times: {error}') from None
            if read.date() != _A_TIME.date():
                raise ValueError(f'"{written}" does not tell the day; expected one such as "%d-%m-%Y %H:%M"')
        return written


class Source(Declaration):
    """How a file becomes users, items or events."""

    file: str | None = None
    """The file's name in a folder, with or without its ending; none: `users`, `items`, `events` or
    `impressions`."""
    delimiter: Delimiter | None = None
    """What stands between the cells of a text file: `"\\t"`, `"|"`, `"::"`; none: a tab in a .tsv file, else a
    comma. Where it is longer than a character, `quotes` do not count."""
    quotes: bool = True
    """Whether a cell of a text file can stand in double quotes, and a quote in it is written twice. Otherwise a
    quote is a character as others are."""
    encoding: str = "utf-8"
    """How the characters of a text file are encoded, as Python calls it: `"latin-1"`, `"cp1252"`, `"utf-16"`."""
    sheet: str | None = None
    """The name of the sheet of an Excel file; none: the first."""
    header: tuple[str, ...] = ()
    """The names of the columns of a text file that has no header, in their order; `""` leaves one out."""
    columns: dict[str, str | tuple[str, str] | Column] = Field(default_factory=dict)
    """Homefeed's name for a column = the name of the file's column, or a table; of a location also the names of
    two columns, `["lat", "lon"]`. A column that is not listed is looked for under its own name; where items or
    users have a place and the file has none of its name, `latitude` and `longitude` are. A list is a `header`."""
    required: tuple[str, ...] = ()
    """Homefeed's names of further columns that a row must fill, or it is rejected; a file without the column is an
    error. The ids, and `event_type` and `timestamp` of events, always are; a dislike needs no `value`."""
    optional: tuple[str, ...] = ()
    """Homefeed's names of columns that can be empty or missing without a notice."""
    join: bool = False
    """Of users and items: whether the rows of one id are joined, what a later row leaves empty staying as an
    earlier one had it. Otherwise the last row counts."""
    unknown_users: Literal["reject", "create"] = "reject"
    """What becomes of events and impressions of users that are not known: they are rejected, or the users
    created."""
    equal_rows: Literal["once", "each"] = "once"
    """How often an event counts whose row is there several times, the same in each cell that is read: once, or
    each time, as three of one product in a basket do."""

    @model_validator(mode="before")
    @classmethod
    def _list_is_header(cls, table: Any) -> Any:
        if isinstance(table, dict) and isinstance(table.get("columns"), list | tuple) and "header" not in table:
            return {**{key: value for key, value in table.items() if key != "columns"}, "header": table["columns"]}
        return table

    @field_validator("encoding")
    @classmethod
    def _is_known(cls, encoding: str) -> str:
        try:
            "".encode(encoding)
        except LookupError:
            raise ValueError(f'"{encoding}" is no encoding; expected one such as "utf-8" or "latin-1"') from None
        return encoding

    @field_validator("header")
    @classmethod
    def _names_differ(cls, header: tuple[str, ...]) -> tuple[str, ...]:
        names = [name for name in header if name]
        if len(set(names)) < len(names):
            raise ValueError("a name is there twice")
        return header

    def column(self, name: str) -> Column:
        """The origin of `name`."""
        spec = self.columns.get(name, name)
        if isinstance(spec, Column):
            return spec
        return Column(column=spec) if isinstance(spec, str) else Column(columns=spec)

    @property
    def pairs(self) -> tuple[str, ...]:
        """Homefeed's names of columns that come from two of the file."""
        return tuple(name for name in self.columns if self.column(name).columns is not None)


class Sources(Declaration):
    """The kinds of file an app imports."""

    users: Source = Source()
    """The file of users."""
    items: Source = Source()
    """The file of items."""
    events: Source = Source()
    """The file of events."""
    impressions: Source = Source()
    """The file of what another service showed."""
