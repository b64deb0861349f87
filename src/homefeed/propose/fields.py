"""What each column of users and items is taken for: an id, a title, a time, tags, a place, a field of a kind."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from homefeed.propose.kinds import Table
from homefeed.propose.profile import Profile
from homefeed.propose.words import says, slug
from homefeed.recipe.entities import FieldKind

_RESERVED: Final = frozenset(
    ("item_id", "user_id", "created_at", "hidden", "value", "event_type", "timestamp", "event_id")
)
_TITLES: Final = (
    "title",
    "headline",
    "name",
    "product name",
    "item name",
    "label",
    "subject",
    "caption",
    "question",
)
_CREATED: Final = (
    "created", "created at", "creation date", "published", "publish date", "publication date", "posted", "added",
    "listed", "released", "release date", "first seen", "date added", "pub date", "uploaded", "upload date",
    "launch date", "date",
)  # fmt: skip
_ENDS: Final = ("expires", "expires at", "expiry", "expiration", "valid until", "end date", "ends at", "deadline")
_NOT_THE_ONLY: Final = ("start", "starts", "begin", "begins", "due", "birth", "birthday", "event", "deadline")
_NOT_CREATED: Final = ("updated", "modified", "last", "expires", "end", "until", "deleted")
_HIDDEN: Final = ("hidden", "deleted", "archived", "removed", "draft", "unlisted", "banned")
_SHOWN: Final = ("active", "published", "visible", "enabled", "live", "listed")
_IMAGES: Final = (
    "image",
    "images",
    "img",
    "picture",
    "thumbnail",
    "thumb",
    "avatar",
    "photo",
    "cover",
    "poster",
    "icon",
    "logo",
)
_PRICES: Final = ("price", "cost", "fee", "rent", "salary", "amount")
_PERSONAL: Final = (
    "email",
    "phone",
    "password",
    "first name",
    "last name",
    "firstname",
    "lastname",
    "address",
    "ip",
    "birth",
)
_GROUPS: Final = (
    "parent id",
    "parent asin",
    "parent sku",
    "group id",
    "item group id",
    "product group id",
    "variant of",
)
_CREATORS: Final = (
    "creator",
    "owner",
    "seller",
    "uploader",
    "poster",
    "author id",
    "host id",
    "posted by",
    "user id",
    "user",
)
_CATEGORIES: Final = (
    "category", "genre", "brand", "author", "section", "city", "country", "color", "colour", "type", "language",
    "lang", "publisher", "artist", "status", "region", "state", "gender", "sex", "department", "source",
    "neighbourhood", "level",
)  # fmt: skip
_MONEY: Final = re.compile(r"[^\w\s]?\s?\d{1,3}(,\d{2,3})+(\.\d+)?|[^\w\s]\s?\d+([.,]\d+)?|\d+([.,]\d+)?\s?[€$£₹]")
_ANSWERS: Final = tuple(
    frozenset(pair.split())
    for pair in (
        "true false", "yes no", "y n", "t f", "1 0", "ja nein", "j n", "wahr falsch", "oui non", "o n",
        "vrai faux", "si no", "s\u00ed no", "s n", "verdadero falso",
    )
)  # fmt: skip
_YES: Final = frozenset(
    ("true", "yes", "y", "t", "1", "ja", "j", "wahr", "oui", "o", "vrai", "si", "s\u00ed", "s", "verdadero")
)
YES_OR_NO: Final = "yes or no"
"""Why a column is a category that says nothing about taste."""

_TRUE: Final = frozenset(("true", "yes", "y", "t", "1"))


@dataclass(frozen=True, slots=True)
class Role:
    """What a column is taken for, and `why`.

    `name` is Homefeed's name for it and `kind` that of a declared field: no kind is an id, `created_at`, `hidden`,
    or an attribute, which is stored and shown. `column` has how cells are read, by the keys of the recipe's
    columns; of a place `columns` has the pair.
    """

    columns: tuple[str, ...]
    name: str
    kind: FieldKind | None
    what: str
    why: str
    column: Mapping[str, Any] = field(default_factory=dict)
    filled: float = 1.0


def roles_of(table: Table, key: str, id_name: str, columns: Sequence[str]) -> tuple[Role, ...]:
    """The roles of some columns of a file of users or items, of which `key` holds the ids."""
    of_items = id_name == "item_id"
    left = {name: table.columns[name] for name in columns if name != key}
    roles = [Role((key,), id_name, None, "id", "its cells tell the rows apart")]
    pair = _pair_of_place(left)
    if pair is not None:
        name = "location" if "location" not in left else "place"
        roles.append(Role(pair, name, "location", "place", "latitude and longitude", filled=left[pair[0]].filled))
        left = {name: profile for name, profile in left.items() if name not in pair}
    title = _title(left) if of_items else None
    created = _created(left) if of_items else None
    hidden = _hidden(left) if of_items else None
    for name, profile in left.items():
        if name == title:
            role = Role((name,), _named(name), "text", "title", "names an item to people")
        elif name == created:
            role = _as_time(profile, "created_at", "created_at", "when the item came, for new items")
        elif name == hidden:
            role = _as_hidden(table, name)
        else:
            role = _role(profile)
        roles.append(replace(role, filled=profile.filled))
    return tuple(_distinct(roles))


def _role(profile: Profile) -> Role:
    kept = Role((profile.name,), profile.name, None, "attribute", "stored and shown, nothing computes with it")
    why = _why_kept(profile)
    if why is not None:
        return replace(kept, why=why)
    return _measured(profile) or _listed(profile) or _words(profile, kept)


def _why_kept(profile: Profile) -> str | None:
    """Why nothing computes with a column, where that is so."""
    name = profile.name
    reasons = {
        "empty in all rows looked at": not profile.filled,
        "the index of a table": says(name, "unnamed"),
        "an address: stored and shown": profile.is_url
        or says(name, "url", "link", "uri")
        or (says(name, *_IMAGES) and not profile.is_number),
        "personal data: leave it out of the file unless you show it": says(name, *_PERSONAL),
        "numbers with a currency or commas are not read as such: write 1240.5": all(
            _MONEY.fullmatch(cell) for cell in profile.examples
        ),
        "the same in all rows": profile.distinct == 1 and profile.unique < 1,
    }
    return next((why for why, holds in reasons.items() if holds), None)


def _measured(profile: Profile) -> Role | None:
    """A time or a number, or yes and no."""
    name = profile.name
    if profile.is_time:
        is_end = says(name, *_ENDS)
        target = "expires_at" if is_end else _named(name)
        return _as_time(
            profile, target, "time", "after it no feed shows the item" if is_end else "its cells are times"
        )
    answers = {cell.lower() for cell in profile.examples}
    if profile.distinct == 2 and any(answers == pair for pair in _ANSWERS) and not _is_id(name):
        return Role((name,), _named(name), "category", "category", YES_OR_NO)
    if not profile.is_number or _is_id(name):
        return None
    what = "price" if says(name, *_PRICES) else "number"
    return Role((name,), _named(name), "number", what, "its cells are numbers")


def _listed(profile: Profile) -> Role | None:
    """A product that items are variants of, or several values in a cell."""
    name, separator = profile.name, profile.separator
    if says(name, *_GROUPS):
        return Role((name,), _named(name), "category", "group", "the product that an item is a variant of")
    if separator is None:
        return None
    column = {} if separator in {"|", ""} else {"separator": separator}
    between = f"several values, with {separator} between" if separator else "several values, lists in JSON"
    return Role((name,), _named(name), "tags", "tags", between, column)


def _words(profile: Profile, kept: Role) -> Role:
    """A category where values come again and are short, a text where they are words; else an attribute."""
    name, again = profile.name, 1 - profile.unique
    short = profile.longest <= 100 and profile.words <= 5
    if (
        short
        and profile.longest <= 255
        and (again >= 0.5 or says(name, *_CATEGORIES) or (again >= 0.2 and profile.words < 2.5))
    ):
        return Role((name,), _named(name), "category", "category", "few values, each in many rows")
    if profile.letters >= 0.8 and profile.words >= 1.5:
        return Role((name,), _named(name), "text", "text", "words")
    return kept


def _as_time(profile: Profile, name: str, what: str, why: str) -> Role:
    reading = profile.reading
    if reading is None:
        raise ValueError(f"{profile.name} holds no times")
    told: dict[str, Any] = {}
    if reading.unit is not None:
        told = {"unit": reading.unit}
    elif reading.format is not None:
        told = {"format": reading.format}
    if reading.ambiguous:
        why += "; day or month first cannot be told from the cells"
    return Role((profile.name,), name, None if name == "created_at" else "time", what, why, told)


def _as_hidden(table: Table, name: str) -> Role:
    if says(name, *_HIDDEN):
        return Role((name,), "hidden", None, "hidden", "what is hidden is in no feed")
    values = sorted(table.values(name))
    mapped = {value: "false" if value.lower() in _TRUE else "true" for value in values}
    return Role((name,), "hidden", None, "hidden", f"what is not {slug(name)} is in no feed", {"map": mapped})


def _title(columns: Mapping[str, Profile]) -> str | None:
    named = [
        (place, name)
        for name, profile in columns.items()
        for place, meaning in enumerate(_TITLES)
        if says(name, meaning) and profile.letters >= 0.7 and not profile.is_url and not _is_id(name)
    ]
    whole = [each for each in named if each[1].lower().replace("_", " ") == _TITLES[each[0]]]
    if named:
        return min(whole or named)[1]
    texts = [
        profile
        for profile in columns.values()
        if profile.letters >= 0.9 and (profile.words >= 1.5 or profile.unique >= 0.3) and profile.unique >= 0.005
        and profile.longest <= 400 and not profile.is_url and not profile.is_time and profile.separator is None
    ]  # fmt: skip
    return max(texts, key=lambda profile: (profile.distinct, -profile.longest)).name if texts else None


def _created(columns: Mapping[str, Profile]) -> str | None:
    times = {
        name: profile for name, profile in columns.items() if profile.is_time and not says(name, *_NOT_CREATED)
    }
    for meaning in _CREATED:
        found = [name for name in times if says(name, meaning)]
        if found:
            return found[0]
    generic = [name for name in times if says(name, "time", "timestamp", "ts")]
    alone = list(times) if len(times) == 1 and not says(next(iter(times)), *_ENDS, *_NOT_THE_ONLY) else []
    return next(iter(generic or alone), None)


def _hidden(columns: Mapping[str, Profile]) -> str | None:
    flags = [name for name, profile in columns.items() if profile.flags == 1.0 and profile.distinct <= 2]
    hidden = [name for name in flags if says(name, *_HIDDEN)]
    shown = [name for name in flags if says(name, *_SHOWN)]
    return next(iter(hidden + shown), None)


def _pair_of_place(columns: Mapping[str, Profile]) -> tuple[str, str] | None:
    def among(bound: float, *meanings: str) -> str | None:
        for name, profile in columns.items():
            if says(name, *meanings) and profile.is_number and -bound <= profile.low <= profile.high <= bound:
                return name
        return None

    latitude, longitude = among(90, "latitude", "lat"), among(180, "longitude", "lng", "lon", "long")
    return None if latitude is None or longitude is None else (latitude, longitude)


def _is_id(name: str) -> bool:
    return says(name, "id", "ids", "code", "sku", "uuid", "guid", "zip", "postcode", "isbn", "asin")


def _named(name: str) -> str:
    made = slug(name)
    return f"{made}_field" if made in _RESERVED else made


def _distinct(roles: Sequence[Role]) -> list[Role]:
    """No two of one name: the later one is told apart by a number."""
    taken: set[str] = set()
    made = []
    for role in roles:
        name, count = role.name, 2
        while name in taken:
            name, count = f"{role.name}_{count}", count + 1
        taken.add(name)
        made.append(replace(role, name=name))
    return made


def yes_of(profile: Profile) -> str:
    """The cell of a column of yes and no that says yes."""
    return next((cell for cell in profile.examples if cell.lower() in _YES), profile.examples[0])


def creator_of(roles: Sequence[Role], items: Table, users: set[str]) -> str | None:
    """The field that holds the user who made an item: its name says so, and its cells are ids of users."""
    for role in roles:
        column = role.columns[0]
        if role.kind in {"category", None} and role.what in {"category", "attribute"} and says(column, *_CREATORS):
            values = items.values(column)
            if (
                values
                and len(values & users) >= 0.8 * len(values)
                and not all(value.isdigit() for value in values)
            ):
                return role.name
    return None
