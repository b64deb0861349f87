"""What a recipe will say: the files, the roles of their columns, the events, and what follows for the feeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import polars as pl

from homefeed.errors import DataError
from homefeed.ingest.cells import parse_times
from homefeed.propose.events import Events, default_events, events_of
from homefeed.propose.fields import YES_OR_NO, Role, creator_of, roles_of
from homefeed.propose.hanging import hangs_on
from homefeed.propose.kinds import Files, Kind, Table, find_kinds, key_of
from homefeed.propose.unused import suspects, unused, without_times
from homefeed.propose.words import says
from homefeed.recipe.entities import FieldKind
from homefeed.types import DAY

_INTERESTS: Final = ("interests", "interest", "preferences", "topics", "likes", "favorite genres", "preferred")
_MAKERS: Final = ("author", "artist", "publisher", "channel", "host", "seller", "creator", "owner")
_FEWEST_MAKERS: Final = 20
_SPEAKING: Final = 500
"""A category of more values names things, it does not sort them."""


@dataclass(frozen=True, slots=True)
class Plan:
    """All that a recipe is written from. `age_days` is how old items usually are when something happens to them.

    `interests` is the field of users with words of `interests_field` of items; `unused` says why files are not
    used, `suspects` which of those look like events.
    """

    app: str
    files: Files
    items: tuple[Role, ...]
    users: tuple[Role, ...]
    events: Events
    title: str | None
    creator: str | None = None
    group: str | None = None
    interests: str | None = None
    interests_field: str | None = None
    age_days: float | None = None
    notes: tuple[str, ...] = ()
    unused: Mapping[str, str] = field(default_factory=dict)
    suspects: tuple[str, ...] = ()

    def named(self, *kinds: FieldKind) -> list[Role]:
        """The fields of items of some kinds."""
        return [role for role in self.items if role.kind in kinds]

    @property
    def sorting(self) -> list[Role]:
        """The categories and tags that sort items: few values, none a flag or an id."""
        return [
            role
            for role in self.named("category", "tags")
            if role.what in {"category", "tags"}
            and role.why != YES_OR_NO
            and not says(role.columns[0], "id", "code")
            and role.name != self.creator
            and self._variety(role) > 1
        ]

    @property
    def maker(self) -> str | None:
        """The category that says who made an item, where there are enough of them for a list to have several."""
        table = self.files.items
        return next(
            (
                role.name
                for role in self.named("category")
                if table is not None
                and says(role.columns[0], *_MAKERS)
                and table.columns[role.columns[0]].distinct >= _FEWEST_MAKERS
            ),
            None,
        )

    @property
    def dated(self) -> bool:
        """Whether items say when they came."""
        return any(role.name == "created_at" for role in self.items)

    @property
    def worded(self) -> list[tuple[str, float]]:
        """The fields with words, and what they weigh in a search and for likeness."""
        weights: dict[str, float] = {} if self.title is None else {self.title: 1.0}
        for role in self.named("text"):
            weights.setdefault(role.name, 0.5)
        for role in self.sorting:
            weights[role.name] = 2.0 if role.kind == "tags" else 1.0
        return list(weights.items())

    @property
    def price(self) -> str | None:
        """The field with the price."""
        return next((role.name for role in self.items if role.what == "price"), None)

    @property
    def placed(self) -> bool:
        """Whether items are somewhere."""
        return any(role.kind == "location" for role in self.items)

    @property
    def users_placed(self) -> bool:
        """Whether users are somewhere."""
        return any(role.kind == "location" for role in self.users)

    def _variety(self, role: Role) -> int:
        table = self.files.items
        distinct = 0 if table is None else table.columns[role.columns[0]].distinct
        return distinct if role.kind == "tags" or distinct <= _SPEAKING else 0


def plan_of(app: str, tables: Sequence[Table], said: Mapping[str, Kind] | None = None) -> Plan:
    """What a recipe for these files says.

    Raises:
        DataError: none of them tells of items; the text says what is missing.
    """
    files = find_kinds(tables, said)
    catalogue = files.items
    if catalogue is None:
        raise DataError(_nothing(tables))
    events, notes = default_events(), []
    if files.events is None:
        notes.append("No file of events: they come over HTTP. Change their types to yours.")
        if (wrong := next((name for name, kind in (said or {}).items() if kind == "events"), None)) is not None:
            raise DataError(f"{wrong}: no events: {unused(files, tables)[wrong]}")
    elif files.event_user and files.event_item:
        found = events_of(files.events, files.event_user, files.event_item)
        if found is None:
            raise DataError(without_times(files.events, files.event_user, files.event_item))
        events = found
        notes += events.notes
    key = files.item_key or key_of(catalogue)
    if key is None:
        raise DataError(f"{catalogue.name}: looks like items, but no column tells them apart; add one of ids")
    items = roles_of(catalogue, key, "item_id", _columns(files, catalogue, key, events))
    files, users = _users(replace(files, item_key=key), events, [role.columns[0] for role in items])
    title = next((role.name for role in items if role.what == "title"), None)
    known = _ids_of_users(files)
    interests, interests_field = _interests(users, items)
    return Plan(
        app=app,
        files=files,
        items=_as_category(items, creator := creator_of(items, catalogue, known)),
        users=users,
        events=events,
        title=title,
        creator=creator,
        group=next((role.name for role in items if role.what == "group"), None),
        interests=interests,
        interests_field=interests_field,
        age_days=_age(files, items, events),
        notes=tuple(notes),
        unused=unused(files, tables),
        suspects=tuple(suspects(files, tables)),
    )


def _nothing(tables: Sequence[Table]) -> str:
    if not tables:
        return "no table found: expected files of items and events as .csv, .tsv, .jsonl, .parquet or .xlsx"
    seen = "; ".join(f"{table.name}: {', '.join(list(table.columns)[:12])}" for table in tables)
    return (
        "no file of items found: expected one with an id in each row, such as item_id,title,category, and one of "
        f"events with user_id,item_id,timestamp; there is {seen}"
    )


def _columns(files: Files, table: Table, key: str, events: Events) -> list[str]:
    """The columns that tell of what the key names: all, or in a file of events those that hang on it alone."""
    if table is not files.events:
        return list(table.columns)
    free = [name for name in table.columns if name not in events.taken or name == key]
    return [name for name in free if name == key or hangs_on(table, key, name)]


def _users(files: Files, events: Events, of_items: Sequence[str]) -> tuple[Files, tuple[Role, ...]]:
    """The roles of the columns of users; in a file of events those that hang on who they are of."""
    if files.users is not None and files.user_key is not None:
        return files, roles_of(files.users, files.user_key, "user_id", list(files.users.columns))
    table, user = files.events, files.event_user
    if table is None or user is None:
        return files, ()
    free = [name for name in table.columns if name not in events.taken and name not in of_items]
    columns = [user, *(name for name in free if hangs_on(table, user, name))]
    roles = [
        role
        for role in roles_of(table, user, "user_id", columns)
        if role.kind is not None or role.name == "user_id"
    ]
    if len(roles) < 2 or files.items is not table:
        return files, ()
    return replace(files, users=table, user_key=user), tuple(roles)


def _ids_of_users(files: Files) -> set[str]:
    if files.users is not None and files.user_key is not None:
        return files.users.values(files.user_key)
    return files.events.values(files.event_user) if files.events is not None and files.event_user else set()


def _as_category(roles: Sequence[Role], name: str | None) -> tuple[Role, ...]:
    return tuple(replace(role, kind="category", what="creator") if role.name == name else role for role in roles)


def _interests(users: Sequence[Role], items: Sequence[Role]) -> tuple[str | None, str | None]:
    """The field of users that lists what they like, and that of items which it is of."""
    fields = [role.name for role in items if role.kind == "tags"] or [
        role.name
        for role in items
        if role.what == "category" and says(role.columns[0], "category", "section", "genre", "topic")
    ]
    listed = [role.name for role in users if role.kind == "tags" and says(role.columns[0], *_INTERESTS)]
    return (listed[0], fields[0]) if listed and fields else (None, None)


def _age(files: Files, items: Sequence[Role], events: Events) -> float | None:
    """The median age of items at their events, in days."""
    role = next((role for role in items if role.name == "created_at"), None)
    if role is None or files.events is None or files.items is None or files.items is files.events:
        return None
    if files.event_item is None or files.item_key is None:
        return None
    told = events.columns["timestamp"]
    time = told if isinstance(told, dict) else {"column": told}
    happened = files.events.sample.frame
    came = files.items.sample.frame
    moments = parse_times(happened[time["column"]], time.get("unit"), time.get("format"))
    created = parse_times(came[role.columns[0]], role.column.get("unit"), role.column.get("format"))
    joined = pl.DataFrame({"item": happened[files.event_item], "at": moments}).join(
        pl.DataFrame({"item": came[files.item_key], "came": created}), on="item"
    )
    ages = (joined["at"] - joined["came"]).drop_nulls()
    middle = ages.median() if len(ages) else None
    return None if middle is None else max(float(middle), 0.0) / DAY  # type: ignore[arg-type]
