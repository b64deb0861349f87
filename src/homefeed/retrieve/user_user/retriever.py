"""Serves the user-user model: neighbours are looked up at request time, so a new click needs no training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Final, TypeAlias

import numpy as np
import numpy.typing as npt
from pydantic import Field

from homefeed.catalog import Resources
from homefeed.retrieve.history import HistoryConfig
from homefeed.retrieve.selection import top_k
from homefeed.retrieve.user_user.model import UserUserModel
from homefeed.taste import weighted_seeds
from homefeed.types import NO_POSITIONS, Floats, Positions, Query, Scores

Rows: TypeAlias = npt.NDArray[np.int32]
Places: TypeAlias = npt.NDArray[np.int64]

_PEOPLE: Final = 2
"""Fewer than so many are no "people", and a reason would tell what one of them did."""

_NOTHING: Final = 1e-6
"""What rounding may leave of the cosine of vectors that have nothing in common."""


@dataclass(frozen=True, slots=True)
class _Neighbours:
    """The users most like the one who asks, by index, and what they chose, as columns.

    `similar` (neighbours,); `whose`, `rows` and `strengths` (choices,) are the neighbour, the item's row and how
    strongly they chose it. `liked` (n,) are the rows of what the asking user likes, most of all first.
    """

    similar: Floats
    whose: Places
    rows: Rows
    strengths: Floats
    liked: Rows

    def chose(self, rows: Rows, size: int) -> Floats:
        """(neighbours, n) 1 where a neighbour chose the item of a row below `size`, else 0; -1 is nobody's."""
        place = np.full(size + 1, -1, np.int64)
        place[rows] = np.arange(len(rows))
        place[-1] = -1
        places = place[self.rows]
        chose = np.zeros((len(self.similar), len(rows)), np.float32)
        chose[self.whose[places >= 0], places[places >= 0]] = 1
        return chose


