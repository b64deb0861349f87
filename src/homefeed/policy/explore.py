"""Gives items drawn by lot their places on the first page, and tells with what probability they got them."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Self

import numpy as np
from pydantic import Field, model_validator

from homefeed.catalog import Resources
from homefeed.protocols import PartConfig
from homefeed.types import Candidates, Floats, Query


class Explore:
    """Moves items that a retriever drew at random up to fixed places of the first page, with their propensity.
    It belongs before `caps`.

    They keep the order of their rank. An item that ranks at its place or above stays, and leaves the place to the
    next. An item that was moved has the propensity that the retriever gave as its score; all others have 1, for
    chance had no part in them.
    """

    class Config(PartConfig):
        retriever: str = "explore"
        """The name, in the feed, of the retriever that draws."""
        places: Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1)] = (4, 9)
        """The places, counted from 0, in rising order: as many as the retriever draws. Of more drawn items, the
        better ranked would be moved more often than they are drawn."""

        @model_validator(mode="after")
        def _places_rise(self) -> Self:
            if list(self.places) != sorted(set(self.places)):
                raise ValueError(f"places: expected each once, in rising order, got {list(self.places)}")
            return self

    def __init__(self, config: Config, resources: Resources) -> None:  # noqa: ARG002
        self._config = config

    def rerank(self, query: Query, candidates: Candidates) -> Candidates:
        """All candidates, those drawn at their places; on later pages in the order they came."""
        known = candidates.propensities
        propensities = np.ones(len(candidates), np.float32) if known is None else known.copy()
        candidates = replace(candidates, propensities=propensities)
        if len(query.recently_shown) or self._config.retriever not in candidates.retrievers:
            return candidates
        drawn = candidates.retriever_scores[:, candidates.retrievers.index(self._config.retriever)]
        rows, places = self._moves(drawn)
        if not rows:
            return candidates
        propensities[rows] = drawn[rows]
        order = np.arange(len(candidates))
        free = np.delete(order, places)
        order[places], order[free] = rows, np.delete(order, rows)
        candidates = candidates.promoted(rows, self._config.retriever)
        return candidates.take(order)

    def _moves(self, drawn: Floats) -> tuple[list[int], list[int]]:
        """Which rows go up, and to which places. Moving a row leaves all below it where they are."""
        rows: list[int] = []
        for row in np.flatnonzero(~np.isnan(drawn)).tolist():
            if len(rows) < len(self._config.places) and row > self._config.places[len(rows)]:
                rows.append(row)
        return rows, list(self._config.places[: len(rows)])
