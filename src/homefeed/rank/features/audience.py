"""How like the user is to those who chose an item."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Final, Self, TypeAlias

import numpy as np
import scipy.sparse as sp
from pydantic import Field

from homefeed.catalog import Resources
from homefeed.catalog.pairs import Pairs
from homefeed.protocols import PartConfig, VectorModel
from homefeed.rank.kernels import last_liked
from homefeed.rank.vectors import ItemRows
from homefeed.types import DAY, Candidates, Codes, Floats, Query

_HOUR: Final = DAY // 24

_NOTHING: Final = 1e-6

Chose: TypeAlias = "sp.csr_array[np.float32]"
"""(users, items) 1 where the user chose the item; every user did choose some."""


class Audience:
    """How like the user's taste is to the tastes of those who chose the item: `MODEL_audience`, from -1 to 1.

    A taste is the mean of the vectors, of length 1, of the items that a user chose, less the mean of all tastes,
    again of length 1; the feature is the inner product of the user's and the sum of those of the n users of the
    item / (n + `smoothing`). So it speaks of what came since the model was trained as soon as a few chose it,
    which `similarity` cannot. 0 where the user or nobody of the item's has a taste: they chose nothing that has a
    vector; where the model is not trained; and where `signals.count` is not of users.

    Tastes are taken anew once an hour, by the times of events. Where users are kept apart, each partition has a
    mean of its own.
    """

    class Config(PartConfig):
        model: str = "als"
        """The model of the recipe whose vectors of items make tastes, of kind `als`, `lightgcn` or `content`."""
        smoothing: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 2.0
        """So many users without any taste are put beside those of each item."""
        max_events: Annotated[int, Field(ge=1, le=1_000)] = 100
        """Of how many of the user's latest events the taste is made."""

    def __init__(self, config: Config, resources: Resources) -> None:
        self._config, self._resources = config, resources
        model = resources.models.get(config.model)
        self._items = ItemRows(model, resources) if isinstance(model, VectorModel) else None
        self.names = (f"{config.model}_audience",)
        self._as_of = 0
        self._now = Tastes()
        self.refresh()

    def refresh(self) -> None:
        """Take the tastes anew, where the events that are counted are an hour later than those of before."""
        latest = self._resources.counters.latest
        if self._items is None or latest // _HOUR == self._as_of:
            return
        self._items.refresh()
        self._as_of, pairs = latest // _HOUR, self._resources.counters.pairs
        if pairs is not None:
            self._now = self._tastes(pairs)

    def extract(self, query: Query, candidates: Candidates) -> Floats:
        """(n, 1) from -1 to 1."""
        now, found = self._now, np.zeros((len(candidates), 1), np.float32)
        history = query.user.history.latest(self._config.max_events)
        liked = last_liked(history.items, history.strengths, self._config.max_events)
        liked, positions = liked[liked < len(now.units)], candidates.positions
        known = np.flatnonzero(positions < len(now.audiences))
        if len(liked) and len(known):
            mean = now.units[liked].mean(axis=0, dtype=np.float64)[None].astype(np.float32)
            taste = _unit(mean) - now.centres[now.groups[liked[:1]]] if mean.any() else mean
            found[known] = now.audiences[positions[known]] @ _unit(taste)[0][:, None]
        return found

    def _tastes(self, pairs: Pairs) -> Tastes:
        assert self._items is not None  # noqa: S101
        catalog, rows = self._resources.catalog, self._items.now
        size = len(rows.rows) - 1
        positions = catalog.positions(pairs.items)
        kept = (positions >= 0) & (positions < size) & (pairs.strengths > 0)
        positions = positions[kept]
        _, users = np.unique(pairs.keys[kept] >> 32, return_inverse=True)
        units = np.zeros((size, rows.trained.shape[1]), np.float32)
        has = np.flatnonzero(rows.rows[:-1] >= 0)
        units[has] = _unit(np.concatenate([rows.trained, rows.later])[rows.rows[has]])
        shape = (int(users.max(initial=-1)) + 1, size)
        chose = sp.csr_array((np.ones(len(users), np.float32), (users, positions)), shape=shape)
        groups = self._resources.partitions.codes(size) + 1
        return Tastes.of(chose, units, groups, self._config.smoothing)


@dataclass(frozen=True, slots=True, eq=False)
class Tastes:
    """Vectors (items, dimensions): of the items, of length 1 or 0, and of their audiences, by users' tastes less
    the mean of their group, the `centres` (groups, dimensions). `groups` (items,) are those of their users.
    """

    units: Floats = field(default_factory=lambda: np.zeros((0, 1), np.float32))
    audiences: Floats = field(default_factory=lambda: np.zeros((0, 1), np.float32))
    centres: Floats = field(default_factory=lambda: np.zeros((0, 1), np.float32))
    groups: Codes = field(default_factory=lambda: np.zeros(0, np.int32))

    @classmethod
    def of(cls, chose: Chose, units: Floats, groups: Codes, smoothing: float) -> Self:
        """Those of the users who chose."""
        tastes = _unit(chose @ units)
        of_users = groups[chose.indices[chose.indptr[:-1]]]
        has = tastes.any(axis=1)
        centres = np.zeros((int(groups.max(initial=0)) + 1, units.shape[1]), np.float32)
        np.add.at(centres, of_users[has], tastes[has])
        centres /= np.maximum(np.bincount(of_users[has], minlength=len(centres)), 1)[:, None]
        tastes[has] = _unit(tastes[has] - centres[of_users[has]])
        counts = np.bincount(chose.indices, minlength=len(units)) + smoothing
        audiences = (chose.T @ tastes) / counts[:, None]
        return cls(units, audiences.astype(np.float32), centres, groups)


def _unit(vectors: Floats) -> Floats:
    """(n, dimensions) of length 1; those that have none, or next to none, or one beyond all floats, are 0."""
    lengths = np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
    sound = (lengths > _NOTHING) & np.isfinite(lengths)
    units: Floats = np.where(sound, vectors / np.where(sound, lengths, 1), 0).astype(np.float32)
    return units
