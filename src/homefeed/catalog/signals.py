"""Signals: what all events together say of each item, as of a place in the log. Counted by training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import orjson

from homefeed.types import Floats, Interactions, Numbers, Positions

Doubles = npt.NDArray[np.float64]

_COLUMNS = ("numbers", "events", "strength", "trend", "full")
_DISTINCT = "distinct."


@dataclass(frozen=True, slots=True)
class SignalsModel:
    """Counts (items,) by permanent number, and how far in the log they reach.

    `full` is each item's typical full value, `group_full` that of a group of items (by content type, say);
    `trend` is the sum of strength x 2^((time - landmark) / half_life), a forward decay: Cormode et al.,
    "Forward Decay" (ICDE 2009). `distinct` maps an event type to the pairs (n, 2) of user and item it was told
    of, by their numbers, each once.
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

    def uncounted(self) -> Self:
        """The typical full values alone, to count all of the log anew."""
        none = np.zeros(len(self.numbers))
        return type(self)(self.numbers, none, none, none, self.full, self.group_full, self.default_full, 0, 0)

    def save(self, folder: Path) -> None:
        """Write to an empty folder."""
        arrays: dict[str, Any] = {name: getattr(self, name) for name in _COLUMNS}
        pairs = {f"{_DISTINCT}{name}": found for name, found in self.distinct.items()}
        np.savez(folder / "signals.npz", **arrays | pairs)
        facts = {name: getattr(self, name) for name in ("group_full", "default_full", "landmark", "watermark")}
        (folder / "signals.json").write_bytes(orjson.dumps(facts))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        with np.load(folder / "signals.npz", allow_pickle=False) as arrays:
            columns = {name: arrays[name] for name in arrays.files if not name.startswith(_DISTINCT)}
            pairs = {n.removeprefix(_DISTINCT): arrays[n] for n in arrays.files if n.startswith(_DISTINCT)}
        return cls(**columns, **orjson.loads((folder / "signals.json").read_bytes()), distinct=pairs)


def typical_full(
    items: Positions,
    values: Floats,
    groups: Sequence[str],
    *,
    quantile: float,
    shrinkage: float,
    default: float,
) -> tuple[Floats, dict[str, float]]:
    """Each item's typical full value (items,), and each group's.

    An item's is the `quantile` of its events' values, drawn to its group's by `shrinkage` imaginary events;
    a group's is the median of its items' quantiles; `default` where nothing is known. `groups` (items,) is ""
    for items without one.
    """
    count = len(groups)
    positive = values > 0
    own, seen = _quantiles(items[positive], values[positive], count, quantile)
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


def trend_of(interactions: Interactions, item_count: int, half_life: float, landmark: int) -> Doubles:
    """(items,) forward-decayed sums of strength; `half_life` in microseconds."""
    weight = np.exp2((interactions.times - landmark) / half_life) * np.maximum(interactions.strengths, 0)
    return np.bincount(interactions.items, weight, minlength=item_count).astype(np.float64)


def _quantiles(items: Positions, values: Floats, count: int, quantile: float) -> tuple[Doubles, Doubles]:
    order = np.lexsort((values, items))
    seen = np.bincount(items, minlength=count)
    last = np.cumsum(seen)
    rank = last - seen + np.floor(quantile * np.maximum(seen - 1, 0)).astype(np.int64)
    own = np.zeros(count)
    own[seen > 0] = values[order][rank[seen > 0]]
    return own, seen.astype(np.float64)
