"""What users chose on one occasion, as a sparse matrix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from homefeed.types import SECOND, Codes, TrainingData

Held: TypeAlias = "sp.csr_array[np.int32]"


@dataclass(frozen=True, slots=True, eq=False)
class Baskets:
    """What was chosen together.

    `held` (baskets, items) is 1 where the basket holds the item. `owners` (baskets,) rise from 0: what several
    baskets of one owner hold counts once.
    """

    held: Held
    owners: Codes

    @property
    def count(self) -> int:
        """How many owners there are."""
        return int(self.owners[-1]) + 1 if len(self.owners) else 0

    def holders(self) -> npt.NDArray[np.int64]:
        """(items,) how many owners have each in a basket."""
        owners = np.repeat(self.owners.astype(np.int64), np.diff(self.held.indptr))
        pairs = np.unique(owners * self.held.shape[1] + self.held.indices)
        return np.bincount(pairs % self.held.shape[1], minlength=self.held.shape[1])


_MINUTE: Final = 60 * SECOND


def baskets_of(
    data: TrainingData, gap_minutes: float, max_items_per_basket: int, once_per_user: bool = True
) -> Baskets:
    """The baskets of two items and more: one item shows nothing of what goes together.

    A basket ends where more than `gap_minutes` lie before the next event of its user; dislikes are not looked at.
    Of more than `max_items_per_basket` different items the latest count. Users own their baskets; without
    `once_per_user` each basket is its own.
    """
    events = data.interactions.take(data.interactions.strengths > 0)
    order = np.lexsort((events.times, events.users))
    users, items, times = events.users[order], events.items[order], events.times[order]
    begins = np.ones(len(order), np.bool_)
    begins[1:] = (users[1:] != users[:-1]) | (np.diff(times) > gap_minutes * _MINUTE)
    owner = np.cumsum(begins) - 1
    whose = users[begins]
    places = np.sort(_latest_of_each(owner, items))
    owner, items = owner[places], items[places]
    from_end = np.searchsorted(owner, owner, side="right") - np.arange(len(owner))
    kept = from_end <= max_items_per_basket
    owner, items = owner[kept], items[kept]
    sizes = np.bincount(owner, minlength=len(whose))
    several = sizes[owner] >= 2
    whose, sizes = whose[sizes >= 2], sizes[sizes >= 2]
    parts = np.ones(int(sizes.sum()), np.int32), items[several], np.concatenate([[0], np.cumsum(sizes)])
    held: Held = sp.csr_array(parts, shape=(len(sizes), data.item_count))
    held.sort_indices()
    owners = np.unique(whose, return_inverse=True)[1] if once_per_user else np.arange(len(sizes))
    return Baskets(held, owners.astype(np.int32))


def _latest_of_each(owner: npt.NDArray[np.int64], items: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    """The place of the last event of every item in every basket."""
    order = np.lexsort((items, owner))
    last = np.ones(len(order), np.bool_)
    last[:-1] = (np.diff(owner[order]) > 0) | (np.diff(items[order]) > 0)
    return order[last]
