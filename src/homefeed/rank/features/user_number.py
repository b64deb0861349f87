"""A number of the user, such as how much they watch: the same for every candidate."""

from __future__ import annotations

import math
from typing import Annotated

import numpy as np
from pydantic import Field

from homefeed.catalog import Resources
from homefeed.numerals import read_number
from homefeed.protocols import PartConfig
from homefeed.types import Candidates, Floats, Query


class UserNumber:
    """A number of the user as a share of the most that counts, from 0 to 1, the same for every candidate:
    `user_FIELD`, such as `user_age`.

    x / max_value, or with `log` ln(1 + x) / ln(1 + max_value): x is the number within 0 to max_value. By itself it
    changes no order: a ranker of trees learns by it what counts for whom.
    """

    class Config(PartConfig):
        field: str
        """The attribute of users."""
        max_value: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0
        """The number that is a whole share: more is no more."""
        log: bool = False
        """Whether the logarithm counts, as it should for numbers that are spread over several powers of ten."""
        unknown: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
        """The number that a user without one counts as."""

    def __init__(self, config: Config, resources: Resources) -> None:  # noqa: ARG002
        self._config = config
        self.names = (f"user_{config.field}",)

    def extract(self, query: Query, candidates: Candidates) -> Floats:
        """(n, 1) from 0 to 1."""
        most, told = self._config.max_value, read_number(query.user.attributes.get(self._config.field))
        within = min(max(self._config.unknown if told is None else told, 0), most)
        share = math.log1p(within) / math.log1p(most) if self._config.log else within / most
        return np.full((len(candidates), 1), share, np.float32)
