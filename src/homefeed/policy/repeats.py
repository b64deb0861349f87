"""How rerankers leave out what a list has already under another id, and say so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from homefeed.catalog import CatalogView
from homefeed.catalog.groups import Groups
from homefeed.policy.kernels import first_of_groups
from homefeed.policy.shown import shown_before
from homefeed.types import Candidates, Dropped, Query


@dataclass(frozen=True, slots=True)
class Repeats:
    """What the reranker `by` leaves out, and why: an item `is_like` another, such as "the same as"."""

    by: str
    is_like: str
    catalog: CatalogView

    def one_of_each(self, query: Query, candidates: Candidates, groups: Groups, *, drop: bool) -> Candidates:
        """The best-ranked of each group, none of one that was shown, is excluded or asked about.

        Without `drop`, the others come after them.
        """
        codes = groups.of_all()
        if not groups.has_any:
            return candidates
        own = codes[candidates.positions]
        first, shown = first_of_groups(own), shown_before(query, own, codes)
        keep = (first == np.arange(len(own))) & ~shown
        if keep.all():
            return candidates
        gone = np.flatnonzero(~keep)
        if not drop:
            return candidates.take(np.concatenate([np.flatnonzero(keep), gone]))
        better = np.where(shown[gone], -1, candidates.positions[first[gone]])
        return self.without(
            candidates, dict(zip(candidates.positions[gone].tolist(), better.tolist(), strict=True))
        )

    def without(self, candidates: Candidates, better: Mapping[int, int]) -> Candidates:
        """Without some items, each like a better one, which is -1 where that was shown before."""
        if not better:
            return candidates
        dropped = candidates.dropped
        before = [position for position, other in better.items() if other < 0]
        lower = [position for position, other in better.items() if other >= 0]
        if before:
            why = f"{self.is_like} an item shown before, excluded or asked about"
            dropped = (*dropped, Dropped(self.by, np.array(before, np.int32), why))
        if lower:
            dropped = (*dropped, Dropped(self.by, np.array(lower, np.int32), partial(self._why, better)))
        keep = ~np.isin(candidates.positions, np.array([*better], np.int32))
        return replace(candidates.take(keep), dropped=dropped)

    def _why(self, better: Mapping[int, int], position: int) -> str:
        return f'{self.is_like} "{self.catalog.title(better[position])}", which ranks higher'
