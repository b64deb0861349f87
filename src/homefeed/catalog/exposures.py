"""Exposures: how often each item was shown and chosen, as of a moment in the log."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final, Self, TypeAlias

import numpy as np
import numpy.typing as npt
import orjson

from homefeed.catalog.windows import WINDOWS
from homefeed.model_files import Header, headers_of, read_values, require, require_finite, require_headers
from homefeed.types import Mask, Numbers, Times

Doubles: TypeAlias = npt.NDArray[np.float64]

MOST_PLACES: Final = 200
"""Places from here on count as the last of these."""
_PRIOR_RATE: Final = 0.05
_PRIOR_SHOWINGS: Final = 1_000.0
_FACTS: Final = {"until": int, "watermark": int, "pages": int}
_FILE: Final = "exposures.npz"
_FACTS_FILE: Final = "exposures.json"


@dataclass(frozen=True, slots=True, eq=False)
class _Columns:
    """Base of columns (n,) that belong together."""

    times: Times = field(default_factory=lambda: np.empty(0, np.int64))

    def __len__(self) -> int:
        return len(self.times)

    def take(self, rows: npt.NDArray[np.intp] | Mask | slice) -> Self:
        """The chosen rows, in the order given."""
        return type(self)(**{each.name: getattr(self, each.name)[rows] for each in fields(self)})

    def joined(self, others: Self) -> Self:
        """These and others after them."""
        both = {each.name: [getattr(self, each.name), getattr(others, each.name)] for each in fields(self)}
        return type(self)(**{name: np.concatenate(columns) for name, columns in both.items()})


@dataclass(frozen=True, slots=True, eq=False)
class Choices(_Columns):
    """Events that serve the goal, their users and items by number."""

    users: Numbers = field(default_factory=lambda: np.empty(0, np.int32))
    items: Numbers = field(default_factory=lambda: np.empty(0, np.int32))


@dataclass(frozen=True, slots=True, eq=False)
class Showings(Choices):
    """Items as shown to known users, in the order of time. `places` count from 0."""

    places: Numbers = field(default_factory=lambda: np.empty(0, np.int32))


@dataclass(frozen=True, slots=True, eq=False)
class LatestShowings(_Columns):
    """The latest showing of each pair of a user and an item that an event may still belong to.

    `keys` rise; `chosen` are those that an event was put down to already.
    """

    keys: npt.NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    places: Numbers = field(default_factory=lambda: np.empty(0, np.int32))
    chosen: Mask = field(default_factory=lambda: np.empty(0, np.bool_))


@dataclass(frozen=True, slots=True, eq=False)
class ExposuresModel:
    """What was shown before `until`, and what of it was chosen.

    `expected` (numbers, windows) is how often an item, by its permanent number, would have been chosen were it
    like the others in the places where it was shown, `chosen` how often it was: clicks over expected clicks (Zhang
    & Jones, "Comparing Click Logs and Editorial Labels for Training Query Rewriting", 2007). Both fade, see
    `WINDOWS`. `place_shown` and `place_chosen` (places,) count all items by where they stood, and `place_rates`
    are those of the days before, by which today's showings are expected. `waiting` are choices of a time from
    `until` on; `watermark` is how far in the log they reach, and `pages` how many pages were counted.
    """

    until: int = 0
    watermark: int = 0
    pages: int = 0
    expected: Doubles = field(default_factory=lambda: np.zeros((0, len(WINDOWS))))
    chosen: Doubles = field(default_factory=lambda: np.zeros((0, len(WINDOWS))))
    place_shown: Doubles = field(default_factory=lambda: np.zeros(MOST_PLACES))
    place_chosen: Doubles = field(default_factory=lambda: np.zeros(MOST_PLACES))
    place_rates: Doubles = field(default_factory=lambda: np.full(MOST_PLACES, _PRIOR_RATE))
    latest: LatestShowings = field(default_factory=LatestShowings)
    waiting: Choices = field(default_factory=Choices)

    def of(self, numbers: Numbers) -> tuple[Doubles, Doubles]:
        """(n, windows) how often items were expected to be chosen, and were; 0 of those never shown."""
        rows = np.flatnonzero(numbers < len(self.expected))
        expected, chosen = np.zeros((2, len(numbers), len(WINDOWS)))
        expected[rows], chosen[rows] = self.expected[numbers[rows]], self.chosen[numbers[rows]]
        return expected, chosen

    def save(self, folder: Path) -> None:
        """Write to an empty folder."""
        arrays: dict[str, Any] = _arrays(self)
        np.savez(folder / _FILE, **arrays)
        (folder / _FACTS_FILE).write_bytes(orjson.dumps({name: getattr(self, name) for name in _FACTS}))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote.

        Raises:
            ArtifactError: it is not that, or holds what cannot be counted.
        """
        facts = read_values(folder / _FACTS_FILE, _FACTS)
        found = headers_of(folder / _FILE)
        require_headers(found, _expected(found))
        with np.load(folder / _FILE, allow_pickle=False) as arrays:
            read = {name: arrays[name] for name in arrays.files}
        counts = {
            name: read[name] for name in ("expected", "chosen", "place_shown", "place_chosen", "place_rates")
        }
        require_finite(**counts)
        require(all(bool((each >= 0).all()) for each in counts.values()), "counts from 0")
        latest = LatestShowings(**{each.name: read[f"latest.{each.name}"] for each in fields(LatestShowings)})
        waiting = Choices(**{each.name: read[f"waiting.{each.name}"] for each in fields(Choices)})
        keys, places = latest.keys, latest.places
        require(bool((keys[1:] > keys[:-1]).all()) and bool((keys >= 0).all()), "rising keys of showings")
        require(bool(((places >= 0) & (places < MOST_PLACES)).all()), "places of showings")
        require(bool((waiting.items >= 0).all() and (waiting.users >= 0).all()), "numbers of choices from 0")
        return cls(**facts, **counts, latest=latest, waiting=waiting)


class Exposures:
    """The exposures that answer now: one model until the next takes its place, whoever reads the one before."""

    def __init__(self, model: ExposuresModel | None = None) -> None:
        self.model = ExposuresModel() if model is None else model


def place_rates(shown: Doubles, chosen: Doubles) -> Doubles:
    """(places,) how likely an item is to be chosen in each, drawn to the mean of all while little is known."""
    mean = (chosen.sum() + _PRIOR_RATE * _PRIOR_SHOWINGS) / (shown.sum() + _PRIOR_SHOWINGS)
    rates: Doubles = (chosen + mean * _PRIOR_SHOWINGS) / (shown + _PRIOR_SHOWINGS)
    return rates


def _arrays(model: ExposuresModel) -> dict[str, npt.NDArray[Any]]:
    arrays = {each.name: getattr(model, each.name) for each in fields(model) if each.name not in _FACTS}
    for name in ("latest", "waiting"):
        columns = arrays.pop(name)
        arrays |= {f"{name}.{each.name}": getattr(columns, each.name) for each in fields(columns)}
    return arrays


def _expected(found: dict[str, Header]) -> dict[str, Header]:
    """The arrays of a model that has as many items, showings and choices as are found."""
    one = _arrays(ExposuresModel())
    rows = {name: found[name].shape[:1] if name in found else (0,) for name in one}
    lengths = {"chosen": rows["expected"], "expected": rows["expected"]}
    lengths |= {name: rows["latest.keys"] for name in one if name.startswith("latest.")}
    lengths |= {name: rows["waiting.users"] for name in one if name.startswith("waiting.")}
    return {
        name: Header((*lengths.get(name, array.shape[:1]), *array.shape[1:]), array.dtype.type)
        for name, array in one.items()
    }
