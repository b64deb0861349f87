"""The streams of the sample: where they are, how good, how large their audience, and when they are on air.

Times are whole seconds since 1970-01-01 UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from homefeed.samples import DAY, HOUR, Rng, Shelves, Weights, choose
from homefeed.samples.cities import Places, draw_cities, draw_languages, load_cities, settle
from homefeed.samples.live.categories import CATEGORY_SHARES, MATURE_SHARES, STYLES
from homefeed.types import Codes, Mask, Times

_BEST: Final = 10.0
_QUALITY_EXPONENT: Final = 0.6
_AUDIENCE_EXPONENT: Final = 0.9
_LEAST_AUDIENCE: Final = 8
_LARGEST_AUDIENCE: Final = 150_000
_NEW_SHARE: Final = 0.15  # of the streams: those that first came within the window
_PARTNERED_FROM: Final = 250  # viewers: half of the streams of as many are partnered

# How likely a stream begins at each hour of the day, where it is.
_BEGINS: Final = (2, 1, 1, 1, 1, 2, 4, 6, 8, 9, 9, 8, 9, 9, 9, 11, 14, 18, 22, 22, 18, 12, 7, 4)
_HOURS_ON_AIR: Final = (4, 16)


@dataclass(frozen=True)
class Streams:
    """The streams as columns.

    `quality` is 1 to 10, `audience` the viewers at a time on average, `viewers` those at the end of the window, 0
    where it is not on air then. `begins` and `lasts` are seconds of a day in UTC, `created` the time before which
    there was no such stream. `appeal` is how likely people come across it.
    """

    at: Places
    language: Codes
    category: Codes
    segment: Codes
    quality: Weights
    audience: Times
    followers: Times
    partnered: Mask
    mature: Mask
    begins: Times
    lasts: Times
    created: Times
    appeal: Weights
    viewers: Times

    def on_air(self, item: Codes, moment: npt.ArrayLike) -> Mask:
        """Which of the streams are on air at the times, by their daily hours."""
        on_air: Mask = (np.asarray(moment) - self.begins[item]) % DAY < self.lasts[item]
        return on_air


@dataclass(frozen=True)
class Guide:
    """Where people come across streams: near them, of what they like, in their language, anywhere."""

    near: Shelves
    of_segment: Shelves
    in_language: Shelves
    anywhere: Shelves

    @classmethod
    def of(cls, streams: Streams, begin: int, end: int) -> Guide:
        """All the streams, from when they first came."""
        item = np.arange(len(streams.appeal), dtype=np.int32)
        return cls(
            *(
                Shelves.build(shelf, item, streams.appeal, streams.created, (begin, end))
                for shelf in (streams.at.city, streams.segment, streams.language, np.zeros_like(item))
            )
        )


def plan_streams(count: int, begin: int, end: int, rng: Rng) -> Streams:
    """Streams of all cities; the first was there from the beginning."""
    at = settle(draw_cities(load_cities().streams, count, rng), rng)
    category = choose(CATEGORY_SHARES, count, rng)
    # Good streams have larger audiences, mostly.
    luck = rng.random((count, 2))
    quality = _power_law(luck[:, 0], _QUALITY_EXPONENT, _BEST)
    mixed = np.where(rng.random(count) < 0.5, luck[:, 0], luck[:, 1])
    times_least = _power_law(mixed, _AUDIENCE_EXPONENT, _LARGEST_AUDIENCE / _LEAST_AUDIENCE)
    audience = (_LEAST_AUDIENCE * times_least).astype(np.int64)
    begins, lasts = _schedule(at.city, rng)
    created = np.full(count, begin - 1)
    is_new = rng.random(count) < _NEW_SHARE
    is_new[0] = False
    created[is_new] = begin + (rng.random(is_new.sum()) * 0.9 * (end - begin)).astype(np.int64)
    is_live = (end - begins) % DAY < lasts
    now = (audience * rng.lognormal(0.0, 0.35, count)).astype(np.int64)
    return Streams(
        at=at,
        language=draw_languages(at.city, rng),
        category=category,
        segment=(category * STYLES + rng.integers(0, STYLES, count)).astype(np.int32),
        quality=quality.round(2),
        audience=audience,
        followers=(audience * rng.lognormal(3.5, 1.0, count)).astype(np.int64),
        partnered=rng.random(count) < audience / (audience + _PARTNERED_FROM),
        mature=rng.random(count) < np.array(MATURE_SHARES)[category],
        begins=begins,
        lasts=lasts,
        created=created,
        appeal=audience**0.55 * quality**0.5,
        viewers=np.where(is_live, np.maximum(now, 1), 0),
    )


def _power_law(roll: Weights, exponent: float, highest: float) -> Weights:
    """Values from 1 to the highest, of which a share of value^-exponent is larger, but for the cut at the top."""
    values: Weights = (1 - roll * (1 - highest**-exponent)) ** (-1 / exponent)
    return values


def _schedule(city: Codes, rng: Rng) -> tuple[Times, Times]:
    """When each goes on air and for how long: a time of day in UTC and a length, in seconds."""
    local = choose(_BEGINS, len(city), rng) * HOUR + rng.integers(0, HOUR, len(city))
    begins: Times = (local - load_cities().offset[city]) % DAY
    return begins, rng.integers(_HOURS_ON_AIR[0] * HOUR, _HOURS_ON_AIR[1] * HOUR, len(city))
