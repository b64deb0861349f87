"""How much people did with an item, by what each thing they did is worth."""

from __future__ import annotations

import numpy as np

from homefeed.catalog import Resources
from homefeed.catalog.refreshed import Refreshed
from homefeed.protocols import PartConfig
from homefeed.rank.kernels import Doubles
from homefeed.types import Candidates, Floats, Query


class Engagement:
    """How much people did with the item: ln(1 + raw) over that of the item of the catalogue that has most, from 0
    to 1; of the item's own group, where the recipe keeps groups apart. raw is the sum of the strengths of all its
    events, less those of dislikes, and 0 where that is below it: with weights of 10 for an application, 1 for a
    view and -5 for a dismissal, what counts is how many of each.

    Unlike `popularity` it counts every event, however often one user did it, and goes by the whole catalogue, so
    that the feature of an item is the same for all who ask. Events count as they arrive.
    """

    class Config(PartConfig):
        """Nothing to set."""

    names = ("engagement",)

    def __init__(self, config: Config, resources: Resources) -> None:  # noqa: ARG002
        self._counters, self._catalog = resources.counters, resources.catalog
        self._partitions = resources.partitions
        self._most = Refreshed(self._find_most, lambda: (self._counters.version, self._catalog.generation))

    def refresh(self) -> None:
        """Find the most of the catalogue anew where events arrived."""
        self._most.refresh()

    def extract(self, query: Query, candidates: Candidates) -> Floats:  # noqa: ARG002
        """(n, 1) from 0 to 1."""
        positions, most = candidates.positions, self._most.latest()
        logs = np.log1p(np.maximum(self._counters.engagement[positions], 0))
        codes = self._partitions.codes(self._catalog.size)[positions]
        # Of a partition that is newer than the refresh the most is not known yet.
        of_each = most[np.where(codes < len(most) - 1, codes, -1)]
        return np.minimum(logs / of_each, 1).astype(np.float32)[:, None]

    def _find_most(self) -> Doubles:
        """(partitions + 1,) the most in each, the last of items without one; 1 where nothing was done."""
        size = self._catalog.size
        codes = self._partitions.codes(size)
        raw = np.where(self._catalog.available[:size], self._counters.engagement[:size], 0)
        most = np.zeros(codes.max(initial=-1) + 2)
        np.maximum.at(most, codes, raw)
        return np.where(most > 0, np.log1p(most), 1.0)
