"""The MIND sample as files that an app imports: items, users, events and impressions."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

_WRITTEN: Final = "%m/%d/%Y %I:%M:%S %p"
_BEFORE: Final = datetime(2019, 11, 8, tzinfo=UTC)
"""Histories are from the weeks before the sample, which begins a day later."""
_OLD: Final = datetime(2019, 10, 1, tzinfo=UTC)
_READING: Final = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Shown:
    """One impression: who was shown what when, whether each was clicked, and what they had clicked before."""

    number: str
    user: str
    time: datetime
    history: tuple[str, ...]
    items: tuple[str, ...]
    clicked: tuple[bool, ...]


def read_impressions(path: Path) -> list[Shown]:
    """The impressions of a file of MIND, in the order of time."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        found = [_read(line.rstrip("\n").split("\t")) for line in lines]
    return sorted(found, key=lambda shown: (shown.time, int(shown.number)))


def write_files(shown: Sequence[Shown], folder: Path) -> None:
    """Write items, users, events and impressions.

    Of a history no times are known, but for its order and that it is of the weeks before: its clicks are told an
    hour apart, the last a day before the sample begins, so that they say what a user likes and not what is read
    now. An item is as old as its first showing; those of histories are of before.
    """
    histories = {each.user: each.history for each in shown}
    created = {item: _OLD for history in histories.values() for item in history}
    for each in shown:
        for item in each.items:
            created.setdefault(item, each.time)
    _write(folder / "items.csv", ("item_id", "created_at"), ((i, t.isoformat()) for i, t in created.items()))
    _write(folder / "users.csv", ("user_id",), ((user,) for user in histories))
    events = ("user_id", "item_id", "event_type", "timestamp")
    _write(folder / "events.csv", events, [*_told(histories), *_clicks(shown)])
    rows = (
        (each.number, each.time.isoformat(), each.user, item, place)
        for each in shown
        for place, item in enumerate(each.items)
    )
    _write(folder / "impressions.csv", ("request_id", "timestamp", "user_id", "item_id", "place"), rows)


def _read(cells: list[str]) -> Shown:
    number, user, time, history, candidates = cells
    shown = [candidate.rsplit("-", 1) for candidate in candidates.split()]
    return Shown(
        number,
        user,
        datetime.strptime(time, _WRITTEN).replace(tzinfo=UTC),
        tuple(history.split()),
        tuple(item for item, _ in shown),
        tuple(clicked == "1" for _, clicked in shown),
    )


def _told(histories: dict[str, tuple[str, ...]]) -> Iterator[tuple[str, ...]]:
    for user, history in histories.items():
        for back, item in enumerate(reversed(history)):
            yield user, item, "click", (_BEFORE - timedelta(hours=back)).isoformat()


def _clicks(shown: Sequence[Shown]) -> Iterator[tuple[str, ...]]:
    for each in shown:
        for item, clicked in zip(each.items, each.clicked, strict=True):
            if clicked:
                yield each.user, item, "click", (each.time + _READING).isoformat()


def _write(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