class UserUser:
    """What the users most similar to this one chose: they are found at the request from the latest events.

    An item's score is the sum over these neighbours of their similarity times how strongly they chose it. The
    similarity is the cosine of two users' interaction vectors, see `UserUserTrainer`, times n / (n +
    `shrinkage`), n being the items they share: agreement on few says little (Herlocker et al., "An Algorithmic
    Framework for Performing Collaborative Filtering", SIGIR 1999, in the smooth form of Bell & Koren, "Scalable
    Collaborative Filtering with Jointly Derived Neighborhood Interpolation Weights", ICDM 2007). The asking user's
    vector is made of their latest events at the time of the request; what they dislike counts against whoever
    chose it.

    The model has a row of the asking user, too, without a name by which a request could know it. So those are no
    neighbours who chose nothing that is new to the user: they have nothing to add, and the user's own row is one
    of them for as long as the user's history holds what it was made of.

    A request costs `max_events` times the model's `max_users_per_item`, plus `neighbours` times its
    `max_items_per_user`.
    """

    class Config(HistoryConfig):
        model: str = "user_user"
        """The model of the recipe that it serves."""
        neighbours: Annotated[int, Field(ge=1, le=2_000)] = 50
        """How many users count: the most similar."""
        shrinkage: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 2.0
        """How much the similarity of users who share few items is damped: it is multiplied by n / (n +
        shrinkage)."""
        min_users: Annotated[int, Field(ge=1)] = 1
        """How many neighbours have to have chosen an item. With 2, none rests on one person alone."""
        reason: str = "People who chose {title} chose this, too"
        """The reason; {title} is the item of the history that most of the neighbours share. It takes two of them,
        so that no reason reveals what one person did."""
        reason_anchored: str = "Chosen by people who chose {title}"
        """The reason in a feed about an item; {title} is that item."""

    def __init__(self, config: Config, resources: Resources) -> None:
        self._config = config
        self._catalog = resources.catalog
        self._model = resources.model(config.model, UserUserModel)
        if self._model is None:
            return
        self._position_of_row = self._catalog.positions(self._model.numbers)
        here = np.flatnonzero(self._position_of_row >= 0)
        # The last place is for all that came later.
        self._row_of_position = np.full(self._catalog.size + 1, -1, np.int32)
        self._row_of_position[self._position_of_row[here]] = here

    def retrieve(self, query: Query, k: int) -> tuple[Positions, Scores]:
        """The k eligible items that the user's neighbours chose most."""
        found = self._neighbours(query)
        if self._model is None or found is None:
            return NO_POSITIONS, np.empty(0, np.float32)
        gains = found.similar[found.whose] * found.strengths
        rows, scores, users = _sum_by(found.rows, gains, len(self._model.numbers))
        positions = self._position_of_row[rows]
        able = query.eligible[positions] & (positions >= 0) & (users >= self._config.min_users)
        if query.anchor is not None:
            able &= positions != query.anchor
        positions, scores = positions[able], scores[able]
        best = top_k(scores, k)
        return positions[best], scores[best]

    def reasons(self, query: Query, positions: Positions) -> Sequence[str | None]:
        """Name the explainable item that most of those who chose each share with the user; never a person."""
        found = self._neighbours(query)
        if self._model is None or found is None:
            return [None] * len(positions)
        template = self._config.reason if query.anchor is None else self._config.reason_anchored
        links = self._links(query, found, positions).tolist()
        said = {item: template.format(title=self._catalog.title(item)) for item in set(links) if item >= 0}
        return [said.get(item) for item in links]

    def _links(self, query: Query, found: _Neighbours, positions: Positions) -> Positions:
        """(n,) the explainable item shared with most who chose each position; -1 where they are too few."""
        size = len(self._position_of_row)
        liked = found.liked[query.explainable[self._position_of_row[found.liked]]]
        if not len(liked):
            return np.full(len(positions), -1, np.int32)
        items = self._position_of_row[liked]
        people = found.chose(liked, size).T @ found.chose(self._rows_at(positions), size)
        people[items[:, None] == positions[None, :]] = 0
        most = people.argmax(axis=0)
        enough = people[most, np.arange(len(positions))] >= max(_PEOPLE, self._config.min_users)
        return np.where(enough, items[most], -1).astype(np.int32)

    def _neighbours(self, query: Query) -> _Neighbours | None:
        return query.scope.once(self, "retrieve.neighbours", partial(self._look_up, query))

    def _look_up(self, query: Query) -> _Neighbours | None:
        """Those who are most like the user, of those who chose something that is new to the user."""
        model = self._model
        if model is None:
            return None
        items, weights = weighted_seeds(query, self._config.max_events, self._config.half_life_days)
        rows = self._rows_at(items)
        rows, weights = rows[rows >= 0], weights[rows >= 0]
        if not len(rows):
            return None
        users, similar = self._similar(model, rows, weights)
        best = top_k(similar, self._config.neighbours)
        best = best[similar[best] > _NOTHING]
        whose, places = _spans(model.user_starts, users[best])
        chosen = model.user_items[places]
        known = np.zeros(len(model.numbers) + 1, np.bool_)
        known[rows] = known[self._rows_at(query.user.history.items)] = True
        at = self._position_of_row[chosen]
        new = (at >= 0) & ~known[chosen]
        new[new] = self._catalog.available[at[new]]
        helpful = np.bincount(whose[new], minlength=len(best))[whose] > 0
        liked = rows[np.argsort(-weights, kind="stable")][: np.count_nonzero(weights > 0)]
        return _Neighbours(
            similar[best], whose[helpful], chosen[helpful], model.user_strengths[places[helpful]], liked
        )

    def _similar(self, model: UserUserModel, rows: Rows, weights: Floats) -> tuple[Rows, Floats]:
        """Whoever chose one of the rows and something else, and how similar they are."""
        # In 64 bits: what is left of a history long ago may be too little to be squared in 32.
        damped = weights.astype(np.float64) * model.damping[rows]
        vector = (damped / np.linalg.norm(damped)).astype(np.float32)
        which, places = _spans(model.item_starts, rows)
        gains = vector[which] * model.item_weights[places]
        users, cosine, shared = _sum_by(model.item_users[places], gains, model.user_count)
        more = shared < model.user_starts[users + 1] - model.user_starts[users]
        return users, (more * cosine * (shared / (shared + self._config.shrinkage))).astype(np.float32)

    def _rows_at(self, positions: Positions) -> Rows:
        """(n,) the model's rows of items; -1 for those it does not know."""
        rows: Rows = self._row_of_position[np.minimum(positions, len(self._row_of_position) - 1)]
        return rows


def _spans(starts: npt.NDArray[np.int64], groups: Rows) -> tuple[Places, Places]:
    """Every place of the groups, one after the other: the index of its group, and the place."""
    start = starts[groups]
    length = starts[groups + 1] - start
    ends = np.cumsum(length)
    total = int(length.sum())
    return np.repeat(np.arange(len(groups)), length), np.arange(total) + np.repeat(start - (ends - length), length)


def _sum_by(keys: Rows, gains: Floats, size: int) -> tuple[Rows, Floats, Rows]:
    """The distinct keys, the sum of each one's gains, and how many; touches only the keys named, not all."""
    sums, counts, last = np.zeros(size, np.float32), np.zeros(size, np.int32), np.empty(size, np.int32)
    np.add.at(sums, keys, gains)
    np.add.at(counts, keys, 1)
    order = np.arange(len(keys), dtype=np.int32)
    last[keys] = order
    distinct = keys[last[keys] == order]
    return distinct, sums[distinct], counts[distinct]
