"""How much an event says about taste: the weight of its type times its share of a full one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from homefeed.kernels import BOOL, F32, I32, kernel, reads, writes
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
    return _strengths(weights.weight, weights.full, weights.typical, types, values, item_full)


@kernel(
    writes(F32),
    *(reads(F32), reads(F32), reads(BOOL), reads(I32), reads(F32), reads(F32)),
    error_model="numpy",
)
def _strengths(
    weight: Floats, full: Floats, typical: Mask, types: Codes, values: Floats, item_full: Floats
) -> Floats:
    """What `strengths` says, in one pass."""
    found, nothing, whole = np.zeros(len(types), np.float32), np.float32(0), np.float32(1)
    for row in range(len(types)):
        code = types[row]
        if code >= 0:
            share = values[row] / (item_full[row] if typical[code] else full[code])
            found[row] = weight[code] * (whole if np.isnan(share) else min(max(share, nothing), whole))
    return found
