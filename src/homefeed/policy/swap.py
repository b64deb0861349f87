"""Neighbours that change places by chance, from which is measured how much a place is looked at."""

from __future__ import annotations

from dataclasses import replace
from hashlib import blake2b
from typing import Annotated, Final

import numpy as np
import numpy.typing as npt
from pydantic import Field

from homefeed.catalog import Resources
from homefeed.catalog.columns import CategoryColumn
from homefeed.policy.caps import Caps
from homefeed.protocols import PartConfig
from homefeed.types import Candidates, Codes, Query

Rows = npt.NDArray[np.intp]

_STEPS: Final = 1 << 53
"""So many numbers from 0 to 1 are exact in 64 bits."""


class Swap:
    """Lets two neighbours of the first places change places in a small share of requests, with their propensity:
    from that is measured how much each place is looked at. It belongs last.

    With the probability `share` one pair, the items at places k and k + 1, is drawn from all that may change, each
    as likely: the swap experiment of Joachims, Swaminathan & Schnabel, "Unbiased Learning-to-Rank with Biased
    Feedback" (WSDM 2017), between neighbours, where it costs least. Of m pairs an item moves to the place above or
    below with the probability share / m each, and else stays; that is its propensity, times the one that it had.

    Pins and what else a reranker before it promoted stay, as do pairs that would break `caps`. Later pages are
    left alone. The draw is made of seed, feed, user and moment, so that a request can be replayed. Any reranker
    after it that moves items would make the propensities wrong: `caps` go before it, and are named here.
    """

    class Config(PartConfig):
        share: Annotated[float, Field(ge=0, le=1)] = 0.1
        """In which share of the requests a pair changes places."""
        places: Annotated[int, Field(ge=2)] = 10
        """How many of the first places take part."""
        caps: tuple[Caps.Config, ...] = ()
        """The settings of each `caps` of the feed: pairs that would break one do not change places."""
        seed: int = 0
        """Another seed makes other draws."""

    def __init__(self, config: Config, resources: Resources) -> None:
        self._config, self._catalog = config, resources.catalog
        self._caps = [(caps, resources.catalog.column(caps.field, CategoryColumn)) for caps in config.caps]

    def rerank(self, query: Query, candidates: Candidates) -> Candidates:
        """All candidates in their order, but for the pair drawn, if any."""
        count, known = len(candidates), candidates.propensities
        pairs = np.empty(0, np.intp) if len(query.recently_shown) else self._pairs(candidates)
        order, staying = np.arange(count), np.ones(count)
        if len(pairs):
            moving, drawn = self._config.share / len(pairs), self._drawn(query)
            touched = np.bincount(pairs, minlength=count) + np.bincount(pairs + 1, minlength=count)
            staying -= moving * touched
            if drawn < self._config.share:
                pair = pairs[min(int(drawn / moving), len(pairs) - 1)] + np.array([0, 1])
                order[pair], staying[pair] = pair[::-1], moving
        propensities = staying.astype(np.float32)
        propensities *= 1 if known is None else known
        return replace(candidates, propensities=propensities).take(order)

    def _pairs(self, candidates: Candidates) -> Rows:
        """The places k whose item may change with the one below."""
        free = np.ones(len(candidates), np.bool_)
        if candidates.promoted_by is not None:
            free = candidates.promoted_by < 0
        free = free[: self._config.places]
        pairs = np.flatnonzero(free[:-1] & free[1:])
        for caps, column in self._caps:
            codes = column.codes(self._catalog.size)[candidates.positions]
            kept = [_keeps(codes, place, caps.max_items, caps.window) for place in pairs.tolist()]
            pairs = pairs[np.array(kept, np.bool_)]
        return pairs

    def _drawn(self, query: Query) -> float:
        """A number from 0 to below 1 of this request alone."""
        words = f"{self._config.seed}:{query.feed}:{query.user.user_id or ''}:{query.now}"
        return (int.from_bytes(blake2b(words.encode(), digest_size=8).digest(), "big") >> 11) / _STEPS


def _keeps(codes: Codes, place: int, max_items: int, window: int) -> bool:
    """Whether the items at a place and the next, exchanged, leave at most so many of a value in any window.

    Only windows with one of both change: of those that end here, and of those that begin below.
    """
    upper, lower = codes[place], codes[place + 1]
    above, below = codes[max(0, place - window + 1) : place], codes[place + 2 : place + 1 + window]
    fits_above = lower < 0 or (above == lower).sum() < max_items
    fits_below = upper < 0 or (below == upper).sum() < max_items
    return bool(upper == lower or (fits_above and fits_below))
