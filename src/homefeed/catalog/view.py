"""The catalog view: an app's items as columns in memory, kept in step with the store.

A position is given when an item first comes and stays its own; deleting or hiding an item makes it
unavailable at once, at the same position. What the view tells of all items is that of its current snapshot.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

import numpy as np
import numpy.typing as npt
import orjson

from homefeed.catalog.columns import COLUMNS, CategoryColumn, Column, TextColumn
from homefeed.catalog.comparing import mask_of
from homefeed.catalog.growable import Growable
from homefeed.catalog.locations import LocationColumn
from homefeed.catalog.naming import Untitled
from homefeed.catalog.packed import Ids, PackedRows
from homefeed.catalog.snapshot import CatalogSnapshot
from homefeed.errors import RecipeError
from homefeed.limits import MAX_ITEM_BYTES, check_limits
from homefeed.packing import packed_json
from homefeed.types import NO_TIME, Condition, Item, Mask, Numbers, Positions, Times

if TYPE_CHECKING:
    from homefeed.catalog.near_duplicates import NearDuplicates

WORDED: Final = ("text", "category", "tags")
"""The kinds of field that hold words."""
_FIGURES: Final = ("number", "location")

C = TypeVar("C", bound=Column)
D = TypeVar("D")

_RECENT: Final = 64
"""So many generations are kept with what changed in them."""


class CatalogInUseError(RuntimeError):
    """The catalogue was to change while a request reads it, whose masks are as long as what it read."""


@dataclass(frozen=True, slots=True)
class _Batch:
    """Items to take over, as columns (n,) at distinct positions, and the ids that are `new` here."""

    positions: Positions
    new: Sequence[str]
    numbers: Numbers
    created: Times
    gone: Mask
    deleted: Mask
    attributes: Sequence[bytes]
    values: Mapping[str, Sequence[Any]]


class CatalogView:
    """An app's items. `fields` are the recipe's, by kind; `title` names the one people know an item by, `place`
    the location field that says where it is, if one does; `untitled` is what sentences call one without a title.

    Items of different values of `apart`, a category field, have nothing to do with one another: they are no
    near-duplicates.

    `apply` publishes a new `snapshot` once all of a change is here, and never while a request reads one.
    """

    def __init__(
        self,
        fields: Mapping[str, str],
        title: str,
        compared: Sequence[str] = (),
        similarity: float = 0.6,
        apart: str | None = None,
        place: str | None = None,
        untitled: str | None = None,
    ) -> None:
        self.fields = dict(fields)
        self._untitled = Untitled(untitled)
        self._compared = tuple(compared)
        self._near = _near_duplicates(similarity) if compared else None
        self._columns: dict[str, Column] = {name: COLUMNS[kind]() for name, kind in fields.items()}
        self._apart = None if apart is None else self.column(apart, CategoryColumn)
        self._place = place
        titles = self._columns[title]
        assert isinstance(titles, TextColumn), "the recipe declares the title as text"  # noqa: S101
        self._titles = titles
        self._ids = Ids()
        self._attributes = PackedRows()
        self._numbers = Growable(np.int32, 0)
        self._position_of_number = Growable(np.int32, -1)
        self._available = Growable(np.bool_, False)
        self._created = Growable(np.int64, NO_TIME)
        self._changed = Growable(np.int64, 0)
        self._derived: dict[Hashable, Any] = {}
        self._readers = 0
        self._snapshot = self._taken(0, 0, ())

    @property
    def apart(self) -> CategoryColumn | None:
        """The column whose values keep items apart, if any."""
        return self._apart

    @property
    def places(self) -> LocationColumn | None:
        """The column of where items are, if there is one."""
        return None if self._place is None else self.column(self._place, LocationColumn)

    def located(self, field: str | None) -> LocationColumn:
        """The column of a location field; without a name, that of where items are.

        Raises:
            RecipeError: there is none.
        """
        name = self._place if field is None else field
        if name is None:
            raise RecipeError('items have no field of the kind "location"; declare one: location = "location"')
        return self.column(name, LocationColumn)

    def partitions(self) -> tuple[str, ...]:
        """(items,) the value of `apart` of each, as it was written, empty without one; nothing where none is."""
        column = self._apart
        return () if column is None else tuple(column.spelled(position) for position in range(self.size))

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
        """(items,) only items of the same value can say nearly the same, see `near_duplicates_of`.

        Without fields to compare by, none do.
        """
        if self._near is None:
            return np.arange(self.size, dtype=np.int32)
        return self._near.groups[: self.size]

    def near_duplicates_of(self, position: int) -> Positions:
        """(n,) the items that say nearly the same as one, itself included."""
        if self._near is None:
            return np.array([position], np.int32)
        near = self._near.of(position)
        return near[: np.searchsorted(near, self.size)]

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
            CatalogInUseError: a request is being computed.
        """
        if self._readers:
            raise CatalogInUseError("the catalogue cannot change while a request reads it")
        # Threads beside the requests read meanwhile: what is new is no part of any snapshot yet.
        generation = self.generation + 1
        size, batch = len(self._ids), self._batch(items)
        changed = batch.positions
        old = np.flatnonzero(changed < size).tolist()
        revised = any(batch.gone[n] or self._says_otherwise(int(changed[n]), batch.attributes[n]) for n in old)
        self._available.set_many(changed, np.logical_not(batch.gone))
        self._created.set_many(changed, batch.created)
        self._changed.set_many(changed, generation)
        for name, column in self._columns.items():
            column.set_many(changed, batch.values[name])
        self._attributes.set_many(changed, batch.attributes)
        if self._near is not None:
            places = changed.tolist()
            partitions = [self._apart.spelled(place) if self._apart else "" for place in places]
            self._near.set_many(places, [self._text(place) for place in places], partitions)
        # All that an item's words could make fail is done: until here no id is taken, and it can be tried again.
        added = changed >= size
        self._numbers.set_many(changed[added], batch.numbers[added])
        self._ids.extend(batch.new)
        self._position_of_number.set_many(batch.numbers, np.where(batch.deleted, -1, changed))
        recent = self._snapshot.recent[1 - _RECENT :]
        self._snapshot = self._taken(generation, self.revisions + revised, (*recent, (generation, changed)))

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
        position = self._ids.find(item_id)
        if position is None or self._position_of_number.view[self._numbers.view[position]] < 0:
            return None
        return position

    def positions(self, numbers: npt.NDArray[np.integer[Any]]) -> Positions:
        """The positions of permanent numbers; -1 for those not here, or no more."""
        return self._snapshot.positions(numbers)

    def has_later(self, numbers: Numbers) -> bool:
        """Whether one of these permanent numbers is of an item that came after all that are known here."""
        return bool(len(numbers)) and int(numbers.max()) >= len(self._position_of_number)

    def item_id(self, position: int) -> str:
        """The id of the item at a position."""
        return self._ids[position]

    def title(self, position: int) -> str:
        """What people call the item: its title, or its id where it has none."""
        return self._titles.text(position) or self._ids[position]

    def called(self, position: int) -> str:
        """What a sentence calls the item: its title, or else what it is by its categories, or else its id."""
        said = self._titles.text(position) or self._untitled.said(lambda field: self.terms_at(field, position))
        return said or self._ids[position]

    def attributes(self, position: int) -> dict[str, Any]:
        """All attributes of the item."""
        loaded: dict[str, Any] = orjson.loads(self.attributes_json(position))
        return loaded

    def attributes_json(self, position: int) -> bytes:
        """The same as a JSON object."""
        return self._attributes.row(position)

    def terms(self, field: str) -> Sequence[tuple[str, ...]]:
        """Every item's words or values of a field."""
        return self._columns[field].all_terms(self.size)

    def all_terms(self) -> dict[str, Sequence[tuple[str, ...]]]:
        """Every item's words of each text, category or tags field."""
        return {name: self.terms(name) for name, kind in self.fields.items() if kind in WORDED}

    def terms_at(self, field: str, position: int) -> tuple[str, ...]:
        """One item's words or values of a field."""
        return self._columns[field].terms(position)

    def check(self, attributes: Mapping[str, Any]) -> dict[str, Any]:
        """Attributes as they are to be stored.

        Raises:
            InvalidError: a declared field has a value of another kind, or something is beyond a limit.
        """
        checked = {
            name: self._columns[name].check(name, value) if name in self._columns else value
            for name, value in attributes.items()
        }
        check_limits("attributes", checked, MAX_ITEM_BYTES, self.fields)
        return checked

    def mask(self, condition: Condition) -> Mask:
        """(items,) which items meet the condition.

        Raises:
            InvalidError: no such field, or the operator does not fit its kind.
        """
        return mask_of(condition, self._columns, self.created)

    def _taken(
        self, generation: int, revisions: int, recent: tuple[tuple[int, Positions], ...]
    ) -> CatalogSnapshot:
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
            recent,
        )

    def _batch(self, items: Iterable[Item]) -> _Batch:
        """Items as columns, the last of each position; those to leave alone are not among them."""
        ids: list[str] = []
        numbers: list[int] = []
        created: list[int] = []
        gone: list[bool] = []
        deleted: list[bool] = []
        attributes: list[bytes] = []
        values: dict[str, list[Any]] = {name: [] for name in self._columns}
        fields = [(name, column.append) for name, column in values.items()]
        for item in items:
            ids.append(item.item_id)
            numbers.append(item.number)
            created.append(NO_TIME if item.created_at is None else item.created_at)
            gone.append(item.hidden or item.deleted or item.flaw is not None)
            deleted.append(item.deleted)
            attributes.append(packed_json(item.attributes))
            get = item.attributes.get
            for name, append in fields:
                append(get(name))
        positions, new = self._places(ids, deleted)
        last = {position: place for place, position in enumerate(positions) if position is not None}
        kept = np.fromiter(last.values(), np.intp, len(last))
        if len(kept) < len(ids):
            attributes = [attributes[place] for place in kept]
            values = {name: [column[place] for place in kept] for name, column in values.items()}
        return _Batch(
            np.fromiter(last, np.int32, len(last)),
            new,
            np.array(numbers, np.int32)[kept],
            np.array(created, np.int64)[kept],
            np.array(gone, np.bool_)[kept],
            np.array(deleted, np.bool_)[kept],
            attributes,
            values,
        )

    def _places(self, ids: Sequence[str], deleted: Sequence[bool]) -> tuple[list[int | None], list[str]]:
        """The position of each id, None of a deleted one that never was here; and the ids that are new."""
        found = self._ids.find_many(ids)
        new: dict[str, int] = {}
        for place, known in enumerate(found):
            if known is None and (not deleted[place] or ids[place] in new):
                found[place] = new.setdefault(ids[place], len(self._ids) + len(new))
        return found, list(new)

    def _says_otherwise(self, position: int, attributes: bytes) -> bool:
        """Whether anything but a number or a location of an item is not as it was."""
        before, after = self.attributes(position), orjson.loads(attributes)
        said = (name for name, kind in self.fields.items() if kind not in _FIGURES)
        return any(before.get(name) != after.get(name) for name in said)

    def _text(self, position: int) -> str:
        return " ".join(term for field in self._compared for term in self._columns[field].terms(position))


def _near_duplicates(similarity: float) -> NearDuplicates:
    # Loaded only where it is used: most apps do without.
    from homefeed.catalog.near_duplicates import NearDuplicates

    return NearDuplicates(similarity)
