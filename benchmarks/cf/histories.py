"""What users chose in order, from files of the usual kinds, and how that is divided for next-item tests."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from benchmarks.cf.lightgcn import read_pairs
from homefeed.types import DAY, SECOND, Interactions, TrainingData

Protocol: TypeAlias = Literal["leave-one-out", "last-fifth", "time"]
PROTOCOLS: Final[Mapping[Protocol, str]] = {
    "leave-one-out": "each user's last item is the target; the one before it is kept from training, too",
    "last-fifth": "the last fifth of each user's items",
    "time": "what comes in the latest tenth of the time, of users with items before it",
}
Items: TypeAlias = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Histories:
    """The items and times of each user, oldest first, numbered from 0; `terms` are the items' words by field."""

    items: Sequence[Items]
    times: Sequence[npt.NDArray[np.int64]]
    item_count: int
    terms: Mapping[str, Sequence[tuple[str, ...]]]


@dataclass(frozen=True, slots=True, eq=False)
class NextItems:
    """What is trained on, and for each user asked what they had by then and came to next."""

    train: TrainingData
    histories: Sequence[Items]
    targets: Sequence[Items]


def read_histories(path: Path, attributes: Path | None) -> Histories:
    """A file of lines `user item item ...`, oldest first, or a table of columns userId, movieId and timestamp.

    Attributes are a table of movieId, title and genres, or an object from each item to a list.

    Raises:
        ValueError: a file is not of these kinds.
    """
    users, names, times = _table(path) if path.suffix == ".csv" else _lines(path)
    numbers, items = np.unique(names, return_inverse=True)
    order = np.lexsort((np.arange(len(users)), times, users))
    users, items, times = users[order], items[order].astype(np.int32), times[order]
    starts = np.flatnonzero(np.append(True, users[1:] != users[:-1]))[1:]
    terms = {} if attributes is None else _terms(attributes, [str(number) for number in numbers.tolist()])
    return Histories(np.split(items, starts), np.split(times, starts), len(numbers), terms)


def divided(all_: Histories, protocol: Protocol, *, validation: bool, seed: int) -> NextItems:
    """By a protocol; for `validation` the same again of what training would have seen of that."""
    items, times = all_.items, all_.times
    cut = {"leave-one-out": _last, "last-fifth": _last_fifth, "time": _latest}[protocol]
    until = cut(times)
    if validation:
        items = [own[:end] for own, end in zip(items, until, strict=True)]
        times = [own[:end] for own, end in zip(times, until, strict=True)]
        until = cut(times)
    trained = [max(end - (protocol == "leave-one-out"), 0) for end in until]
    asked = [row for row, own in enumerate(items) if 0 < until[row] < len(own)]
    histories = [items[row][: until[row]] for row in asked]
    targets = [_new(items[row][until[row] :], items[row][: until[row]]) for row in asked]
    kept = [row for row, wanted in enumerate(targets) if len(wanted)]
    return NextItems(
        _training(all_, [own[:end] for own, end in zip(items, trained, strict=True)], trained, times, seed),
        [histories[row] for row in kept],
        [targets[row] for row in kept],
    )


def _new(chosen: Items, known: Items) -> Items:
    return np.unique(chosen[~np.isin(chosen, known)])


def _last(times: Sequence[npt.NDArray[np.int64]]) -> list[int]:
    return [max(len(own) - 1, 0) for own in times]


def _last_fifth(times: Sequence[npt.NDArray[np.int64]]) -> list[int]:
    return [len(own) - max(1, round(0.2 * len(own))) for own in times]


def _latest(times: Sequence[npt.NDArray[np.int64]]) -> list[int]:
    cutoff = np.quantile(np.concatenate(times), 0.9)
    return [int(np.searchsorted(own, cutoff)) for own in times]


def _training(
    all_: Histories,
    items: Sequence[Items],
    trained: Sequence[int],
    times: Sequence[npt.NDArray[np.int64]],
    seed: int,
) -> TrainingData:
    users = np.repeat(np.arange(len(items), dtype=np.int32), trained)
    chosen = np.concatenate(items)
    when = np.concatenate([own[:end] for own, end in zip(times, trained, strict=True)])
    order = np.argsort(when, kind="stable")
    count = len(order)
    events = Interactions(
        users[order],
        chosen[order],
        np.zeros(count, np.int32),
        np.full(count, np.nan, np.float32),
        np.ones(count, np.float32),
        when[order],
    )
    numbers = np.arange(all_.item_count, dtype=np.int32)
    return TrainingData(events, len(items), numbers, all_.terms, int(when.max(initial=0)) + 1, seed)


Columns: TypeAlias = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]


def _lines(path: Path) -> Columns:
    """The n-th item of a line is of the n-th day: lines tell no time."""
    users, items = read_pairs(path)
    starts = np.flatnonzero(np.append(True, users[1:] != users[:-1]))
    places = np.arange(len(users)) - np.repeat(starts, np.diff(np.append(starts, len(users))))
    return users, items, places * DAY


def _table(path: Path) -> Columns:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    if not rows or not {"userId", "movieId", "timestamp"} <= rows[0].keys():
        raise ValueError(f"{path}: expected the columns userId, movieId and timestamp")
    columns = [np.array([int(row[name]) for row in rows], np.int64) for name in ("userId", "movieId", "timestamp")]
    return columns[0], columns[1], columns[2] * SECOND


def _terms(path: Path, names: Sequence[str]) -> dict[str, list[tuple[str, ...]]]:
    if path.suffix == ".csv":
        with path.open(encoding="utf-8", newline="") as file:
            known = {row["movieId"]: row for row in csv.DictReader(file)}
        titles = [(known[name]["title"],) if name in known else () for name in names]
        genres = [tuple(known[name]["genres"].split("|")) if name in known else () for name in names]
        return {"title": titles, "genre": genres}
    with gzip.open(path, "rt", encoding="utf-8") as packed:
        listed = json.load(packed)
    return {"attributes": [tuple(f"a{code}" for code in listed.get(name, ())) for name in names]}
