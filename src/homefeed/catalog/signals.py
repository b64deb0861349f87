"""Signals: what all events together say of each item, as of a place in the log. Counted by training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Self, get_type_hints

import numpy as np
import numpy.typing as npt
import orjson

from homefeed.catalog.pairs import Pairs
from homefeed.catalog.windows import WINDOWS
from homefeed.model_files import (
    Header,
    headers_of,
    read_values,
    require,
    require_finite,
    require_headers,
    require_numbers,
)
from homefeed.types import Floats, Numbers, Positions, Times

Doubles = npt.NDArray[np.float64]

_COLUMNS = ("numbers", "events", "strength", "trend", "full")
_RECENT = ("recent", "latest")
_ENGAGEMENT = "engagement"
_FACTS = ("group_full", "default_full", "landmark", "watermark")
_PAIRS = "pairs."
_DISTINCT = "distinct."


@dataclass(frozen=True, slots=True)
class SignalsModel:
    """Counts (items,) by permanent number, and how far in the log they reach.

    `full` is each item's typical full value, `group_full` that of a group of items (by content type, say), or,
    where users are kept apart, of a group within a partition and of all of the partition, see `name_in`;
    `trend` is the sum of strength x 2^((time - landmark) / half_life), a forward decay: Cormode et al.,
    "Forward Decay" (ICDE 2009). Where a user counts once for an item, `pairs` are those that are counted.
    `recent` (items, windows) counts the last hour, day and week, as of each item's `latest` event (items,): both
    have no rows in models of earlier versions.
    `engagement` is the sum of strengths of all events, dislikes taken off; it has no rows in such models either.
    `distinct` maps an event type to the pairs (n, 2) of user and item it was told of, by their numbers, each once.
    """

    numbers: Numbers
    events: Doubles
    strength: Doubles
    trend: Doubles
    full: Floats
    group_full: Mapping[str, float]
    default_full: float
    landmark: int
    watermark: int
    distinct: Mapping[str, Numbers] = field(default_factory=dict)
    pairs: Pairs = field(default_factory=Pairs)
    recent: Doubles = field(default_factory=lambda: np.empty((0, len(WINDOWS))))
    latest: Times = field(default_factory=lambda: np.empty(0, np.int64))
    engagement: Doubles = field(default_factory=lambda: np.empty(0))

    def uncounted(self) -> Self:
        """The typical full values alone, to count all of the log anew."""
        none = np.zeros(len(self.numbers))
        return type(self)(self.numbers, none, none, none, self.full, self.group_full, self.default_full, 0, 0)

    def save(self, folder: Path) -> None:
        """Write to an empty folder."""
        columns = (
            _COLUMNS + (_RECENT if len(self.latest) else ()) + ((_ENGAGEMENT,) if len(self.engagement) else ())
        )
        arrays: dict[str, Any] = {name: getattr(self, name) for name in columns}
        arrays |= {f"{_PAIRS}{part.name}": getattr(self.pairs, part.name) for part in fields(Pairs)}
        arrays |= {f"{_DISTINCT}{name}": found for name, found in self.distinct.items()}
        np.savez(folder / "signals.npz", **arrays)
        facts = {name: getattr(self, name) for name in _FACTS}
        (folder / "signals.json").write_bytes(orjson.dumps(facts))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote.

        Raises:
            ArtifactError: it is not that, or holds what cannot be counted.
        """
        types = get_type_hints(cls)
        facts = read_values(folder / "signals.json", {name: types[name] for name in _FACTS})
        headers = headers_of(folder / "signals.npz")
        require_headers(headers, _expected(headers))
        with np.load(folder / "signals.npz", allow_pickle=False) as arrays:
            columns = {name: arrays[name] for name in (*_COLUMNS, *_RECENT, _ENGAGEMENT) if name in arrays.files}
            pairs = Pairs(*(arrays[f"{_PAIRS}{part.name}"] for part in fields(Pairs)))
            told = {n.removeprefix(_DISTINCT): arrays[n] for n in arrays.files if n.startswith(_DISTINCT)}
        require_numbers(columns["numbers"])
        require_finite(**columns, strengths=pairs.strengths)
        require(bool((columns.get("recent", np.zeros(0)) >= 0).all()), "recent events from 0")
        keys = pairs.keys
        require(
            not len(keys) or (int(keys[0]) >= 0 and bool((keys[1:] > keys[:-1]).all())), "rising keys of pairs"
        )
        # What has no strength has no level.
        require(bool((pairs.levels < np.inf).all()), "finite levels of pairs")
        for name, each in told.items():
            require(not each.size or int(each.min()) >= 0, f"numbers from 0 in {_DISTINCT}{name}")
        return cls(**columns, **facts, distinct=told, pairs=pairs)


