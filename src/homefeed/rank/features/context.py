"""When and from where a request comes: the same for every candidate."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Annotated, Final

import numpy as np
from pydantic import Field

from homefeed.catalog import Resources
from homefeed.errors import RecipeError
from homefeed.numerals import read_number
from homefeed.protocols import PartConfig
from homefeed.times import EARLIEST, LATEST
from homefeed.types import DAY, SECOND, Candidates, Floats, Query
from homefeed.words import caseless

_HOUR: Final = DAY // 24
_THURSDAY: Final = 3
"""The weekday of 1970-01-01, Monday being 0."""
_TIMES: Final = ("hour_sin", "hour_cos", "weekday_sin", "weekday_cos")

_Text = Annotated[str, Field(min_length=1)]


class Context:
    """When and from where the request comes, the same for every candidate: the sine and cosine of the time of day
    (`hour_sin`, `hour_cos`) and of the weekday (`weekday_sin`, `weekday_cos`), and for each declared value of what
    the request passes on a feature of 0 or 1, such as `device_ios`.

    The angle of the time of day is 2 pi x hours / 24, that of the weekday 2 pi x weekday / 7, Monday being 0: with
    both sine and cosine, midnight is next to 23:59 and Sunday next to Monday. A value is compared whatever its
    letter case; one that is not declared, or missing, has no feature of 1. A feature is called KEY_VALUE, in lower
    case and with `_` for what no name can hold: `locale_en_gb`. By itself it changes no order: a ranker of trees
    learns by it what counts when. A request replayed from the log of events knows its time, but passes on nothing.
    """

    class Config(PartConfig):
        utc_offset_hours: Annotated[float, Field(ge=-12, le=14)] = 0.0
        """How many hours the clocks of most users are ahead of UTC: 5.5 in India."""
        time_key: str | None = None
        """The key of what requests pass on that holds a time in Unix seconds: where it does, its time of day and
        weekday count instead of those of the request. Nothing else goes by it: filters, trends and ages have their
        own clock. None: the time of the request always counts."""
        values: dict[_Text, tuple[_Text, ...]] = Field(default_factory=dict)
        """By the key of what requests pass on, the values that get a feature each:
        `{ device = ["ios", "android", "web"] }`."""

    def __init__(self, config: Config, resources: Resources) -> None:  # noqa: ARG002
        """Raises RecipeError where two features would have one name."""
        self._offset, self._time_key = round(config.utc_offset_hours * _HOUR), config.time_key
        self._columns: dict[tuple[str, str], int] = {}
        names = list(_TIMES)
        for key, value, name in _named(config.values):
            if name in names:
                raise RecipeError(f'values.{key}: the feature of "{value}" would be called {name}, as another is')
            self._columns[key, caseless(value)] = len(names)
            names.append(name)
        self._keys = tuple(config.values)
        self.names = tuple(names)

    def extract(self, query: Query, candidates: Candidates) -> Floats:
        """(n, 4 + values): four from -1 to 1, the others 0 and 1."""
        row = np.zeros(len(self.names), np.float32)
        day, time = divmod(self._time(query) + self._offset, DAY)
        hour, weekday = math.tau * time / DAY, math.tau * ((day + _THURSDAY) % 7) / 7
        row[:4] = math.sin(hour), math.cos(hour), math.sin(weekday), math.cos(weekday)
        for key in self._keys:
            column = self._columns.get((key, caseless(query.context.get(key, ""))))
            if column is not None:
                row[column] = 1
        features = np.empty((len(candidates), len(row)), np.float32)
        features[:] = row
        return features

    def _time(self, query: Query) -> int:
        """The time that the features tell of, in microseconds."""
        told = None if self._time_key is None else read_number(query.context.get(self._time_key))
        time = None if told is None else round(told * SECOND)
        return time if time is not None and EARLIEST <= time < LATEST else query.now


def _named(values: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[str, str, str]]:
    """Each key and value, and what its feature is called."""
    for key, own in values.items():
        for value in own:
            name = "".join(c if f"_{c}".isidentifier() else "_" for c in caseless(f"{key}_{value}"))
            yield key, value, name if name.isidentifier() else f"_{name}"
