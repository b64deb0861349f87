"""Results by length of history: from users with few events to those with the most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from homefeed.evaluate.bootstrap import Interval, mean_intervals
from homefeed.evaluate.judging import Values
from homefeed.types import Codes

_SHARES: Final = (0.25, 0.5, 0.75)


@dataclass(frozen=True, slots=True)
class HistoryGroup:
    """Users with `min_events` to `max_events` events in their history, and each system's means over them.

    `systems` maps a system's name to measure to its mean with the interval.
    """

    min_events: int
    max_events: int
    users: int
    requests: int
    systems: Mapping[str, Mapping[str, Interval]]


def by_history(
    lengths: npt.NDArray[np.integer[Any]],
    values: Values,
    measures: Sequence[str],
    rng: np.random.Generator,
    users: Codes,
) -> tuple[HistoryGroup, ...]:
    """Four groups of about the same size, by the lengths (requests,) of the histories; fewer where many are equal.

    Requests with histories of the same length are in the same group. `users` (requests,) says whose each is.
    """
    edges = np.unique(np.quantile(lengths, _SHARES, method="inverted_cdf"))
    number = np.searchsorted(edges, lengths)
    groups = []
    for chosen in (number == group for group in np.unique(number)):
        columns = {(system, measure): values[system][measure][chosen] for system in values for measure in measures}
        numbered = {f"{n}": column for n, column in enumerate(columns.values())}
        found = mean_intervals(numbered, rng, users=users[chosen])
        means = dict(zip(columns, found.values(), strict=True))
        systems = {system: {measure: means[system, measure] for measure in measures} for system in values}
        own = lengths[chosen]
        distinct = len(np.unique(users[chosen]))
        groups.append(HistoryGroup(int(own.min()), int(own.max()), distinct, len(own), systems))
    return tuple(groups)
