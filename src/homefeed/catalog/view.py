"""The catalog view: an app's items as columns in memory, kept in step with the store.

A position is given when an item first comes and stays its own; deleting or hiding an item makes it
unavailable at once, at the same position. What the view tells of all items is that of its current snapshot.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt
import orjson

from homefeed.catalog.columns import COLUMNS, Column, TextColumn
from homefeed.catalog.growable import Growable
from homefeed.catalog.snapshot import CatalogSnapshot
from homefeed.errors import InvalidError, RecipeError
from homefeed.packing import packed_json
from homefeed.types import NO_TIME, Condition, Item, Mask, Numbers, Positions, Times

if TYPE_CHECKING:
    from homefeed.catalog.near_duplicates import NearDuplicates

C = TypeVar("C", bound=Column)
D = TypeVar("D")


class CatalogView:
    """An app's items. `fields` are the recipe's, by kind; `title` names the one people know an item by.

    `apply` publishes a new `snapshot` once all of a change is here, and never while a request reads one.
    """

    def __init__(
        self, fields: Mapping[str, str], title: str, compared: Sequence[str] = (), similarity: float = 0.6
    ) -> None:
        self.fields = dict(fields)
        self._compared = tuple(compared)
        self._near = _near_duplicates(similarity) if compared else None
        self._columns: dict[str, Column] = {name: COLUMNS[kind]() for name, kind in fields.items()}
        titles = self._columns[title]
        assert isinstance(titles, TextColumn), "the recipe declares the title as text"  # noqa: S101
        self._titles = titles
        self._ids: list[str] = []
        self._position_of: dict[str, int] = {}
        self._attributes: list[bytes] = []
        self._numbers = Growable(np.int32, 0)
        self._position_of_number = Growable(np.int32, -1)
        self._available = Growable(np.bool_, False)
        self._created = Growable(np.int64, NO_TIME)
        self._changed = Growable(np.int64, 0)
        self._derived: dict[Hashable, Any] = {}
        self._readers = 0
        self._snapshot = self._taken(0, 0)

    @property
    def snapshot(self) -> CatalogSnapshot:
        """All items as of now: one object until the next change, to take several things of one moment from."""
        return self._snapshot

    @contextmanager
    def reading(self) -> Iterator[CatalogSnapshot]:
        """The snapshot that a request reads from its first part to its last: no other is published meanwhile."""
        self._readers += 1
        try:
            yield self._snapshot
        finally:
            self._readers -= 1

    @property
    def generation(self) -> int:
        """It grows with every change."""
        return self._snapshot.generation

    @property
    def revisions(self) -> int:
        """It grows whenever an item can no longer be shown or says other words."""
        return self._snapshot.revisions

    @property
    def size(self) -> int:
        """How many positions there are."""
        return self._snapshot.size

    @property
    def numbers(self) -> Numbers:
        """(items,) permanent numbers."""
        return self._snapshot.numbers

    @property
    def available(self) -> Mask:
        """(items,) neither hidden nor deleted."""
        return self._snapshot.available

    @property
    def created(self) -> Times:
        """(items,) when each came into being; NO_TIME where nobody knows."""
        return self._snapshot.created

    @property
    def near_duplicates(self) -> Positions:
        """(items,) items of the same value say nearly the same. Without fields to compare by, none do."""
        if self._near is None:
            return np.arange(self.size, dtype=np.int32)
        return self._near.groups[: self.size]

    def column(self, field: str, kind: type[C]) -> C:
        """The column of a field.

        Raises:
            RecipeError: the recipe does not declare the field, or not of that kind.
        """
        column = self._columns.get(field)
        if not isinstance(column, kind):
            declared = f'is declared as "{self.fields[field]}"' if field in self.fields else "is not declared"
            wanted = next(name for name, made in COLUMNS.items() if made is kind)
            raise RecipeError(f'items.fields.{field} {declared}; expected "{wanted}"')
        return column

    def apply(self, items: Iterable[Item]) -> None:
        """Take over created, changed, hidden and deleted items.

        A value that does not fit its field's kind, stored before the recipe declared the field so, is left out.

        Raises:
            RuntimeError: a request is being computed: its masks are as long as the catalogue that it reads.
        """
        if self._readers:
            raise RuntimeError("the catalogue cannot change while a request reads it")
        # Threads beside the requests read meanwhile: what is new is no part of any snapshot yet.
        generation = self.generation + 1
        changed: list[int] = []
        revised = False
        for item in items:
            known = self._position_of.get(item.item_id)
            if known is None and item.deleted:
                continue
            position = len(self._ids) if known is None else known
            gone = item.hidden or item.deleted
            revised |= known is not None and (gone or self._says_otherwise(known, item))
            changed.append(position)
            self._available.set(position, not gone)
            self._created.set(position, NO_TIME if item.created_at is None else item.created_at)
            self._changed.set(position, generation)
            for name, column in self._columns.items():
                column.set(position, _fitting(column, name, item.attributes.get(name)))
            if known is None:
                self._append(item)
            else:
                self._attributes[position] = packed_json(item.attributes)
            self._position_of_number.set(item.number, -1 if item.deleted else position)
        if self._near is not None:
            distinct = list(dict.fromkeys(changed))
            self._near.set_many(distinct, [self._text(position) for position in distinct])
        self._snapshot = self._taken(generation, self.revisions + revised)

    def derived(self, key: Hashable, make: Callable[[], D]) -> D:
        """What is made of the catalogue alone, such as an index of its words: once, whatever parts use it."""
        if key not in self._derived:
            self._derived.setdefault(key, make())
        found: D = self._derived[key]
        return found

    def changed_since(self, generation: int) -> Positions:
        """The positions that came or changed after that generation."""
        return self._snapshot.changed_since(generation)

    def position(self, item_id: str) -> int | None:
        """Where an item is, be it hidden; None for one that is not here, or no more."""
        position = self._position_of.get(item_id)
        if position is None or self._position_of_number.view[self._numbers.view[position]] < 0:
            return None
        return position

    def positions(self, numbers: npt.NDArray[np.integer[Any]]) -> Positions:
        """The positions of permanent numbers; -1 for those not here, or no more."""
        return self._snapshot.positions(numbers)

    def item_id(self, position: int) -> str:
        """The id of the item at a position."""
        return self._ids[position]

    def title(self, position: int) -> str:
        """What people call the item: its title, or its id where it has none."""
        return self._titles.text(position) or self._ids[position]

    def attributes(self, position: int) -> dict[str, Any]:
        """All attributes of the item."""
        loaded: dict[str, Any] = orjson.loads(self.attributes_json(position))
        return loaded

    def attributes_json(self, position: int) -> bytes:
        """The same as a JSON object."""
        return self._attributes[position]

    def terms(self, field: str) -> Sequence[tuple[str, ...]]:
        """Every item's words or values of a field."""
        column = self._columns[field]
        return [column.terms(position) for position in range(self.size)]

    def terms_at(self, field: str, position: int) -> tuple[str, ...]:
        """One item's words or values of a field."""
        return self._columns[field].terms(position)

    def check(self, attributes: Mapping[str, Any]) -> dict[str, Any]:
        """Attributes as they are to be stored.

        Raises:
            InvalidError: a declared field has a value of another kind.
        """
        return {
            name: self._columns[name].check(name, value) if name in self._columns else value
            for name, value in attributes.items()
        }

    def mask(self, condition: Condition) -> Mask:
        """(items,) which items meet the condition.

        Raises:
            InvalidError: no such field, or the operator does not fit its kind.
        """
        column = self._columns.get(condition.field)
        if column is None:
            known = ", ".join(self._columns)
            raise InvalidError(f'filter: no field "{condition.field}"; expected one of {known}')
        mask = column.mask(condition, self.size)
        for value in condition.others:
            mask |= column.mask(Condition(condition.field, condition.operator, value), self.size)
        return mask

    def _taken(self, generation: int, revisions: int) -> CatalogSnapshot:
        size = len(self._ids)
        return CatalogSnapshot(
            size,
            generation,
            revisions,
            self._numbers.view[:size],
            self._available.view[:size],
            self._created.view[:size],
            self._changed.view[:size],
            self._position_of_number.view,
        )

    def _says_otherwise(self, position: int, item: Item) -> bool:
        """Whether anything but a number of an item is not as it was."""
        before = self.attributes(position)
        return any(
            before.get(name) != item.attributes.get(name) for name, kind in self.fields.items() if kind != "number"
        )

    def _text(self, position: int) -> str:
        return " ".join(term for field in self._compared for term in self._columns[field].terms(position))

    def _append(self, item: Item) -> None:
        position = len(self._ids)
        self._attributes.append(packed_json(item.attributes))
        self._numbers.set(position, item.number)
        self._ids.append(item.item_id)
        self._position_of[item.item_id] = position


def _near_duplicates(similarity: float) -> NearDuplicates:
    # Loaded only where it is used: most apps do without.
    from homefeed.catalog.near_duplicates import NearDuplicates

    return NearDuplicates(similarity)


def _fitting(column: Column, field: str, value: Any) -> Any:
    try:
        return column.check(field, value)
    except InvalidError:
        return None
