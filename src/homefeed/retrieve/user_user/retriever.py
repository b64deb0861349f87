"""Serves the user-user model: neighbours are looked up at request time, so a new click needs no training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated

import numpy as np
from pydantic import Field

from homefeed.catalog import Resources
from homefeed.retrieve.arrays import SLOTS, RowIndex, Rows
from homefeed.retrieve.contributions import Grounds
from homefeed.retrieve.history import HistoryConfig, seeds_of
from homefeed.retrieve.selection import best_of
from homefeed.retrieve.sentences import MIN_PEOPLE, HistorySentences
from homefeed.retrieve.user_user.model import UserUserModel
from homefeed.retrieve.user_user.neighbours import chosen_items, have_news, people_sharing, similar_users
from homefeed.retrieve.vectors import NEGLIGIBLE
from homefeed.types import NO_POSITIONS, Floats, Positions, Query, Scores


@dataclass(frozen=True, slots=True)
class _Neighbours:
    """The users most similar to the one of the request, by row, and their similarities (neighbours,).

    `liked` (n,) are the rows of what that user likes, in the order of the catalogue.
    """

    users: Rows
    similar: Floats
    liked: Rows


class UserUser:
    """What the users most similar to this one chose: they are found at the request from the latest events.

    An item's score is the sum over these neighbours of their similarity times how strongly they chose it. The
    similarity is the cosine of two users' interaction vectors, see `UserUserTrainer`, times n / (n + `shrinkage`),
    n being the items they share: agreement on few says little (Herlocker et al., "An Algorithmic Framework for
    Performing Collaborative Filtering", SIGIR 1999, in the smooth form of Bell & Koren, "Scalable Collaborative
    Filtering with Jointly Derived Neighborhood Interpolation Weights", ICDM 2007). The requesting user's vector is
    made of their latest events at the time of the request; what they dislike counts against users who chose it.

    The model has a row of the requesting user, too, without a name by which a request could know it. So those are
    no neighbours who chose nothing that is new to the user: they have nothing to add, and the user's own row is
    one of them for as long as the user's history holds what it was made of.

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
        self._config, self._catalog = config, resources.catalog
        self._sentences = HistorySentences(config, resources)
        self._model = resources.model(config.model, UserUserModel)
        if self._model is None:
            return
        now = self._catalog.snapshot
        self._position_of_row = now.positions(self._model.numbers)
        self._index = RowIndex(self._position_of_row, now.size)

    def retrieve(self, query: Query, k: int) -> tuple[Positions, Scores]:
        """The k eligible items that the user's neighbours chose most."""
        model, found = self._model, self._neighbours(query)
        if model is None or found is None:
            return NO_POSITIONS, np.empty(0, np.float32)
        slots = SLOTS.take(len(model.numbers))
        keys, positions = chosen_items(
            found.users,
            found.similar,
            model.user_starts,
            model.user_items,
            model.user_strengths,
            self._position_of_row,
            query.eligible,
            -1 if query.anchor is None else query.anchor,
            self._config.min_users,
            slots,
        )
        SLOTS.give(slots)
        return best_of(keys, positions, k)

    def reasons(self, query: Query, positions: Positions) -> Sequence[str | None]:
        """Name the explainable item that most of those who chose each share with the user; never a person."""
        found = self._neighbours(query)
        if self._model is None or found is None:
            return [None] * len(positions)
        template = self._config.reason if query.anchor is None else self._config.reason_anchored
        grounds = self._links(self._model, query, found, positions)
        return self._sentences.said(query, grounds, [template] * len(positions))

    def _links(self, model: UserUserModel, query: Query, found: _Neighbours, positions: Positions) -> Grounds:
        """What of the user's history those who chose each position share: no other item where they are few."""
        liked = found.liked[query.explainable[self._position_of_row[found.liked]]]
        wanted, items = self._index.at(positions), self._position_of_row[liked]
        people = people_sharing(found.users, model.user_starts, model.user_items, liked, wanted)
        told = people >= max(MIN_PEOPLE, self._config.min_users)
        # What the user did to the item itself tells of nobody else.
        told |= items[:, None] == positions
        return self._sentences.grounds(query, positions, items, np.where(told, people, 0.0))

    def _neighbours(self, query: Query) -> _Neighbours | None:
        return query.scope.once(self, "retrieve.neighbours", partial(self._look_up, query))

    def _look_up(self, query: Query) -> _Neighbours | None:
        """The users most similar to the user, of those who chose something that is new to the user."""
        model = self._model
        if model is None:
            return None
        items, weights = seeds_of(query, self._config)
        rows = self._index.at(items)
        rows, weights = rows[rows >= 0], weights[rows >= 0]
        if not len(rows):
            return None
        users, similar = self._similar(model, rows, weights)
        known = np.concatenate([rows, self._index.at(query.user.history.items)])
        news = have_news(
            users, model.user_starts, model.user_items, known, self._position_of_row, self._catalog.available
        )
        return _Neighbours(users[news], similar[news], rows[weights > 0])

    def _similar(self, model: UserUserModel, rows: Rows, weights: Floats) -> tuple[Rows, Floats]:
        """Those most similar to the user, of users with one of the rows and something else; and how similar."""
        # In 64 bits: what is left of a history long ago may be too little to be squared in 32.
        damped = weights.astype(np.float64) * model.damping[rows]
        vector = (damped / np.linalg.norm(damped)).astype(np.float32)
        slots = SLOTS.take(model.user_count)
        keys, users = similar_users(
            rows,
            vector,
            model.item_starts,
            model.item_users,
            model.item_weights,
            model.user_starts,
            self._config.shrinkage,
            NEGLIGIBLE,
            slots,
        )
        SLOTS.give(slots)
        return best_of(keys, users, self._config.neighbours)
