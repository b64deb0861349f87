"""Why files are not used, and which of them look like events all the same."""

from __future__ import annotations

from collections.abc import Sequence

from homefeed.propose.kinds import Files, Table, sides_of
from homefeed.propose.times import speaks_of_time
from homefeed.propose.words import EVENTS, words_of


def unused(files: Files, tables: Sequence[Table]) -> dict[str, str]:
    """Each file that is not used, with why."""
    return {table.name: _why(files, table, tables) for table in tables if files.kind_of(table) == "nothing"}


def suspects(files: Files, tables: Sequence[Table]) -> list[str]:
    """The files that look like events but are not used, where there are no others of events."""
    left = [table for table in tables if files.kind_of(table) == "nothing"]
    return [] if files.events is not None else [table.name for table in left if _looks_like_events(table, tables)]


def without_times(table: Table, user: str, item: str) -> str:
    """What is wrong with events without times, and what to do about it."""
    left = [each for name, each in table.columns.items() if name not in {user, item}]
    nearest = next((each for each in left if speaks_of_time(each.name)), None) or next(
        (each for each in left if any(any(map(str.isdigit, cell)) for cell in each.examples)), None
    )
    said = f"{table.name}: looks like events, by {user} and {item}, but no column holds times"
    if nearest is None:
        return f"{said}; add one, for every event has a timestamp"
    example = nearest.examples[0][:40] if nearest.examples else ""
    return (
        f'{said}; the nearest is {nearest.name}, with "{example}": write its cells as 2026-01-31 18:30:00 or as '
        "seconds since 1970, or add a column timestamp"
    )


def _looks_like_events(table: Table, tables: Sequence[Table]) -> bool:
    named = bool(set(words_of(table.sample.stem)) & EVENTS)
    users, items, linked = sides_of(table, tables)
    timed = any(each.is_time for each in table.columns.values())
    return (named and (timed or bool(linked))) or (timed and bool(users or items or linked))


def _why(files: Files, table: Table, tables: Sequence[Table]) -> str:
    if files.events is not None:
        if _looks_like_events(table, tables):
            return f"one file of events is read, and that is {files.events.name}"
        return f"no column of {files.events.name} holds its ids"
    users, items, _ = sides_of(table, tables)
    missing = [
        *(() if users else ("as who (ids of users): call it user_id",)),
        *(() if items else ("as what (ids of items): call it item_id",)),
        *(() if any(each.is_time for each in table.columns.values()) else ("as when: call it timestamp",)),
    ]
    if missing:
        return f"no column is recognised {'; none '.join(missing)}"
    return "who and what are the same column"
