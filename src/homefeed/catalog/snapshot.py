"""The catalogue as of one moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from homefeed.types import NO_POSITIONS, Mask, Numbers, Positions, Times


@dataclass(frozen=True, slots=True, eq=False)
class CatalogSnapshot:
    """An app's items as they were published last: `size` of them, as columns (items,), whatever comes later.

    The arrays are those of the catalogue, not copies: a later change of one of these items may show, a later item
    does not. `generation` grows with every change, `revisions` whenever an item can no longer be shown or says
    other words. `numbers` are permanent, `available` are the items neither hidden nor deleted, `created` is
    NO_TIME where nobody knows, `changed` the generation of each item's latest change; `position_of_number` has -1
    for items not here, or no more. `recent` are the latest generations, oldest first, each with what changed then.
    """

    size: int
    generation: int
    revisions: int
    numbers: Numbers
    available: Mask
    created: Times
    changed: npt.NDArray[np.int64]
    position_of_number: Positions
    recent: tuple[tuple[int, Positions], ...] = ()

    def changed_since(self, generation: int) -> Positions:
        """The positions that came or changed after that generation, rising."""
        if self.recent and self.recent[0][0] <= generation + 1:
            # As mostly: whoever takes over each change need not look at every item for it.
            parts = [positions for of, positions in self.recent if of > generation]
            return np.sort(parts[0]) if len(parts) == 1 else np.unique(np.concatenate([NO_POSITIONS, *parts]))
        return np.flatnonzero(self.changed > generation).astype(np.int32)

    def positions(self, numbers: npt.NDArray[np.integer[Any]]) -> Positions:
        """The positions of permanent numbers; -1 for those not here, or no more."""
        known = self.position_of_number
        inside = (numbers >= 0) & (numbers < len(known))
        found = np.where(inside, known[np.where(inside, numbers, 0)] if len(known) else -1, -1)
        # A number that was free may be that of a later item by now.
        return np.where(found < self.size, found, -1).astype(np.int32)
