"""The seam of feature stores: packed values by key, each for some time."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Final, Protocol

MOST_KEYS: Final = 1_024
"""Keys of one call."""
MOST_BYTES: Final = 524_288
"""Bytes of one value."""


@dataclass(slots=True)
class FeatureStoreStats:
    """What a feature store has done so far: values asked for and found, calls by outcome and how long they took.

    `unusable` are those found damaged, or of another version. Calls were answered or failed; those that were
    passed over while the store was away were not made.
    `seconds` has a call's time in the first of `BOUNDS` that is not below it, or in the last place.
    """

    BOUNDS: ClassVar = (0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.02, 0.05)

    hits: int = 0
    misses: int = 0
    unusable: int = 0
    answered: int = 0
    failed: int = 0
    passed_over: int = 0
    total_seconds: float = 0.0
    seconds: list[int] = field(default_factory=lambda: [0] * (len(FeatureStoreStats.BOUNDS) + 1))

    def took(self, seconds: float) -> None:
        """Note how long a call took."""
        self.seconds[bisect_left(self.BOUNDS, seconds)] += 1
        self.total_seconds += seconds


class FeatureStore(Protocol):
    """Packed values by key, each for some seconds: in a process's memory, or in a Redis that replicas share.

    Each call is one round trip, of at most `MOST_KEYS` keys. A store that is away is as an empty one, at once:
    nothing is found, what is written is lost, and `trouble` says why; it is None while the store answers.
    `shared` is whether other replicas see the same.
    """

    name: ClassVar[str]
    shared: ClassVar[bool]

    @property
    def trouble(self) -> str | None:
        """Why nothing is found, as far as the last calls tell; None where the store answers."""
        ...

    @property
    def stats(self) -> FeatureStoreStats:
        """What it has done so far."""
        ...

    async def read(self, keys: Sequence[str]) -> list[bytes | None]:
        """The values of keys, in their order; None for those that are not there, or no longer."""
        ...

    async def write(self, values: Mapping[str, bytes], seconds: int) -> None:
        """Keep values for so many seconds."""
        ...

    async def replace(self, key: str, value: bytes) -> bytes | None:
        """Put a value that stays; answers the one before."""
        ...

    async def delete(self, keys: Sequence[str]) -> None:
        """Forget keys."""
        ...

    async def probe(self) -> None:
        """Find out whether the store answers, for `trouble` to tell."""
        ...

    async def close(self) -> None:
        """Give back what it holds."""
        ...


def check_keys(keys: Sequence[str]) -> None:
    """Refuse more keys than one call may have.

    Raises:
        ValueError: there are more.
    """
    if len(keys) > MOST_KEYS:
        raise ValueError(f"more than {MOST_KEYS:,} keys in a call; ask for fewer at a time")


def check_values(values: Mapping[str, bytes]) -> None:
    """Refuse more, or larger ones, than one call may have.

    Raises:
        ValueError: it says which limit.
    """
    check_keys(list(values))
    for key, value in values.items():
        if len(value) > MOST_BYTES:
            raise ValueError(f"{key}: a value of more than {MOST_BYTES:,} bytes")
