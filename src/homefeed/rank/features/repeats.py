"""How often and how long ago the user met an item, or others of its categories."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from homefeed.catalog import Resources
from homefeed.catalog.columns import CategoryColumn
from homefeed.errors import RecipeError
from homefeed.protocols import PartConfig
from homefeed.rank.kernels import meetings
from homefeed.types import DAY, Candidates, Floats, Query


class Repeats:
    """How often the user met the item, `item_repeats`, and how long ago, `item_since`; and the same of each
    category field in `of`, such as `creator_id_repeats` and `creator_id_since`.

    Repeats are ln(1 + events), since is 2^(-days / half-life) of the latest of them: 1 for now, 0 for never. Every
    event counts but dislikes, whatever its strength: `affinity` says how much the user likes a creator, this one
    whether they come back. Items without the category have 0. One with a time to come counts as of now.

    It goes by the history as the feed looks at it, not by all that the user ever did: `history_days` says that
    only what they did in those days counts, and does so for all that is made of their taste. A feed of what is
    bought again therefore has no `history_days`, or as many as it takes to come back. Where requests are replayed
    from the log of events, what the user already met is left out, so that a ranker learns of the categories alone.
    """

    class Config(PartConfig):
        of: tuple[str, ...] = ()
        """Category fields of items, each with two features of its own."""
        half_life_days: Annotated[float, Field(gt=0)] = 7.0
        """How long ago something was: it halves for every so many days since."""

    def __init__(self, config: Config, resources: Resources) -> None:
        """Raises RecipeError where items have no such category field, or it is named twice or `item`."""
        self._half_life = config.half_life_days * DAY
        self._catalog = resources.catalog
        what = ("item", *config.of)
        double = next((name for name in what if what.count(name) > 1), None)
        if double is not None:
            raise RecipeError(f'of: two features would be called {double}_repeats; leave one "{double}" out')
        self._columns = [resources.catalog.column(field, CategoryColumn) for field in config.of]
        self.names = tuple(f"{name}_{kind}" for name in what for kind in ("repeats", "since"))

    def extract(self, query: Query, candidates: Candidates) -> Floats:
        """(n, 2 + 2 x fields): repeats of at least 0, since from 0 to 1."""
        history, positions = query.user.history, candidates.positions
        features = np.zeros((len(candidates), len(self.names)), np.float32)
        given = history.strengths, history.times, query.now, self._half_life
        meetings(history.items, positions, *given, features, 0)
        for number, column in enumerate(self._columns, 1):
            codes = column.codes(self._catalog.size)
            meetings(codes[history.items], codes[positions], *given, features, 2 * number)
        return features
