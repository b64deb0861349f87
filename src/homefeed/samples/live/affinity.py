"""What draws a user to a stream: the planted truth from which interactions and clicks are drawn."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from homefeed.samples import Weights
from homefeed.samples.cities import distance_km
from homefeed.samples.live.streams import Streams
from homefeed.samples.live.viewers import Viewers
from homefeed.types import Codes

LOCAL_KM: Final = 60.0
REGIONAL_KM: Final = 800.0
"""Nearness falls to a third over these distances."""

WEIGHTS: Final = {
    "local": 3.0,  # times the user's preference for what is near
    "regional": 1.2,  # likewise
    "language": 1.8,
    "category": 1.5,
    "taste": 2.2,
    "quality": 0.9,
    "audience": 0.25,
    "partnered": 0.2,
    "mature": -0.5,
}
"""What each term adds where it is 1."""


def affinity(viewers: Viewers, streams: Streams, user: Codes, item: Codes) -> Weights:
    """(n,) how much the users are drawn to the streams: the sum of `WEIGHTS` times the terms of each pair.

    Of the terms `local` and `regional` are exp(-distance / km) times the user's preference for what is near,
    `category` and `taste` the liking of the stream's category and of its segment, `quality` a tenth of the score,
    `audience` log10(1 + viewers on average).
    """
    distance = distance_km(viewers.at.take(user), streams.at.take(item))
    local = viewers.local[user]
    terms: dict[str, npt.NDArray[Any]] = {
        "local": local * np.exp(-distance / LOCAL_KM),
        "regional": local * np.exp(-distance / REGIONAL_KM),
        "language": viewers.language[user] == streams.language[item],
        "category": viewers.of_category[user, streams.category[item]],
        "taste": viewers.liking[user, streams.segment[item]],
        "quality": streams.quality[item] / 10,
        "audience": np.log10(1 + streams.audience[item]),
        "partnered": streams.partnered[item],
        "mature": streams.mature[item],
    }
    total = np.zeros(len(user))
    for name, term in terms.items():
        total += WEIGHTS[name] * term
    return total
