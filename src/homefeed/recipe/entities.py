"""What a recipe declares of items and users: the catalogue and the people."""

from __future__ import annotations

import re
from collections.abc import Mapping
from string import Formatter
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import Field, field_validator, model_validator

from homefeed.errors import InvalidError
from homefeed.geo import Place
from homefeed.recipe.base import Declaration, Name

FieldKind: TypeAlias = Literal["text", "category", "tags", "number", "time", "location"]


class Entity(Declaration):
    """The declared fields of items or users; other attributes are kept, but nothing computes with them."""

    fields: dict[Name, FieldKind] = Field(default_factory=dict)
    """Name = kind. A category is one value, tags are several; a time is ISO 8601 or Unix seconds, a location a
    latitude and a longitude in degrees."""
    place: Name | None = None
    """The location field that says where one is; none: the only one, if there is one."""
    id_pattern: str | None = None
    """The regular expression that an id matches as a whole, or it is refused; none: any does."""

    @field_validator("id_pattern")
    @classmethod
    def _is_an_expression(cls, pattern: str | None) -> str | None:
        try:
            re.compile(pattern or "")
        except re.error as error:
            raise ValueError(f'"{pattern}" is no regular expression: {error}') from None
        return pattern

    @model_validator(mode="after")
    def _place_is_a_location(self) -> Self:
        locations = self._locations
        if self.place is not None and self.place not in locations:
            raise ValueError(f'place names "{self.place}", which is not declared in fields as "location"')
        if self.place is None and len(locations) > 1:
            raise ValueError(f"place: name the location field that says where one is: {', '.join(locations)}")
        return self

    @property
    def place_field(self) -> str | None:
        """The location field that says where one is, if there is one."""
        return self.place or next(iter(self._locations), None)

    @property
    def _locations(self) -> list[str]:
        return [name for name, kind in self.fields.items() if kind == "location"]


class NearDuplicates(Declaration):
    """Which items say nearly the same."""

    fields: Annotated[tuple[Name, ...], Field(min_length=1)]
    """The fields with the words that are compared."""
    min_similarity: Annotated[float, Field(gt=0, le=1)] = 0.6
    """The share of their pairs of neighbouring words that two items must have in common (Jaccard)."""


class ItemEntity(Entity):
    """The catalogue."""

    title: Name = "title"
    """The field, of kind `"text"`, that names an item to people."""
    untitled: str | None = None
    """What reasons call an item without a title, by its category fields: `"a stream from {city}"`. None, or where
    the item has no value in one of them: its id."""
    creator: Name | None = None
    """The category field that holds the id of the user who made the item: no feed shows users their own, and what
    they do to their own does not count; none: users make no items."""
    group: Name | None = None
    """The category field that holds the id of the product that an item is a variant of, in a colour or size: no
    list has two of one product; none: items are not known to be variants."""
    moderation: tuple[Name, ...] = ("quality", "reports")
    """The fields that moderation or an operator sets, of those that are declared: an item keeps them, as it stays
    hidden, until a PUT or an import names them."""
    near_duplicates: NearDuplicates | None = None
    """When two items say nearly the same; none: no two do."""

    @model_validator(mode="after")
    def _title_is_a_text_field(self) -> Self:
        if self.fields.get(self.title) != "text":
            raise ValueError(f'title names "{self.title}", which is not declared in fields as "text"')
        return self

    @model_validator(mode="after")
    def _untitled_names_categories(self) -> Self:
        try:
            named = [name for _, name, _, _ in Formatter().parse(self.untitled or "") if name is not None]
        except ValueError as error:
            raise ValueError(f'untitled = "{self.untitled}": {error}') from None
        for name in named:
            if self.fields.get(name) != "category":
                raise ValueError(f'untitled names "{name}", which is not declared in fields as "category"')
        return self

    @model_validator(mode="after")
    def _creator_and_group_are_categories(self) -> Self:
        for key, name in (("creator", self.creator), ("group", self.group)):
            if name is not None and self.fields.get(name) != "category":
                raise ValueError(f'{key} names "{name}", which is not declared in fields as "category"')
        return self

    @model_validator(mode="after")
    def _compared_fields_exist(self) -> Self:
        for name in self.near_duplicates.fields if self.near_duplicates else ():
            if name not in self.fields:
                raise ValueError(f'near_duplicates.fields names "{name}", which is not declared in fields')
        return self


class UserEntity(Entity):
    """The users."""

    blocks: dict[Name, Name] = Field(default_factory=dict)
    """A field of users that lists what they never want to see = the category or tags field of items that holds it:
    `{ blocked_creators = "creator_id" }`. It is obeyed in every feed, from the next request on."""

    def place_of(self, attributes: Mapping[str, Any]) -> Place | None:
        """Where a user with these attributes is, as far as that is known."""
        value = None if self.place_field is None else attributes.get(self.place_field)
        try:
            return None if value is None else Place.read(value)
        except InvalidError:  # stored before the recipe declared the field
            return None

    @model_validator(mode="after")
    def _blocking_fields_exist(self) -> Self:
        for name in self.blocks:
            if name not in self.fields:
                raise ValueError(f'blocks names "{name}", which is not declared in fields')
        return self
