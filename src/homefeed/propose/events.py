"""What the columns of a file of events are taken for: times, types and their weights, values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import polars as pl

from homefeed.ingest.cells import parse_numbers, parse_times
from homefeed.propose.kinds import Table
from homefeed.propose.profile import Profile
from homefeed.propose.times import Reading
from homefeed.propose.types import EventType, type_column, types_of
from homefeed.propose.vocabulary import Meaning, meaning_of
from homefeed.propose.words import says, words_of
from homefeed.types import DAY

_TIMES: Final = ("timestamp", "event time", "time", "ts", "created at", "date", "at")
_STARS: Final = ("rating", "ratings", "stars", "score", "rate", "grade")
_SHARES: Final = ("progress", "completion", "percent", "ratio", "share", "fraction")
_LASTED: Final = (
    "duration", "dwell", "seconds", "secs", "minutes", "ms played", "time spent", "watch time", "listening time",
    "watched", "played", "listened", "scroll",
)  # fmt: skip
_MANY: Final = (
    "quantity",
    "qty",
    "units",
    "count",
    "plays",
    "amount bought",
    "menge",
    "anzahl",
    "quantite",
    "cantidad",
)
_QUERIES: Final = ("query", "search term", "search terms", "search query", "keywords", "q", "search")
_REPEATED: Final = frozenset(("bought", "played", "listened to"))
_HALF_LIVES: Final = (1, 2, 3, 7, 14, 30)
_LIVELY: Final = 1_000
"""So many events are enough to tell what trends, or two of each item where there are many."""


@dataclass(frozen=True, slots=True)
class Events:
    """The events: types, and columns by Homefeed's names, with what is written of each in the recipe.

    `repeats` is the share of the pairs of a user and an item that come again, `trending_half_life_days` from how
    many events there are, `typical` the usual value.
    """

    types: tuple[EventType, ...]
    columns: Mapping[str, Any]
    taken: Mapping[str, tuple[str, str]]
    repeats: float
    trending_half_life_days: int
    typical: float | None = None
    min_value: float | None = None
    notes: tuple[str, ...] = field(default=())

    @property
    def names(self) -> list[str]:
        """The names of the types."""
        return [each.name for each in self.types]

    def named(self, *names: str) -> list[EventType]:
        """The types of these names."""
        return [each for each in self.types if each.name in names]


def events_of(table: Table, user: str, item: str) -> Events | None:
    """The events of a file in which `user` and `item` are the columns of ids; None where it has no times."""
    left = {name: profile for name, profile in table.columns.items() if name not in {user, item}}
    time = _first(left, _TIMES, lambda profile: profile.is_time) or next(
        (name for name, profile in left.items() if profile.is_time), None
    )
    if time is None:
        return None
    reading = left.pop(time).reading
    if reading is None:
        return None
    taken = {time: ("timestamp", "when it happened"), user: ("user_id", "who"), item: ("item_id", "what")}
    told = {"unit": reading.unit, "format": reading.format}
    columns: dict[str, Any] = {"user_id": user, "item_id": item, "timestamp": _column(time, told)}
    stars = _first(
        left, _STARS, lambda profile: profile.is_number and profile.distinct <= 101 and profile.high <= 100
    )
    kind = type_column(table, left, user, item, guess=stars is None)
    value, full, typical, min_value = _value(left, stars if kind is None else None)
    if stars is not None and kind is None:
        types, columns["event_type"] = _of_stars(stars, left[stars])
        columns["value"] = stars
        taken[stars] = ("event_type, value", f"stars, up to {left[stars].high:g}: few are a dislike")
        value = None
    elif kind is not None:
        types, columns["event_type"] = types_of(table, kind)
        taken[kind] = ("event_type", "what the user did")
    else:
        types, columns["event_type"] = _of_file(table, value)
    if value is not None:
        columns["value"] = value
        taken[value] = ("value", "how much" if full is None else "how much of it: less says less")
        types = tuple(_with_full(table, each, kind, value, full) for each in types)
    for name, profile in left.items():
        if name not in taken and profile.unique == 1 and profile.filled == 1 and _is_event_id(name):
            columns["event_id"] = name
            taken[name] = ("event_id", "the event told twice counts once")
            break
    query = _first(left, _QUERIES, lambda profile: profile.letters > 0.5 and profile.filled > 0)
    if query is not None and query not in taken and any(each.about_query for each in types):
        columns["query"] = query
        taken[query] = ("query", "the words of a search")
    else:
        types = tuple(_as_item_event(each) for each in types)
    notes = tuple(_notes(reading, kind, types))
    half_life = _half_life(table, item, time, reading)
    return Events(
        types, columns, taken, _repeats(table, user, item, kind, types), half_life, typical, min_value, notes
    )


def default_events() -> Events:
    """Types for events that will come over HTTP, where there is no file of them."""
    found = [meaning_of(each) for each in ("view", "like", "save", "hide")]
    return Events(tuple(EventType(*each, ()) for each in found if each is not None), {}, {}, 0.0, 2)


def _notes(reading: Reading, kind: str | None, types: Sequence[EventType]) -> Iterator[str]:
    if reading.ambiguous:
        yield "day or month first cannot be told from the times; see `format`"
    guessed = [each.name for each in types if not each.known]
    if kind is not None and guessed:
        yield (
            f"What these types of events, of the column {kind}, say about taste is not known, and their "
            f"weight of 1 is a guess, to be edited: {', '.join(guessed)}."
        )


def _column(name: str, told: Mapping[str, Any]) -> Any:
    said = {key: value for key, value in told.items() if value}
    return {"column": name, **said} if said else name


def _first(columns: Mapping[str, Profile], meanings: Sequence[str], fits: Any) -> str | None:
    """The column with the first of the meanings that fits."""
    for meaning in meanings:
        for name, profile in columns.items():
            if says(name, meaning) and fits(profile):
                return name
    return None


def _is_event_id(name: str) -> bool:
    return words_of(name) in (["id"], ["uuid"], ["guid"]) or says(name, "event id", "interaction id", "log id")


def _value(
    columns: Mapping[str, Profile], stars: str | None
) -> tuple[str | None, str | None, float | None, float | None]:
    """The column of values, what a whole one is, a usual one, and the least that counts."""
    if stars is not None:
        return stars, None, None, None

    def numeric(profile: Profile) -> bool:
        return profile.is_number and profile.distinct > 1

    share = _first(columns, _SHARES, numeric)
    if share is not None and columns[share].high <= 100:
        return share, "1" if columns[share].high <= 1 else "100", None, None
    lasted = _first(columns, _LASTED, numeric)
    if lasted is not None:
        return lasted, '"typical"', max(1.0, (columns[lasted].low + columns[lasted].high) / 4), None
    many = _first(columns, _MANY, numeric)
    return (many, None, None, 1.0 if many is not None and columns[many].low < 1 else None)


def _of_stars(name: str, profile: Profile) -> tuple[tuple[EventType, ...], Any]:
    """Few stars are a dislike, many a like, and those between say something."""
    most = next(bound for bound in (1, 5, 10, 100) if profile.high <= bound)
    if most == 1:
        types = (
            EventType("like", Meaning(3, "liked", True), (), full="1"),
            EventType("dislike", Meaning(-1, "disliked"), ()),
        )
        return types, {
            "column": name,
            "map": {"<=0": "dislike", ">0": "like"},
        }
    few, many = f"{most * 0.4:g}", f"{most * 0.8:g}"
    graded = (
        EventType("like", Meaning(3, "liked", True), (f"{many} and more",), full=str(most)),
        EventType("rate", Meaning(1, "rated", True), (f"between {few} and {many}",), full=str(most)),
        EventType("dislike", Meaning(-1, "disliked"), (f"{few} and fewer",)),
    )
    return graded, {"column": name, "map": {f"<={few}": "dislike", f"<{many}": "rate", f">={many}": "like"}}


def _of_file(table: Table, value: str | None) -> tuple[tuple[EventType, ...], Any]:
    """The one type that the name of the file tells, or that its columns do."""
    names = [
        table.sample.stem,
        *(name for name in table.columns if says(name, "invoice", "order", "basket", "transaction")),
    ]
    if value is not None and says(value, *_MANY):
        names.append("purchase")
    for name in names:
        found = meaning_of(name)
        if found is not None and found[1].weight > 0:
            called = "purchase" if found[1].verb == "bought" else found[0].replace(" ", "_")
            return (EventType(called, Meaning(1, found[1].verb, True), ()),), {"value": called}
    return (EventType("view", Meaning(1, "viewed", True), (), known=False),), {"value": "view"}


def _with_full(table: Table, each: EventType, kind: str | None, value: str, full: str | None) -> EventType:
    """The type, its events counted by their values where most have one."""
    frame = table.sample.frame
    if kind is not None:
        frame = frame.filter(pl.col(kind).is_in(list(each.cells)))
    there = int((parse_numbers(frame[value]) > 0).sum())
    counts = full is not None and each.meaning.weight > 0 and there >= 0.8 * max(frame.height, 1)
    return EventType(each.name, each.meaning, each.cells, each.known, full if counts else None, each.about_query)


def _as_item_event(each: EventType) -> EventType:
    if not each.about_query:
        return each
    return EventType(each.name, Meaning(0, each.meaning.verb), each.cells, each.known, each.full)


def _repeats(table: Table, user: str, item: str, kind: str | None, types: Sequence[EventType]) -> float:
    """The share of what users bought or played that they bought or played again; 0 where nobody did either.

    That an article is opened twice is no wish to be shown it again.
    """
    again = [each for each in types if each.meaning.verb in _REPEATED]
    if not again:
        return 0.0
    frame = table.sample.frame
    if kind is not None:
        frame = frame.filter(pl.col(kind).is_in([cell for each in again for cell in each.cells]))
    counts = frame.group_by(user, item).len()["len"]
    return int((counts > 1).sum()) / max(len(counts), 1)


def _half_life(table: Table, item: str, time: str, reading: Reading) -> int:
    """How many days trends take to halve: until enough happened in them to tell what does."""
    times = parse_times(table.sample.frame[time], reading.unit, reading.format).drop_nulls()
    if len(times) < 2:
        return 2
    # The middle half: a few wrong times do not stretch it.
    early, late = times.quantile(0.25), times.quantile(0.75)
    days = 2 * max((late or 0) - (early or 0), 1) / DAY
    # A head in the order of time is a part of the time; otherwise it is a part of what happened in all of it.
    in_order = float((times.diff().drop_nulls() >= 0).mean() or 0) >= 0.9  # type: ignore[arg-type]
    needed = (
        max(_LIVELY, 2 * table.columns[item].distinct)
        * days
        / (len(times) if in_order else max(table.sample.rows, 1))
    )
    return next((each for each in _HALF_LIVES if each >= needed), _HALF_LIVES[-1])
