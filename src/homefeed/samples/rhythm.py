"""When users are active: more of them in busy hours. Times are whole seconds since 1970-01-01 UTC."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from homefeed.samples.draws import DAY, HOUR, Rng
from homefeed.types import Times


@dataclass(frozen=True)
class Rhythm:
    """The window of time: `busy` is the cumulative activity before each of the `hours`."""

    hours: Times
    busy: npt.NDArray[np.float64]
    begin: int
    end: int

    def draw(self, first: npt.ArrayLike, last: npt.ArrayLike, rng: Rng, count: int) -> Times:
        """Moments from `first` up to before `last`, more of them in busy hours."""
        low, high = (np.interp(np.asarray(moment), self.hours, self.busy) for moment in (first, last))
        moment = np.interp(low + rng.random(count) * (high - low), self.busy, self.hours)
        drawn: Times = np.clip(moment.astype(np.int64), first, np.asarray(last) - 1)
        return drawn


def plan_rhythm(end: int, days: int, workday: Sequence[int], weekend: Sequence[int]) -> Rhythm:
    """The window of `days` before `end`, with how busy each hour is from Monday to Friday and at weekends."""
    begin = end - days * DAY
    hour = np.arange(begin // HOUR, -(-end // HOUR) + 1)
    is_weekend = (hour // 24 + 3) % 7 >= 5  # 1970-01-01 was a Thursday
    busy = np.where(is_weekend, np.array(weekend)[hour % 24], np.array(workday)[hour % 24])
    return Rhythm(hour * HOUR, np.concatenate(([0.0], np.cumsum(busy[:-1]))), begin, end)