def _expected(found: Mapping[str, Header]) -> dict[str, Header]:
    """The arrays that there have to be, and pairs of as many rows as are found."""
    items, pairs = (found[name].shape[:1] if name in found else (0,) for name in ("numbers", f"{_PAIRS}keys"))
    types = {"numbers": np.int32, "full": np.float32, "keys": np.int64, "strengths": np.float32}
    columns = {name: Header(items, types.get(name, np.float64)) for name in _COLUMNS}
    if "recent" in found or "latest" in found:
        columns |= {"recent": Header((*items, len(WINDOWS)), np.float64), "latest": Header(items, np.int64)}
    if _ENGAGEMENT in found:
        columns[_ENGAGEMENT] = Header(items, np.float64)
    counted = {f"{_PAIRS}{each.name}": Header(pairs, types.get(each.name, np.float64)) for each in fields(Pairs)}
    told = {name: header for name, header in found.items() if name.startswith(_DISTINCT)}
    return columns | counted | {name: Header((*header.shape[:1], 2), np.int32) for name, header in told.items()}


@dataclass(frozen=True, slots=True)
class Quantiles:
    """Of each item (items,) a quantile of its events' values, 0 without any, and how many there are."""

    values: Doubles
    seen: Doubles

    def take(self, items: npt.NDArray[np.intp]) -> Quantiles:
        """Those of some items."""
        return Quantiles(self.values[items], self.seen[items])


def quantiles_of(items: Positions, values: Floats, item_count: int, quantile: float) -> Quantiles:
    """Of each item's values above 0 that of rank floor(quantile x (n - 1)), from 0."""
    positive = values > 0
    items, values = items[positive], values[positive]
    order = np.lexsort((values, items))
    seen = np.bincount(items, minlength=item_count)
    last = np.cumsum(seen)
    rank = last - seen + np.floor(quantile * np.maximum(seen - 1, 0)).astype(np.int64)
    own = np.zeros(item_count)
    own[seen > 0] = values[order][rank[seen > 0]]
    return Quantiles(own, seen.astype(np.float64))


def typical_full(
    quantiles: Quantiles, groups: Sequence[str], *, shrinkage: float, default: float
) -> tuple[Floats, dict[str, float]]:
    """Each item's typical full value (items,), and each group's.

    An item's is the quantile of its events' values, drawn to its group's by `shrinkage` imaginary events;
    a group's is the median of its items' quantiles; `default` where nothing is known. `groups` (items,) is ""
    for items without one.
    """
    own, seen, count = quantiles.values, quantiles.seen, len(groups)
    names = np.asarray(groups, dtype=object)
    known = seen > 0
    overall = float(np.median(own[known])) if known.any() else default
    prior = np.full(count, overall)
    of_group = {}
    for name in sorted(set(groups) - {""}):
        members = names == name
        if (members & known).any():
            of_group[name] = float(np.median(own[members & known]))
            prior[members] = of_group[name]
    full = (seen * own + shrinkage * prior) / np.maximum(seen + shrinkage, 1e-9)
    of_group[""] = overall
    return np.where(known, full, prior).astype(np.float32), of_group


def counts_of(
    items: Positions, strengths: Floats, left: Doubles, item_count: int
) -> tuple[Doubles, Doubles, Doubles]:
    """(items,) how many events of each, their strength, and what is left of it; of events (n,) that count."""
    weighed = (None, strengths, left)
    events, strength, trend = (np.bincount(items, by, item_count).astype(np.float64) for by in weighed)
    return events, strength, trend
