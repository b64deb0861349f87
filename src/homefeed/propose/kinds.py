"""Which file is what: users, items or events, by their columns and by which ids refer to which file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from homefeed.propose.profile import Profile, profile_of
from homefeed.propose.reading import Sample
from homefeed.propose.words import EVENTS, ID_WORDS, ITEMS, USERS, says, singular, words_of

Kind: TypeAlias = Literal["users", "items", "events", "nothing"]

_FAINT: Final = frozenset(("session", "sessions", "device", "devices", "cookie"))
_ABOUT_USERS: Final = (
    "email", "age", "gender", "sex", "birth", "birthday", "birthdate", "signup", "signed up", "joined",
    "registered",
    "first name", "last name", "firstname", "lastname", "occupation", "plan", "locale", "interests", "preferences",
)  # fmt: skip
_ABOUT_ITEMS: Final = (
    "title", "headline", "description", "price", "category", "categories", "brand", "genre", "genres", "author",
    "tags", "image", "published", "summary", "body", "section", "publisher", "manufacturer", "release", "duration",
    "room type",
)  # fmt: skip
_TRIED: Final = 5_000
_OVERLAP: Final = 0.5
"""So many of the different cells of a column are ids of a file by which it is known to hold them."""

_FEWEST: Final = 20
_LONG: Final = 5


@dataclass(frozen=True, slots=True)
class Table:
    """A file with a profile of each of its columns."""

    sample: Sample
    columns: Mapping[str, Profile]

    @classmethod
    def of(cls, sample: Sample) -> Table:
        """The profiles of the head of a file."""
        return cls(sample, {profile.name: profile for profile in profile_of(sample)})

    @property
    def name(self) -> str:
        """What people call the file."""
        return self.sample.name

    def values(self, column: str) -> set[str]:
        """The different cells of a column of the head, without white space around them."""
        cells = self.sample.frame[column].drop_nulls().str.strip_chars().str.replace(r"^(\d+)\.0$", "$1")
        return set(cells.unique().to_list()) - {""}


@dataclass(frozen=True, slots=True)
class Link:
    """A column that holds the ids of another file: how surely, from 0 on, of which, and in which column.

    `share` is that of its different cells that are there, `kinship` how much the names say so.
    """

    table: Table
    key: str
    strength: float
    share: float
    kinship: float


@dataclass(frozen=True, slots=True)
class Files:
    """The file of each kind, with the columns of its ids. One of events can be that of items and users, too."""

    users: Table | None
    items: Table | None
    events: Table | None
    user_key: str | None
    item_key: str | None
    event_user: str | None
    event_item: str | None

    @property
    def items_of_events(self) -> bool:
        """Whether the file of events is that of the items, too."""
        return self.items is not None and self.items is self.events

    @property
    def users_of_events(self) -> bool:
        """Whether the file of events is that of the users, too."""
        return self.users is not None and self.users is self.events

    def kind_of(self, table: Table) -> Kind:
        """What a file is taken for."""
        for kind, found in (("events", self.events), ("items", self.items), ("users", self.users)):
            if found is table:
                return kind  # type: ignore[return-value]
        return "nothing"


def find_kinds(tables: Sequence[Table], said: Mapping[str, Kind] | None = None) -> Files:
    """The kinds of files, as far as they are not `said` by the name of the file."""
    told = said or {}

    def may_be(kind: Kind) -> list[Table]:
        named = [table for table in tables if told.get(table.name) == kind]
        return named or [table for table in tables if table.name not in told]

    events, user, item = _events(may_be("events"), tables)
    others = [table for table in tables if table is not events]
    likely = [table for table in may_be("items") if table in others]
    items, item_key = _entity(item, events, likely, _itemness, least=0.0)
    others = [table for table in others if table is not items]
    likely = [table for table in may_be("users") if table in others]
    users, user_key = _entity(user, events, likely, _userness, least=1.0)
    if items is None and events is not None and told.get(events.name) in {None, "events"}:
        items, item_key = events, item
    return Files(users, items, events, user_key, item_key, user, item)


def key_of(table: Table) -> str | None:
    """The column that tells the rows of a file apart, the likeliest of several."""
    keys = _keys_of(table)
    own = {singular(word) for word in words_of(table.sample.stem)}
    places = {name: place for place, name in enumerate(table.columns)}

    def likeliness(profile: Profile) -> tuple[float, int]:
        words = words_of(profile.name)
        score = 0.0
        if words == ["id"]:
            score = 4.0
        elif set(words) & ID_WORDS:
            score = 3.0 if {singular(word) for word in words} & own else 2.0
        elif len(words) == 1 and singular(words[0]) in own:
            score = 2.0
        score -= 2.0 * (profile.words > 1.5) + 1.5 * profile.is_url
        return score, -places[profile.name]

    return max(keys, key=likeliness).name if keys else None


def link_of(table: Table, column: str, others: Sequence[Table]) -> Link | None:
    """The file whose ids a column holds: its cells are there, and its name says so, or no other is closer."""
    profile = table.columns[column]
    mine = set(list(table.values(column))[:_TRIED])
    best: Link | None = None
    for other in others:
        if other is table or not mine:
            continue
        likeliest = key_of(other)
        for key in (each.name for each in _keys_of(other)):
            share = len(mine & other.values(key)) / len(mine)
            least = _OVERLAP if key != likeliest else 0.3 if other.sample.complete else 0.02
            if share < least:
                continue
            kinship = _kinship(profile.name, key, other)
            strength = share + kinship - _strangeness(profile.name, other) + 0.05 * (key == likeliest)
            if best is None or strength > best.strength:
                best = Link(other, key, strength, share, kinship)
    return best if best is not None and best.strength > 0.3 else None


def _keys_of(table: Table) -> list[Profile]:
    """The columns that tell the rows apart, and may be ids."""
    return [each for each in table.columns.values() if each.is_key and not each.is_time and not _is_real(each)]


def userness(name: str) -> float:
    """How much a name speaks of users."""
    words = set(words_of(name))
    return 2.0 if words & (USERS - _FAINT) else 1.0 if words & _FAINT else 0.0


def itemness(name: str) -> float:
    """How much a name speaks of items."""
    return 2.0 if set(words_of(name)) & ITEMS else 0.0


def _is_real(profile: Profile) -> bool:
    return profile.is_number and profile.whole < 0.95


def _kinship(name: str, key: str, other: Table) -> float:
    """How much the name of a column says that it is the key of the other file."""
    words = [singular(word) for word in words_of(name)]
    theirs = [singular(word) for word in words_of(key)]
    if words == theirs and words != ["id"]:
        return 1.0
    return 0.8 if (set(words) - ID_WORDS) & {singular(word) for word in words_of(other.sample.stem)} else 0.0


def _strangeness(name: str, other: Table) -> float:
    """How much the name of a column says that it is of another kind than the file is."""
    stem = other.sample.stem
    of_user, of_item = userness(name) and not itemness(name), itemness(name) and not userness(name)
    to_users, to_items = userness(stem) and not itemness(stem), itemness(stem) and not userness(stem)
    return 1.5 if (of_user and to_items) or (of_item and to_users) else 0.0


def _userness(table: Table) -> float:
    about = sum(says(name, *_ABOUT_USERS) for name in table.columns) - sum(
        says(name, *_ABOUT_ITEMS) for name in table.columns
    )
    return userness(table.sample.stem) - itemness(table.sample.stem) + 0.5 * about


def _itemness(table: Table) -> float:
    return -_userness(table)


def _entity(
    column: str | None,
    events: Table | None,
    tables: Sequence[Table],
    likeness: Callable[[Table], float],
    least: float,
) -> tuple[Table | None, str | None]:
    """The file that a column of the events refers to, or else the likeliest one that has a key; and the key."""
    if column is not None and events is not None:
        link = link_of(events, column, tables)
        return (None, None) if link is None else (link.table, link.key)
    keyed = [table for table in tables if key_of(table) is not None]
    best = max(keyed, key=likeness, default=None)
    return (best, key_of(best)) if best is not None and likeness(best) >= least else (None, None)


def _events(tables: Sequence[Table], every: Sequence[Table]) -> tuple[Table | None, str | None, str | None]:
    """The file of events, with its columns of users and of items."""
    found: list[tuple[float, Table, str, str]] = []
    for table in tables:
        pair = _pair(table, every)
        if pair is None:
            continue
        score, user, item = pair
        stem = set(words_of(table.sample.stem))
        score += 1.5 * any(each.is_time for each in table.columns.values()) + 1.0 * bool(stem & EVENTS)
        score += 0.5 * any(says(name, "type", "action", "event", "rating", "value") for name in table.columns)
        found.append((score + min(table.sample.rows, 10**6) / 10**6, table, user, item))
    if not found:
        return None, None, None
    _, table, user, item = max(found, key=lambda each: each[0])
    return table, user, item


def _pair(table: Table, every: Sequence[Table]) -> tuple[float, str, str] | None:
    """The columns of a file that hold who and what, and how surely they do."""
    users, items, linked = sides_of(table, every)
    pairs = [(u + i, user, item) for u, user in users for i, item in items if user != item]
    if pairs:
        return max(pairs)
    # Where no name tells: the file that reads the less like one of things is that of people.
    ranked = sorted(linked.items(), key=lambda each: _personal(each[1].table))
    if len(ranked) < 2 or ranked[0][1].table is ranked[-1][1].table:
        return None
    (item, what), (user, who) = ranked[0], ranked[-1]
    return what.share + who.share, user, item


def sides_of(
    table: Table, every: Sequence[Table]
) -> tuple[list[tuple[float, str]], list[tuple[float, str]], dict[str, Link]]:
    """The columns of a file that may hold who, and those that may hold what, with how surely they do.

    The third has those that hold ids of other files by their values.
    """
    users: list[tuple[float, str]] = []
    items: list[tuple[float, str]] = []
    linked: dict[str, Link] = {}
    for name, profile in table.columns.items():
        if not _may_be_id(profile):
            continue
        words = set(words_of(name))
        link = link_of(table, name, every)
        by_values = link is not None and _is_known_by_values(profile, link)
        if link is not None and by_values:
            linked[name] = link
        speaks = bool(words) and words <= ID_WORDS | USERS | ITEMS | EVENTS and profile.words < 1.5
        if not (speaks or by_values):
            continue
        if profile.is_key and table.sample.frame.height > 1 and link is None:
            continue
        as_user, as_item = userness(name), itemness(name)
        if link is not None:
            leans = _userness(link.table)
            surely = max(link.strength, 1.0 if by_values else 0.0)
            as_user += surely * (leans > 0)
            as_item += surely * (leans <= 0)
        bonus = 0.5 * bool(words & ID_WORDS)
        users += [(as_user + bonus, name)] if as_user >= 1.0 else []
        items += [(as_item + bonus, name)] if as_item >= 1.0 else []
    return users, items, linked


def _may_be_id(profile: Profile) -> bool:
    other = profile.is_time or _is_real(profile)
    return not other and profile.filled >= 0.3 and profile.longest <= 255 and profile.distinct >= 2


def _is_known_by_values(profile: Profile, link: Link) -> bool:
    """Whether a column holds the ids of a file whatever its name: quantities of 1 to 9 are no ids of 1 to 99."""
    if link.share < _OVERLAP:
        return False
    telling = profile.letters >= 0.5 or profile.longest >= _LONG or link.kinship >= 1.0
    return telling or profile.distinct >= max(_FEWEST, 0.2 * link.table.columns[link.key].distinct)


def _personal(table: Table) -> float:
    """How much a file reads like one of people: things have titles, texts and prices."""
    texts = sum(each.words >= 1.5 and not each.is_time for each in table.columns.values())
    return _userness(table) - 0.2 * texts - 0.1 * any(_is_real(each) for each in table.columns.values())
