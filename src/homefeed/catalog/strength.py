"""How much an event says about taste: the weight of its type times its share of a full one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from homefeed.types import Codes, Floats, Mask


@dataclass(frozen=True, slots=True)
class EventWeights:
    """The recipe's event types as columns (types,).

    `full` is the value that counts whole; NaN where every event does. `typical` tells that each item's own
    typical full value takes its place.
    """

    names: tuple[str, ...]
    weight: Floats
    full: Floats
    typical: Mask

    def codes(self, types: Sequence[str]) -> Codes:
        """Event types as indices into `names`; -1 for a type nobody declared."""
        index = {name: code for code, name in enumerate(self.names)}
        return np.fromiter((index.get(name, -1) for name in types), np.int32, len(types))


def strengths(weights: EventWeights, types: Codes, values: Floats, item_full: Floats) -> Floats:
    """(n,) weight x min(value / full, 1). `item_full` (n,) is each event's item's typical full value.

    An event without a value, or of a type that has no full value, counts whole; one of an unknown type not.
    """
    full = np.where(weights.typical[types], item_full, weights.full[types])
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.clip(values / full, 0.0, 1.0)
    whole = np.where(np.isnan(share), np.float32(1.0), share)
    return np.where(types < 0, np.float32(0.0), weights.weight[types] * whole).astype(np.float32)
