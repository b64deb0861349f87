"""What all generators of sample data share: options and their checks, random streams, files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeAlias, TypedDict

import numpy as np
import polars as pl

from homefeed.errors import InvalidError
from homefeed.samples.draws import Rng
from homefeed.samples.files import Format, write_tables

END: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""Where the default window of events ends: fixed, so a sample never depends on today."""

_MAX_EVENTS_PER_USER_DAY: Final = 200

Progress: TypeAlias = Callable[[int, int], None]
"""Called with how many events of how many are drawn."""
Tables: TypeAlias = Mapping[str, pl.LazyFrame]
"""The tables of a sample, by the path of their file."""


class Options(TypedDict, total=False):
    """The options of a sample: the fields of `Sample`."""

    users: int
    items: int
    events: int
    days: int
    seed: int
    end: datetime
    dated: bool
    format: Format


@dataclass(frozen=True, kw_only=True)
class Sample:
    """The options of a sample: the same options write the same bytes.

    `events` covers the `days` before `end`. `dated` items have their time of arrival, in a column `created_at`,
    where the contract of the app does not require it.
    """

    users: int
    items: int
    events: int
    days: int
    seed: int = 42
    end: datetime = END
    dated: bool = False
    format: Format = "csv"

    @property
    def sizes(self) -> dict[str, int]:
        """The sizes that must be at least 1, by name; `events` has its own bounds."""
        return {"users": self.users, "items": self.items, "days": self.days}

    @property
    def last(self) -> int:
        """The end of the window, in seconds since 1970-01-01 UTC."""
        return int(self.end.timestamp())

    def rng(self, stream: int) -> Rng:
        """One of the seed's random streams; they are independent of one another."""
        return np.random.default_rng([self.seed, stream])

    def check(self) -> None:
        """Refuse sizes below one, more events than the users can have, and an `end` without a time zone.

        Raises:
            InvalidError: the option that is wrong, and what was expected.
        """
        for name, value in self.sizes.items():
            if value < 1:
                raise InvalidError(f"{name}: expected at least 1, got {value}")
        if self.end.tzinfo is None:
            raise InvalidError("end: expected a time with a time zone")
        highest = _MAX_EVENTS_PER_USER_DAY * self.users * self.days
        if not 1 <= self.events <= highest:
            raise InvalidError(
                f"events: expected 1 to {highest:,} for {self.users:,} users in {self.days:,} days, "
                f"got {self.events:,}"
            )


@dataclass(frozen=True)
class Summary:
    """What was written."""

    users: int
    items: int
    events: int
    files: tuple[Path, ...]


def write_sample(folder: Path, sample: Sample, tables: Callable[[], Tables]) -> Summary:
    """Check the options of a sample, then make its tables and write them to `folder`.

    Raises:
        InvalidError: an option is out of bounds; nothing is written.
    """
    sample.check()
    return Summary(sample.users, sample.items, sample.events, write_tables(tables(), folder))
