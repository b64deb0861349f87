"""The types of events: which column holds them, and what each of its cells says about taste."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from homefeed.propose.hanging import hangs_on
from homefeed.propose.kinds import Table
from homefeed.propose.profile import Profile
from homefeed.propose.reading import distinct_cells
from homefeed.propose.vocabulary import Meaning, meaning_of
from homefeed.propose.words import says, slug, words_of

_NAMES: Final = (
    "event type", "eventtype", "event name", "event", "action", "activity", "interaction", "behavior", "behaviour",
    "type", "kind", "verb", "vorgang", "vorgangsart", "ereignis", "aktion", "aktivitat", "art", "typ", "evenement",
    "evento", "accion", "tipo",
)  # fmt: skip
_OTHERS: Final = (
    "id", "device", "os", "platform", "browser", "app", "client", "country", "city", "region", "state", "language",
    "lang", "locale", "currency", "channel", "source", "medium", "campaign", "referrer", "payment", "shipping",
    "store", "shop", "branch", "size", "color", "colour", "category", "brand", "gender", "sex", "plan", "variant",
    "experiment", "content type", "page type", "user type", "item type", "product type", "land", "stadt", "ort",
    "farbe", "grosse", "sprache", "filiale", "kanal", "zahlung", "zahlungsart", "wahrung", "pays", "ville",
    "langue", "pais", "ciudad", "idioma",
)  # fmt: skip
"""What says how or where something happened: few values, but no types."""

MOST_TYPES: Final = 40


@dataclass(frozen=True, slots=True)
class EventType:
    """A type of event as the recipe will have it; `full` and `max_value` are as written there."""

    name: str
    meaning: Meaning
    cells: tuple[str, ...]
    known: bool = True
    full: str | None = None
    about_query: bool = False


def type_column(table: Table, columns: Mapping[str, Profile], user: str, item: str, *, guess: bool) -> str | None:
    """The column that says what happened: its cells are words that are known, or its name speaks of types.

    With `guess` it also is the first one of few values that hang on neither the user nor the item.
    """
    best, most, others = None, 0.0, []
    for name, profile in columns.items():
        told_apart = profile.unique <= 0.9 or says(name, *_NAMES[:4])
        if profile.distinct > MOST_TYPES or profile.letters < 0.8 or profile.is_time or not told_apart:
            continue
        values = table.values(name)
        known = sum(meaning_of(each) is not None for each in values) / max(len(values), 1)
        aside = says(name, *_OTHERS)
        named = next((1.0 - 0.02 * place for place, each in enumerate(_NAMES) if says(name, each)), 0.0)
        likely = known > 0.9 or (named > 0 and not aside)
        if likely and known + named > most:
            best, most = name, known + named
        if not aside and _tells(profile) and not any(hangs_on(table, key, name) for key in (user, item)):
            others.append((known, name))
    if best is None and others and guess:
        return max(others, key=lambda each: each[0])[1]
    return best


def _tells(profile: Profile) -> bool:
    return profile.distinct >= 2 and profile.unique <= 0.5 and profile.flags < 1 and profile.words <= 4


def types_of(table: Table, column: str) -> tuple[tuple[EventType, ...], Any]:
    """A type for each cell of the column, in the whole file; cells that differ in case or in how a word is written
    are one."""
    cells = [cell.strip() for cell in distinct_cells(table.sample, column, MOST_TYPES) if cell.strip()]
    by_name: dict[str, list[str]] = {}
    names = {cell: slug(cell) if words_of(cell) else f"type_{n}" for n, cell in enumerate(cells, 1)}
    for cell, name in names.items():
        by_name.setdefault(name, []).append(cell)
    types = []
    for made, written in by_name.items():
        found = meaning_of(written[0])
        meaning = found[1] if found is not None else Meaning(1, "chose", True)
        about = found is not None and found[0] == "search"
        types.append(EventType(made, meaning, tuple(written), found is not None, about_query=about))
    spec: dict[str, Any] = {"column": column}
    if any(cell != cell.lower() for cell in cells):
        spec["case"] = "lower"
    # The words of addToCart are told by the cell as it stands, before its letters are made lower case.
    if any(name != cell.lower() for cell, name in names.items()):
        spec["map"] = {cell.lower(): name for cell, name in names.items()}
    return tuple(types), spec if len(spec) > 1 else column
