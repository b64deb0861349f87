"""Where a candidate stands among the others by features that were found before."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated

import numpy as np
from pydantic import Field

from homefeed.catalog import Resources
from homefeed.protocols import PartConfig
from homefeed.rank.kernels import Doubles
from homefeed.types import Candidates, Floats, Query


class Ranks:
    """For each of the features named, `NAME_place`: the share of the candidates that the item is above by it, from
    0 to 1, equals and itself counted half: (mid-rank from the lowest - 1/2) / candidates. So it is 0.5 where all
    are equal. `candidate_count` is ln(1 + candidates) / 10.

    A rate of one in twenty is much in one list and little in another: which it is, trees cannot tell from the
    candidate alone.
    """

    class Config(PartConfig):
        of: Annotated[tuple[str, ...], Field(min_length=1)]
        """Features of the feed: retrievers, and what the parts that stand before this one say."""

        @property
        def earlier_features(self) -> Mapping[str, str]:
            """The features that have to be there before, by the place in the settings that names them."""
            return {f"of.{name}": name for name in self.of}

    def __init__(self, config: Config, resources: Resources) -> None:  # noqa: ARG002
        self._of = config.of
        self.names = (*(f"{name}_place" for name in config.of), "candidate_count")

    def extract(self, query: Query, candidates: Candidates) -> Floats:  # noqa: ARG002
        """(n, features + 1), shares above 0 and below 1."""
        count = len(candidates)
        features = np.full((count, len(self.names)), 0.5, np.float32)
        features[:, -1] = math.log1p(count) / 10
        known = [number for number, name in enumerate(self._of) if name in candidates.feature_names]
        if count and known:
            columns = [candidates.feature_names.index(self._of[number]) for number in known]
            values = np.nan_to_num(candidates.features[:, columns])
            features[:, known] = _mid_ranks(values) / count
        return features


def _mid_ranks(values: Floats) -> Doubles:
    """(n, columns) how many of each column are below a value, equals counted half."""
    found = np.empty(values.shape)
    for column, rising in enumerate(np.sort(values, axis=0).T):
        given = values[:, column]
        found[:, column] = (np.searchsorted(rising, given, "left") + np.searchsorted(rising, given, "right")) / 2
    return found
