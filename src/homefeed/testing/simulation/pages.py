"""The pages that were shown, as columns, and how a ranker learns from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from homefeed.rank.examination import Examination, Showings, weights_of
from homefeed.ranking import RankingData
from homefeed.types import Codes, Floats, Mask, Positions


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """Items as shown (n,), page after page, each in the order of its places.

    `requests` number the pages from 0. `features` (n, feature_names) are those that the ranker saw.
    """

    requests: Codes
    places: Codes
    items: Positions
    clicked: Mask
    propensities: Floats
    feature_names: tuple[str, ...]
    features: Floats

    def __len__(self) -> int:
        return len(self.items)

    @property
    def showings(self) -> Showings:
        """The same as examination is measured from."""
        return Showings(self.requests, self.places, self.clicked, self.propensities)

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Those of several times, one after the other, the pages numbered anew. All have the same features."""
        counts = [0, *np.cumsum([int(part.requests.max(initial=-1)) + 1 for part in parts]).tolist()]
        requests = [part.requests + first for part, first in zip(parts, counts, strict=False)]
        return cls(
            np.concatenate(requests).astype(np.int32),
            np.concatenate([part.places for part in parts]),
            np.concatenate([part.items for part in parts]),
            np.concatenate([part.clicked for part in parts]),
            np.concatenate([part.propensities for part in parts]),
            parts[0].feature_names,
            np.concatenate([part.features for part in parts]),
        )


def learned_from(shown: Shown, event_type: str, examination: Examination | None, seed: int = 0) -> RankingData:
    """The pages as requests to learn from, their clicks weighed by the examination, if any is given."""
    weights = np.ones(len(shown), np.float32)
    if examination is not None:
        weights = np.where(shown.clicked, weights_of(shown.places, examination), weights)
    lengths = np.bincount(shown.requests)
    return RankingData(
        feature_names=shown.feature_names,
        features=np.nan_to_num(shown.features, posinf=0.0, neginf=0.0),
        starts=np.cumsum([0, *lengths[lengths > 0]]),
        event_types=(event_type,),
        outcomes=shown.clicked[:, None],
        chosen=shown.clicked,
        weights=weights,
        items=shown.items,
        seed=seed,
    )
